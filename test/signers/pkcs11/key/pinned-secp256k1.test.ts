// What the secp256k1 verifier makes of a token's signature, low S and the recovery id (SEC 1 §4.1.6), against the curves'
// own computation of it, against noble's recovery, and against nonces' points that are known.

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secp256k1 as curves } from '../../../../src/curves/index.js';
import { type RecoverableSignature, SECP256K1 } from '../../../../src/signers/pkcs11/key/pinned-curves.js';
import { PinnedKey, type SignedDigest } from '../../../../src/signers/pkcs11/key/pinned-key.js';
import { edgeBytes, repeatable } from '../../../curves/edge-inputs.js';
import { bigEndian, inputsOf, mod, signed } from './pinned-key-inputs.js';

const { coordinates, edgeScalars, G, multiple, n, Point, p, signatureFor } = inputsOf(secp256k1);

const integer = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const isHigh = (s: bigint) => s > n / 2n;

/** Signatures in recovered form, id, r and s, as far as they are valid. */
const completed = (key: PinnedKey<RecoverableSignature | undefined>, group: readonly SignedDigest[]) =>
  key.verify(group).map((result) => result && Uint8Array.of(result.recovery, ...result.bytes));

/** The recovered form that the curves accept. */
function expected(point: Uint8Array, { message, signature }: SignedDigest): Uint8Array | undefined {
  const publicKey = Uint8Array.of(4, ...point);
  const s = integer(signature.subarray(32));
  const low = isHigh(s) && s < n ? concatBytes(signature.subarray(0, 32), bigEndian(n - s)) : signature;
  return [0, 1, 2, 3]
    .map((id) => Uint8Array.of(id, ...low))
    .find((recovered) =>
      curves.verify(recovered, message, publicKey, { prehash: false, format: 'recovered' }),
    );
}

/** The recovered form of r, s and the digest z where R is the nonce's point. */
function recoveredForm(R: typeof G, { signature }: SignedDigest): Uint8Array {
  const s = integer(signature.subarray(32));
  const { x, y } = R.toAffine();
  const id = (Number(y & 1n) ^ Number(isHigh(s))) | (x >= n ? 2 : 0);
  return Uint8Array.of(id, ...signature.subarray(0, 32), ...bigEndian(isHigh(s) ? n - s : s));
}

function libraryRecovers({ message }: SignedDigest, recovered: Uint8Array): Uint8Array {
  return secp256k1.recoverPublicKey(recovered, message, { prehash: false });
}

describe('a signature of a token', () => {
  const secret = 0xfeedfacecafebeef1234567890abcdefn;
  const point = coordinates(multiple(secret));
  const key = new PinnedKey(SECP256K1, point);
  const sign = (message: Uint8Array): SignedDigest => ({
    message,
    signature: secp256k1.sign(message, bigEndian(secret), { prehash: false, lowS: false }),
  });
  const opposite = ({ message, signature }: SignedDigest): SignedDigest => ({
    message,
    signature: concatBytes(signature.subarray(0, 32), bigEndian(n - integer(signature.subarray(32)))),
  });

  it('gets the low-S form and its recovery id, as the curves find it, and is left as it is', () => {
    const ids = new Set<number>();
    let high = 0;
    for (let start = 0; start < 4000; start += 16) {
      const group = Array.from({ length: 16 }, (_, i) =>
        sign(bigEndian(BigInt(start + i) ** 23n % 2n ** 256n)),
      );
      const before = group.map(({ signature }) => signature.slice());
      const results = completed(key, group);
      expect(results).toEqual(group.map((one) => expected(point, one)));
      expect(group.map(({ signature }) => signature)).toEqual(before);
      expect(completed(key, group.map(opposite))).toEqual(results);
      for (const result of results) ids.add(result![0]!);
      high += before.filter((signature) => isHigh(integer(signature.subarray(32)))).length;
    }
    expect(ids).toEqual(new Set([0, 1]));
    expect(high).toBeGreaterThan(1000);
    expect(high).toBeLessThan(3000);
  });

  it('is such that the key is recovered from it', () => {
    const publicKey = multiple(secret).toBytes(true);
    for (let i = 0; i < 200; i++) {
      const one = sign(bigEndian(BigInt(i) ** 31n % 2n ** 256n));
      const [result] = completed(key, [one]);
      expect(libraryRecovers(one, result!)).toEqual(publicKey);
      expect(isHigh(integer(result!.subarray(33)))).toBe(false);
    }
  });

  it('that was changed is judged as the curves do', () => {
    const one = fc.record({
      message: edgeBytes(32),
      bit: fc.nat(511),
      digestBit: fc.nat(255),
      other: edgeBytes(64),
    });
    const flipped = (bytes: Uint8Array, bit: number) =>
      bytes.with(bit >> 3, bytes[bit >> 3]! ^ (1 << (bit & 7)));
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 8 }), (ones) => {
        const group = ones.flatMap(({ message, bit, digestBit, other }) => {
          const good = sign(message);
          return [
            good,
            opposite(good),
            { message, signature: flipped(good.signature, bit) },
            { message: flipped(message, digestBit), signature: good.signature },
            { message, signature: other },
          ];
        });
        const results = completed(key, group);
        expect(results).toEqual(group.map((each) => expected(point, each)));
        expect(results.filter((result) => result !== undefined).length).toBeGreaterThanOrEqual(
          2 * ones.length,
        );
      }),
      repeatable(250),
    );
  });
});

describe('low S', () => {
  it('is what is at most n / 2', () => {
    const half = (n - 1n) / 2n;
    for (const s of [1n, 2n, half - 1n, half, half + 1n, half + 2n, n - 2n, n - 1n]) {
      for (const k of [1n, 2n, 3n, 4n, 5n, 6n]) {
        const R = multiple(k);
        const one = signed(12345n, R.x % n, s);
        const Q = R.multiply(s).subtract(multiple(12345n)).multiply(Point.Fn.inv(R.x)); // SEC 1 §4.1.6
        const [result] = completed(new PinnedKey(SECP256K1, coordinates(Q)), [one]);
        expect(result, `k ${k}, s ${s}`).toEqual(recoveredForm(R, one));
        expect(libraryRecovers(one, result!)).toEqual(Q.toBytes(true));
      }
    }
  });
});

describe('the recovery id', () => {
  it('is right for scalars at the edges, also where points meet', () => {
    for (const secret of [1n, n - 1n, 2n, (n + 1n) / 2n, 0xc0ffee1234567890abcdefn]) {
      const point = coordinates(multiple(secret));
      const key = new PinnedKey(SECP256K1, point);
      for (const [i, v] of edgeScalars.entries()) {
        const us = [
          0n,
          mod(v * secret, n),
          mod(1n - v * secret, n),
          edgeScalars[(5 * i + 2) % edgeScalars.length]!,
        ];
        const sums = us.map((u) => ({ u, R: multiple(u + v * secret) })).filter(({ R }) => !R.is0());
        const group = sums.map(({ u, R }) => signatureFor(R.x, u, v));
        const results = completed(key, group);
        expect(results).toEqual(sums.map(({ R }, j) => recoveredForm(R, group[j]!)));
        expect(results).toEqual(group.map((one) => expected(point, one)));
      }
    }
  });

  it('is 2 or 3 where x is n or more', () => {
    const ids = new Set<number>();
    for (let r = 1n; r < 60n; r++) {
      for (const parity of ['02', '03']) {
        let R: typeof G;
        try {
          R = Point.fromHex(parity + Buffer.from(bigEndian(r + n)).toString('hex'));
        } catch {
          continue;
        }
        for (const s of [1n, n - 1n, r + 9n, n - r]) {
          const one = signed(77n, r, s);
          const Q = R.multiply(s).subtract(multiple(77n)).multiply(Point.Fn.inv(r));
          const [result, wrong] = completed(new PinnedKey(SECP256K1, coordinates(Q)), [
            one,
            signed(77n, r + 1n, s),
          ]);
          expect(result).toEqual(recoveredForm(R, one));
          expect(result).toEqual(expected(coordinates(Q), one));
          expect(libraryRecovers(one, result!)).toEqual(Q.toBytes(true));
          expect(wrong).toBeUndefined();
          ids.add(result![0]!);
        }
      }
    }
    expect(ids).toEqual(new Set([2, 3]));
  });

  it('is 0 or 1 for the same r where x is below n', () => {
    for (let r = 1n; r < 20n; r++) {
      if (!isOnCurve(r)) continue;
      const R = Point.fromHex(`02${Buffer.from(bigEndian(r)).toString('hex')}`);
      const one = signed(77n, r, 5n);
      const Q = R.multiply(5n).subtract(multiple(77n)).multiply(Point.Fn.inv(r));
      expect(completed(new PinnedKey(SECP256K1, coordinates(Q)), [one])).toEqual([recoveredForm(R, one)]);
    }
  });
});

function isOnCurve(x: bigint): boolean {
  try {
    Point.fromHex(`02${Buffer.from(bigEndian(x)).toString('hex')}`);
    return x < p;
  } catch {
    return false;
  }
}

it('digests are taken modulo n', () => {
  const secret = 31337n;
  const point = coordinates(multiple(secret));
  const key = new PinnedKey(SECP256K1, point);
  const R = multiple(42n);
  for (const z of [0n, n, n + 1n, 2n ** 256n - 1n]) {
    const one = signed(z, R.x % n, mod((z + R.x * secret) * Point.Fn.inv(42n), n));
    expect(completed(key, [one])).toEqual([recoveredForm(R, one)]);
    expect(completed(key, [one])).toEqual([expected(point, one)]);
  }
});

it('each of a group gets its own, valid ones and others mixed', () => {
  const keys = [5n, 6n, 7n].map((secret) => ({ secret, point: coordinates(multiple(secret)) }));
  const all = Array.from({ length: 70 }, (_, i) => {
    const message = bigEndian(BigInt(i) ** 40n % 2n ** 256n);
    const { secret } = keys[i % 7 === 3 ? 1 : 0]!; // some are of another key
    return {
      message,
      signature: secp256k1.sign(message, bigEndian(secret), { prehash: false, lowS: false }),
    };
  });
  for (const { point } of keys) {
    const key = new PinnedKey(SECP256K1, point);
    const each = all.map((one) => expected(point, one));
    for (const size of [0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 70]) {
      expect(completed(key, all.slice(0, size)), String(size)).toEqual(each.slice(0, size));
      expect(completed(key, all.slice(70 - size)), String(size)).toEqual(each.slice(70 - size));
    }
  }
});
