// The arithmetic under secp256k1 against BigInt, on the debug build, which exports it: limbs at the extremes of their
// magnitudes, every aliasing of operands, scalars at the edges of their range, and the rejection of nonces.

import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundError } from '../../scripts/kernels/core.mjs';
import { biasFor, generate } from '../../scripts/kernels/field-secp256k1.mjs';
import { debugCurves } from './debug-curves.js';
import { edgeBytes, fromLittleEndian, hex, littleEndian, repeatable } from './edge-inputs.js';
import { bigEndian, edgeScalars, fromBigEndian, lambda, mod, n, p } from './secp256k1-inputs.js';

const { address, call, place, bytesAt, limbsAt } = debugCurves();
const valueAt = (at: number) => limbsAt(at).reduceRight((x, limb) => (x << 29n) + BigInt(limb), 0n);
const setValue = (at: number, x: bigint) =>
  limbsAt(at).set(Array.from({ length: 9 }, (_, i) => Number((x >> BigInt(29 * i)) & 0x1fffffffn)));

// Magnitude 1, as scripts/kernels/field-secp256k1.mjs declares it.
const UNIT = 2 ** 29 + 2 ** 20;

/** Nine limbs: each of them zero, one, the largest of its magnitude, near it, or anything. */
const limbs = (magnitude: number): fc.Arbitrary<number[]> => {
  const max = magnitude * UNIT;
  const edge = fc.constantFrom(0, 1, 2 ** 29 - 1, 2 ** 29, max - 1, max);
  return fc.oneof(
    fc.constant(new Array(9).fill(max)),
    fc.array(fc.oneof(edge, fc.nat(max)), { minLength: 9, maxLength: 9 }),
  );
};

interface Operation {
  name: string;
  /** Magnitudes of the operands. */
  operands: number[];
  value: (...operands: bigint[]) => bigint;
}

const operations: Operation[] = [
  { name: 'Mul', operands: [1, 2], value: (a, b) => a! * b! },
  { name: 'Sqr', operands: [1], value: (a) => a! * a! },
  { name: 'MulAdd', operands: [1, 2, 1], value: (a, b, c) => a! * b! + c! },
  { name: 'MulSub', operands: [1, 2, 1], value: (a, b, c) => a! * b! - c! },
  { name: 'Sub', operands: [2, 1], value: (a, b) => a! - b! },
  {
    name: 'MulDifferenceSubMul',
    operands: [1, 1, 1, 1, 1],
    value: (a, b, c, d, e) => a! * (b! - c!) - d! * e!,
  },
  { name: 'MulDifferenceSub', operands: [1, 2, 2, 2], value: (a, b, c, d) => a! * (b! - c!) - d! },
  { name: 'SqrTimes3Half', operands: [1], value: (a) => 3n * a! * a! * ((p + 1n) / 2n) },
  { name: 'SqrSubSub2', operands: [1, 1, 1], value: (a, b, c) => a! * a! - b! - 2n * c! },
  {
    name: 'MulDifferenceAddSqr',
    operands: [1, 1, 1, 1],
    value: (a, b, c, d) => a! * (b! - c!) + d! * d!,
  },
];

describe.each(operations)('$name', ({ name, operands, value }) => {
  const run = (...places: number[]) => call(`fieldSecp256k1${name}`, ...places);

  /** Runs with the operands at these places, of which the result's may be one. */
  const result = (values: number[][], places: number[], target: number) => {
    for (const [i, operand] of values.entries()) limbsAt(place(places[i]!)).set(operand);
    const expected = mod(value(...places.map((at) => valueAt(place(at)))), p);
    run(place(target), ...places.map(place));
    expect(Math.max(...limbsAt(place(target)))).toBeLessThanOrEqual(UNIT);
    expect(mod(valueAt(place(target)), p)).toBe(expected);
  };

  it('agrees with BigInt and writes magnitude 1', () => {
    const places = operands.map((_, i) => i + 1);
    fc.assert(
      fc.property(fc.tuple(...operands.map(limbs)), (values) => result(values, places, 0)),
      repeatable(400),
    );
  });

  it('may write over any operand, and take one twice', () => {
    const patterns = operands.flatMap((_, target) => [
      { places: operands.map((_, i) => i), target },
      { places: operands.map(() => 0), target: 0 },
      { places: operands.map((_, i) => i % 2), target: target % 2 },
    ]);
    fc.assert(
      fc.property(fc.tuple(...operands.map(() => limbs(1))), (values) => {
        for (const { places, target } of patterns) result(values, places, target);
      }),
      repeatable(40),
    );
  });

  it('traps on a limb above its magnitude', () => {
    const places = operands.map((_, i) => place(i + 1));
    for (const [i, magnitude] of operands.entries()) {
      for (let limb = 0; limb < 9; limb++) {
        for (const at of places) limbsAt(at).fill(0);
        limbsAt(places[i]!)[limb] = magnitude * UNIT;
        expect(() => run(place(0), ...places)).not.toThrow();
        limbsAt(places[i]!)[limb] = magnitude * UNIT + 1;
        expect(() => run(place(0), ...places)).toThrow(WebAssembly.RuntimeError);
      }
    }
  });
});

describe('other field operations', () => {
  it('negateIf negates or copies', () => {
    fc.assert(
      fc.property(limbs(1), fc.boolean(), (a, negative) => {
        limbsAt(place(1)).set(a);
        call('fieldSecp256k1NegateIf', place(0), place(1), negative ? -1n : 0n);
        expect(Math.max(...limbsAt(place(0)))).toBeLessThanOrEqual(2 * UNIT);
        expect(mod(valueAt(place(0)), p)).toBe(mod(negative ? -valueAt(place(1)) : valueAt(place(1)), p));
      }),
      repeatable(200),
    );
  });

  it('sqrTimes squares so many times, also in place', () => {
    fc.assert(
      fc.property(limbs(1), fc.integer({ min: 1, max: 24 }), fc.boolean(), (a, count, inPlace) => {
        const from = inPlace ? place(0) : place(1);
        limbsAt(from).set(a);
        let expected = mod(valueAt(from), p);
        for (let i = 0; i < count; i++) expected = (expected * expected) % p;
        call('fieldSecp256k1SqrTimes', place(0), from, count);
        expect(Math.max(...limbsAt(place(0)))).toBeLessThanOrEqual(UNIT);
        expect(mod(valueAt(place(0)), p)).toBe(expected);
      }),
      repeatable(200),
    );
  });

  it('fromBytes reads 256 bits, toBytes writes them reduced', () => {
    const edges = [0n, 1n, p - 1n, p, p + 1n, p + 976n, 2n ** 256n - 1n].map((x) => littleEndian(x));
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...edges), edgeBytes(32)), (bytes) => {
        bytesAt(place(1), 32).set(bytes);
        call('fieldSecp256k1FromBytes', place(0), place(1));
        expect(valueAt(place(0))).toBe(fromLittleEndian(bytes));
        call('fieldSecp256k1ToBytes', place(2), place(0));
        expect(fromLittleEndian(bytesAt(place(2), 32))).toBe(fromLittleEndian(bytes) % p);
      }),
      repeatable(400),
    );
  });

  it('toBytes reduces every element of magnitude 1', () => {
    fc.assert(
      fc.property(limbs(1), (a) => {
        limbsAt(place(0)).set(a);
        call('fieldSecp256k1ToBytes', place(2), place(0));
        expect(fromLittleEndian(bytesAt(place(2), 32))).toBe(valueAt(place(0)) % p);
      }),
      repeatable(400),
    );
  });

  it('toBytes reduces what is just around multiples of p', () => {
    for (let multiple = 0n; multiple < 32n; multiple++) {
      for (const offset of [-1n, 0n, 1n, 976n, 977n, 978n, 2n ** 32n + 977n]) {
        const x = multiple * p + offset;
        if (x < 0n) continue;
        setValue(place(0), x);
        call('fieldSecp256k1ToBytes', place(2), place(0));
        expect(fromLittleEndian(bytesAt(place(2), 32))).toBe(x % p);
      }
    }
  });
});

describe('the generator', () => {
  it('refuses a bias that is one bit narrower in one limb', () => {
    for (let limb = 0; limb < 8; limb++) {
      const narrow = (m: number) => {
        const bias = biasFor(m);
        // The same multiple of p: the limb loses 2^29, the next one gains 1.
        return bias.with(limb, bias[limb]! - 2n ** 29n).with(limb + 1, bias[limb + 1]! + 1n);
      };
      expect(() => generate({ bias: narrow }), `limb ${limb}`).toThrow(BoundError);
    }
  });

  it('has biases that are multiples of p', () => {
    for (const m of [1, 2, 3]) {
      expect(biasFor(m).reduce((x, limb, i) => x + (limb << BigInt(29 * i)), 0n) % p).toBe(0n);
    }
  });
});

describe('scalars', () => {
  const inRange = fc.oneof(
    fc.constantFrom(0n, ...edgeScalars),
    edgeBytes(32).map((bytes) => fromLittleEndian(bytes) % n),
  );
  const any = fc.oneof(
    fc.constantFrom(0n, 1n, n - 1n, n, n + 1n, 2n ** 256n - 1n),
    edgeBytes(32).map(fromLittleEndian),
  );
  const put = (...values: bigint[]) => {
    for (const [i, x] of values.entries()) bytesAt(place(i + 1), 32).set(littleEndian(x));
  };
  const got = () => fromLittleEndian(bytesAt(place(0), 32));

  it('mulScalar agrees for any 32 bytes', () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        put(a, b);
        call('mulScalar', place(0), place(1), place(2));
        expect(got()).toBe((a * b) % n);
      }),
      repeatable(1500),
    );
  });

  it('mulShift384 rounds to the nearest', () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        if (a * b >= 2n ** 512n - 2n ** 383n) return;
        put(a, b);
        call('mulShift384', place(0), place(1), place(2));
        expect(got()).toBe((a * b + 2n ** 383n) >> 384n);
      }),
      repeatable(1000),
    );
  });

  it('splitHalves and nonAdjacentFormVarTime give digits of -2 that stand for k', () => {
    const signed = (at: number) => BigInt.asIntN(145, fromLittleEndian(bytesAt(at, 24)));
    fc.assert(
      fc.property(inRange, fc.constantFrom(5, 11), (k, width) => {
        put(k);
        const [half1, half2, digits] = [place(2), place(3), place(8)];
        call('mulShift384', half1, place(1), address('G1'));
        call('mulShift384', half2, place(1), address('G2'));
        call('splitHalves', half1, half2, place(1), half1, half2);
        expect(mod(signed(half1) + signed(half2) * lambda, n)).toBe(k);
        for (const at of [half1, half2]) {
          const half = signed(at);
          expect(half > -(2n ** 128n) && half < 2n ** 128n).toBe(true);
          bytesAt(digits, 1040).fill(0);
          call('nonAdjacentFormVarTime', digits, at, width);
          const read = new DataView(bytesAt(digits, 1040).slice().buffer);
          let [sum, last] = [0n, -width];
          for (let place = 0; place < 130; place++) {
            const digit = read.getInt16(8 * place, true);
            if (digit === 0) continue;
            expect(digit & 1).toBe(1);
            expect(Math.abs(digit)).toBeLessThan(2 ** (width - 1));
            expect(place - last).toBeGreaterThanOrEqual(width);
            last = place;
            sum += BigInt(digit) * (-2n) ** BigInt(place);
          }
          expect(sum).toBe(half);
        }
      }),
      repeatable(500),
    );
  });

  it('addScalar, halveScalar, negateScalarIf and reduceScalar agree', () => {
    fc.assert(
      fc.property(inRange, inRange, any, (a, b, c) => {
        put(a, b, c);
        call('addScalar', place(0), place(1), place(2));
        expect(got()).toBe((a + b) % n);
        call('halveScalar', place(0), place(1));
        expect((2n * got()) % n).toBe(a);
        expect(got() < n).toBe(true);
        call('negateScalarIf', place(0), place(1), -1n);
        expect(got()).toBe(mod(-a, n));
        call('negateScalarIf', place(0), place(1), 0n);
        expect(got()).toBe(a);
        call('reduceScalar', place(0), place(3));
        expect(got()).toBe(c % n);
      }),
      repeatable(800),
    );
  });

  it('isHigh and isSecretScalar agree', () => {
    fc.assert(
      fc.property(inRange, any, (a, b) => {
        put(a, b);
        expect(call('isHigh', place(1))).toBe(a > n / 2n ? 1n : 0n);
        expect(call('isSecretScalar', place(2))).toBe(b > 0n && b < n ? 1n : 0n);
      }),
      repeatable(800),
    );
  });
});

describe('Jacobian points', () => {
  const G = noble.Point.BASE;
  const { Fp } = noble.Point;
  const [P, Q, Z, table] = [place(0), place(3), place(5), place(16)];
  const numbers = fc.oneof(fc.constantFrom(1n, 2n, p - 1n, 2n ** 255n), fc.bigInt(2n, p - 2n));

  const putAffine = (at: number, { x, y }: { x: bigint; y: bigint }) => {
    setValue(at, x);
    setValue(at + 36, y);
  };
  /** Coordinates X, Y, Z of the point. */
  const putJacobian = (at: number, point: typeof G, z: bigint) => {
    const { x, y } = point.toAffine();
    putAffine(at, { x: (x * z ** 2n) % p, y: (y * z ** 3n) % p });
    setValue(at + 72, z);
  };
  const pointAt = (at: number, z: bigint) => {
    const [inverse, X, Y] = [Fp.inv(z), mod(valueAt(at), p), mod(valueAt(at + 36), p)];
    return noble.Point.fromAffine({ x: (X * inverse ** 2n) % p, y: (Y * inverse ** 3n) % p });
  };
  const jacobianAt = (at: number) => pointAt(at, mod(valueAt(at + 72), p));

  it('doubleNegated agrees', () => {
    for (const k of edgeScalars.slice(0, 60)) {
      putJacobian(P, G.multiply(k), mod(k * k + 1n, p));
      call('doubleNegated', P);
      expect(jacobianAt(P).equals(G.multiply(k).double().negate()), String(k)).toBe(true);
    }
  });

  it('addAffineVarTime agrees, for equal and opposite points and those of another curve as well', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...edgeScalars.slice(0, 60)),
        fc.constantFrom(...edgeScalars.slice(0, 60)),
        fc.constantFrom('any', 'equal', 'opposite'),
        fc.boolean(),
        fc.tuple(numbers, numbers),
        (j, k, relation, negative, [z, factor]) => {
          const p1 = G.multiply(j);
          const other = { any: G.multiply(k), equal: p1, opposite: p1.negate() }[relation];
          const expected = p1.add(negative ? other.negate() : other);
          putJacobian(P, p1, z);
          putAffine(Q, other.toAffine());
          // q of the original curve, p on that of `factor`: the Z for q is that of p times it
          setValue(Z, (z * factor) % p);
          putAffine(P, {
            x: (valueAt(P) * factor ** 2n) % p,
            y: (valueAt(P + 36) * factor ** 3n) % p,
          });
          const finite = call('addAffineVarTime', P, Z, Q, negative ? 1 : 0);
          expect(finite).toBe(expected.is0() ? 0 : 1);
          if (expected.is0()) return;
          const sum = pointAt(P, mod(valueAt(P + 72) * factor, p));
          expect(sum.equals(expected)).toBe(true);
        },
      ),
      repeatable(300),
    );
  });

  it.each([2, 8, 32])('tables of %i odd multiples agree, on either curve', (count) => {
    for (const [i, k] of [1n, 2n, n - 1n, lambda, edgeScalars[40]!].entries()) {
      const base = G.multiply(k);
      const z = BigInt(i) ** 77n + 1n;
      putJacobian(P, base, mod(z, p));
      call('oddMultiples', table, P, count);
      const entries = () => Array.from({ length: count }, (_, j) => table + 80 * j);
      let multiple = base;
      for (const at of entries()) {
        expect(pointAt(at, 1n).equals(multiple)).toBe(true);
        multiple = multiple.add(base.double());
      }
      call('oddMultiplesTimesZ', table, Z, P, count);
      multiple = base;
      for (const at of entries()) {
        expect(pointAt(at, mod(valueAt(Z), p)).equals(multiple)).toBe(true);
        multiple = multiple.add(base.double());
      }
    }
  });
});

describe('u G + v P', () => {
  const [out, u, v, point, bytes] = [place(0), place(3), place(4), place(5), place(8)];
  const G = noble.Point.BASE;
  const multiple = (scalar: bigint) => (scalar === 0n ? noble.Point.ZERO : G.multiply(scalar));

  /** The sum for P = secret G, from Jacobian coordinates; undefined for infinity. */
  function sum(uValue: bigint, vValue: bigint, secret: bigint): string | undefined {
    const { x, y } = G.multiply(secret).toAffine();
    for (const [i, coordinate] of [x, y].entries()) {
      bytesAt(bytes, 32).set(littleEndian(coordinate));
      call('fieldSecp256k1FromBytes', point + 36 * i, bytes);
    }
    bytesAt(u, 32).set(littleEndian(uValue));
    bytesAt(v, 32).set(littleEndian(vValue));
    if (call('multiplyAddVarTime', out, u, v, point) === 0) return undefined;
    const [X, Y, Z] = [0, 36, 72].map((offset) => mod(valueAt(out + offset), p));
    const inverse = noble.Point.Fp.inv(Z!);
    return noble.Point.fromAffine({ x: mod(X! * inverse ** 2n, p), y: mod(Y! * inverse ** 3n, p) }).toHex();
  }

  const check = (uValue: bigint, vValue: bigint, secret: bigint) => {
    const total = mod(uValue + vValue * secret, n);
    const expected = total === 0n ? undefined : multiple(total).toHex();
    expect(sum(uValue, vValue, secret), `${uValue} ${vValue} ${secret}`).toBe(expected);
  };

  it('agrees with noble for scalars at the edges', () => {
    const scalars = [0n, ...edgeScalars.slice(0, 70)];
    for (const [i, a] of scalars.entries()) {
      check(a, scalars[(7 * i + 1) % scalars.length]!, edgeScalars[(5 * i) % 70]!);
      check(a, 0n, 3n);
      check(0n, a, 3n);
    }
  });

  it('agrees where partial sums are equal, opposite or infinity', () => {
    const images = [lambda, lambda * lambda, -lambda, 2n * lambda].map((x) => mod(x, n));
    for (const secret of [1n, 2n, 3n, n - 1n, n - 2n, (n + 1n) / 2n, edgeScalars[17]!, ...images]) {
      for (const a of [1n, 2n, 3n, 31n, 2n ** 127n, n - 1n]) {
        check(mod(a * secret, n), a, secret);
        check(mod(-a * secret, n), a, secret);
        check(mod(2n * a * secret, n), a, secret);
        check(mod(1n - a * secret, n), a, secret);
      }
    }
  });

  it('agrees where an entry of one table meets that of another, equal or opposite', () => {
    for (const digit of [1n, 3n, 15n, 511n, 1021n, 1023n]) {
      for (const [i, place] of [0n, 1n, 6n, 63n, 100n].entries()) {
        const at = 2n ** place;
        for (const unit of [1n, lambda, n - 1n]) {
          const secret = mod(digit * unit, n);
          check(digit * at, at, secret);
          check(digit * at, n - at, secret);
          check(digit * at + BigInt(i), n - at, secret);
          check(mod(digit * at * lambda + 1n, n), n - at, secret);
        }
      }
    }
  });

  it('infinity leaves nothing to trip over', () => {
    bytesAt(out, 112).fill(0xff);
    check(0n, 0n, 5n);
    check(n - 5n, 1n, 5n);
  });
});

describe('nonces', () => {
  const secret = bigEndian(0xabcdef123456789n);
  const digest = bigEndian(0x1234n);

  /** The candidates of RFC 6979 §3.2, in order. */
  function candidates(count: number): bigint[] {
    const mac = (key: Uint8Array, ...parts: Uint8Array[]) => hmac(sha256, key, concatBytes(...parts));
    let [K, V] = [new Uint8Array(32), new Uint8Array(32).fill(1)];
    for (const separator of [0, 1]) {
      K = mac(K, V, Uint8Array.of(separator), secret, digest);
      V = mac(K, V);
    }
    return Array.from({ length: count }, (_, i) => {
      if (i > 0) {
        K = mac(K, V, Uint8Array.of(0));
        V = mac(K, V);
      }
      V = mac(K, V);
      return fromBigEndian(V);
    });
  }

  /** Recovery id, r, s by the book. */
  function signed(k: bigint, d: bigint, z: bigint): { bytes: string; s: bigint } {
    const R = noble.Point.BASE.multiply(k);
    const r = R.x % n;
    const raw = mod(noble.Point.Fn.inv(k) * (z + r * d), n);
    const s = raw > n / 2n ? n - raw : raw;
    const id = (R.x >= n ? 2n : 0n) | ((R.y & 1n) ^ (raw > n / 2n ? 1n : 0n));
    return { bytes: hex(concatBytes(bigEndian(id, 1), bigEndian(r), bigEndian(s))), s: raw };
  }

  /** Signs with these candidates in place of the first ones. */
  function sign(forced: bigint[], z = digest): string {
    force(forced);
    bytesAt(address('SECRET_KEY'), 32).set(secret);
    expect(call('secp256k1Prepare')).toBe(0);
    bytesAt(address('DIGEST'), 32).set(z);
    call('secp256k1Sign', 1, 0);
    return hex(bytesAt(address('SIGNATURE'), 65));
  }

  /** The same in a batch, of which every signature has one candidate and its own digest. */
  function signBatch(forced: bigint[], digests: Uint8Array[]): string[] {
    bytesAt(address('SECRET_KEY'), 32).set(secret);
    expect(call('secp256k1Prepare')).toBe(0);
    for (const [i, z] of digests.entries()) {
      force(forced.slice(i, i + 1));
      bytesAt(address('DIGEST'), 32).set(z);
      call('secp256k1BatchAdd', i, 0);
    }
    call('secp256k1BatchSign', digests.length, 1);
    return digests.map((_, i) => hex(bytesAt(address('BATCH_SIGNATURES') + 65 * i, 65)));
  }

  function force(forced: bigint[]): void {
    const list = new Uint8Array(32 * forced.length);
    for (const [i, k] of forced.toReversed().entries()) list.set(bigEndian(k), 32 * i);
    bytesAt(address('FORCED_NONCES') + 8, list.length).set(list);
    bytesAt(address('FORCED_NONCES'), 1)[0] = forced.length;
  }

  const d = fromBigEndian(secret);
  const z = fromBigEndian(digest);

  it('are the candidates of RFC 6979', () => {
    expect(sign([])).toBe(signed(candidates(1)[0]!, d, z).bytes);
    expect(sign([])).toBe(hex(noble.sign(digest, secret, { prehash: false, format: 'recovered' })));
  });

  it.each([
    ['0', [0n]],
    ['n', [n]],
    ['2^256 - 1', [2n ** 256n - 1n]],
    ['0, n and n + 1', [0n, n, n + 1n]],
  ])('%s is passed over for the next candidate', (_name, rejected) => {
    const next = candidates(rejected.length + 1).at(-1)!;
    expect(sign(rejected)).toBe(signed(next, d, z).bytes);
  });

  it('one that gives s = 0 is passed over', () => {
    const k = 5n;
    const r = noble.Point.BASE.multiply(k).x % n;
    const zero = bigEndian(mod(-r * d, n));
    expect(signed(k, d, fromBigEndian(zero)).s).toBe(0n);
    expect(sign([k], zero)).not.toBe(sign([6n], zero));
    expect(sign([k, 6n], zero)).toBe(signed(6n, d, fromBigEndian(zero)).bytes);
  });

  it('at the edges sign right', () => {
    for (const k of edgeScalars) expect(sign([k]), String(k)).toBe(signed(k, d, z).bytes);
  });

  it.each([1, 2, 13, 14, 32, 33, 64])('at the edges sign right in batches of %i', (size) => {
    for (let start = 0; start < edgeScalars.length; start += size) {
      const nonces = edgeScalars.slice(start, start + size);
      const digests = nonces.map((_, i) => sha256(Uint8Array.of(i)));
      const expected = nonces.map((k, i) => signed(k, d, fromBigEndian(digests[i]!)).bytes);
      expect(signBatch(nonces, digests)).toEqual(expected);
    }
  });

  it('are all the same in a batch of one message', () => {
    const digests = new Array<Uint8Array>(64).fill(digest);
    expect(new Set(signBatch([], digests))).toEqual(new Set([sign([])]));
  });

  it.each([0n, n, 2n ** 256n - 1n])('%s is passed over in a batch', (rejected) => {
    expect(signBatch([7n, rejected, 8n], [digest, digest, digest])).toEqual(
      [7n, candidates(2)[1]!, 8n].map((k) => signed(k, d, z).bytes),
    );
  });

  it('one that gives s = 0 is marked in a batch, and the others are right', () => {
    const zero = bigEndian(mod(-(noble.Point.BASE.multiply(5n).x % n) * d, n));
    const signatures = signBatch([7n, 5n, 8n], [digest, zero, digest]);
    expect(signatures[1]!.slice(0, 2)).toBe('ff');
    expect([signatures[0], signatures[2]]).toEqual([7n, 8n].map((k) => signed(k, d, z).bytes));
  });
});
