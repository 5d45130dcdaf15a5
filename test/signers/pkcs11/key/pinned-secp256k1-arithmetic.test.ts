// What the secp256k1 verifier adds to the arithmetic of the curves, against BigInt and noble, on the debug build, which
// asserts the bounds: comparison, differences, negation, points that meet, and the tables.

import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import base64 from '../../../../build/wasm/pinned-secp256k1.debug.js';
import { littleEndian, repeatable } from '../../../curves/edge-inputs.js';
import { inputsOf, mod } from './pinned-key-inputs.js';

const { coordinates, edgeScalars, G, multiple, Point, p, signatureFor } = inputsOf(secp256k1);
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(base64, 'base64')));
const debug = exports as Record<string, unknown> & { memory: WebAssembly.Memory };
const address = (name: string): number => (debug[name] as WebAssembly.Global<'i32'>).value;
const call = (name: string, ...args: number[]): unknown =>
  (debug[name] as (...args: number[]) => unknown)(...args);
/** The table of the last key is room for operands, 80 bytes apart. */
const place = (index: number): number =>
  address('TABLES') + (address('KEYS') - 1) * address('TABLE_BYTES') + 80 * index;
const bytesAt = (at: number, length: number) => new Uint8Array(debug.memory.buffer, at, length);
const limbsAt = (at: number) => new Uint32Array(debug.memory.buffer, at, 9);
const valueAt = (at: number) => limbsAt(at).reduceRight((x, limb) => (x << 29n) + BigInt(limb), 0n);
const setValue = (at: number, x: bigint) =>
  limbsAt(at).set(Array.from({ length: 9 }, (_, i) => Number((x >> BigInt(29 * i)) & 0x1fffffffn)));

const LARGEST = 0x20100000; // magnitude 1
const isWithinBounds = (at: number) => limbsAt(at).every((limb) => limb <= LARGEST);
const limbs = fc.oneof(
  fc.constantFrom(new Array(9).fill(LARGEST), new Array(9).fill(0)),
  fc.array(
    fc.oneof(fc.constantFrom(0, 1, 2 ** 29 - 1, 2 ** 29, LARGEST), fc.integer({ min: 0, max: LARGEST })),
    {
      minLength: 9,
      maxLength: 9,
    },
  ),
);

const operations: { name: string; count: number; value: (...operands: bigint[]) => bigint }[] = [
  { name: 'fieldMulDifference', count: 3, value: (a, b, c) => (a! - b!) * c! },
  { name: 'fieldMulDifferenceSub', count: 4, value: (a, b, c, d) => (a! - b!) * c! - d! },
  { name: 'fieldSqrSubSub', count: 3, value: (a, b, c) => a! * a! - b! - c! },
];

describe.each(operations)('$name', ({ name, count, value }) => {
  it('agrees with BigInt at the bounds, over any operand', () => {
    const indices = Array.from({ length: count }, (_, i) => i);
    fc.assert(
      fc.property(fc.tuple(...indices.map(() => limbs)), (values) => {
        for (const target of [9, ...indices]) {
          for (const [i, operand] of values.entries()) limbsAt(place(i)).set(operand);
          const result = mod(value(...indices.map((i) => valueAt(place(i)))), p);
          call(name, place(target), ...indices.map(place));
          expect(isWithinBounds(place(target))).toBe(true);
          expect(mod(valueAt(place(target)), p)).toBe(result);
        }
      }),
      repeatable(200),
    );
  });
});

describe('an element', () => {
  it('is equal to one that differs by multiples of p, and to no other', () => {
    for (const x of [0n, 1n, 976n, 977n, 2n ** 29n - 977n, p - 1n, p - 977n, 12345n << 200n]) {
      for (const [a, b] of [0n, 1n, 2n, 17n, 31n].flatMap((k) => [0n, 1n, 30n].map((l) => [k, l] as const))) {
        setValue(place(0), x + a * p);
        setValue(place(1), x + b * p);
        expect(call('fieldIsEqual', place(0), place(1)), `${x} ${a} ${b}`).toBe(1);
        for (const other of [1n, 977n, 2n * 977n, 2n ** 29n, 2n ** 32n, 2n ** 96n]) {
          setValue(place(1), x + b * p + other);
          expect(call('fieldIsEqual', place(0), place(1)), `${x} ${a} ${b} ${other}`).toBe(0);
          expect(call('fieldIsEqual', place(1), place(0))).toBe(0);
        }
      }
    }
  });

  it('is negated or not', () => {
    fc.assert(
      fc.property(limbs, fc.boolean(), (a, negative) => {
        limbsAt(place(0)).set(a);
        call('fieldCopySigned', place(1), place(0), Number(negative));
        expect(isWithinBounds(place(1))).toBe(true);
        expect(mod(valueAt(place(1)), p)).toBe(mod(negative ? -valueAt(place(0)) : valueAt(place(0)), p));
      }),
      repeatable(200),
    );
  });
});

describe('points', () => {
  const putPoint = (at: number, point: typeof G) => {
    const { x, y } = point.toAffine();
    setValue(at, x);
    setValue(at + 36, y);
  };
  const pointAt = (at: number) => Point.fromAffine({ x: mod(valueAt(at), p), y: mod(valueAt(at + 36), p) });
  const open = (point: Uint8Array, key: number) => {
    bytesAt(address('KEY'), 64).set(point);
    return call('openKey', key);
  };

  it('are doubled, and added, equal and opposite ones among others', () => {
    for (const [i, k] of edgeScalars.entries()) {
      const u = edgeScalars[(3 * i + 1) % edgeScalars.length]!;
      for (const [a, b] of [
        [k, u],
        [k, k],
        [k, -k],
      ] as const) {
        putPoint(place(0), multiple(a));
        putPoint(place(1), multiple(b));
        const sum = multiple(a + b);
        expect(call('addLater', place(0), place(1))).toBe(sum.is0() ? 0 : 1);
        call('addWaiting');
        if (!sum.is0()) expect(pointAt(place(0)).equals(sum)).toBe(true);
      }
    }
  });

  it('in tables are d 256^i times the point, of G and of a key', () => {
    expect(open(coordinates(multiple(31337n)), 0)).toBe(0);
    for (const [table, scalar] of [
      [address('GENERATOR_TABLE'), 1n],
      [address('TABLES'), 31337n],
    ] as const) {
      for (let window = 0; window < 32; window++) {
        const base = multiple(scalar * 256n ** BigInt(window));
        let point = base;
        for (let d = 1; d <= 128; d++, point = point.add(base)) {
          const at = table + 72 * (128 * window + d - 1);
          expect(pointAt(at).equals(point), `${d} 256^${window}`).toBe(true);
          expect(isWithinBounds(at) && isWithinBounds(at + 36)).toBe(true);
        }
      }
    }
  });

  it('of a table give the terms of u P', () => {
    open(coordinates(G), 0);
    for (const k of [0n, ...edgeScalars]) {
      bytesAt(place(1), 32).set(littleEndian(k));
      const end = call('takeMultiples', place(10), address('GENERATOR_TABLE'), place(1)) as number;
      const count = (end - place(10)) / 72;
      expect(count).toBeLessThanOrEqual(32);
      let sum = Point.ZERO;
      for (let i = 0; i < count; i++) sum = sum.add(pointAt(place(10) + 72 * i));
      expect(sum.equals(multiple(k)), String(k)).toBe(true);
    }
  });

  it('are added for a group within the bounds of every operation', () => {
    const secret = 0xabcdefn;
    open(coordinates(multiple(secret)), 1);
    for (let start = 0; start + 32 <= edgeScalars.length; start += 32) {
      for (const [i, u] of edgeScalars.slice(start, start + 32).entries()) {
        const v = edgeScalars[edgeScalars.length - 1 - i]!;
        const sum = multiple(u + v * secret);
        const { message, signature } = signatureFor(sum.x, u, v);
        bytesAt(address('SIGNED') + 96 * i, 96).set([...message, ...signature]);
      }
      call('verifyGroup', 1, 32);
      expect([...bytesAt(address('VERDICTS'), 32)].every((verdict) => verdict > 0)).toBe(true);
    }
  });
});
