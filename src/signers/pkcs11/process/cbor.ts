// CBOR (RFC 8949) of calls, results and errors on the pipe. `undefined` and big integers pass as they are. What a broken
// process sent makes `decode` throw, whatever it is; what it decodes to is checked against a schema (calls.ts).

import { decode, encode } from 'cborg';

const DECODE_OPTIONS = { rejectDuplicateMapKeys: true, allowIndefinite: false };

export const encodeCbor = (value: unknown): Uint8Array => encode(value);

/** The one item that `bytes` are; byte strings in it are copies. */
export function decodeCbor(bytes: Uint8Array): unknown {
  // A plain Uint8Array, so that the byte strings cut from it are plain as well.
  return decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), DECODE_OPTIONS);
}
