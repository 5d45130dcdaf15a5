// Signing with secp256k1 and BIP-340 takes the same steps whatever the key: in the compiled release module, traced.

import { sha256 } from '@noble/hashes/sha2.js';
import { expect, it } from 'vitest';
import type { Curves } from '../../src/curves/wasm.js';
import { bigEndian, edgeScalars, n } from './secp256k1-inputs.js';
import { traceCurves } from './trace.js';

const OK = 0;
const { record, difference } = traceCurves();

const keys = [
  ...[1n, 2n, 3n, n - 1n, (n - 1n) / 2n, (n + 1n) / 2n].map((scalar) => bigEndian(scalar)),
  ...edgeScalars.slice(-12).map((scalar) => bigEndian(scalar)),
  ...Array.from({ length: 24 }, (_, i) => sha256(Uint8Array.of(i))),
];

const getPublicKey = (secretKey: Uint8Array) => (curves: Curves) => {
  curves.put('secretKey', secretKey);
  expect(curves.run.secp256k1PublicKey(1)).toBe(OK);
};

const sign =
  (secretKey: Uint8Array, message: Uint8Array, lowS: number, hedged: number) => (curves: Curves) => {
    curves.put('secretKey', secretKey);
    expect(curves.run.secp256k1CheckSecretKey()).toBe(OK);
    curves.run.secp256k1HashStart();
    curves.hold(message);
    curves.feed(curves.run.secp256k1Absorb);
    curves.run.secp256k1HashFinish();
    curves.put('extra', secretKey);
    expect(curves.run.secp256k1Sign(lowS, hedged)).toBe(OK);
  };

const signSchnorr = (secretKey: Uint8Array, message: Uint8Array) => (curves: Curves) => {
  curves.put('secretKey', secretKey);
  curves.put('extra', secretKey);
  curves.hold(message);
  expect(curves.run.schnorrSignStart()).toBe(OK);
  curves.feed(curves.run.secp256k1Absorb);
  expect(curves.run.schnorrSignCommit()).toBe(OK);
  curves.feed(curves.run.secp256k1Absorb);
  curves.run.schnorrSignFinish();
};

const fromSeed = (seed: Uint8Array) => (curves: Curves) => {
  curves.put('seed', seed);
  curves.run.secp256k1SecretFromSeed();
};

/** Traces of the calls, of which the first must be long and the others like it. */
function expectAlike(calls: ((curves: Curves) => void)[], events: number): void {
  const [first, ...others] = calls.map(record);
  expect(first!.length).toBeGreaterThan(2 * events);
  for (const other of others) expect(difference(first!, other)).toBeUndefined();
}

// The first call fills the table of the fixed base.
record(getPublicKey(keys[0]!));

it('deriving the public key', () => expectAlike(keys.map(getPublicKey), 10_000));

it.each([
  ['low s', 1, 0],
  ['any s', 0, 0],
  ['hedged', 1, 1],
])('ECDSA: %s', (_name, lowS, hedged) => {
  const message = (i: number) => new Uint8Array(32).fill(i);
  expectAlike(
    keys.map((key, i) => sign(key, message(i), lowS, hedged)),
    10_000,
  );
});

it.each([0, 55, 56, 300])('ECDSA: a message of %i bytes', (length) => {
  expectAlike(
    keys.slice(0, 12).map((key, i) => sign(key, new Uint8Array(length).fill(i), 1, 0)),
    10_000,
  );
});

it.each([0, 32, 300])('BIP-340: a message of %i bytes, with points and nonces of both parities', (length) => {
  expectAlike(
    keys.map((key, i) => signSchnorr(key, new Uint8Array(length).fill(i))),
    20_000,
  );
});

it('making a key from a seed', () => {
  const seeds = [0x00, 0xff, 0x80, 0x01].map((fill) => new Uint8Array(48).fill(fill));
  expectAlike([...seeds, ...keys.map((key) => new Uint8Array(48).fill(key[0]!))].map(fromSeed), 1000);
});

it('a trace does tell apart what is variable-time', () => {
  const [first, second] = keys.slice(-2).map((key) =>
    record((curves) => {
      getPublicKey(key)(curves);
      curves.put('digest', key);
      curves.run.secp256k1Sign(1, 0);
      expect(curves.run.secp256k1Verify(33, 1, 0)).toBe(OK);
    }),
  );
  expect(difference(first!, second!)).toMatch(/ in \$/);
});
