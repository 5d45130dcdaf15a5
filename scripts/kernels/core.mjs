// The core of the kernel generator: straight-line AssemblyScript on 64-bit integers in which every value carries
// the interval [lo, hi] of what it can be and the polynomial in the inputs that it is. An operation whose result could
// leave its type, or a write that could lose bits, throws a BoundError; a statement about what was written that is no
// identity throws a ProofError, and so does `body` where nothing was stated. What is not proved is never written.
//
//   const k = new Kernel('u64');
//   const a = k.let('a0', k.read('a.l0', [0n, 2n ** 29n]));
//   k.write('out.l0', k.low(k.add(a, k.constant(7)), 29), 2n ** 29n - 1n);
//   k.proves('out = a + 7 (mod 2^29)', k.output([['out.l0', 1n]]), evaluate('a + 7', operands), 2n ** 29n);
//   k.body();

import { intervalProduct, Polynomial, ProofError } from './polynomial.mjs';

export class BoundError extends Error {}

const RANGE = {
  u32: [0n, 2n ** 32n - 1n],
  u64: [0n, 2n ** 64n - 1n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
};

// How tightly an expression binds: decides where parentheses are needed. Shifts and masks get them in every operation.
const OR = 0;
const BITWISE = 1;
const SUM = 2;
const PRODUCT = 3;
const ATOM = 4;

/**
 * An expression: its text and how tightly it binds, its interval and its polynomial; the AssemblyScript type that it is
 * computed in (none for a constant, which takes that of its neighbors); where in memory its text reads; and for
 * bits from memory, which they are.
 */
class Value {
  constructor(properties) {
    Object.assign(this, { places: [] }, properties);
  }

  as(binding) {
    return this.binding >= binding ? this.text : `(${this.text})`;
  }
}

/** How operations on 64-bit integers are written in AssemblyScript: each gives a text and how tightly it binds. */
export const scalarNotation = {
  add: (terms) => [
    terms.map((term) => term.as(SUM)).join(' + '),
    terms.length === 1 ? terms[0].binding : SUM,
  ],
  sub: (a, b) => [`${a.as(SUM)} - ${b.as(PRODUCT)}`, SUM],
  mul: (a, b) => [`${a.as(PRODUCT)} * ${b.as(ATOM)}`, PRODUCT],
  shl: (a, bits) => [`${a.as(ATOM)} << ${bits}`, BITWISE],
  shr: (a, bits) => [`${a.as(ATOM)} >> ${bits}`, BITWISE],
  mask: (a, mask) => [`${a.as(ATOM)} & 0x${mask.toString(16)}`, BITWISE],
  or: (a, b) => [`${a.as(SUM)} | ${b.binding === OR ? b.text : b.as(SUM)}`, OR],
  select: (mask, a, b) => [`${b.as(ATOM)} ^ ((${a.as(ATOM)} ^ ${b.as(ATOM)}) & ${mask})`, OR],
  constant: (n) => [String(n), ATOM],
};

/** The unknown for bits from ... from + bits - 1 of the little-endian integer at `pointer`. */
export const sliceName = (pointer, from, bits) => `${pointer}[${from}..${from + bits - 1}]`;

/** What store64 writes to, as a target. */
export const storedAt = (pointer, offset) => `store<u64>(${pointer}, ${offset})`;

const BYTES = 'bytes';
/** Limbs of the same number may be the same place (out may be a), and so may any bytes. */
const placeOf = (text) => text.match(/\.(l\d+)$/)?.[1] ?? text;

export class Kernel {
  #type;
  #notation;
  #lines = [];
  #names = new Set();
  #intervals = new Map(); // of the unknowns
  #quotients = new Map(); // from a polynomial and a shift to an unknown
  #overwritten = new Set();
  #written = new Map();
  #unproved = new Set();

  /** Computes in integers of `type`, 'u64' or 'i64', written in `notation` as values of `wordType`. */
  constructor(type = 'u64', { notation = scalarNotation, wordType = type } = {}) {
    this.#type = type;
    this.#notation = notation;
    this.wordType = wordType;
  }

  /** A value from outside (a limb in memory, a parameter), an unknown; the interval is the caller's declaration. */
  read(text, [lo, hi], type = this.#type) {
    const polynomial = this.#unknown(text, BigInt(lo), BigInt(hi));
    return this.#value([text, ATOM], { polynomial, type, places: [placeOf(text)] }, lo, hi);
  }

  /** Eight bytes at `pointer` + `offset`: bits of one integer, so that overlapping loads agree. */
  load64(pointer, offset) {
    const bits = { pointer, from: 8 * offset, count: 64 };
    return this.#value([`load<u64>(${pointer}, ${offset})`, ATOM], {
      ...this.#slice(bits),
      type: 'u64',
      places: [BYTES],
    });
  }

  constant(n) {
    const polynomial = Polynomial.constant(BigInt(n));
    return this.#value(this.#notation.constant(n), { polynomial }, n, n);
  }

  /** Emits `const name = value` and gives the name, to be used as often as wanted. */
  let(name, value) {
    if (this.#names.has(name)) throw new Error(`${name} is already taken`);
    this.#names.add(name);
    const from = value.type ?? this.#type;
    if (from !== this.#type && from !== 'u32') throw new Error(`${name}: ${from} has to be cast`);
    this.#emit(value, `const ${name}: ${this.wordType} = ${value.text};`);
    return new Value({ ...value, text: name, binding: ATOM, type: this.#type, places: [] });
  }

  add(...terms) {
    const [lo, hi] = ['lo', 'hi'].map((end) => sum(terms.map((term) => term[end])));
    const polynomial = Polynomial.sum(terms.map((term) => term.polynomial));
    return this.#computed(this.#notation.add(terms), terms, polynomial, lo, hi);
  }

  /** What cancels in the polynomial (as in Karatsuba's method) does not widen the interval. */
  sub(a, b) {
    const polynomial = a.polynomial.minus(b.polynomial);
    const [lo, hi] = this.#bounds(polynomial);
    return this.#computed(
      this.#notation.sub(a, b),
      [a, b],
      polynomial,
      greatest([lo, a.lo - b.hi]),
      least([hi, a.hi - b.lo]),
    );
  }

  mul(a, b) {
    const interval = intervalProduct([a.lo, a.hi], [b.lo, b.hi]);
    return this.#computed(this.#notation.mul(a, b), [a, b], a.polynomial.times(b.polynomial), ...interval);
  }

  shl(a, bits) {
    if (bits === 0) return a;
    const [lo, hi] = [a.lo << BigInt(bits), a.hi << BigInt(bits)];
    return this.#computed(this.#notation.shl(a, bits), [a], a.polynomial.scaled(1n << BigInt(bits)), lo, hi);
  }

  /** An unknown q, always the same for the same value and bits: a = 2^bits q + low(a, bits). */
  shr(a, bits) {
    if (bits === 0) return a;
    this.#exact(a);
    const [lo, hi] = [a.lo >> BigInt(bits), a.hi >> BigInt(bits)];
    const known = this.#bitsOf(a, bits, a.bits?.count - bits) ?? { polynomial: this.#quotient(a, bits) };
    return this.#computed(this.#notation.shr(a, bits), [a], known.polynomial, lo, hi, known.bits);
  }

  /** a / 2^bits for an a that is proved to be a multiple of 2^bits. */
  shrExact(a, bits) {
    this.#exact(a);
    const polynomial = a.polynomial.over(`${a.text} is a multiple of 2^${bits}`, 1n << BigInt(bits));
    const [lo, hi] = [a.lo >> BigInt(bits), a.hi >> BigInt(bits)];
    return this.#computed(this.#notation.shr(a, bits), [a], polynomial, lo, hi);
  }

  /** The low bits of a: the non-negative remainder modulo 2^bits, also of a negative a. */
  low(a, bits) {
    this.#exact(a);
    const mask = (1n << BigInt(bits)) - 1n;
    if (a.lo >= 0n && a.hi <= mask) return a;
    const known = this.#bitsOf(a, 0, bits) ?? {
      polynomial: a.polynomial.minus(this.#quotient(a, bits).scaled(mask + 1n)),
    };
    return this.#computed(this.#notation.mask(a, mask), [a], known.polynomial, 0n, mask, known.bits);
  }

  /** a | b where no bit can be set in both: b below 2^bits, a a multiple of 2^bits. */
  join(a, b, bits) {
    this.#exact(a, b);
    if (b.lo < 0n || b.hi >> BigInt(bits) !== 0n) throw this.#error(b, `may not fit ${bits} bits`);
    if (a.lo < 0n) throw this.#error(a, 'may be negative');
    a.polynomial.mustVanish(`${a.text} is a multiple of 2^${bits}`, 1n << BigInt(bits));
    return this.#computed(
      this.#notation.or(a, b),
      [a, b],
      a.polynomial.plus(b.polynomial),
      a.lo,
      a.hi + b.hi,
    );
  }

  /**
   * mask ? a : b without a branch, for named values a and b. The mask must be all ones or all zeros: it stands for an
   * unknown bit m of its name, and the result is b + m (a - b).
   */
  select(mask, a, b) {
    this.#exact(a, b);
    const chosen = this.#unknown(mask, 0n, 1n).times(a.polynomial.minus(b.polynomial));
    const polynomial = b.polynomial.plus(chosen);
    const [lo, hi] = [least([a.lo, b.lo]), greatest([a.hi, b.hi])];
    return this.#computed(this.#notation.select(mask, a, b), [a, b], polynomial, lo, hi);
  }

  /**
   * From here on the integer is known modulo 2^64 only: sums, differences and products may leave the type, nothing else
   * is allowed but `unwrap`.
   */
  wrap(value) {
    if (value.type === 'u32') throw this.#error(value, 'is computed in 32 bits');
    return new Value({ ...value, wraps: true });
  }

  /** The integer itself again, where its polynomial is within the type for all inputs. */
  unwrap(value) {
    const [lo, hi] = this.#bounds(value.polynomial);
    return this.#value([value.text, value.binding], { ...value, wraps: false }, lo, hi);
  }

  /** The same integer in another type, which it fits. */
  cast(value, type) {
    this.#exact(value);
    const { polynomial, bits, places, lo, hi } = value;
    return this.#value([`<${type}>${value.as(ATOM)}`, ATOM], { polynomial, bits, places, type }, lo, hi);
  }

  /** Emits `target = <cast>value`, provided that the value lies in [0, max]. */
  write(target, value, max, cast = 'u32') {
    if (BigInt(max) > RANGE[cast][1]) throw new BoundError(`${max} does not fit ${cast}`);
    this.emit(target, value, max, () => `${target} = <${cast}>${value.as(ATOM)};`);
  }

  /** Emits `target = <i32>value`, provided that the value lies in [-max, max]. */
  writeSigned(target, value, max) {
    if (BigInt(max) >= 2n ** 31n) throw new BoundError(`${max} does not fit i32`);
    this.emit(target, value, max, () => `${target} = <i32>${value.as(ATOM)};`, -BigInt(max));
  }

  /** Emits what `statement` makes of the value's text, unless that is undefined, provided that the value lies in [min, max]. */
  emit(target, value, max, statement, min = 0n) {
    this.#exact(value);
    if (value.lo < min || value.hi > BigInt(max))
      throw this.#error(value, `may leave [${min}, ${max}] in ${target}`);
    this.#emit(value, statement(value.text));
    this.#record(target, value, placeOf(target));
  }

  /** Emits `store<u64>(pointer, value, offset)`. */
  store64(pointer, value, offset) {
    this.#exact(value);
    if ((value.type ?? 'u64') !== 'u64') throw new Error(`${value.text} has to be cast`);
    this.#emit(value, `store<u64>(${pointer}, ${value.text}, ${offset});`);
    this.#record(storedAt(pointer, offset), value, BYTES);
  }

  /** The integer that was written, as pairs of a target and its weight. */
  output(weighted) {
    const parts = weighted.map(([target, weight]) => {
      const value = this.#written.get(target);
      if (value === undefined) throw new ProofError(`nothing is written to ${target}`);
      return [value, weight];
    });
    return { ...weightedSum(parts), targets: weighted.map(([target]) => target) };
  }

  /** Throws unless the output is congruent to the polynomial `expected`, for all inputs; modulus 0 means equal. */
  proves(statement, output, expected, modulus) {
    output.polynomial.minus(expected).mustVanish(statement, modulus);
    for (const target of output.targets) this.#unproved.delete(target);
  }

  body() {
    if (this.#written.size === 0) throw new ProofError('a kernel that writes nothing');
    for (const target of this.#unproved) throw new ProofError(`nothing states what is written to ${target}`);
    return this.#lines.map((line) => `  ${line}\n`).join('');
  }

  #unknown(name, lo, hi) {
    const before = this.#intervals.get(name) ?? [lo, hi];
    if (before[0] !== lo || before[1] !== hi) throw new Error(`${name} was declared with another interval`);
    this.#intervals.set(name, before);
    return Polynomial.unknown(name);
  }

  #slice(bits) {
    const hi = (1n << BigInt(bits.count)) - 1n;
    const polynomial = this.#unknown(sliceName(bits.pointer, bits.from, bits.count), 0n, hi);
    return { polynomial, bits, lo: 0n, hi };
  }

  /** Bits start ... start + count - 1 of a, where a is bits from memory. */
  #bitsOf(a, start, count) {
    if (a.bits === undefined || count <= 0) return undefined;
    return this.#slice({ ...a.bits, from: a.bits.from + start, count });
  }

  #bounds(polynomial) {
    return polynomial.bounds((name) => this.#intervals.get(name));
  }

  #exact(...values) {
    for (const value of values) if (value.wraps) throw this.#error(value, 'is known modulo 2^64 only');
  }

  #quotient(a, bits) {
    const [lo, hi] = [a.lo >> BigInt(bits), a.hi >> BigInt(bits)];
    if (lo === hi) return Polynomial.constant(lo);
    const key = `${a.polynomial.key} >> ${bits}`;
    if (!this.#quotients.has(key)) {
      // never a name that stands for something else: in words of two limbs, two values have one text
      const plain = `(${a.text} >> ${bits})`;
      const name = a.binding === ATOM && !this.#intervals.has(plain) ? plain : `#${this.#quotients.size}`;
      this.#quotients.set(key, this.#unknown(name, lo, hi));
    }
    return this.#quotients.get(key);
  }

  #emit(value, line) {
    const late = value.places.find((place) => this.#overwritten.has(place));
    if (late !== undefined) throw this.#error(value, `reads ${late} that may have been overwritten`);
    if (line !== undefined) this.#lines.push(line);
  }

  #record(target, value, place) {
    if (this.#written.has(target)) throw new Error(`${target} is written twice`);
    this.#written.set(target, value);
    this.#unproved.add(target);
    this.#overwritten.add(place);
  }

  #computed(notated, operands, polynomial, lo, hi, bits) {
    const types = [...new Set(operands.map(({ type }) => type).filter((type) => type !== undefined))];
    const wide = types.filter((type) => type !== 'u32');
    if (wide.length > 1) throw new Error(`${notated[0]} mixes ${types.join(' and ')}`);
    const places = operands.flatMap((operand) => operand.places);
    const wraps = operands.some((operand) => operand.wraps);
    return this.#value(notated, { polynomial, type: wide[0] ?? types[0], places, bits, wraps }, lo, hi);
  }

  #value([text, binding], properties, lo = properties.lo, hi = properties.hi) {
    const value = new Value({ ...properties, text, binding, lo: BigInt(lo), hi: BigInt(hi) });
    const type = value.type ?? this.#type;
    if (value.wraps) return value;
    if (value.lo < RANGE[type][0] || value.hi > RANGE[type][1]) throw this.#error(value, `may leave ${type}`);
    return value;
  }

  #error(value, problem) {
    return new BoundError(`${value.text} in [${value.lo}, ${value.hi}] ${problem}`);
  }
}

/** Polynomial and interval of a sum of values times weights that are not negative. */
export function weightedSum(pairs) {
  return {
    polynomial: Polynomial.sum(pairs.map(([value, weight]) => value.polynomial.scaled(weight))),
    lo: sum(pairs.map(([value, weight]) => value.lo * weight)),
    hi: sum(pairs.map(([value, weight]) => value.hi * weight)),
  };
}

const sum = (numbers) => numbers.reduce((total, n) => total + n, 0n);
const ascending = (numbers) => numbers.toSorted((a, b) => (a < b ? -1 : 1));
const least = (numbers) => ascending(numbers)[0];
const greatest = (numbers) => ascending(numbers).at(-1);
