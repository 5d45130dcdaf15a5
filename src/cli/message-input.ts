// What is signed or verified: the input itself, or with --prehashed the digest that it holds.

import { fromHex } from '../bytes.js';
import type { Algorithm } from '../signers/types.js';
import { CliError, UsageError } from './failure.js';
import { readInput } from './input.js';

export const PREHASHED = 'the input is the SHA-256 digest itself: 32 bytes, or 64 hex digits (ECDSA)';

/** A `UsageError` where Ed25519 is asked to sign or verify a digest. */
export function expectHashable(prehashed: boolean, algorithm: Algorithm): void {
  if (prehashed && algorithm === 'ed25519') {
    throw new UsageError(
      '--prehashed is for ECDSA; Ed25519 signs the message itself, so leave --prehashed out',
    );
  }
}

/** The bytes to sign or verify, from the file at `path` or standard input. */
export async function readMessage(path: string, prehashed: boolean): Promise<Uint8Array> {
  const input = await readInput(path, prehashed ? 'the digest' : 'the data');
  return prehashed ? digestOf(input) : input;
}

/** 32 bytes can only be the digest, and 64 hex digits (a line break may follow) only its text. */
function digestOf(input: Uint8Array): Uint8Array {
  if (input.length === 32) return input;
  const text = Buffer.from(input).toString('latin1').trimEnd();
  if (/^[0-9a-fA-F]{64}$/.test(text)) return fromHex(text);
  throw new CliError(
    'not-a-digest',
    `with --prehashed the input must be 32 bytes or 64 hex digits; it has ${input.length} bytes`,
  );
}
