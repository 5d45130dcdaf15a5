// A strict DER reader for the few fixed shapes of keys and signatures: definite minimal lengths, no trailing bytes.
// It allocates nothing: what it returns are views of the input.
// Source: X.690 §8.1.3, §10.1; RFC 5280, RFC 5915, RFC 5958 for the shapes read with it.

export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific and constructed, `[n]`. */
  context: (n: number) => 0xa0 | n,
  /** Context-specific and primitive, `[n] IMPLICIT` of a string type. */
  contextPrimitive: (n: number) => 0x80 | n,
} as const;

/** What is not strict DER of the shape that was asked for. Never leaves this package: callers turn it into their error. */
export class DerError extends Error {
  override name = 'DerError';
}

export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether the next element has `tag`. */
  nextIs(tag: number): boolean {
    return this.#bytes[this.#offset] === tag;
  }

  /** Contents of the next element, which must have `tag`. */
  read(tag: number): Uint8Array {
    if (!this.nextIs(tag)) throw new DerError(`expected tag 0x${tag.toString(16)} at byte ${this.#offset}`);
    this.#offset++;
    const length = this.#length();
    const start = this.#offset;
    if (length > this.#bytes.length - start) throw new DerError(`truncated at byte ${this.#bytes.length}`);
    this.#offset = start + length;
    return this.#bytes.subarray(start, this.#offset);
  }

  /** Reader of the contents of the next element, constructed with `tag`. */
  enter(tag: number = TAG.sequence): DerReader {
    return new DerReader(this.read(tag));
  }

  /** Contents of the next element if it has `tag`, else `undefined` and nothing is read. */
  optional(tag: number): Uint8Array | undefined {
    return this.nextIs(tag) ? this.read(tag) : undefined;
  }

  /** Contents of a BIT STRING of whole bytes. */
  bitString(tag: number = TAG.bitString): Uint8Array {
    const contents = this.read(tag);
    if (contents[0] !== 0) throw new DerError('a bit string that is not whole bytes');
    return contents.subarray(1);
  }

  /** Magnitude of a non-negative INTEGER, big-endian without leading zero bytes (empty for 0). */
  unsigned(): Uint8Array {
    const contents = this.read(TAG.integer);
    const [first, second] = contents;
    if (first === undefined || first & 0x80) throw new DerError('an integer that is empty or negative');
    if (first !== 0) return contents;
    if (second !== undefined && second < 0x80) throw new DerError('an integer with a needless leading zero');
    return contents.subarray(1);
  }

  /** A non-negative INTEGER below 2^48. */
  smallUnsigned(): number {
    const magnitude = this.unsigned();
    if (magnitude.length > 6) throw new DerError('an integer that is too large');
    return magnitude.reduce((value, byte) => value * 256 + byte, 0);
  }

  /** Fails unless everything has been read. */
  end(): void {
    if (this.#offset !== this.#bytes.length) throw new DerError(`unexpected bytes at byte ${this.#offset}`);
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new DerError('an indefinite or absurd length');
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    const minimal = length >= (count === 1 ? 0x80 : 1 << (8 * (count - 1)));
    if (!minimal) throw new DerError('a length that is not minimal');
    return length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset++];
    if (byte === undefined) throw new DerError(`truncated at byte ${this.#bytes.length}`);
    return byte;
  }
}

/** One element: `tag`, minimal length, `contents` joined. The result is fresh and may be wiped. */
export function derEncode(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  const header = [tag, ...lengthBytes(length)];
  const out = new Uint8Array(header.length + length);
  out.set(header);
  let offset = header.length;
  for (const part of contents) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** INTEGER of a big-endian magnitude, minimal. */
export function derUnsigned(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const minimal = magnitude.subarray(start);
  const sign = minimal.length === 0 || minimal[0]! & 0x80 ? [0] : [];
  return derEncode(TAG.integer, Uint8Array.from(sign), minimal);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  if (length < 0x10000) return [0x82, length >> 8, length & 0xff];
  return [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
}
