// Signing takes the same steps whatever the key: in the compiled release module, by tracing it.

import { sha512 } from '@noble/hashes/sha2.js';
import { expect, it } from 'vitest';
import type { Curves } from '../../src/curves/wasm.js';
import { traceCurves } from './trace.js';

const { record, difference } = traceCurves();

const prepare = (secretKey: Uint8Array) => (curves: Curves) => {
  curves.put('secretKey', secretKey);
  curves.run.ed25519Prepare();
};

const sign = (secretKey: Uint8Array, message: Uint8Array) => (curves: Curves) => {
  prepare(secretKey)(curves);
  curves.hold(message);
  curves.run.ed25519SignStart();
  curves.feed(curves.run.ed25519Absorb);
  curves.run.ed25519SignCommit();
  curves.feed(curves.run.ed25519Absorb);
  curves.run.ed25519SignFinish();
};

// The first call fills the table of the fixed base.
record(prepare(new Uint8Array(32)));

const keys = [
  new Uint8Array(32),
  new Uint8Array(32).fill(0xff),
  ...Array.from({ length: 30 }, (_, i) => sha512(Uint8Array.of(i)).subarray(0, 32)),
];

it('deriving the public key', () => {
  const [first, ...others] = keys.map((key) => record(prepare(key)));
  expect(first!.length).toBeGreaterThan(10_000);
  for (const other of others) expect(difference(first!, other)).toBeUndefined();
});

it.each([0, 32, 111, 112, 300])('signing %i bytes', (length) => {
  const [first, ...others] = keys.map((key, i) => record(sign(key, new Uint8Array(length).fill(i))));
  expect(first!.length).toBeGreaterThan(20_000);
  for (const other of others) expect(difference(first!, other)).toBeUndefined();
});

it.each([1, 2, 5])('signing %i messages together', (count) => {
  const signTogether = (secretKey: Uint8Array) => (curves: Curves) => {
    prepare(secretKey)(curves);
    curves.run.ed25519SignTogetherStart();
    for (let i = 0; i < count; i++) {
      const message = secretKey.subarray(0, 7 * i);
      curves.place(message, curves.run.ed25519SignTogetherAdd(message.length));
    }
    curves.run.ed25519SignTogetherFinish();
  };
  const [first, ...others] = keys.map((key) => record(signTogether(key)));
  expect(first!.length).toBeGreaterThan(20_000);
  for (const other of others) expect(difference(first!, other)).toBeUndefined();
});

it('scalars at the edges of the recoding', () => {
  const scalars = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x82, 0x20, 0xdf].map((fill) =>
    new Uint8Array(32).fill(fill),
  );
  const signPrepared = (scalar: Uint8Array) => (curves: Curves) => {
    const prepared = new Uint8Array(96).fill(7);
    prepared.set(scalar);
    prepared[31]! &= 0x7f;
    curves.put('preparedKey', prepared);
    curves.hold(new Uint8Array(32));
    curves.run.ed25519SignStart();
    curves.feed(curves.run.ed25519Absorb);
    curves.run.ed25519SignCommit();
    curves.run.ed25519SignFinish();
  };
  const [first, ...others] = scalars.map((scalar) => record(signPrepared(scalar)));
  for (const other of others) expect(difference(first!, other)).toBeUndefined();
});

it('a trace does tell apart what is variable-time', () => {
  const [first, second] = [keys[2]!, keys[3]!].map((key) =>
    record((curves) => {
      sign(key, new Uint8Array(32))(curves);
      const publicKey = curves.take('preparedKey', 96).subarray(64);
      curves.put('publicKey', publicKey);
      curves.run.ed25519VerifyStart();
      curves.feed(curves.run.ed25519Absorb);
      expect(curves.run.ed25519VerifyFinish(1)).toBe(0);
    }),
  );
  expect(difference(first!, second!)).toMatch(/ in \$/);
});
