// The arithmetic under the P-256 verifier against BigInt and noble, on the debug build, which exports it and asserts its
// bounds: limbs at the extremes of their size, every aliasing of operands, inverses, points that meet, and the tables.

import { p256 } from '@noble/curves/nist.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import base64 from '../../../../build/wasm/pinned-p256.debug.js';
import { LIMB, P, TOP_LIMB } from '../../../../scripts/kernels/field-p256.mjs';
import { N } from '../../../../scripts/kernels/scalar-p256.mjs';
import { edgeBytes, fromLittleEndian, littleEndian, repeatable } from '../../../curves/edge-inputs.js';
import { inputsOf, mod } from './pinned-key-inputs.js';

const { coordinates, edgeScalars, G, multiple, n, Point, p, signatureFor } = inputsOf(p256);

const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(base64, 'base64')));
const debug = exports as Record<string, unknown> & { memory: WebAssembly.Memory };
const address = (name: string): number => (debug[name] as WebAssembly.Global<'i32'>).value;
const call = (name: string, ...args: number[]): unknown =>
  (debug[name] as (...args: number[]) => unknown)(...args);
/** The table of the last key is room for operands, 80 bytes apart. */
const place = (index: number): number =>
  address('TABLES') + (address('KEYS') - 1) * address('TABLE_BYTES') + 80 * index;
const bytesAt = (at: number, length: number) => new Uint8Array(debug.memory.buffer, at, length);
const limbsAt = (at: number) => new Int32Array(debug.memory.buffer, at, 9);
const valueAt = (at: number) => limbsAt(at).reduceRight((x, limb) => (x << 29n) + BigInt(limb), 0n);
const setValue = (at: number, x: bigint) =>
  limbsAt(at).set(Array.from({ length: 9 }, (_, i) => Number((x >> BigInt(29 * i)) & 0x1fffffffn)));

const R = 2n ** 261n;
const perR = Point.Fp.inv(mod(R, p));
const bound = (i: number) => Number(i === 8 ? TOP_LIMB : LIMB);

/** Nine limbs: each of them zero, one, the largest in size, near it, or anything. */
const limbs: fc.Arbitrary<number[]> = fc.oneof(
  fc.constantFrom(
    ...[1, -1].map((sign) => Array.from({ length: 9 }, (_, i) => sign * bound(i))),
    Array.from({ length: 9 }, (_, i) => (i % 2 === 0 ? 1 : -1) * bound(i)),
  ),
  fc.tuple(
    ...Array.from({ length: 9 }, (_, i) =>
      fc.oneof(
        fc
          .constantFrom(0, 1, -1, 2 ** 29 - 1, -(2 ** 29), bound(i), 1 - bound(i))
          .filter((x) => Math.abs(x) <= bound(i)),
        fc.integer({ min: -bound(i), max: bound(i) }),
      ),
    ),
  ),
);
const isWithinBounds = (at: number) => limbsAt(at).every((limb, i) => Math.abs(limb) <= bound(i));

const operations: { name: string; count: number; value: (...operands: bigint[]) => bigint }[] = [
  { name: 'Mul', count: 2, value: (a, b) => a! * b! * perR },
  { name: 'Sqr', count: 1, value: (a) => a! * a! * perR },
  { name: 'MulDifference', count: 3, value: (a, b, c) => (a! - b!) * c! * perR },
  { name: 'SqrSubSub', count: 3, value: (a, b, c) => a! * a! * perR - b! - c! },
  { name: 'MulDifferenceSub', count: 4, value: (a, b, c, d) => (a! - b!) * c! * perR - d! },
];

it('is modulo the numbers of the standard', () => {
  expect([P, N]).toEqual([p, n]);
});

describe.each(operations)('$name', ({ name, count, value }) => {
  const indices = Array.from({ length: count }, (_, i) => i);
  const result = (values: number[][], places: number[], target: number) => {
    for (const [i, operand] of values.entries()) limbsAt(place(places[i]!)).set(operand);
    const expected = mod(value(...places.map((at) => valueAt(place(at)))), p);
    call(`field${name}`, place(target), ...places.map(place));
    expect(isWithinBounds(place(target))).toBe(true);
    expect(mod(valueAt(place(target)), p)).toBe(expected);
  };

  it('agrees with BigInt and keeps to the bounds', () => {
    fc.assert(
      fc.property(fc.tuple(...indices.map(() => limbs)), (values) => result(values, indices, 9)),
      repeatable(500),
    );
  });

  it('may write over any operand, and take one twice', () => {
    const patterns = indices.flatMap((target) => [
      { places: indices, target },
      { places: indices.map(() => 0), target: 0 },
      { places: indices.map((i) => i % 2), target: target % 2 },
    ]);
    fc.assert(
      fc.property(fc.tuple(...indices.map(() => limbs)), (values) => {
        for (const { places, target } of patterns) result(values, places, target);
      }),
      repeatable(40),
    );
  });

  it('traps on a limb out of bounds', () => {
    for (const operand of indices) {
      for (let limb = 0; limb < 9; limb++) {
        for (const sign of [1, -1]) {
          for (const i of indices) limbsAt(place(i)).fill(0);
          limbsAt(place(operand))[limb] = sign * bound(limb);
          expect(() => call(`field${name}`, place(9), ...indices.map(place))).not.toThrow();
          limbsAt(place(operand))[limb] = sign * (bound(limb) + 1);
          expect(() => call(`field${name}`, place(9), ...indices.map(place))).toThrow(
            WebAssembly.RuntimeError,
          );
        }
      }
    }
  });
});

describe('an element', () => {
  it('comes from 32 bytes', () => {
    fc.assert(
      fc.property(edgeBytes(32), (bytes) => {
        bytesAt(place(1), 32).set(bytes);
        call('fieldFromBytes', place(0), place(1));
        expect(isWithinBounds(place(0))).toBe(true);
        expect(valueAt(place(0))).toBe(fromLittleEndian(bytes));
      }),
      repeatable(300),
    );
  });

  it('is reduced to 32 bytes', () => {
    const check = () => {
      const x = valueAt(place(0));
      call('fieldToBytes', place(1), place(0));
      expect(fromLittleEndian(bytesAt(place(1), 32))).toBe(mod(x, p));
    };
    fc.assert(
      fc.property(limbs, (a) => {
        limbsAt(place(0)).set(a);
        check();
      }),
      repeatable(600),
    );
    for (let times = -4n; times <= 4n; times++) {
      for (const offset of [-1n, 0n, 1n, 2n ** 224n, -(2n ** 224n)]) {
        setValue(place(0), mod(times * p + offset, 2n ** 261n));
        limbsAt(place(0))[8] = Number((times * p + offset) >> 232n);
        check();
      }
    }
  });

  it('is equal to one that differs by a multiple of p, and to no other', () => {
    const put = (at: number, x: bigint) => {
      setValue(at, mod(x, 2n ** 261n));
      limbsAt(at)[8] = Number(x >> 232n);
    };
    for (const x of [0n, 1n, p - 1n, 12345n << 200n]) {
      for (let times = -3n; times <= 3n; times++) {
        put(place(0), x);
        put(place(1), x + times * p);
        expect(call('fieldIsEqual', place(0), place(1))).toBe(1);
        for (const other of [1n, -1n, 2n, 2n ** 29n, 2n ** 29n - 1n, 2n ** 96n]) {
          put(place(1), x + times * p + other);
          expect(call('fieldIsEqual', place(0), place(1)), `${times} ${other}`).toBe(0);
        }
      }
    }
  });

  it('has its inverse', () => {
    fc.assert(
      fc.property(limbs, (a) => {
        limbsAt(place(0)).set(a);
        const x = mod(valueAt(place(0)), p);
        call('fieldInvert', place(1), place(0));
        // x = a R: the inverse of a, times R, is R^2 / x
        expect(mod(valueAt(place(1)) * x, p)).toBe(x === 0n ? 0n : mod(R * R, p));
      }),
      repeatable(400),
    );
  });
});

describe('numbers of 32 bytes', () => {
  const any = fc.oneof(
    fc.constantFrom(0n, 1n, n - 1n, n, n + 1n, p, 2n ** 256n - 1n, ...edgeScalars),
    edgeBytes(32).map(fromLittleEndian),
  );
  const put = (...values: bigint[]) => {
    for (const [i, x] of values.entries()) bytesAt(place(i + 1), 32).set(littleEndian(x));
  };
  const got = () => fromLittleEndian(bytesAt(place(0), 32));

  it('are multiplied, divided by 2^261, modulo n', () => {
    const inverse = Point.Fn.inv(mod(R, n));
    fc.assert(
      fc.property(any, any, (a, b) => {
        put(a, b);
        call('mulScalar', place(0), place(1), place(2));
        expect(got()).toBe((a * b * inverse) % n);
      }),
      repeatable(2000),
    );
  });

  it('are added, subtracted and compared', () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        put(a, b);
        call('add256', place(0), place(1), place(2));
        expect(got()).toBe(mod(a + b, 2n ** 256n));
        call('sub256', place(0), place(1), place(2));
        expect(got()).toBe(mod(a - b, 2n ** 256n));
        expect(call('isBelow', place(1), place(2))).toBe(a < b ? 1 : 0);
        expect(call('isBelow', place(1), place(1))).toBe(0);
      }),
      repeatable(800),
    );
  });

  it.each([
    ['MODULUS_P', p],
    ['MODULUS_N', n],
  ])('have inverses modulo %s', (name, m) => {
    const check = (x: bigint) => {
      put(x);
      call('modInverseVarTime', place(0), place(1), address(name));
      expect(got() < m).toBe(true);
      expect((got() * x) % m, String(x)).toBe(x % m === 0n ? 0n : 1n);
    };
    for (let bit = 0n; bit < 256n; bit++) {
      for (const x of [2n ** bit, 2n ** bit - 1n, 2n ** 256n - 2n ** bit]) check(x);
      if (2n ** bit < m) check(m - 2n ** bit);
    }
    fc.assert(fc.property(any, check), repeatable(1500));
  });
});

describe('points', () => {
  const putPoint = (at: number, point: typeof G) => {
    const { x, y } = point.toAffine();
    setValue(at, mod(x * R, p));
    setValue(at + 36, mod(y * R, p));
  };
  const pointAt = (at: number) =>
    Point.fromAffine({ x: mod(valueAt(at) * perR, p), y: mod(valueAt(at + 36) * perR, p) });
  const [A, B, C, D] = [place(0), place(1), place(2), place(3)];

  it('are doubled, also in place', () => {
    for (const k of edgeScalars) {
      putPoint(A, multiple(k));
      call('double', B, A);
      expect(pointAt(B).equals(multiple(2n * k))).toBe(true);
      call('double', A, A);
      expect(pointAt(A).equals(multiple(2n * k))).toBe(true);
    }
  });

  it('are negated', () => {
    putPoint(A, multiple(77n));
    for (const negative of [0, 1]) {
      call('copySigned', B, A, negative);
      expect(pointAt(B).equals(multiple(negative ? -77n : 77n))).toBe(true);
    }
  });

  it('are added, equal and opposite ones among others', () => {
    for (const [i, k] of edgeScalars.entries()) {
      const [u, v] = [edgeScalars[(3 * i + 1) % edgeScalars.length]!, mod(BigInt(i) ** 20n + 9n, n)];
      putPoint(A, multiple(k));
      putPoint(B, multiple(u));
      const isOpposite = mod(k + u, n) === 0n;
      expect(call('addLater', A, B)).toBe(isOpposite ? 0 : 1);
      putPoint(C, multiple(v));
      putPoint(D, multiple(v));
      expect(call('addLater', C, D)).toBe(1);
      call('copySigned', D, D, 1);
      call('addWaiting');
      if (!isOpposite) expect(pointAt(A).equals(multiple(k + u))).toBe(true);
      expect(pointAt(C).equals(multiple(2n * v))).toBe(true);
      putPoint(C, multiple(v));
      expect(call('addLater', C, D)).toBe(0); // v - v
    }
  });

  it('of which more wait than there is room for are added', () => {
    const [count, start] = [1100, place(100)];
    for (let i = 0; i < count; i++) putPoint(start + 72 * i, multiple(BigInt(i % 50) + 2n));
    putPoint(A, G);
    for (let i = 0; i < count; i++) expect(call('addLater', start + 72 * i, A)).toBe(1);
    call('addWaiting');
    for (let i = 0; i < count; i++) {
      expect(pointAt(start + 72 * i).equals(multiple(BigInt(i % 50) + 3n)), String(i)).toBe(true);
    }
  });

  it('of the curve are known', () => {
    for (const k of edgeScalars.slice(0, 20)) {
      putPoint(A, multiple(k));
      expect(call('isOnCurve', A, A + 36)).toBe(1);
      limbsAt(A + 36)[0]! ^= 1;
      expect(call('isOnCurve', A, A + 36)).toBe(0);
    }
  });

  // Multiples of G that NIST gives for testing
  const KNOWN: [bigint, bigint, bigint][] = [
    [
      1n,
      0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
      0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
    ],
    [
      2n,
      0x7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978n,
      0x07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1n,
    ],
    [
      3n,
      0x5ecbe4d1a6330a44c8f7ef951d4bf165e6c6b721efada985fb41661bc6e7fd6cn,
      0x8734640c4998ff7e374b06ce1a64a2ecd82ab036384fb83d9a79b127a27d5032n,
    ],
    [
      4n,
      0xe2534a3532d08fbba02dde659ee62bd0031fe2db785596ef509302446b030852n,
      0xe0f1575a4c633cc719dfee5fda862d764efc96c3f30ee0055c42c23f184ed8c6n,
    ],
    [
      5n,
      0x51590b7a515140d2d784c85608668fdfef8c82fd1f5be52421554a0dc3d033edn,
      0xe0c17da8904a727d8ae1bf36bf8a79260d012f00d4d80888d1d0bb44fda16da4n,
    ],
  ];

  describe('in tables', () => {
    const open = (point: Uint8Array, key: number) => {
      bytesAt(address('KEY'), 64).set(point);
      return call('openKey', key);
    };

    it('are d 256^i times the point, of G and of a key', () => {
      expect(open(coordinates(multiple(31337n)), 0)).toBe(0);
      for (const [table, scalar] of [
        [address('GENERATOR_TABLE'), 1n],
        [address('TABLES'), 31337n],
      ] as const) {
        for (let window = 0; window < 32; window++) {
          const base = multiple(scalar * 256n ** BigInt(window));
          const points: (typeof G)[] = [base];
          while (points.length < 128) points.push(points.at(-1)!.add(base));
          for (const [i, point] of points.entries()) {
            const at = table + 72 * (128 * window + i);
            expect(pointAt(at).equals(point), `${i + 1} 256^${window}`).toBe(true);
            expect(isWithinBounds(at) && isWithinBounds(at + 36)).toBe(true);
          }
        }
      }
    });

    it('are the known ones', () => {
      open(coordinates(G), 0);
      for (const [k, x, y] of KNOWN) {
        expect(pointAt(address('GENERATOR_TABLE') + 72 * (Number(k) - 1)).toAffine()).toEqual({ x, y });
      }
    });

    it('give the terms of u P', () => {
      open(coordinates(G), 0);
      const u = place(1);
      for (const k of [0n, ...edgeScalars]) {
        bytesAt(u, 32).set(littleEndian(k));
        const end = call('takeMultiples', place(10), address('GENERATOR_TABLE'), u) as number;
        const count = (end - place(10)) / 72;
        expect(count).toBeLessThanOrEqual(32);
        let sum = Point.ZERO;
        for (let i = 0; i < count; i++) sum = sum.add(pointAt(place(10) + 72 * i));
        expect(sum.equals(multiple(k)), String(k)).toBe(true);
      }
    });

    it('verify within the bounds of every operation', () => {
      const secret = 0xabcdefn;
      open(coordinates(multiple(secret)), 1);
      for (let start = 0; start + 32 <= edgeScalars.length; start += 32) {
        for (const [i, u] of edgeScalars.slice(start, start + 32).entries()) {
          const v = edgeScalars[edgeScalars.length - 1 - i]!;
          const sum = multiple(u + v * secret);
          const { message, signature } = signatureFor(sum.is0() ? 1n : sum.x, u, v);
          bytesAt(address('SIGNED') + 96 * i, 96).set([...message, ...signature]);
        }
        call('verifyGroup', 1, 32);
        expect([...bytesAt(address('VERDICTS'), 32)]).toEqual(new Array(32).fill(1));
      }
    });
  });
});
