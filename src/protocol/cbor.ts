// The CBOR (RFC 8949) that messages are made of, and nothing more: maps with distinct text keys, arrays, byte strings,
// valid UTF-8, safe integers, true, false and null; definite and shortest lengths; four containers deep. Decoding holds
// no more than a small multiple of its input, and throws ProtocolError only.

import { decode, encode, rfc8949EncodeOptions, type Token, Tokenizer, Type } from 'cborg';
import { expectBytes, utf8Decode } from '../bytes.js';
import { ProtocolError } from './protocol-error.js';

const MAX_DEPTH = 4; // welcome: map, keys, one key, its info

const ENCODE_OPTIONS = { ...rfc8949EncodeOptions, ignoreUndefinedProperties: true };

const DECODE_OPTIONS = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
  retainStringBytes: true,
};

/** Deterministic encoding (RFC 8949 §4.2.1); properties that are `undefined` are left out. */
export const encodeCbor = (value: Record<string, unknown>): Uint8Array =>
  Uint8Array.from(encode(value, ENCODE_OPTIONS)); // cborg gives a Buffer in Node

/** Decodes exactly one item; maps become plain objects. */
export function decodeCbor(bytes: Uint8Array): unknown {
  expectBytes(bytes, 'message');
  try {
    return decode(bytes, { ...DECODE_OPTIONS, tokenizer: new StrictTokenizer(bytes) });
  } catch (cause) {
    throw new ProtocolError('a message is not CBOR as the protocol has it', { cause });
  }
}

/** Bytes that a byte string of `length` bytes takes when encoded. */
export function encodedByteStringLength(length: number): number {
  if (length < 24) return 1 + length;
  if (length < 0x100) return 2 + length;
  if (length < 0x1_0000) return 3 + length;
  return 5 + length;
}

/** The longest byte string that takes at most `room` bytes when encoded; 0 where there is no room for any. */
export function longestByteString(room: number): number {
  const candidates = [room - 1, room - 2, room - 3, 0xffff, room - 5];
  return Math.max(0, ...candidates.filter((length) => length > 0 && encodedByteStringLength(length) <= room));
}

/** Adds to cborg's checks: depth, lengths against what is left, no tags, no floats, valid UTF-8. */
class StrictTokenizer extends Tokenizer {
  /** Items that each open container still awaits, outermost first. A full one is dropped when the next item comes. */
  readonly #awaited: number[] = [];

  constructor(bytes: Uint8Array) {
    // A plain Uint8Array, so that the byte strings cut from it are plain as well, and copies.
    super(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), DECODE_OPTIONS);
  }

  override next(): Token {
    const token = super.next();
    this.#count();
    if (Type.equals(token.type, Type.array)) this.#open(token.value);
    else if (Type.equals(token.type, Type.map)) this.#open(2 * token.value);
    else if (Type.equals(token.type, Type.string)) requireUtf8(token);
    else if (Type.equals(token.type, Type.tag)) throw new Error('tags are not allowed');
    else if (Type.equals(token.type, Type.float)) throw new Error('floats are not allowed');
    return token;
  }

  #count(): void {
    while (this.#awaited.at(-1) === 0) this.#awaited.pop();
    if (this.#awaited.length > 0) this.#awaited[this.#awaited.length - 1]!--;
  }

  #open(items: number): void {
    if (items > this.data.length - this.pos()) throw new Error('a container is longer than the message');
    if (this.#awaited.length === MAX_DEPTH) throw new Error('containers are nested too deeply');
    this.#awaited.push(items);
  }
}

// cborg replaces what is not UTF-8 and drops a byte order mark; here the first is an error and the second is text.
function requireUtf8(token: Token): void {
  if (token.byteValue !== undefined) token.value = utf8Decode(token.byteValue);
}
