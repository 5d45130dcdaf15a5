// What kernels compute, in words of the field: a formula is parsed here, apart from the code that emits the kernel,
// and Kernel.proves compares it with what was written. Nothing here knows how a kernel works.

import { sliceName, storedAt, weightedSum } from './core.mjs';
import { BITS, indices, LIMBS, limbAt } from './limbs.mjs';
import { Polynomial, ProofError } from './polynomial.mjs';

/** The integer of an element in memory: its limbs are the unknowns. */
export const elementOf = (name, at = limbAt) => {
  const limbs = indices(LIMBS).map((i) => Polynomial.unknown(at(name, i)).scaled(2n ** BigInt(BITS * i)));
  return Polynomial.sum(limbs);
};

/** The low `totalBits` of the little-endian integer at a pointer: its slices of `bits` are the unknowns. */
export const bytesAt =
  (totalBits = 256, bits = BITS) =>
  (pointer) => {
    const slices = indices(Math.ceil(totalBits / bits)).map((i) => {
      const name = sliceName(pointer, bits * i, Math.min(bits, totalBits - bits * i));
      return Polynomial.unknown(name).scaled(2n ** BigInt(bits * i));
    });
    return Polynomial.sum(slices);
  };

/** The element that was written to `name`, as an integer times `unit`. */
const writtenElement = (k, name, unit = 1n, at = limbAt) =>
  k.output(indices(LIMBS).map((i) => [at(name, i), unit << BigInt(BITS * i)]));

/** The bytes that were written to `pointer`, as an integer times `unit`. */
const writtenBytes = (k, pointer, unit = 1n, words = 4) =>
  k.output(indices(words).map((i) => [storedAt(pointer, 8 * i), unit << BigInt(64 * i)]));

/**
 * States that the element written is the formula's value modulo m: means(k, 'out = (a - b) * c', p). `at` names the limbs
 * where they are locals.
 */
export function means(k, equation, modulus, operand, at = limbAt) {
  const [target, formula] = equation.split(' = ');
  const expected = evaluate(formula, operand ?? ((name) => elementOf(name, at)));
  k.proves(equation, writtenElement(k, target, 1n, at), expected, modulus);
}

/**
 * States that the element written is half the formula's value modulo an odd m: meansHalf(k, 'out = 3a^2 / 2', p, limb). The
 * lowest limb of what is halved loses a bit; it is proved to be even.
 */
export function meansHalf(k, equation, modulus, lowest) {
  const [target, formula] = equation.replace(/ \/ 2$/, '').split(' = ');
  lowest.polynomial.mustBeEven(`${equation}: ${lowest.text} is even`);
  const lost = k.low(lowest, 1).polynomial; // 0
  k.proves(equation, writtenElement(k, target, 2n), evaluate(formula, elementOf).minus(lost), modulus);
}

/** States that the 64-bit words written are the formula's value modulo 2^bits, in [0, 2^bits). */
export function meansLow(k, equation, bits, operand) {
  const [target, formula] = equation.split(' = ');
  const output = writtenBytes(k, target, 1n, Math.ceil(bits / 64));
  mustLie(equation, output, 0n, 2n ** BigInt(bits) - 1n);
  k.proves(equation, output, evaluate(formula, operand), 2n ** BigInt(bits));
}

/** States that the 32 bytes at out are floor(formula / 2^bits), modulo 2^(totalBits - bits). */
export function meansFloor(k, formula, operand, { bits, totalBits, remainder }) {
  const statement = `out = floor((${formula}) / 2^${bits}) (mod 2^${totalBits - bits})`;
  mustLie(statement, remainder, 0n, 2n ** BigInt(bits) - 1n);
  const output = writtenBytes(k, 'out', 2n ** BigInt(bits));
  mustLie(statement, output, 0n, 2n ** BigInt(totalBits) - 1n);
  k.proves(
    statement,
    output,
    evaluate(formula, operand).minus(remainder.polynomial),
    2n ** BigInt(totalBits),
  );
}

/**
 * States that the 32 bytes written are the formula's value modulo m, in [0, m). An integer v = `before` is reduced by q
 * times m, where the steps that are proved here make the result exact:
 *   1. v = the formula's value (mod m)                            an identity modulo m
 *   2. v + offset = 2^weight q + rest, 0 <= rest < 2^weight      an identity of integers, and an interval
 *   3. whatever q is, v - m q is in [0, m)                        by intervals: 2. bounds v for each q
 *   4. the bytes are v - m q (mod 2^u), below 2^u, and m <= 2^u  an identity modulo 2^u, and an interval
 * By 3. and 4. both sides of 4. are in [0, 2^u), hence equal; by 3. they are in [0, m), by 1. of the right class.
 */
export function meansReduced(k, equation, modulus, operand, reduction) {
  const [target, formula] = equation.split(' = ');
  const { quotient, weight, offset } = reduction;
  const v = limbSum(reduction.before, reduction.bits);
  const rest = limbSum(reduction.remainders, reduction.bits);
  const step = 2n ** BigInt(weight);
  v.polynomial.minus(evaluate(formula, operand)).mustVanish(`${equation}: before the reduction`, modulus);

  const shifted = v.polynomial.plus(Polynomial.constant(offset));
  const floor = quotient.polynomial.scaled(step).plus(rest.polynomial);
  shifted.minus(floor).mustVanish(`${equation}: the quotient is a floor`, 0n);
  mustLie(`${equation}: the rest`, rest, 0n, step - 1n);

  for (let q = (v.lo + offset) >> BigInt(weight); step * q <= v.hi + offset; q++) {
    const lo = greater(v.lo, step * q - offset) - modulus * q;
    const hi = lesser(v.hi, step * (q + 1n) - 1n - offset) - modulus * q;
    mustLie(`${equation}: reduced by ${q}`, { lo, hi }, 0n, modulus - 1n);
  }

  const output = writtenBytes(k, target);
  const capacity = 2n ** BigInt(output.hi.toString(2).length);
  mustLie(`${equation}: the output`, output, 0n, capacity - 1n);
  if (modulus > capacity) throw new ProofError(`${equation}: the modulus is more than the output can be`);
  const reduced = v.polynomial.minus(quotient.polynomial.scaled(modulus));
  k.proves(`${equation}: the result`, output, reduced, capacity);
}

/** The integer that limbs stand for: polynomial and interval. */
export const limbSum = (limbs, bits = BITS) =>
  weightedSum(limbs.map((limb, i) => [limb, 2n ** BigInt(bits * i)]));

const greater = (a, b) => (a > b ? a : b);
const lesser = (a, b) => (a < b ? a : b);

function mustLie(statement, { lo, hi }, min, max) {
  if (lo < min || hi > max) {
    throw new ProofError(`${statement}: is not so. [${lo}, ${hi}] is not within [${min}, ${max}]`);
  }
}

/**
 * The polynomial of a formula. Sums, differences, products, powers, numbers before names ('2a'), and 'mask ? x : y', where
 * the mask is a bit. `operand` gives the polynomial of a name.
 */
export function evaluate(formula, operand) {
  const tokens = formula.match(/\d+|[A-Za-z]\w*|\S/g) ?? [];
  const next = (token) => tokens[0] === token && tokens.shift() !== undefined;
  const expect = (token) => {
    if (!next(token))
      throw new SyntaxError(`'${token}' expected before '${tokens.join(' ')}' in '${formula}'`);
  };

  const choice = () => {
    if (tokens[1] !== '?') return sum();
    const mask = Polynomial.unknown(tokens.shift());
    expect('?');
    const chosen = sum();
    expect(':');
    const other = sum();
    return other.plus(mask.times(chosen.minus(other)));
  };
  const sum = () => {
    let total = next('-') ? product().scaled(-1n) : product();
    for (;;) {
      if (next('+')) total = total.plus(product());
      else if (next('-')) total = total.minus(product());
      else return total;
    }
  };
  const product = () => {
    let total = power();
    while (next('*') || /^[A-Za-z(]/.test(tokens[0] ?? '')) total = total.times(power());
    return total;
  };
  const power = () => {
    const base = atom();
    if (!next('^')) return base;
    const exponent = Number(tokens.shift());
    return indices(exponent).reduce((result) => result.times(base), Polynomial.constant(1n));
  };
  const atom = () => {
    if (next('(')) {
      const inner = sum();
      expect(')');
      return inner;
    }
    const token = tokens.shift() ?? '';
    if (/^\d/.test(token)) return Polynomial.constant(BigInt(token));
    if (/^[A-Za-z]/.test(token)) return operand(token);
    throw new SyntaxError(`'${token}' in '${formula}'`);
  };

  const result = choice();
  if (tokens.length > 0) throw new SyntaxError(`'${tokens.join(' ')}' is left of '${formula}'`);
  return result;
}
