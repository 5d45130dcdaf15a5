// Pairs of field elements against BigInt, on the debug build, which exports the kernels: limbs at the extremes of their
// classes in either lane, and every aliasing of results and operands.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { debugCurves } from './debug-curves.js';
import { repeatable } from './edge-inputs.js';

const { address, bytesAt, call } = debugCurves();

const p = 2n ** 255n - 19n;
const mod = (x: bigint) => ((x % p) + p) % p;

// The bounds of the classes, as scripts/kernels/field25519.mjs declares them.
const FIELD = 2 ** 29 + 2 ** 14;
const bounds = { FieldPair: FIELD, SumPair: 2 * FIELD, LoosePair: 3 * FIELD };
type Class = keyof typeof bounds;
const LANES = [0, 1] as const;

const place = (index: number) => address('MESSAGE') + 80 * index;
/** Eighteen limbs, those of both elements by turns, and two words of padding. */
const wordsAt = (at: number) => new Uint32Array(bytesAt(at, 80).buffer, at, 20);
const valueAt = (at: number, lane: number) =>
  Array.from({ length: 9 }, (_, i) => BigInt(wordsAt(at)[2 * i + lane]!)).reduceRight(
    (x, limb) => (x << 29n) + limb,
  );
const largest = (at: number) => Math.max(...wordsAt(at).subarray(0, 18));

const words = (of: Class): fc.Arbitrary<number[]> => {
  const max = bounds[of];
  const edge = fc.constantFrom(0, 1, 2 ** 29 - 1, 2 ** 29, max - 1, max);
  const random = fc.array(fc.oneof(edge, fc.nat(max)), { minLength: 20, maxLength: 20 });
  return fc.oneof(fc.constant(new Array<number>(20).fill(max)), random);
};

type Lanes = [even: bigint, odd: bigint];

interface Operation {
  name: string;
  operands: Class[];
  results: { of: Class; value: (a: Lanes, b: Lanes) => Lanes }[];
}

/** The same in both lanes. */
const alike =
  (value: (a: bigint, b: bigint) => bigint) =>
  (a: Lanes, b: Lanes): Lanes => [value(a[0], b[0]), value(a[1], b[1])];

const operations: Operation[] = [
  {
    name: 'MulPair',
    operands: ['LoosePair', 'FieldPair'],
    results: [{ of: 'FieldPair', value: alike((a, b) => a * b) }],
  },
  {
    name: 'SqrPair',
    operands: ['SumPair'],
    results: [{ of: 'FieldPair', value: ([even, odd]) => [even * even, odd * odd] }],
  },
  {
    name: 'SumAndDifference',
    operands: ['FieldPair', 'FieldPair'],
    results: [
      { of: 'FieldPair', value: alike((a, b) => a + b) },
      { of: 'LoosePair', value: alike((a, b) => a - b) },
    ],
  },
  {
    name: 'TwiceSumAndDifference',
    operands: ['FieldPair', 'FieldPair'],
    results: [
      { of: 'LoosePair', value: alike((a, b) => 2n * a + b) },
      { of: 'FieldPair', value: alike((a, b) => 2n * a - b) },
    ],
  },
  {
    name: 'DifferenceAndSum',
    operands: ['FieldPair'],
    results: [{ of: 'FieldPair', value: ([even, odd]) => [odd - even, odd + even] }],
  },
  {
    name: 'ExchangeOdd',
    operands: ['FieldPair', 'FieldPair'],
    results: [
      { of: 'FieldPair', value: (a, b) => [a[0], b[1]] },
      { of: 'FieldPair', value: (a, b) => [a[1], b[0]] },
    ],
  },
  {
    name: 'SumAndOdd',
    operands: ['FieldPair', 'FieldPair'],
    results: [{ of: 'SumPair', value: (a, b) => [a[0] + a[1], b[1]] }],
  },
  {
    name: 'DoublingDifferences',
    operands: ['FieldPair', 'FieldPair'],
    results: [
      { of: 'FieldPair', value: (u, g) => [u[0] - g[1], 2n * u[1] - g[0]] },
      { of: 'FieldPair', value: (_, g) => [g[1], g[0]] },
    ],
  },
  {
    name: 'NegateCached',
    operands: ['FieldPair', 'FieldPair'],
    results: [
      { of: 'FieldPair', value: (a) => [a[1], a[0]] },
      { of: 'SumPair', value: (_, b) => [-b[0], b[1]] },
    ],
  },
];

describe.each(operations)('$name', ({ name, operands, results }) => {
  const check = (values: number[][], places: number[], targets: number[]) => {
    for (const [i, operand] of values.entries()) wordsAt(place(places[i]!)).set(operand);
    const [a, b = a] = places.map((at) => LANES.map((lane) => valueAt(place(at), lane)) as Lanes);
    call(`field25519${name}`, ...targets.map(place), ...places.map(place));
    for (const [i, { of, value }] of results.entries()) {
      expect(largest(place(targets[i]!))).toBeLessThanOrEqual(bounds[of]);
      const expected = value(a!, b!);
      for (const lane of LANES) expect(mod(valueAt(place(targets[i]!), lane))).toBe(mod(expected[lane]));
    }
  };
  const inputs = fc.tuple(...operands.map(words));

  it('agrees with BigInt in both lanes and keeps its classes', () => {
    fc.assert(
      fc.property(inputs, (values) =>
        check(values, [2, 3].slice(0, operands.length), [0, 1].slice(0, results.length)),
      ),
      repeatable(600),
    );
  });

  it('may write over any operand, and take one twice', () => {
    const pairs = [0, 1].flatMap((a) => [0, 1].map((b) => [a, b].slice(0, operands.length)));
    const targets = [
      [0, 1],
      [1, 0],
      [0, 2],
      [2, 0],
      [1, 2],
      [2, 1],
    ].map((list) => list.slice(0, results.length));
    fc.assert(
      fc.property(fc.tuple(...operands.map(() => words('FieldPair'))), (values) => {
        for (const places of pairs) for (const target of targets) check(values, places, target);
      }),
      repeatable(30),
    );
  });

  it('traps on a limb above the bound of its class', () => {
    const places = [place(2), place(3)].slice(0, operands.length);
    for (const [i, of] of operands.entries()) {
      for (let word = 0; word < 18; word++) {
        for (const at of places) wordsAt(at).fill(0);
        const run = () => call(`field25519${name}`, ...[0, 1].slice(0, results.length).map(place), ...places);
        wordsAt(places[i]!)[word] = bounds[of];
        expect(run).not.toThrow();
        wordsAt(places[i]!)[word] = bounds[of] + 1;
        expect(run).toThrow(WebAssembly.RuntimeError);
      }
    }
  });
});

it('a pair of table entries is negated lane by lane', () => {
  const entry = fc.tuple(words('FieldPair'), words('FieldPair'), words('FieldPair'));
  fc.assert(
    fc.property(entry, fc.boolean(), fc.boolean(), (elements, even, odd) => {
      for (const [i, element] of elements.entries()) wordsAt(place(i)).set(element);
      const before = LANES.map((lane) => [0, 1, 2].map((i) => valueAt(place(i), lane)));
      call('ed25519NegateNielsPair', place(0), even ? -1 : 0, odd ? -1 : 0);
      expect(Math.max(largest(place(0)), largest(place(1)))).toBeLessThanOrEqual(bounds.FieldPair);
      expect(largest(place(2))).toBeLessThanOrEqual(bounds.LoosePair);
      for (const lane of LANES) {
        const [sum, difference, product] = before[lane]!;
        const after = [0, 1, 2].map((i) => mod(valueAt(place(i), lane)));
        const expected = [even, odd][lane] ? [difference!, sum!, -product!] : [sum!, difference!, product!];
        expect(after).toEqual(expected.map(mod));
      }
    }),
    repeatable(200),
  );
});
