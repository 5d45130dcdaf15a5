import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameWriter } from '../../../../src/signers/pkcs11/process/frame-writer.js';
import { FrameReader, MAX_BODY_BYTES } from '../../../../src/signers/pkcs11/process/frames.js';

type Frame = [kind: number, id: number, key: number, body: string];

/** Copies, as the writer wipes what it has written. */
class Bytes extends Writable {
  readonly writes: Buffer[] = [];
  /** The buffers that were handed over, not copies of them. */
  readonly handed: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: unknown, done: () => void): void {
    this.writes.push(Buffer.from(chunk));
    this.handed.push(chunk);
    done();
  }
}

function written(frames: readonly Frame[]): Buffer {
  const pipe = new Bytes({ highWaterMark: 2 ** 30 });
  const writer = new FrameWriter(pipe, () => {});
  for (const [kind, id, key, body] of frames) writer.write(kind, id, key, Buffer.from(body, 'hex'));
  writer.flush();
  return Buffer.concat(pipe.writes);
}

function read(chunks: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader((kind, id, key, body) => frames.push([kind, id, key, body.toString('hex')]));
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return frames;
}

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const frame = fc.tuple(
  fc.integer({ min: 0, max: 255 }),
  u32,
  u32,
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('hex')),
);

describe('frames', () => {
  test('come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), fc.array(fc.nat(400)), (frames, cuts) => {
        const bytes = written(frames as Frame[]);
        const chunks: Buffer[] = [];
        let rest = bytes;
        for (const cut of cuts) {
          chunks.push(rest.subarray(0, cut));
          rest = rest.subarray(cut);
        }
        expect(read([...chunks, rest])).toEqual(frames);
      }),
    );
  });

  test('come out byte by byte', () => {
    const frames: Frame[] = [
      [1, 2, 3, 'aabb'],
      [255, 0xffff_ffff, 0xffff_fffe, ''],
      [3, 4, 5, '00'.repeat(1000)],
    ];
    expect(read([...written(frames)].map((byte) => Buffer.of(byte)))).toEqual(frames);
  });

  test('longer than a batch are in order with those before and after', () => {
    const frames: Frame[] = [
      [1, 1, 0, 'aa'],
      [1, 2, 0, 'bb'.repeat(200_000)],
      [1, 3, 0, 'cc'],
    ];
    expect(read([written(frames)])).toEqual(frames);
  });

  test('that are ready together are one write', () => {
    const pipe = new Bytes();
    let scheduled = 0;
    const writer = new FrameWriter(pipe, () => scheduled++);
    for (let id = 0; id < 100; id++) writer.write(1, id, 0, new Uint8Array(32));
    expect([scheduled, pipe.writes.length]).toEqual([1, 0]);
    writer.flush();
    writer.flush();
    expect([scheduled, pipe.writes.length]).toEqual([1, 1]);
  });

  test.each([0, 8, MAX_BODY_BYTES + 10, 0xffff_ffff])('of %i bytes are refused', (length) => {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(length);
    expect(() => read([Buffer.concat([header, Buffer.alloc(64)])])).toThrow(/a frame of/);
  });

  test('too long to be sent are a RangeError', () => {
    const writer = new FrameWriter(new Bytes(), () => {});
    expect(() => writer.write(1, 1, 0, new Uint8Array(MAX_BODY_BYTES + 1))).toThrow(RangeError);
  });

  test('are wiped once they are written', async () => {
    const pipe = new Bytes();
    const writer = new FrameWriter(pipe, () => {});
    writer.write(1, 1, 0, Buffer.from('12345678'));
    writer.write(1, 2, 0, Buffer.alloc(100_000, 'x'));
    writer.flush();
    await new Promise(setImmediate);
    expect(pipe.handed.length).toBe(2);
    for (const buffer of pipe.handed) expect(buffer.every((byte) => byte === 0)).toBe(true);
  });

  test('are wiped once they are read, in one piece or in several', () => {
    const bodies: Buffer[] = [];
    const reader = new FrameReader((_kind, _id, _key, body) => bodies.push(body));
    const whole = written([[1, 1, 0, 'ff'.repeat(32)]]);
    reader.push(whole);
    const pieces = written([[1, 1, 0, 'ff'.repeat(32)]]);
    reader.push(pieces.subarray(0, 20));
    reader.push(pieces.subarray(20));
    expect(bodies.map((body) => body.length)).toEqual([32, 32]);
    for (const buffer of [...bodies, whole, pieces]) expect(buffer.every((byte) => byte === 0)).toBe(true);
  });
});
