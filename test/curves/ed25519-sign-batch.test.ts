// Signatures made together are those made one by one, whatever the number and the length of the messages.

import { ed25519 as noble } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { ed25519 } from '../../src/curves/index.js';
import { withCurves } from '../../src/curves/wasm.js';
import { hex } from './edge-inputs.js';

const secretKey = sha512(Uint8Array.of(7)).slice(0, 32);
const key = ed25519.prepare(secretKey);

/** Bytes that are different for every index and length. */
const message = (index: number, length: number) =>
  Uint8Array.from({ length }, (_, i) => (index * 131 + length * 17 + i * 7 + (i >> 8)) & 0xff);

function expectSingles(messages: Uint8Array[]): void {
  const signatures = key.signBatch(messages);
  expect(signatures.length).toBe(messages.length);
  for (const [i, signature] of signatures.entries())
    expect(hex(signature), `${i}`).toBe(hex(key.sign(messages[i]!)));
}

it.each([0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 200])('%i messages of 32 bytes', (count) => {
  expectSingles(Array.from({ length: count }, (_, i) => message(i, 32)));
});

it('messages of 0 to 300 bytes', () => {
  expectSingles(Array.from({ length: 301 }, (_, length) => message(length, length)));
});

it('agrees with noble', () => {
  const messages = Array.from({ length: 70 }, (_, i) => message(i, 3 * i));
  const expected = messages.map((m) => hex(noble.sign(m, secretKey)));
  expect(key.signBatch(messages).map(hex)).toEqual(expected);
});

describe('messages that fill the buffer', () => {
  const room = withCurves(({ run }) => run.MESSAGE_BYTES.value);

  it.each([-1, 0, 1])('all together, %i bytes more than it holds', (more) => {
    expectSingles([message(1, 1000), message(2, room - 1000 + more), message(3, 5)]);
  });

  it.each([-1, 0, 1])('one alone, %i bytes more than it holds', (more) => {
    expectSingles([message(1, room + more)]);
    expectSingles([message(2, 9), message(1, room + more), message(3, 0), message(4, 9)]);
  });

  it('longer than a piece, first, last and between', () => {
    const long = (index: number) => message(index, 65_536 + index);
    expectSingles([
      long(0),
      message(1, 3),
      long(2),
      long(65_536),
      message(4, 40_000),
      message(5, 20_000),
      long(1),
    ]);
  });
});

it('takes each message once, before it signs any', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(40));
  expectSingles([shared, shared, message(1, 40), shared]);
});

it('gives plain arrays of their own', () => {
  for (const signature of key.signBatch([message(1, 1), message(2, 2)])) {
    expect(Object.getPrototypeOf(signature)).toBe(Uint8Array.prototype);
    expect(signature.buffer.byteLength).toBe(64);
  }
});
