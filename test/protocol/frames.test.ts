import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { framesOf, MAX_CHUNK_BYTES, MessageAssembler } from '../../src/protocol/frames.js';
import { ProtocolError } from '../../src/protocol/protocol-error.js';

const frame = (flag: number, length: number) => {
  const bytes = new Uint8Array(1 + length).fill(7);
  bytes[0] = flag;
  return bytes;
};

describe('frames', () => {
  it.each([1, 2, MAX_CHUNK_BYTES, MAX_CHUNK_BYTES + 1, 2 * MAX_CHUNK_BYTES, 1_048_576])(
    'carry a message of %i bytes',
    (length) => {
      const message = Uint8Array.from({ length }, (_, i) => i);
      const assembler = new MessageAssembler();
      const frames = [...framesOf(message)];
      expect(frames.length).toBe(Math.ceil(length / MAX_CHUNK_BYTES));
      const received = frames.map((bytes) => assembler.push(bytes));
      expect(received.slice(0, -1).every((value) => value === undefined)).toBe(true);
      expect(Buffer.compare(received.at(-1)!, message)).toBe(0);
    },
  );

  it('fill one Noise message each', () => {
    expect([...framesOf(new Uint8Array(MAX_CHUNK_BYTES + 1))].map((bytes) => bytes.length)).toEqual([
      65_519, 2,
    ]);
  });

  it('carry message after message', () => {
    const assembler = new MessageAssembler();
    expect(assembler.push(frame(1, 3))).toEqual(new Uint8Array(3).fill(7));
    expect(assembler.push(frame(0, MAX_CHUNK_BYTES))).toBeUndefined();
    expect(assembler.push(frame(1, 1))?.length).toBe(MAX_CHUNK_BYTES + 1);
    expect(assembler.push(frame(1, 2))?.length).toBe(2);
  });

  it('do not carry nothing', () => {
    expect(() => [...framesOf(new Uint8Array(0))]).toThrow(RangeError);
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['an unknown flag', frame(2, 5)],
    ['an empty last chunk', frame(1, 0)],
    ['an empty chunk', frame(0, 0)],
    ['a chunk that is neither full nor last', frame(0, MAX_CHUNK_BYTES - 1)],
  ])('that are %s are protocol errors', (_name, bytes) => {
    expect(() => new MessageAssembler().push(bytes)).toThrow(ProtocolError);
  });

  it('end at the limit', () => {
    const exact = new MessageAssembler(MAX_CHUNK_BYTES + 10);
    exact.push(frame(0, MAX_CHUNK_BYTES));
    expect(exact.push(frame(1, 10))?.length).toBe(MAX_CHUNK_BYTES + 10);
    const over = new MessageAssembler(MAX_CHUNK_BYTES + 10);
    over.push(frame(0, MAX_CHUNK_BYTES));
    expect(() => over.push(frame(1, 11))).toThrow(
      expect.objectContaining({ code: 'protocol-error', closeCode: 1008 }),
    );
  });

  it('of any content give messages within the limit, or a typed error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (plaintexts) => {
        const assembler = new MessageAssembler(30);
        try {
          for (const plaintext of plaintexts) {
            expect(assembler.push(plaintext)?.length ?? 1).toBeLessThanOrEqual(30);
          }
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
