// secp256k1 verification, alone and many together, beside @noble/curves.

import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secp256k1 } from '../../src/curves/secp256k1.js';
import { repeatable } from './edge-inputs.js';
import { bigEndian, edgeScalars, mod, n, outcome, p, validKeys } from './secp256k1-inputs.js';
import { formats, prehashed, same, utf8 } from './secp256k1-peer.js';

describe('verify', () => {
  it('agrees on good and damaged signatures, in every format', () => {
    fc.assert(
      fc.property(
        validKeys,
        prehashed,
        fc.record({
          lowS: fc.boolean(),
          format: fc.constantFrom(...formats),
          compressed: fc.boolean(),
          damage: fc.option(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 255 })), { freq: 1 }),
        }),
        (key, { prehash, message }, { lowS, format, compressed, damage }) => {
          const signature = noble.sign(message, key, { prehash, format, lowS: false });
          const publicKey = noble.getPublicKey(key, compressed);
          if (damage !== null) {
            const target = damage[0] < 150 ? signature : publicKey;
            target[damage[0] % target.length]! ^= damage[1];
          }
          const options = { prehash, format, lowS };
          expect(secp256k1.verify(signature, message, publicKey, options)).toBe(
            noble.verify(signature, message, publicKey, options),
          );
        },
      ),
      repeatable(400),
    );
  });

  it('agrees for r and s at the edges of their range', () => {
    const edges = [
      0n,
      1n,
      2n,
      (n - 1n) / 2n,
      (n + 1n) / 2n,
      n - 1n,
      n,
      n + 1n,
      p - n - 1n,
      p - n,
      p,
      2n ** 256n - 1n,
    ];
    const publicKey = noble.getPublicKey(bigEndian(3n));
    for (const r of edges) {
      for (const s of edges) {
        const signature = concatBytes(bigEndian(r), bigEndian(s));
        const call = (curve: typeof noble | typeof secp256k1) =>
          curve.verify(signature, bigEndian(1n), publicKey, { prehash: false, lowS: false });
        expect(call(secp256k1), `${r} ${s}`).toBe(call(noble));
      }
    }
  });

  it('accepts what a chosen r, s and digest recover to, for r up to p - n with all recovery ids', () => {
    const rs = [
      1n,
      2n,
      3n,
      4n,
      5n,
      6n,
      7n,
      8n,
      p - n - 3n,
      p - n - 2n,
      p - n - 1n,
      p - n,
      p - n + 1n,
      n - 1n,
      n - 2n,
    ];
    const accepted = [0, 0, 0, 0];
    for (const r of rs) {
      for (const s of [1n, 2n, (n - 1n) / 2n, (n + 1n) / 2n, n - 1n]) {
        for (const id of [0, 1, 2, 3]) {
          const digest = bigEndian(r + s);
          const recovered = concatBytes(Uint8Array.of(id), bigEndian(r), bigEndian(s));
          const key = outcome(() => noble.recoverPublicKey(recovered, digest, { prehash: false }));
          same(
            () => secp256k1.recoverPublicKey(recovered, digest, { prehash: false }),
            () => noble.recoverPublicKey(recovered, digest, { prehash: false }),
          );
          if (key === 'throws') continue;
          accepted[id]!++;
          const options = { prehash: false, lowS: false };
          expect(secp256k1.verify(recovered.subarray(1), digest, key, options)).toBe(true);
          for (const wrong of [0, 1, 2, 3, 4, 27, 255]) {
            const other = concatBytes(Uint8Array.of(wrong), recovered.subarray(1));
            const format = 'recovered' as const;
            expect(secp256k1.verify(other, digest, key, { ...options, format })).toBe(
              noble.verify(other, digest, key, { ...options, format }),
            );
          }
        }
      }
    }
    expect(Math.min(...accepted)).toBeGreaterThan(10);
  });

  it('refuses where the sum is infinity', () => {
    for (const secret of [1n, 2n, 77n, n - 1n]) {
      for (const r of [1n, 5n, n - 1n]) {
        // digest + r secret = 0
        const digest = bigEndian(mod(-r * secret, n));
        const signature = concatBytes(bigEndian(r), bigEndian(9n));
        const publicKey = noble.getPublicKey(bigEndian(secret));
        expect(secp256k1.verify(signature, digest, publicKey, { prehash: false })).toBe(false);
        expect(noble.verify(signature, digest, publicKey, { prehash: false })).toBe(false);
      }
    }
  });

  it('agrees where the two products meet: keys that are small multiples of G and of the endomorphism', () => {
    for (const secret of edgeScalars) {
      const publicKey = noble.getPublicKey(bigEndian(secret));
      for (const digest of [
        bigEndian(0n),
        bigEndian(1n),
        bigEndian(secret),
        bigEndian(n - secret),
        bigEndian(n - 1n),
      ]) {
        const signature = noble.sign(digest, bigEndian(secret), { prehash: false });
        expect(secp256k1.verify(signature, digest, publicKey, { prehash: false }), String(secret)).toBe(true);
      }
    }
  });

  it('agrees on a nonce of 1 and its neighbours', () => {
    for (const nonce of [1n, 2n, 3n, n - 1n, n - 2n, (n + 1n) / 2n]) {
      for (const secret of [1n, 2n, 3n, n - 1n, 0x1234567n]) {
        const r = mod(noble.Point.BASE.multiply(nonce).x, n);
        for (const digest of [0n, 1n, n - 1n, 12345n]) {
          const s = mod(noble.Point.Fn.inv(nonce) * (digest + r * secret), n);
          if (s === 0n) continue;
          const signature = concatBytes(bigEndian(r), bigEndian(s));
          const publicKey = noble.getPublicKey(bigEndian(secret));
          const options = { prehash: false, lowS: false };
          expect(secp256k1.verify(signature, bigEndian(digest), publicKey, options)).toBe(true);
        }
      }
    }
  });

  it('is false, and does not throw, for public keys of any other length', () => {
    const [message, signature] = [utf8('m'), noble.sign(utf8('m'), bigEndian(1n))];
    for (const length of [0, 1, 32, 34, 64, 66, 100]) {
      expect(secp256k1.verify(signature, message, new Uint8Array(length))).toBe(false);
      expect(noble.verify(signature, message, new Uint8Array(length))).toBe(false);
    }
  });
});

describe('verifyBatch', () => {
  const items = [1n, 2n, 3n].map((secret) => {
    const message = bigEndian(secret * 1000n);
    const key = bigEndian(secret);
    return { signature: noble.sign(message, key), message, publicKey: noble.getPublicKey(key) };
  });

  it('is true for none, and where every signature is valid', () => {
    expect(secp256k1.verifyBatch([])).toBe(true);
    expect(secp256k1.verifyBatch(items)).toBe(true);
  });

  it('is false where one is not', () => {
    for (let i = 0; i < items.length; i++) {
      expect(secp256k1.verifyBatch(items.with(i, { ...items[i]!, message: new Uint8Array(1) }))).toBe(false);
      expect(secp256k1.verifyBatch(items.with(i, { ...items[i]!, publicKey: new Uint8Array(5) }))).toBe(
        false,
      );
    }
  });

  it('throws at arguments that verify throws at, even behind an invalid signature', () => {
    const invalid = { ...items[0]!, message: new Uint8Array(1) };
    expect(() => secp256k1.verifyBatch([invalid, { ...items[1]!, signature: new Uint8Array(63) }])).toThrow(
      RangeError,
    );
    expect(() => secp256k1.verifyBatch([invalid, { ...items[1]!, publicKey: '02' as never }])).toThrow(
      TypeError,
    );
    expect(() => secp256k1.verifyBatch([invalid, null as never])).toThrow(TypeError);
    expect(() => secp256k1.verifyBatch({} as never)).toThrow(TypeError);
  });
});
