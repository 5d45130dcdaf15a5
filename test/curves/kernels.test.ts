// The kernel generator: what it cannot prove it does not write, and what is committed is what it writes.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it, vi } from 'vitest';
import { BoundError, Kernel, type Value } from '../../scripts/kernels/core.mjs';
import { generate as generateP256 } from '../../scripts/kernels/field-p256.mjs';
import {
  biasFor,
  generate as generateSecp256k1,
  P as P_SECP256K1,
} from '../../scripts/kernels/field-secp256k1.mjs';
import { BIAS, generate as generate25519, P as P_25519 } from '../../scripts/kernels/field25519.mjs';
import { generate as generateLanes } from '../../scripts/kernels/field25519-lanes.mjs';
import { evaluate } from '../../scripts/kernels/meaning.mjs';
import { Polynomial, ProofError } from '../../scripts/kernels/polynomial.mjs';
import { generate as generateScalarP256, N as N_P256 } from '../../scripts/kernels/scalar-p256.mjs';
import { generate as generateScalarSecp256k1, N } from '../../scripts/kernels/scalar-secp256k1.mjs';
import { generate as generateScalar25519, L } from '../../scripts/kernels/scalar25519.mjs';

const p = P_25519;
const integerOf = (limbs: bigint[]) => limbs.reduce((x, limb, i) => x + (limb << BigInt(29 * i)), 0n);

describe('interval analysis', () => {
  it('refuses what may leave 64 bits', () => {
    const k = new Kernel('u64');
    const a = k.read('a', [0n, 2n ** 32n]);
    const b = k.read('b', [0n, 2n ** 31n]);
    expect(() => k.mul(a, b)).not.toThrow();
    expect(() => k.mul(a, a)).toThrow(BoundError);
    expect(() => k.add(k.mul(a, b), k.mul(a, b))).toThrow(BoundError);
    expect(() => k.shl(a, 32)).toThrow(BoundError);
  });

  it('refuses what may leave 32 bits before a limb has been widened, because AssemblyScript would not widen it', () => {
    const k = new Kernel('u64');
    const limb = k.read('a.l0', [0n, 2n ** 31n], 'u32');
    expect(() => k.add(limb, limb)).toThrow(/u32/);
    const widened = k.let('a0', limb);
    expect(() => k.add(widened, widened)).not.toThrow();
    expect(() => k.add(widened, limb)).not.toThrow();
  });

  it('refuses what may go below zero', () => {
    const k = new Kernel('u64');
    const a = k.read('a', [5n, 10n]);
    expect(() => k.sub(a, k.constant(5n))).not.toThrow();
    expect(() => k.sub(a, k.constant(6n))).toThrow(BoundError);
  });

  it('knows that what cancels cannot take a difference below zero', () => {
    const k = new Kernel('u64');
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => k.read(name, [0n, 2n ** 30n])) as Value[];
    const sums = k.mul(k.add(a!, b!), k.add(c!, d!));
    const mixed = k.sub(k.sub(sums, k.mul(a!, c!)), k.mul(b!, d!));
    expect([mixed.lo, mixed.hi]).toEqual([0n, 2n ** 61n]);
  });

  it('takes back a wrapped value only where its polynomial fits', () => {
    const k = new Kernel('u64');
    const a = k.wrap(k.read('a', [0n, 2n ** 40n]));
    const b = k.read('b', [0n, 2n ** 40n]);
    const product = k.mul(a, b);
    expect(() => k.unwrap(product)).toThrow(BoundError);
    expect(() => k.shr(product, 29)).toThrow(/modulo 2\^64/);
    expect(() => k.write('out', product, 2n ** 32n - 1n)).toThrow(/modulo 2\^64/);
    expect(k.unwrap(k.sub(k.add(product, b), product)).hi).toBe(2n ** 40n);
  });

  it('refuses to write what may not fit its bound', () => {
    const k = new Kernel('u64');
    const a = k.read('a', [0n, 2n ** 29n]);
    expect(() => k.write('out', a, 2n ** 29n)).not.toThrow();
    expect(() => k.write('out', a, 2n ** 29n - 1n)).toThrow(BoundError);
    expect(() => k.write('wider', a, 2n ** 33n)).toThrow(BoundError);
  });

  it('refuses to join bits that may overlap', () => {
    const k = new Kernel('u64');
    const low = k.read('low', [0n, 2n ** 20n]);
    expect(() => k.join(k.shl(low, 21), low, 21)).not.toThrow();
    expect(() => k.join(k.shl(low, 20), low, 20)).toThrow(BoundError);
    expect(() => k.join(k.shl(low, 20), low, 21)).toThrow(ProofError);
  });

  it('keeps the sign of signed carries', () => {
    const k = new Kernel('i64');
    const a = k.read('a', [-5n, 300n]);
    const carry = k.shr(a, 8);
    expect([carry.lo, carry.hi]).toEqual([-1n, 1n]);
    const rest = k.low(a, 8);
    expect([rest.lo, rest.hi]).toEqual([0n, 255n]);
  });

  it('refuses a name twice, an unknown with two intervals, and a target twice', () => {
    const k = new Kernel('u64');
    k.let('a', k.constant(1n));
    expect(() => k.let('a', k.constant(2n))).toThrow(/already/);
    k.read('x', [0n, 1n]);
    expect(() => k.read('x', [0n, 2n])).toThrow(/another interval/);
    k.write('out', k.constant(1n), 1n);
    expect(() => k.write('out', k.constant(2n), 2n)).toThrow(/twice/);
  });

  it('refuses to mix signed and unsigned integers', () => {
    const k = new Kernel('i64');
    const bits = k.low(k.load64('a', 0), 28);
    const limb = k.read('b', [-1n, 1n]);
    expect(() => k.add(bits, limb)).toThrow(/mixes/);
    expect(() => k.let('a0', bits)).toThrow(/cast/);
    expect(() => k.add(k.cast(bits, 'i64'), limb)).not.toThrow();
  });

  it('refuses to read a limb that an operand may have lost to the result', () => {
    const k = new Kernel('u64');
    const [low, high] = [0, 1].map((i) => k.read(`a.l${i}`, [0n, 9n], 'u32')) as [Value, Value];
    k.write('out.l0', high, 9n);
    expect(() => k.write('out.l1', low, 9n)).toThrow(/overwritten/);
  });
});

describe('polynomials', () => {
  const [x, y, z] = ['x', 'y', 'z'].map((name) => Polynomial.unknown(name)) as [
    Polynomial,
    Polynomial,
    Polynomial,
  ];
  const values: Record<string, bigint> = { x: 7n, y: -11n, z: 2n ** 70n + 5n };
  const at = (polynomial: Polynomial) => {
    const [lo, hi] = polynomial.bounds((name) => [values[name]!, values[name]!]);
    expect(lo).toBe(hi);
    return lo;
  };
  const named = (name: string) => Polynomial.unknown(name);

  it('add and multiply as the integers that the unknowns are', () => {
    expect(at(x.plus(y).times(y.minus(z)))).toBe((7n - 11n) * (-11n - values.z!));
    expect(at(Polynomial.sum([x.scaled(3n), y.times(y), Polynomial.constant(-2n)]))).toBe(21n + 121n - 2n);
  });

  it('have one key, whatever the order of operations', () => {
    expect(x.plus(y).times(z).key).toBe(z.times(y).plus(z.times(x)).key);
    expect(x.minus(x).key).toBe(Polynomial.constant(0n).key);
    expect(x.scaled(0n).key).toBe('');
    expect(x.times(y).key).not.toBe(x.times(z).key);
  });

  it('are bounded by the intervals of their unknowns', () => {
    const bounds = x
      .times(y)
      .minus(y)
      .bounds((name) => (name === 'x' ? [-2n, 3n] : [0n, 5n]));
    expect(bounds).toEqual([-10n - 5n, 15n]);
  });

  it('vanish modulo m where every coefficient does', () => {
    const difference = x
      .times(y)
      .scaled(19n * p)
      .plus(z.scaled(p));
    expect(() => difference.mustVanish('sum', p)).not.toThrow();
    expect(() => difference.mustVanish('sum', 0n)).toThrow(ProofError);
    expect(() => difference.plus(z.scaled(2n ** 29n)).mustVanish('sum', p)).toThrow(
      'sum: is not so. The two sides differ by 2^29 times z',
    );
    expect(() => x.plus(y.times(z)).scaled(-1n).mustVanish('sum', p)).toThrow(
      /differ by -1 times x, and in 1 more monomials/,
    );
  });

  it('are even where every value of the unknowns makes them even', () => {
    const even = x.times(x).plus(x).plus(x.times(y).times(y).scaled(3n)).minus(y.times(x));
    expect(() => even.mustBeEven('sum')).not.toThrow();
    expect(() => even.plus(x).mustBeEven('sum')).toThrow(ProofError);
    expect(() => even.plus(Polynomial.constant(3n)).mustBeEven('sum')).toThrow(ProofError);
  });

  it('are read from formulas', () => {
    const formulas: [string, Polynomial][] = [
      ['a - b', named('a').minus(named('b'))],
      ['-a + 21b', named('b').scaled(21n).minus(named('a'))],
      ['(a - b) * c + d', named('a').minus(named('b')).times(named('c')).plus(named('d'))],
      [
        '3a^2 - 2(b + c)',
        named('a')
          .times(named('a'))
          .scaled(3n)
          .minus(named('b').plus(named('c')).scaled(2n)),
      ],
      ['2^383 - 1', Polynomial.constant(2n ** 383n - 1n)],
      ['mask ? -a : b', named('b').minus(named('mask').times(named('a').plus(named('b'))))],
    ];
    for (const [formula, expected] of formulas) {
      expect(evaluate(formula, named).key, formula).toBe(expected.key);
    }
    for (const formula of ['a +', '(a', 'a b)', '', 'a ? b', 'a % b']) {
      expect(() => evaluate(formula, named), formula).toThrow(SyntaxError);
    }
  });
});

it('the moduli that everything is proved for are those of the curves', () => {
  expect([P_25519, L]).toEqual([ed25519.Point.Fp.ORDER, ed25519.Point.Fn.ORDER]);
  expect([P_SECP256K1, N]).toEqual([secp256k1.Point.Fp.ORDER, secp256k1.Point.Fn.ORDER]);
});

describe('a kernel', () => {
  const reading = () => {
    const k = new Kernel('u64');
    return { k, a: k.let('a', k.read('a.l0', [0n, 2n ** 40n - 1n])) };
  };

  it('is refused where nothing states what it writes', () => {
    const { k, a } = reading();
    expect(() => k.body()).toThrow(ProofError);
    k.write('out.l0', k.low(a, 29), 2n ** 29n);
    k.write('out.l1', k.shr(a, 29), 2n ** 29n);
    const [low, high] = [k.output([['out.l0', 1n]]), k.output([['out.l1', 1n]])];
    k.proves('out.l0 = a (mod 2^29)', low, Polynomial.unknown('a.l0'), 2n ** 29n);
    expect(() => k.body()).toThrow('nothing states what is written to out.l1');
    k.proves('out.l1 = itself', high, high.polynomial, 0n);
    expect(() => k.body()).not.toThrow();
  });

  it('is refused where it states what is not written', () => {
    const { k } = reading();
    expect(() => k.output([['out.l0', 1n]])).toThrow('nothing is written to out.l0');
  });

  it('may carry as it likes, but not lose a carry', () => {
    const { k, a } = reading();
    k.write('out.l0', k.low(a, 29), 2n ** 29n);
    k.write('out.l1', k.add(k.shr(a, 29), k.constant(5n)), 2n ** 29n);
    const whole = k.output([
      ['out.l0', 1n],
      ['out.l1', 2n ** 29n],
    ]);
    const expected = Polynomial.unknown('a.l0').plus(Polynomial.constant(5n * 2n ** 29n));
    expect(() => k.proves('out = a + 5 * 2^29', whole, expected, 0n)).not.toThrow();
    const low = k.output([['out.l0', 1n]]);
    expect(() => k.proves('out = a', low, Polynomial.unknown('a.l0'), 0n)).toThrow(
      'out = a: is not so. The two sides differ by -2^29 times (a >> 29)',
    );
  });

  it('knows the bits of overlapping loads', () => {
    const k = new Kernel('u64');
    const [first, second] = [k.load64('a', 0), k.load64('a', 3)];
    const same = [k.low(k.shr(first, 24), 10), k.low(second, 10)];
    expect(same[0]!.polynomial.key).toBe(same[1]!.polynomial.key);
    expect(k.shr(second, 1).polynomial.key).not.toBe(k.shr(first, 25).polynomial.key);
  });
});

describe('the field kernels', () => {
  it('are refused with a bias that is one bit narrower in one limb', () => {
    for (let limb = 0; limb < BIAS.length - 1; limb++) {
      // Still the same multiple of p: the limb loses 2^29, the next one gains 1.
      const narrow = BIAS.with(limb, BIAS[limb]! - 2n ** 29n).with(limb + 1, BIAS[limb + 1]! + 1n);
      expect(integerOf(narrow)).toBe(integerOf(BIAS));
      expect(() => generate25519({ bias: narrow }), `limb ${limb}`).toThrow(/a\.l\d .* may leave u32/);
      expect(() => generate25519({ bias: narrow }), `limb ${limb}`).toThrow(BoundError);
    }
    for (let limb = 0; limb < 8; limb++) {
      const bias = (m: number) => {
        const limbs = biasFor(m);
        return limbs.with(limb, limbs[limb]! - 2n ** 29n).with(limb + 1, limbs[limb + 1]! + 1n);
      };
      expect(integerOf(bias(1))).toBe(integerOf(biasFor(1)));
      expect(() => generateSecp256k1({ bias }), `limb ${limb}`).toThrow(BoundError);
    }
  });

  it('are refused with a bias that is half as large', () => {
    const half = BIAS.map((limb) => limb / 2n);
    expect(integerOf(half) % p).toBe(0n);
    expect(() => generate25519({ bias: half })).toThrow(BoundError);
  });

  it('are refused with a bias that is no multiple of p', () => {
    for (const limb of BIAS.keys()) {
      expect(() => generate25519({ bias: BIAS.with(limb, BIAS[limb]! + 1n) })).toThrow(ProofError);
      const bias = (m: number) => biasFor(m).with(limb, biasFor(m)[limb]! + 1n);
      expect(() => generateSecp256k1({ bias })).toThrow(ProofError);
    }
  });
});

/**
 * One slip in what the generator does: `slip` gets the arguments of the calls of an operation and those of the call
 * before; from what it gives first, that one call has these arguments instead.
 */
type Slip = (args: readonly unknown[], before: readonly unknown[]) => unknown[] | undefined;
type Operation = 'add' | 'sub' | 'mul' | 'shl' | 'shr' | 'low' | 'constant' | 'select' | 'load64' | 'store64';

function generateWith(generate: () => string, operation: Operation, slip: Slip) {
  const original = Kernel.prototype[operation] as (...args: unknown[]) => unknown;
  let slipped = false;
  let before: readonly unknown[] = [];
  const spy = vi.spyOn(Kernel.prototype, operation).mockImplementation(function (
    this: Kernel,
    ...args: unknown[]
  ) {
    const other = slipped ? undefined : slip(args, before);
    before = args;
    if (other !== undefined) slipped = true;
    return original.apply(this, other ?? args) as never;
  });
  try {
    generate();
  } finally {
    spy.mockRestore();
    expect(slipped, 'the slip was made').toBe(true);
  }
}

describe('a slip in the generator is refused:', () => {
  const text = (value: unknown) => (value as Value).text;
  const isConstant = (value: unknown) => (value as Value).lo === (value as Value).hi;
  /** Lets the first `count` calls pass that would have been changed. */
  const later = (count: number, slip: Slip): Slip => {
    let seen = 0;
    return (args, before) => {
      const other = slip(args, before);
      return other !== undefined && seen++ >= count ? other : undefined;
    };
  };

  const otherIndex: Slip = ([a, b], before) =>
    before[1] === undefined || isConstant(b) || isConstant(before[1]) || text(b) === text(before[1])
      ? undefined
      : [a, before[1]];
  const carryLost: Slip = (terms) =>
    terms.length > 1 && /q\d+$|>>/.test(text(terms.at(-1))) ? terms.slice(0, -1) : undefined;
  const otherTerm: Slip = (terms, before) =>
    terms.length > 1 && before.length > 1 && text(terms.at(-1)) !== text(before.at(-1))
      ? [...terms.slice(0, -1), before.at(-1)]
      : undefined;
  const otherProduct: Slip = (terms, before) => (terms.length > 3 ? otherTerm(terms, before) : undefined);
  const constant =
    (from: bigint, to: bigint): Slip =>
    ([n]) =>
      BigInt(n as bigint) === from ? [to] : undefined;
  const bits =
    (from: number, to: number): Slip =>
    ([a, count]) =>
      count === from ? [a, to] : undefined;
  const exchanged: Slip = ([mask, a, b]) => [mask, b, a];
  const oneByteOff: Slip = ([pointer, offset]) => (offset === 0 ? undefined : [pointer, Number(offset) - 1]);
  const otherWord: Slip = ([pointer, value, offset], before) =>
    offset === 16 && value !== before[1] ? [pointer, before[1], offset] : undefined;

  /** What makes the half of 3a^2 exact is p where a is odd; 2p would not. */
  const odd = constant(P_SECP256K1 & (2n ** 29n - 1n), 2n * (P_SECP256K1 & (2n ** 29n - 1n)));
  const lowL = BigInt.asIntN(28, L); // the lowest limb of what folding multiplies by
  const c = (2n ** 256n - N) & (2n ** 29n - 1n); // the lowest limb of what a comparison with n adds
  const MASK = 2n ** 29n - 1n;
  const c256 = (2n ** 256n - N_P256) & MASK;
  const slips: Record<string, [() => string, [string, Operation, Slip, typeof BoundError?][]]> = {
    field25519: [
      generate25519,
      [
        ['another index in a product', 'mul', later(40, otherIndex)],
        ['a lost carry', 'add', later(3, carryLost)],
        ['folding with 1215', 'constant', constant(1216n, 1215n)],
        ['a carry of 28 bits', 'shr', bits(29, 28)],
        ['the wrong limb in a sum', 'add', later(80, otherTerm)],
        ['a square without the doubled terms', 'shl', bits(1, 0)],
        ['folding at 2^255 with 18', 'constant', constant(19n, 18n)],
        ['a comparison with p - 1', 'constant', later(1, constant(19n, 20n))],
        ['subtracting p + 1', 'constant', later(2, constant(19n, 18n))],
        ['loading from one byte before', 'load64', oneByteOff],
        ['storing the wrong word', 'store64', otherWord],
      ],
    ],
    'field-secp256k1': [
      generateSecp256k1,
      [
        ['another index in a product', 'mul', later(40, otherIndex)],
        ['a lost carry', 'add', later(3, carryLost)],
        ['folding with 31263', 'constant', constant(31264n, 31263n)],
        ['folding seven bits up', 'shl', bits(8, 7)],
        ['a carry of 28 bits', 'shr', bits(29, 28)],
        ['the wrong product in a column', 'add', otherProduct],
        ['a square without the doubled terms', 'shl', bits(1, 0)],
        ['a select the wrong way round', 'select', exchanged],
        ['half of what may be odd', 'constant', odd],
        ['folding at 2^256 with 976', 'constant', constant(977n, 976n)],
        ['a comparison with p + 1', 'constant', later(1, constant(977n, 976n))],
        ['loading from one byte before', 'load64', oneByteOff],
        ['storing the wrong word', 'store64', otherWord],
      ],
    ],
    'field25519-lanes': [
      generateLanes,
      [
        // what does not cancel in Karatsuba's differences may be negative
        ['another index in a product', 'mul', later(20, otherIndex), BoundError],
        ['the wrong product taken away', 'sub', later(5, otherTerm), BoundError],
        ['a lost carry', 'add', carryLost],
        ['a carry of 28 bits', 'shr', bits(29, 28)],
        ['folding with 1152 + 2^9', 'shl', bits(6, 9)],
        ['a square without the doubled terms', 'shl', bits(1, 0)],
      ],
    ],
    scalar25519: [
      generateScalar25519,
      [
        ['another index in a product', 'mul', later(40, otherIndex)],
        ['a lost carry', 'add', later(3, carryLost)],
        ['rounding by a quarter', 'constant', constant(2n ** 27n, 2n ** 26n)],
        ['folding with c + 1', 'constant', constant(lowL, lowL + 1n)],
        ['a carry of 27 bits', 'shr', later(40, bits(28, 27))],
        ['the wrong product in a column', 'add', otherProduct],
        ['a top limb of 28 bits', 'low', bits(29, 28)],
        ['loading from one byte before', 'load64', oneByteOff],
        ['storing the wrong word', 'store64', otherWord],
      ],
    ],
    'scalar-secp256k1': [
      generateScalarSecp256k1,
      [
        ['another index in a product', 'mul', later(40, otherIndex)],
        ['a lost carry', 'add', later(3, carryLost)],
        ['folding with another constant', 'constant', ([n]) => [BigInt(n as bigint) - 1n]],
        ['a carry of 28 bits', 'shr', bits(29, 28)],
        ['the wrong product in a column', 'add', otherProduct],
        ['a comparison with n + 1', 'constant', later(1, constant(c, c - 1n))],
        ['subtracting n + 1', 'constant', later(2, constant(c, c - 1n))],
        ['rounding up from a quarter', 'constant', constant(2n ** 6n, 2n ** 5n)],
        ['loading from one byte before', 'load64', oneByteOff],
        ['storing the wrong word', 'store64', otherWord],
      ],
    ],
    'field-p256': [
      generateP256,
      [
        ['another index in a product', 'mul', later(40, otherIndex)],
        ['a lost carry', 'add', later(3, carryLost)],
        ['a carry of 28 bits', 'shr', bits(29, 28)],
        ['a low limb of 28 bits', 'low', bits(29, 28)],
        ['the wrong product in a column', 'add', otherProduct],
        ['a square without the doubled terms', 'shl', bits(1, 0)],
        ['p with 2^191', 'shl', bits(18, 17)],
        ['p with 2^225', 'shl', bits(21, 22)],
        ['loading from one byte before', 'load64', oneByteOff],
      ],
    ],
    'scalar-p256': [
      generateScalarP256,
      [
        ['another index in a product', 'mul', later(40, otherIndex)],
        ['a lost carry', 'add', later(3, carryLost)],
        ['the wrong product in a column', 'add', otherProduct],
        ['another multiple of n', 'constant', ([k]) => [BigInt(k as bigint) + 1n]],
        ['another limb of n', 'constant', later(1, constant(N_P256 & MASK, (N_P256 & MASK) - 2n))],
        ['a comparison with n + 1', 'constant', constant(c256, c256 - 1n)],
        ['subtracting n + 1', 'constant', later(1, constant(c256, c256 - 1n))],
        ['loading from one byte before', 'load64', oneByteOff],
        ['storing the wrong word', 'store64', otherWord],
      ],
    ],
  };
  for (const [module, [generate, list]] of Object.entries(slips)) {
    it.each(list)(`${module}: %s`, (_, operation, slip, error = ProofError) => {
      expect(() => generateWith(generate, operation, slip)).toThrow(error);
    });
  }
});

describe('generate.mjs', () => {
  const run = (root: string) =>
    spawnSync('node', [join(root, 'scripts/kernels/generate.mjs'), '--check'], { encoding: 'utf8' });

  it('writes what is committed', () => {
    expect(run('.')).toMatchObject({ status: 0, stderr: '' });
  });

  it.each([
    ['field25519.mjs', 'const FOLD = 1216n', 'const FOLD = 1215n', /out = a \* b: is not so/],
    [
      'scalar25519.mjs',
      'k.constant(limb)',
      'k.constant(limb + 1n)',
      /out = a: before the reduction: is not so/,
    ],
    ['limbs.mjs', 'k.shl(limb, 1)', 'limb', /out = a\^2: is not so/],
    [
      'field-secp256k1.mjs',
      '  else means(k, equation, P);\n',
      '',
      /nothing states what is written to out\.l0/,
    ],
  ])('fails, and says why, where %s says %s no more', (file, from, to, message) => {
    const root = mkdtempSync(join(tmpdir(), 'kernels-'));
    try {
      cpSync('scripts/kernels', join(root, 'scripts/kernels'), { recursive: true });
      cpSync('assembly', join(root, 'assembly'), { recursive: true });
      const path = join(root, 'scripts/kernels', file);
      const source = readFileSync(path, 'utf8');
      expect(source).toContain(from);
      writeFileSync(path, source.replace(from, to));
      const { status, stderr } = run(root);
      expect(status).not.toBe(0);
      expect(stderr).toMatch(message);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
