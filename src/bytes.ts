// Bytes in and out of text, and comparison in constant time. Leaf: imports nothing.

import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';

export { bytesToHex, concatBytes };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 encoding of `text`. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);

/** Text of strict UTF-8 `bytes`; a `TypeError` where they are none. */
export const utf8Decode = (bytes: Uint8Array): string => decoder.decode(bytes);

/** Bytes of a hex string of even length, either case; a `SyntaxError` otherwise. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(hex)) throw new SyntaxError('not an even number of hex digits');
  return Uint8Array.from(hexToBytes(hex));
}

/** Base64url without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

/** Bytes of unpadded base64url; a `SyntaxError` for anything else, non-zero trailing bits included. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw new SyntaxError('not base64url');
  const bytes = fromBase64(text.replace(/-/g, '+').replace(/_/g, '/'));
  if (toBase64Url(bytes) !== text) throw new SyntaxError('not canonical base64url');
  return bytes;
}

/** Padded base64 (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  const chunks: string[] = [];
  for (let i = 0; i < bytes.length; i += 0x8000) {
    chunks.push(String.fromCharCode(...bytes.subarray(i, i + 0x8000)));
  }
  return btoa(chunks.join(''));
}

/** Bytes of base64, padded or not; a `SyntaxError` otherwise. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(text);
  } catch (cause) {
    throw new SyntaxError('not base64', { cause });
  }
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

/** A fresh copy of `bytes`, always a plain `Uint8Array`: `slice` of a Node.js Buffer gives a view of the same memory. */
export const copyBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

/** Whether `a` and `b` are equal, in time that depends on their lengths alone. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** `value` if it is a `Uint8Array` (of `length` bytes, if given); a `TypeError` or `RangeError` that names it otherwise. */
export function expectBytes(value: unknown, name: string, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array`);
  if (length !== undefined && value.length !== length) {
    throw new RangeError(`${name} must be ${length} bytes, got ${value.length}`);
  }
  return value;
}
