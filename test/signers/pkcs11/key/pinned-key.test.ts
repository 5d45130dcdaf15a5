// The verifiers of signatures under pinned keys as they ship: vectors, sums in which points meet, numbers at the edges of their range, agreement with
// OpenSSL and noble on what is valid and what is not, groups of every size, and more keys than it has places for.

import { generateKeyPairSync, sign as opensslSign, verify as opensslVerify } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { P256, SECP256K1 } from '../../../../src/signers/pkcs11/key/pinned-curves.js';
import {
  type PinnedCurve,
  PinnedKey,
  type SignedDigest,
} from '../../../../src/signers/pkcs11/key/pinned-key.js';
import { edgeBytes, fromHex, repeatable } from '../../../curves/edge-inputs.js';
import { bigEndian, inputsOf, mod, signed } from './pinned-key-inputs.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const flipped = (bytes: Uint8Array, bit: number) => bytes.with(bit >> 3, bytes[bit >> 3]! ^ (1 << (bit & 7)));
/** Which of a group are valid. */
const valid = (key: PinnedKey<unknown>, group: readonly SignedDigest[]): boolean[] =>
  key.verify(group).map(Boolean);
const isValid = (key: PinnedKey<unknown>, signature: SignedDigest): boolean => valid(key, [signature])[0]!;

interface Curve {
  name: string;
  curve: PinnedCurve<unknown>;
  library: typeof p256;
  /** Coordinates of points below 2^256 - p, so that p more is a number of 32 bytes; and the x that belongs to y. */
  smallX: bigint;
  smallY: bigint;
  xOfSmallY: bigint;
}
const curves: readonly Curve[] = [
  {
    name: 'P-256',
    curve: P256,
    library: p256,
    smallX: 5n,
    smallY: 5n,
    xOfSmallY: 0xd7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7n,
  },
  {
    name: 'secp256k1',
    curve: SECP256K1,
    library: secp256k1,
    smallX: 1n,
    smallY: 1n,
    xOfSmallY: 0x1fe1e5ef3fceb5c135ab7741333ce5a6e80d68167653f6b2b24bcbcfaaaff507n,
  },
];

describe('P-256, RFC 6979 A.2.5', () => {
  const { n } = inputsOf(p256);
  const key = new PinnedKey(
    P256,
    fromHex(
      '60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6' +
        '7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299',
    ),
  );
  const vectors = [
    [
      'sample',
      'EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716',
      'F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8',
    ],
    [
      'test',
      'F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367',
      '019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083',
    ],
  ] as const;

  it.each(vectors)('%s', (message, r, s) => {
    const digest = sha256(utf8(message));
    const signature = fromHex(r + s);
    const other = signed(0n, BigInt(`0x${r}`), n - BigInt(`0x${s}`)).signature;
    expect(valid(key, [{ message: digest, signature }])).toEqual([true]);
    expect(valid(key, [{ message: digest, signature: other }])).toEqual([true]); // the other s is as good
    expect(valid(key, [{ message: sha256(utf8('other')), signature }])).toEqual([false]);
    for (let bit = 0; bit < 512; bit += 7) {
      expect(isValid(key, { message: digest, signature: flipped(signature, bit) }), `bit ${bit}`).toBe(false);
    }
  });
});

describe.each(curves)('$name', ({ name, curve, library, smallX, smallY, xOfSmallY }) => {
  const { coordinates, edgeScalars, G, libraryVerifies, multiple, n, Point, p, signatureFor } =
    inputsOf(library);

  describe('u G + v Q', () => {
    const check = (key: PinnedKey<unknown>, secret: bigint, u: bigint, v: bigint) => {
      const sum = multiple(u + v * secret);
      const what = `u ${u} v ${v} d ${secret}`;
      if (sum.is0()) {
        // whatever r is claimed: there is no x
        for (const x of [1n, 5n, n - 1n, G.x]) {
          expect(isValid(key, signatureFor(x, u, v)), what).toBe(false);
        }
      } else {
        const signature = signatureFor(sum.x, u, v);
        expect(libraryVerifies(signature, multiple(secret)), what).toBe(true);
        expect(isValid(key, signature), what).toBe(true);
        expect(isValid(key, signatureFor(sum.x + 1n, u, v)), what).toBe(false);
      }
    };

    it('is right for scalars at the edges', () => {
      const secret = 0xc0ffee1234567890abcdefn;
      const key = new PinnedKey(curve, coordinates(multiple(secret)));
      for (const [i, u] of edgeScalars.entries()) {
        check(key, secret, u, edgeScalars[(7 * i + 1) % edgeScalars.length]!);
        check(key, secret, 0n, u);
      }
    });

    it.each([
      ['G', 1n],
      ['-G', n - 1n],
      ['2 G', 2n],
      ['G / 2', (n + 1n) / 2n],
      ['128 G', 128n],
      ['-256 G', n - 256n],
      ['another', 0x123456789abcdefn],
    ])('is right where points meet, are opposite or vanish, for the key %s', (_, secret) => {
      const key = new PinnedKey(curve, coordinates(multiple(secret)));
      for (const v of edgeScalars.slice(0, 36)) {
        check(key, secret, mod(v * secret, n), v); // u G = v Q: the last addition is a doubling
        check(key, secret, mod(-v * secret, n), v); // infinity
        check(key, secret, mod(2n * v * secret, n), v);
        check(key, secret, mod(1n - v * secret, n), v); // G
        check(key, secret, v, v);
        check(key, secret, v, n - v);
      }
    });
  });

  describe('the x of the sum', () => {
    /** The first points of the curve whose x is at least n. */
    const large = Array.from({ length: 60 }, (_, i) => n + BigInt(i)).flatMap((x) => {
      try {
        return [Point.fromHex(`02${Buffer.from(bigEndian(x)).toString('hex')}`)];
      } catch {
        return [];
      }
    });

    it('may be r + n', () => {
      expect(large.length).toBeGreaterThan(10);
      for (const [i, R] of large.entries()) {
        if (R.x === n) continue; // r would be 0
        const [r, s, z] = [R.x - n, BigInt(i) + 3n, 77n];
        const Q = R.multiply(s).subtract(multiple(z)).multiply(Point.Fn.inv(r)); // SEC 1 §4.1.6
        const key = new PinnedKey(curve, coordinates(Q));
        const signature = signed(z, r, s);
        expect(libraryVerifies(signature, Q)).toBe(true);
        expect(valid(key, [signature, signed(z, r + 1n, s), signed(z + 1n, r, s)])).toEqual([
          true,
          false,
          false,
        ]);
        expect(isValid(key, signed(z, R.x, s))).toBe(false); // x itself is no r
      }
    });

    it('is not r + n where that is not below p', () => {
      // the x that r + n - p would be, if it were reduced
      for (let x = 1n; x < 40n; x++) {
        if (!Point.Fp.isValid(x)) continue;
        const r = mod(x - n, p);
        if (r === 0n || r >= n || r + n < p) continue;
        let R: typeof G;
        try {
          R = Point.fromHex(`02${Buffer.from(bigEndian(x)).toString('hex')}`);
        } catch {
          continue;
        }
        const [s, z] = [5n, 9n];
        const Q = R.multiply(s).subtract(multiple(z)).multiply(Point.Fn.inv(r));
        expect(isValid(new PinnedKey(curve, coordinates(Q)), signed(z, r, s))).toBe(false);
      }
    });
  });

  describe('numbers out of range', () => {
    const secret = 987654321n;
    const key = new PinnedKey(curve, coordinates(multiple(secret)));

    it('are refused as r and s, among good ones', () => {
      const R = multiple(1234n);
      const good = signatureFor(R.x, mod(1234n - 5n * secret, n), 5n);
      expect(isValid(key, good)).toBe(true);
      const r = BigInt(`0x${Buffer.from(good.signature.subarray(0, 32)).toString('hex')}`);
      const s = BigInt(`0x${Buffer.from(good.signature.subarray(32)).toString('hex')}`);
      const z = BigInt(`0x${Buffer.from(good.message).toString('hex')}`);
      const wrong = [0n, n, n + 1n, 2n ** 256n - 1n].flatMap((x) => [
        signed(z, x, s),
        signed(z, r, x),
        signed(z, x, x),
      ]);
      for (const signature of wrong) {
        expect(isValid(key, signature)).toBe(false);
        expect(valid(key, [signature, good])).toEqual([false, true]);
        expect(valid(key, [good, signature, good])).toEqual([true, false, true]);
      }
      expect(valid(key, wrong)).toEqual(wrong.map(() => false));
      if (r + n < 2n ** 256n) expect(isValid(key, signed(z, r + n, s))).toBe(false);
    });

    it('are reduced as digests', () => {
      for (const z of [n, n + 1n, 2n ** 256n - 1n]) {
        const v = 3n;
        // s depends on the digest that is reduced
        const R = multiple(42n);
        const r = R.x % n;
        const s = mod((z + r * secret) * Point.Fn.inv(42n), n);
        expect(libraryVerifies(signed(z, r, s), multiple(secret))).toBe(true);
        expect(isValid(key, signed(z, r, s))).toBe(true);
        expect(isValid(key, signed(mod(z, n), r, s))).toBe(true);
        expect(isValid(key, signed(mod(z + v, 2n ** 256n), r, s))).toBe(false);
      }
    });

    it.each([31, 33, 63, 65])('are not taken for what has other lengths: %i bytes', (length) => {
      const bytes = new Uint8Array(length);
      expect(() => key.verify([{ message: bytes, signature: new Uint8Array(64) }])).toThrow(RangeError);
      expect(() => key.verify([{ message: new Uint8Array(32), signature: bytes }])).toThrow(RangeError);
    });
  });

  describe('keys', () => {
    const { x, y } = multiple(5n).toAffine();
    const point = (a: bigint, b: bigint) => Uint8Array.of(...bigEndian(a), ...bigEndian(b));
    const yOfSmallX = Point.fromHex(`02${Buffer.from(bigEndian(smallX)).toString('hex')}`).y;

    it('on the curve are taken', () => {
      expect(() => new PinnedKey(curve, point(x, y))).not.toThrow();
      expect(() => new PinnedKey(curve, point(x, p - y))).not.toThrow();
      expect(() => new PinnedKey(curve, point(smallX, yOfSmallX))).not.toThrow();
      expect(() => new PinnedKey(curve, point(xOfSmallY, smallY))).not.toThrow();
    });

    it.each([
      ['another y', x, y + 1n],
      ['x and y exchanged', y, x],
      ['0', 0n, 0n],
      ['p', p, p],
      ['an x that is not reduced', smallX + p, yOfSmallX],
      ['a y that is not reduced', xOfSmallY, smallY + p],
      ['the largest numbers', 2n ** 256n - 1n, 2n ** 256n - 1n],
      ['0 and p', 0n, p],
    ])('off the curve are refused: %s', (_, a, b) => {
      expect(() => new PinnedKey(curve, point(a, b))).toThrow(RangeError);
    });

    it('verify after others were refused', () => {
      const key = new PinnedKey(curve, point(x, y));
      expect(() => new PinnedKey(curve, point(x, x))).toThrow(RangeError);
      const sum = multiple(1n + 5n);
      expect(isValid(key, signatureFor(sum.x, 1n, 1n))).toBe(true);
    });

    it('are kept apart, more of them than there are places', () => {
      const secrets = Array.from({ length: 21 }, (_, i) => BigInt(i) ** 9n + 3n);
      const keys = secrets.map((secret) => new PinnedKey(curve, coordinates(multiple(secret))));
      for (let round = 0; round < 3; round++) {
        for (const [i, secret] of secrets.entries()) {
          const other = secrets[(i + 1 + round) % secrets.length]!;
          const [u, v] = [BigInt(round) + 7n, 2n ** 200n + BigInt(i)];
          const mine = signatureFor(multiple(u + v * secret).x, u, v);
          const its = signatureFor(multiple(u + v * other).x, u, v);
          expect(valid(keys[i]!, [mine, its]), `round ${round}, key ${i}`).toEqual([true, false]);
        }
      }
    });
  });

  describe('signatures of OpenSSL', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: name });
    const point = Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' }).subarray(-64));
    const key = new PinnedKey(curve, point);
    const make = (message: Uint8Array) =>
      Uint8Array.from(opensslSign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
    const opensslAgrees = (message: Uint8Array, signature: Uint8Array) =>
      opensslVerify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);

    it('are valid, and what is changed in them is refused as OpenSSL does', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(511), fc.nat(255), (message, bit, digestBit) => {
          const signature = make(message);
          const digest = sha256(message);
          const changed = flipped(signature, bit);
          expect(
            valid(key, [
              { message: digest, signature },
              { message: digest, signature: changed },
              { message: flipped(digest, digestBit), signature },
            ]),
          ).toEqual([true, opensslAgrees(message, changed), false]);
        }),
        repeatable(1200),
      );
    });

    it('any other 64 bytes are judged as OpenSSL and noble do', () => {
      const message = utf8('any');
      const digest = sha256(message);
      fc.assert(
        fc.property(edgeBytes(64), edgeBytes(32), (signature, other) => {
          expect(isValid(key, { message: digest, signature })).toBe(opensslAgrees(message, signature));
          expect(isValid(key, { message: other, signature })).toBe(
            libraryVerifies({ message: other, signature }, Point.fromBytes(Uint8Array.of(4, ...point))),
          );
        }),
        repeatable(300),
      );
    });

    it('are told apart in groups of any size', () => {
      const messages = Array.from({ length: 70 }, (_, i) => Uint8Array.of(i, 3));
      const good = messages.map((message) => ({ message: sha256(message), signature: make(message) }));
      for (const size of [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 64, 65, 70]) {
        for (const bad of new Set([-1, 0, 1, size >> 1, size - 1])) {
          const group = good
            .slice(0, size)
            .map((one, i) => (i === bad ? { ...one, signature: flipped(one.signature, 100) } : one));
          expect(valid(key, group), `${bad} of ${size}`).toEqual(group.map((_, i) => i !== bad));
        }
      }
    });
  });
});
