// The core of the kernel generator: straight-line AssemblyScript on 64-bit integers in which every value carries
// the interval [lo, hi] of what it can be. An operation whose result could leave its type, or a write that could
// lose bits, throws a BoundError: what the analysis cannot prove is never written.
//
// A kernel is built as follows; `let` names a value, the other operations build its expression:
//
//   const k = new Kernel('u64');
//   const a = k.let('a0', k.read('a.l0', [0n, 2n ** 29n]));
//   k.write('out.l0', k.and(k.add(a, k.constant(7)), MASK), 2n ** 29n - 1n);
//   k.body();

export class BoundError extends Error {}

const RANGE = {
  u64: [0n, 2n ** 64n - 1n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
};

// How tightly an expression binds: decides where parentheses are needed. Shifts and masks get them in every operation.
const OR = 0;
const BITWISE = 1;
const SUM = 2;
const PRODUCT = 3;
const ATOM = 4;

/** An expression: its text, how tightly it binds, and its interval. */
class Value {
  constructor(text, binding, lo, hi) {
    Object.assign(this, { text, binding, lo, hi });
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

export class Kernel {
  #type;
  #notation;
  #lines = [];
  #names = new Set();

  /** Computes in integers of `type`, 'u64' or 'i64', written in `notation` as values of `wordType`. */
  constructor(type = 'u64', { notation = scalarNotation, wordType = type } = {}) {
    this.#type = type;
    this.#notation = notation;
    this.wordType = wordType;
  }

  /** A value from outside (a limb in memory, a parameter); the interval is the caller's declaration. */
  read(text, [lo, hi]) {
    return this.#checked([text, ATOM], BigInt(lo), BigInt(hi));
  }

  constant(n) {
    return this.#checked(this.#notation.constant(n), BigInt(n), BigInt(n));
  }

  /** Emits `const name = value` and gives the name, to be used as often as wanted. */
  let(name, value) {
    if (this.#names.has(name)) throw new Error(`${name} is already taken`);
    this.#names.add(name);
    this.#lines.push(`const ${name}: ${this.wordType} = ${value.text};`);
    return new Value(name, ATOM, value.lo, value.hi);
  }

  add(...terms) {
    const [lo, hi] = ['lo', 'hi'].map((end) => sum(terms.map((term) => term[end])));
    return this.#checked(this.#notation.add(terms), lo, hi);
  }

  sub(a, b) {
    return this.#checked(this.#notation.sub(a, b), a.lo - b.hi, a.hi - b.lo);
  }

  mul(a, b) {
    const corners = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
    return this.#checked(this.#notation.mul(a, b), least(corners), greatest(corners));
  }

  shl(a, bits) {
    if (bits === 0) return a;
    return this.#checked(this.#notation.shl(a, bits), a.lo << BigInt(bits), a.hi << BigInt(bits));
  }

  shr(a, bits) {
    if (bits === 0) return a;
    return this.#checked(this.#notation.shr(a, bits), a.lo >> BigInt(bits), a.hi >> BigInt(bits));
  }

  /** The low bits of a: the non-negative remainder modulo 2^bits, also of a negative a. */
  low(a, bits) {
    const mask = (1n << BigInt(bits)) - 1n;
    if (a.lo >= 0n && a.hi <= mask) return a;
    return this.#checked(this.#notation.mask(a, mask), 0n, mask);
  }

  /** a | b where no bit can be set in both: b below 2^bits, a a multiple of 2^bits. */
  join(a, b, bits) {
    if (b.lo < 0n || b.hi >> BigInt(bits) !== 0n) throw this.#error(b, `may not fit ${bits} bits`);
    if (a.lo < 0n) throw this.#error(a, 'may be negative');
    return this.#checked(this.#notation.or(a, b), a.lo, a.hi + b.hi);
  }

  /** mask ? a : b for a mask of all ones or all zeros, without a branch; a and b are named values. */
  select(mask, a, b) {
    return this.#checked(this.#notation.select(mask, a, b), least([a.lo, b.lo]), greatest([a.hi, b.hi]));
  }

  /** Emits `target = <cast>value`, provided that the value lies in [0, max]. */
  write(target, value, max, cast = 'u32') {
    this.#within(target, value, max);
    this.#lines.push(`${target} = <${cast}>${value.as(ATOM)};`);
  }

  /** Emits what `statement` makes of the value's text, provided that the value lies in [0, max]. */
  emit(target, value, max, statement) {
    this.#within(target, value, max);
    this.#lines.push(statement(value.text));
  }

  /** Emits `store<u64>(pointer, value, offset)`. */
  store64(pointer, value, offset) {
    this.#lines.push(`store<u64>(${pointer}, ${value.text}, ${offset});`);
  }

  body() {
    return this.#lines.map((line) => `  ${line}\n`).join('');
  }

  #within(target, value, max) {
    if (value.lo < 0n || value.hi > BigInt(max))
      throw this.#error(value, `may leave [0, ${max}] in ${target}`);
  }

  #checked([text, binding], lo, hi) {
    const value = new Value(text, binding, lo, hi);
    const [min, max] = RANGE[this.#type];
    if (lo < min || hi > max) throw this.#error(value, `may leave ${this.#type}`);
    return value;
  }

  #error(value, problem) {
    return new BoundError(`${value.text} in [${value.lo}, ${value.hi}] ${problem}`);
  }
}

const sum = (numbers) => numbers.reduce((total, n) => total + n, 0n);
const ascending = (numbers) => numbers.toSorted((a, b) => (a < b ? -1 : 1));
const least = (numbers) => ascending(numbers)[0];
const greatest = (numbers) => ascending(numbers).at(-1);
