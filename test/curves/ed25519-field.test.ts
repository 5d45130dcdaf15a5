// The arithmetic under Ed25519 against BigInt, on the debug build, which exports it: limbs at the extremes of what
// they may be, every aliasing of operands, and the whole table of the fixed base.

import { ed25519 as noble } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import base64 from '../../build/wasm/curves.debug.js';
import { edgeBytes, fromLittleEndian, hex, littleEndian, repeatable } from './edge-inputs.js';

type Exports = Record<string, (...args: (number | bigint)[]) => void> & {
  memory: WebAssembly.Memory;
  MESSAGE: WebAssembly.Global<'i32'>;
};

const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(base64, 'base64')));
const debug = exports as Exports;

const p = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (x: bigint, m = p) => ((x % m) + m) % m;

// The bound of Field, as scripts/kernels/field25519.mjs declares it.
const MAX = 2 ** 29 + 2 ** 14;

const start = debug.MESSAGE.value;
const place = (index: number) => start + 64 * index;
const limbsAt = (address: number) => new Uint32Array(debug.memory.buffer, address, 9);
const valueAt = (address: number) => limbsAt(address).reduceRight((x, limb) => (x << 29n) + BigInt(limb), 0n);
const bytesAt = (address: number, length: number) => new Uint8Array(debug.memory.buffer, address, length);

/** Nine limbs: each of them zero, one, the largest of a Field, near it, or anything. */
const edge = fc.constantFrom(0, 1, 2 ** 29 - 1, 2 ** 29, MAX - 1, MAX);
const limbs: fc.Arbitrary<number[]> = fc.oneof(
  fc.constant(new Array(9).fill(MAX)),
  fc.array(fc.oneof(edge, fc.nat(MAX)), { minLength: 9, maxLength: 9 }),
);

interface Operation {
  name: string;
  operands: number;
  value: (a: bigint, b: bigint) => bigint;
}

const operations: Operation[] = [
  { name: 'Mul', operands: 2, value: (a, b) => a * b },
  { name: 'Sqr', operands: 1, value: (a) => a * a },
  { name: 'AddCarried', operands: 2, value: (a, b) => a + b },
  { name: 'SubCarried', operands: 2, value: (a, b) => a - b },
  { name: 'NegCarried', operands: 1, value: (a) => -a },
];

describe.each(operations)('$name', ({ name, operands, value }) => {
  const run = debug[`field25519${name}`]!;
  const indices = Array.from({ length: operands }, (_, i) => i);
  const inputs = fc.tuple(...indices.map(() => limbs));

  /** Runs with the operands at these places, of which the result's may be one. */
  const result = (values: number[][], places: number[], target: number) => {
    for (const [i, operand] of values.entries()) limbsAt(place(places[i]!)).set(operand);
    const [a = 0n, b = 0n] = places.map((at) => valueAt(place(at)));
    run(place(target), ...places.map(place));
    expect(Math.max(...limbsAt(place(target)))).toBeLessThanOrEqual(MAX);
    expect(mod(valueAt(place(target)))).toBe(mod(value(a, b)));
  };

  it('agrees with BigInt and keeps the bound', () => {
    const places = indices.map((i) => i + 1);
    fc.assert(
      fc.property(inputs, (values) => result(values, places, 0)),
      repeatable(400),
    );
  });

  it('may write over any operand, and take one twice', () => {
    const patterns = indices.flatMap((target) => [
      { places: indices, target },
      { places: indices.map(() => 0), target: 0 },
      { places: indices.map(() => 0), target: 1 },
    ]);
    fc.assert(
      fc.property(inputs, (values) => {
        for (const { places, target } of patterns) result(values, places, target);
      }),
      repeatable(50),
    );
  });

  it('traps on a limb above the bound', () => {
    const places = indices.map((i) => place(i + 1));
    for (const operand of places) {
      for (let limb = 0; limb < 9; limb++) {
        for (const at of places) limbsAt(at).fill(0);
        limbsAt(operand)[limb] = MAX;
        expect(() => run(place(0), ...places)).not.toThrow();
        limbsAt(operand)[limb] = MAX + 1;
        expect(() => run(place(0), ...places)).toThrow(WebAssembly.RuntimeError);
      }
    }
  });
});

describe('bytes', () => {
  const edges = [
    0n,
    1n,
    18n,
    19n,
    20n,
    p - 1n,
    p,
    p + 1n,
    p + 18n,
    2n ** 255n - 1n,
    2n ** 255n,
    2n ** 256n - 1n,
  ];
  const encodings = fc.oneof(fc.constantFrom(...edges.map((x) => littleEndian(x))), edgeBytes(32));

  it('fromBytes reads 255 bits, toBytes writes them reduced', () => {
    fc.assert(
      fc.property(encodings, (bytes) => {
        bytesAt(place(1), 32).set(bytes);
        debug.field25519FromBytes!(place(0), place(1));
        const low = fromLittleEndian(bytes) & (2n ** 255n - 1n);
        expect(valueAt(place(0))).toBe(low);
        debug.field25519ToBytes!(place(2), place(0));
        expect(fromLittleEndian(bytesAt(place(2), 32))).toBe(low % p);
      }),
      repeatable(400),
    );
  });

  it('toBytes reduces every element of the class', () => {
    fc.assert(
      fc.property(limbs, (a) => {
        limbsAt(place(0)).set(a);
        debug.field25519ToBytes!(place(2), place(0));
        expect(fromLittleEndian(bytesAt(place(2), 32))).toBe(valueAt(place(0)) % p);
      }),
      repeatable(400),
    );
  });

  it('toBytes reduces what is just around multiples of p', () => {
    for (let multiple = 0n; multiple <= 64n; multiple++) {
      for (const offset of [-20n, -1n, 0n, 1n, 18n, 19n, 20n]) {
        const x = multiple * p + offset;
        if (x < 0n) continue;
        limbsAt(place(0)).set(
          Array.from({ length: 9 }, (_, i) => Number((x >> BigInt(29 * i)) & 0x1fffffffn)),
        );
        if (valueAt(place(0)) !== x) continue; // above 2^261
        debug.field25519ToBytes!(place(2), place(0));
        expect(fromLittleEndian(bytesAt(place(2), 32))).toBe(x % p);
      }
    }
  });
});

describe('powers', () => {
  const power = (base: bigint, exponent: bigint): bigint => {
    let result = 1n;
    for (let b = mod(base), e = exponent; e > 0n; b = (b * b) % p, e >>= 1n)
      if (e & 1n) result = (result * b) % p;
    return result;
  };

  it('Invert agrees with BigInt', () => {
    fc.assert(
      fc.property(limbs, (a) => {
        limbsAt(place(1)).set(a);
        debug.field25519Invert!(place(0), place(1));
        expect(mod(valueAt(place(0)))).toBe(power(valueAt(place(1)), p - 2n));
      }),
      repeatable(60),
    );
  });

  it.each([0, 2])('PowForSqrtOfPair agrees with BigInt, written to place %i', (out) => {
    fc.assert(
      fc.property(limbs, limbs, (a, b) => {
        limbsAt(place(2)).set(a);
        limbsAt(place(3)).set(b);
        const expected = [2, 3].map((at) => power(valueAt(place(at)), (p - 5n) / 8n));
        debug.field25519PowForSqrtOfPair!(place(out), place(2));
        expect([out, out + 1].map((at) => mod(valueAt(place(at))))).toEqual(expected);
      }),
      repeatable(60),
    );
  });

  it('Invert gives 0 for 0, also where 0 is written as p', () => {
    for (const zero of [0n, p]) {
      limbsAt(place(1)).set(
        Array.from({ length: 9 }, (_, i) => Number((zero >> BigInt(29 * i)) & 0x1fffffffn)),
      );
      debug.field25519Invert!(place(0), place(1));
      expect(mod(valueAt(place(0)))).toBe(0n);
    }
  });
});

describe('scalars', () => {
  const edges = [
    0n,
    1n,
    L - 1n,
    L,
    L + 1n,
    2n * L,
    8n * L - 1n,
    15n * L,
    2n ** 252n - 1n,
    2n ** 252n,
    2n ** 256n - 1n,
  ];
  const scalars = fc.oneof(fc.constantFrom(...edges.map((x) => littleEndian(x))), edgeBytes(32));

  it('multiplyAdd agrees with BigInt for any 32 bytes', () => {
    fc.assert(
      fc.property(scalars, scalars, scalars, (a, b, c) => {
        for (const [i, bytes] of [a, b, c].entries()) bytesAt(place(i + 1), 32).set(bytes);
        debug.scalar25519MultiplyAdd!(place(0), place(1), place(2), place(3));
        const expected = (fromLittleEndian(a) * fromLittleEndian(b) + fromLittleEndian(c)) % L;
        expect(fromLittleEndian(bytesAt(place(0), 32))).toBe(expected);
      }),
      repeatable(1000),
    );
  });

  it('reduceWide agrees with BigInt for any 64 bytes', () => {
    const half = 2n ** 512n / L / 2n;
    const multiples = [0n, 1n, half, 2n * half - 1n, 2n * half].flatMap((k) => [
      k * L - 1n,
      k * L,
      k * L + 1n,
    ]);
    const wide = fc.oneof(
      fc.constantFrom(...multiples.filter((x) => x >= 0n).map((x) => littleEndian(x, 64))),
      edgeBytes(64),
    );
    fc.assert(
      fc.property(wide, (bytes) => {
        bytesAt(place(1), 64).set(bytes);
        debug.scalar25519ReduceWide!(place(0), place(1));
        expect(fromLittleEndian(bytesAt(place(0), 32))).toBe(fromLittleEndian(bytes) % L);
      }),
      repeatable(1000),
    );
  });
});

describe('the fixed base', () => {
  const multiply = (scalar: bigint) => {
    bytesAt(place(1), 32).set(littleEndian(scalar));
    debug.ed25519MultiplyBase!(place(0), place(1), place(2));
    return hex(bytesAt(place(0), 32));
  };

  it('has the right multiple in every entry of its table', () => {
    let first = noble.Point.BASE;
    for (let window = 0n; window < 43n; window++) {
      let expected = first;
      for (let digit = 1n; digit <= 32n; digit++) {
        const scalar = digit * 64n ** window;
        if (scalar < 2n ** 255n)
          expect(multiply(scalar), `${digit} * 64^${window}`).toBe(hex(expected.toBytes()));
        if (digit < 32n) expected = expected.add(first);
      }
      first = expected.double();
    }
  });

  it('agrees with noble on scalars at the edges of digits, carries and L', () => {
    const digits = [0n, 1n, 31n, 32n, 33n, 63n];
    const repeated = digits.map((digit) => {
      let scalar = 0n;
      for (let window = 0n; window < 42n; window++) scalar = scalar * 64n + digit;
      return scalar;
    });
    // The sum with 32 at every digit, modulo L, is what is cut into windows: the last one can be 64.
    const offset = (32n * (2n ** 252n - 1n)) / 63n;
    const sums = [0n, 1n, 2n ** 246n, 2n ** 252n - 1n, 2n ** 252n, 2n ** 252n + 1n, L - 1n];
    const shifted = sums.map((sum) => mod(sum - offset, L));
    const scalars = [
      ...repeated,
      ...shifted,
      L - 1n,
      L,
      L + 1n,
      2n ** 254n,
      2n ** 255n - 8n,
      2n ** 255n - 1n,
    ];
    for (const scalar of scalars) {
      const reduced = scalar % L;
      const expected = reduced === 0n ? noble.Point.ZERO : noble.Point.BASE.multiply(reduced);
      expect(multiply(scalar), String(scalar)).toBe(hex(expected.toBytes()));
    }
  });
});
