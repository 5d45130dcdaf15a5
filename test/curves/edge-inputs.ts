// Inputs for differential tests, weighted to the edges; the same ones in every run.

import fc from 'fast-check';

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** Settings of every property: a fixed seed, so that a failure repeats. */
export const repeatable = (numRuns: number) => ({ numRuns, seed: 25519 });

/** Random bytes, or bytes that are mostly zeros or ones, with a few of them changed. */
export const edgeBytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ minLength: length, maxLength: length }),
    fc
      .record({
        fill: fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff),
        changes: fc.array(fc.tuple(fc.nat(Math.max(0, length - 1)), fc.nat(255)), { maxLength: 3 }),
      })
      .map(({ fill, changes }) => {
        const bytes = new Uint8Array(length).fill(fill);
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        return bytes;
      }),
  );

/** Messages around the block sizes of the hashes, and of any other length up to 300. */
export const messages: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    fc.constantFrom(0, 1, 31, 32, 33, 55, 56, 63, 64, 65, 79, 80, 111, 112, 127, 128, 129, 255, 256),
    fc.nat(300),
  )
  .chain(edgeBytes);

/** The 32 little-endian bytes of an integer. */
export function littleEndian(value: bigint, length = 32): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

export function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
