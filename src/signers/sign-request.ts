// The checks that every Signer makes on its arguments before any work, in one place, so that they mean one thing.

import { copyBytes, expectBytes } from '../bytes.js';
import type { Algorithm, SignOptions } from './types.js';

/**
 * A copy of `data`, once it and `options` are what `algorithm` can sign or verify.
 *
 * @throws TypeError - wrong types, or `prehashed` with Ed25519
 * @throws RangeError - `prehashed` and not 32 bytes
 */
export function copyMessage(
  algorithm: Algorithm,
  data: Uint8Array,
  options: SignOptions = {},
): Uint8Array<ArrayBuffer> {
  checkSignOptions(algorithm, options);
  expectBytes(data, 'data');
  if (options.prehashed && data.length !== 32) {
    throw new RangeError(`prehashed data must be a digest of 32 bytes, got ${data.length}`);
  }
  return copyBytes(data);
}

/** A copy of every message, checked as `copyMessage` checks one. */
export function copyMessages(
  algorithm: Algorithm,
  messages: readonly Uint8Array[],
  options: SignOptions = {},
): Uint8Array<ArrayBuffer>[] {
  checkSignOptions(algorithm, options);
  if (!Array.isArray(messages)) throw new TypeError('messages must be an array of Uint8Arrays');
  // Array.from also visits holes, which map would skip.
  return Array.from(messages, (message: Uint8Array) => copyMessage(algorithm, message, options));
}

function checkSignOptions(algorithm: Algorithm, options: SignOptions): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object');
  const { prehashed, signal } = options;
  if (prehashed !== undefined && typeof prehashed !== 'boolean') {
    throw new TypeError('prehashed must be true or false');
  }
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throw new TypeError('signal must be an AbortSignal');
  }
  if (prehashed && algorithm === 'ed25519') {
    throw new TypeError('Ed25519 signs the message itself, never a digest: leave prehashed out');
  }
}
