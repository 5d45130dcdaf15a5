// Secret and public keys of secp256k1, beside @noble/curves on inputs weighted to the edges.

import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secp256k1 } from '../../src/curves/secp256k1.js';
import { edgeBytes, hex, repeatable } from './edge-inputs.js';
import { bigEndian, doubled, edgeScalars, mod, n, p, secretKeys, validKeys } from './secp256k1-inputs.js';
import { same } from './secp256k1-peer.js';

describe('keys', () => {
  it('getPublicKey agrees on all edge scalars, so on every entry of the table with both signs', () => {
    for (const scalar of edgeScalars) {
      const key = bigEndian(scalar);
      expect(hex(secp256k1.getPublicKey(key, false)), String(scalar)).toBe(
        hex(noble.getPublicKey(key, false)),
      );
    }
  });

  /** What the fixed base adds: 43 odd digits from the lowest upwards, and the multiples before and in the last step. */
  const lastAddition = (scalar: bigint) => {
    const recoded = mod((scalar + 2n ** 258n - 1n) * ((n + 1n) / 2n), n);
    const last = (2n * (recoded >> 252n) - 63n) << 252n;
    return { before: 2n * recoded - (2n ** 258n - 1n) - last, last };
  };

  it('the last addition of the fixed base is of equal points for one scalar alone', () => {
    const meeting: bigint[] = [];
    for (let top = 0n; top < 16n; top++) {
      const last = (2n * top - 63n) << 252n;
      for (const multiple of [-5n, -4n, -3n, -2n, -1n, 0n]) {
        for (const sign of [1n, -1n]) {
          const before = sign * (last - multiple * n);
          const odd = (before & 1n) === 1n;
          if (odd && before < 2n ** 252n && before > -(2n ** 252n)) meeting.push(mod(before + last, n));
        }
      }
    }
    expect(meeting).toEqual([doubled, 0n]);
    const { before, last } = lastAddition(doubled);
    expect(mod(before, n)).toBe(mod(last, n));
    expect(mod(before + last, n)).toBe(doubled);
  });

  it('getPublicKey agrees for that scalar and the ones around it', () => {
    for (let offset = -70n; offset <= 70n; offset++) {
      for (const scalar of [doubled + offset, n - doubled + offset]) {
        expect(hex(secp256k1.getPublicKey(bigEndian(scalar), false)), String(offset)).toBe(
          hex(noble.getPublicKey(bigEndian(scalar), false)),
        );
      }
    }
  });

  it('getPublicKey agrees for runs of ones', () => {
    for (let start = 0n; start < 256n; start += 5n) {
      for (let end = start + 1n; end <= 256n; end += 17n) {
        const key = bigEndian(mod((1n << end) - (1n << start), n));
        expect(hex(secp256k1.getPublicKey(key))).toBe(hex(noble.getPublicKey(key)));
      }
    }
  });

  it('getPublicKey and isValidSecretKey agree', () => {
    fc.assert(
      fc.property(secretKeys, fc.boolean(), (key, compressed) => {
        same(
          () => secp256k1.getPublicKey(key, compressed),
          () => noble.getPublicKey(key, compressed),
        );
        expect(secp256k1.utils.isValidSecretKey(key)).toBe(noble.utils.isValidSecretKey(key));
      }),
      repeatable(300),
    );
  });

  it('randomSecretKey and keygen agree for a seed', () => {
    const multiples = [0n, 1n, 2n ** 127n, 2n ** 128n - 1n, 2n ** 128n].flatMap((k) =>
      [-1n, 0n, 1n].map((d) => k * (n - 1n) + d),
    );
    const edges = multiples.filter((x) => x >= 0n && x < 2n ** 384n).map((x) => bigEndian(x, 48));
    fc.assert(
      fc.property(fc.oneof(edgeBytes(48), fc.constantFrom(...edges)), (seed) => {
        const before = hex(seed);
        expect(hex(secp256k1.utils.randomSecretKey(seed))).toBe(hex(noble.utils.randomSecretKey(seed)));
        const [ours, theirs] = [secp256k1.keygen(seed), noble.keygen(seed)];
        expect([hex(ours.secretKey), hex(ours.publicKey)]).toEqual([
          hex(theirs.secretKey),
          hex(theirs.publicKey),
        ]);
        expect(hex(seed)).toBe(before);
      }),
      repeatable(150),
    );
  });

  it('random keys are valid and differ', () => {
    const keys = Array.from({ length: 20 }, () => secp256k1.keygen());
    expect(new Set(keys.map(({ secretKey }) => hex(secretKey))).size).toBe(20);
    for (const { secretKey, publicKey } of keys) {
      expect(noble.utils.isValidSecretKey(secretKey)).toBe(true);
      expect(hex(publicKey)).toBe(hex(noble.getPublicKey(secretKey)));
    }
  });

  it('lengths are those of noble', () => expect(secp256k1.lengths).toEqual(noble.lengths));
});

/** Encodings of points: valid ones, and ones with a wrong head, length or coordinate. */
const encodings: fc.Arbitrary<Uint8Array> = fc
  .record({
    key: validKeys,
    compressed: fc.boolean(),
    head: fc.option(fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 0xff), { freq: 2 }),
    change: fc.option(fc.tuple(fc.nat(63), fc.integer({ min: 1, max: 255 })), { freq: 3 }),
    x: fc.option(fc.constantFrom(0n, 1n, 2n, 5n, p - 1n, p, p + 1n, p + 4n, 2n ** 256n - 1n), { freq: 5 }),
    length: fc.option(fc.constantFrom(0, 1, 32, 33, 34, 64, 65, 66), { freq: 8 }),
  })
  .map(({ key, compressed, head, change, x, length }) => {
    const bytes = noble.getPublicKey(key, compressed);
    if (x !== null) bytes.set(bigEndian(x), 1);
    if (change !== null) bytes[1 + (change[0] % (bytes.length - 1))]! ^= change[1];
    if (head !== null) bytes[0] = head;
    if (length === null) return bytes;
    const other = new Uint8Array(length);
    other.set(bytes.subarray(0, length));
    return other;
  });

describe('public keys', () => {
  it('isValidPublicKey agrees', () => {
    fc.assert(
      fc.property(encodings, fc.constantFrom(true, false, undefined), (publicKey, compressed) => {
        const expected = noble.utils.isValidPublicKey(publicKey, compressed);
        expect(secp256k1.utils.isValidPublicKey(publicKey, compressed)).toBe(expected);
      }),
      repeatable(400),
    );
  });

  it('convertPublicKey gives both forms of every valid encoding, and throws at the others', () => {
    fc.assert(
      fc.property(encodings, fc.boolean(), (publicKey, compressed) => {
        same(
          () => secp256k1.utils.convertPublicKey(publicKey, compressed),
          () => noble.Point.fromBytes(publicKey).toBytes(compressed),
        );
      }),
      repeatable(400),
    );
  });

  it('x is taken modulo nothing: small x plus p is refused', () => {
    for (let x = 0n; x < 40n; x++) {
      for (const value of [x, p - 1n - x, p + x]) {
        const publicKey = concatBytes(Uint8Array.of(2), bigEndian(value));
        const expected = noble.utils.isValidPublicKey(publicKey);
        expect(secp256k1.utils.isValidPublicKey(publicKey), String(value)).toBe(expected);
      }
    }
  });
});
