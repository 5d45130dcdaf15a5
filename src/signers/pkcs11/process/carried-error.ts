// Errors across the pipe: code, message and what PKCS#11 said. Stack and cause stay in the child.

import * as v from 'valibot';
import { Pkcs11Error, SignerError, type SignerErrorCode } from '../../../errors.js';

const MAX_MESSAGE_LENGTH = 4096;
const TYPE_ERROR = 'TypeError';
const RANGE_ERROR = 'RangeError';

const CARRIED_ERROR = v.object({
  /** A SignerErrorCode (not listed here: the child is of the same build), or the name of a caller's bug. */
  code: v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,40}$/)),
  message: v.pipe(v.string(), v.maxLength(MAX_MESSAGE_LENGTH)),
  ckr: v.optional(v.pipe(v.string(), v.maxLength(100))),
  ckrCode: v.optional(v.pipe(v.number(), v.safeInteger())),
  functionName: v.optional(v.pipe(v.string(), v.maxLength(100))),
});

export type CarriedError = v.InferOutput<typeof CARRIED_ERROR>;

export function carriedError(thrown: unknown): CarriedError {
  const { message } = thrown instanceof Error ? thrown : new Error(String(thrown));
  const said = message.slice(0, MAX_MESSAGE_LENGTH);
  if (thrown instanceof Pkcs11Error) {
    const { code, ckr, ckrCode, functionName } = thrown;
    return { code, message: said, ckr, ckrCode, functionName };
  }
  if (thrown instanceof SignerError) return { code: thrown.code, message: said };
  if (thrown instanceof RangeError) return { code: RANGE_ERROR, message: said };
  if (thrown instanceof TypeError) return { code: TYPE_ERROR, message: said };
  return { code: 'token-error', message: said };
}

/** The error that was carried as `value`; throws where it is none. */
export function rebuiltError(value: unknown): Error {
  const { code, message, ckr, ckrCode, functionName } = v.parse(CARRIED_ERROR, value);
  if (code === TYPE_ERROR) return new TypeError(message);
  if (code === RANGE_ERROR) return new RangeError(message);
  return new Pkcs11Error(code as SignerErrorCode, message, {
    ...(ckr !== undefined && { ckr }),
    ...(ckrCode !== undefined && { ckrCode }),
    ...(functionName !== undefined && { functionName }),
  });
}
