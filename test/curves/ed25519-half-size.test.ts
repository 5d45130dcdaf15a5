// Half-size scalars against BigInt, on the debug build, which exports them: the relation and the bounds for random k and
// for those that make Euclid's algorithm slow, fast or uneven.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { debugCurves } from './debug-curves.js';
import { fromLittleEndian, littleEndian, repeatable } from './edge-inputs.js';

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const bound = 2n ** 126n;
const { call, place, bytesAt } = debugCurves();

/** u with its sign, and v. */
function halve(k: bigint): { u: bigint; v: bigint } {
  const [uAt, vAt, kAt] = [place(0), place(1), place(2)];
  bytesAt(kAt, 32).set(littleEndian(k));
  const negative = call('scalar25519Halve', uAt, vAt, kAt) !== 0;
  const [u, v] = [fromLittleEndian(bytesAt(uAt, 32)), fromLittleEndian(bytesAt(vAt, 32))];
  return { u: negative ? -u : u, v };
}

function check(k: bigint): void {
  const { u, v } = halve(k);
  expect((v * k - u) % L, `relation for ${k}`).toBe(0n);
  expect(v > 0n && v <= bound, `v for ${k}`).toBe(true);
  expect(u < bound && u > -bound, `u for ${k}`).toBe(true);
}

const inverse = (x: bigint): bigint => {
  let [r0, r1, t0, t1] = [L, ((x % L) + L) % L, 0n, 1n];
  while (r1 !== 0n) [r0, r1, t0, t1] = [r1, r0 % r1, t1, t0 - (r0 / r1) * t1];
  return ((t0 % L) + L) % L;
};

describe('half-size scalars', () => {
  it('satisfy the relation and the bounds for random k', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: L - 1n }), check), repeatable(20_000));
  });

  it('for k around 0, L, the threshold and every power of two', () => {
    for (let d = 0n; d < 300n; d++) for (const k of [d, L - 1n - d]) check(k);
    for (let bits = 1n; bits < 253n; bits++) {
      for (let d = -3n; d <= 3n; d++) {
        for (const k of [2n ** bits + d, L - 2n ** bits + d, L / 2n ** bits + d])
          if (k >= 0n && k < L) check(k);
      }
    }
  });

  it('for k near fractions of L, where one quotient is huge', () => {
    for (let denominator = 1n; denominator <= 64n; denominator++) {
      for (let numerator = 1n; numerator < denominator; numerator++) {
        for (const d of [
          -1n,
          0n,
          1n,
          2n ** 40n,
          2n ** 93n,
          2n ** 94n,
          2n ** 95n,
          2n ** 125n,
          2n ** 126n,
          2n ** 127n,
        ]) {
          check((L * numerator) / denominator + d);
        }
      }
    }
  });

  it('for k = u / v with short u and v', () => {
    const short = fc
      .integer({ min: 1, max: 127 })
      .chain((bits) => fc.bigInt({ min: 1n, max: 2n ** BigInt(bits) }));
    fc.assert(
      fc.property(short, short, fc.boolean(), (u, v, negative) => {
        const k = (u * inverse(v)) % L;
        check(negative && k !== 0n ? L - k : k);
      }),
      repeatable(5_000),
    );
  });

  it.each([
    ['1, as of successive Fibonacci numbers', [1n]],
    ['2', [2n]],
    ['1 and around 2^31', [1n, 2n ** 31n - 1n, 1n, 2n ** 31n, 1n, 2n ** 31n + 1n]],
    ['2^15 and 2^16', [2n ** 15n, 2n ** 16n]],
    ['2^62', [3n, 2n ** 62n, 1n]],
    ['2^63', [1n, 2n ** 63n]],
    ['2^64 and 1', [2n ** 64n, 1n, 1n]],
    ['2^124', [1n, 1n, 2n ** 124n]],
  ])('for k near L divided by a continued fraction with quotients %s', (_, quotients) => {
    for (let length = 1; length <= 200; length++) {
      let [p0, p1, q0, q1] = [0n, 1n, 1n, 0n];
      for (let i = 0; i < length && p1 < L; i++) {
        const q = quotients[i % quotients.length]!;
        [p0, p1, q0, q1] = [p1, q * p1 + p0, q1, q * q1 + q0];
      }
      for (const d of [-1n, 0n, 1n]) {
        const k = (L * q1) / p1 + d;
        if (k >= 0n && k < L) check(k);
      }
    }
  });
});
