// Polynomials with integer coefficients in named unknowns: what the values of a kernel are, apart from how they are
// computed. Two polynomials with equal coefficients modulo m are congruent modulo m whatever integers the unknowns are,
// so an identity of polynomials is a statement about every input at once.
//
// Unknowns are the words that a kernel reads (or slices of their bits), its masks as bits, and the quotient of every
// shift to the right; core.mjs introduces them. Assumed: JavaScript's BigInt is exact, and AssemblyScript's operations
// on u32, u64 and i64 are those of the integers as long as the result fits the type, which core.mjs proves. Not
// proved: the compiler, and that callers keep to the bounds that a kernel declares.

/** What a kernel was stated to compute is not what it computes. */
export class ProofError extends Error {}

const TIMES = ' * ';

export class Polynomial {
  #terms; // from a monomial, the sorted names of its unknowns joined by TIMES, to its coefficient, never 0

  constructor(terms = new Map()) {
    this.#terms = terms;
  }

  static constant(n) {
    return new Polynomial(new Map(n === 0n ? [] : [['', n]]));
  }

  static unknown(name) {
    if (name === '' || name.includes(TIMES)) throw new Error(`'${name}' cannot name an unknown`);
    return new Polynomial(new Map([[name, 1n]]));
  }

  static sum(polynomials) {
    const terms = new Map();
    for (const polynomial of polynomials) {
      for (const [monomial, coefficient] of polynomial.#terms) accumulate(terms, monomial, coefficient);
    }
    return new Polynomial(terms);
  }

  plus(other) {
    return Polynomial.sum([this, other]);
  }

  minus(other) {
    return this.plus(other.scaled(-1n));
  }

  scaled(n) {
    if (n === 0n) return Polynomial.constant(0n);
    return new Polynomial(
      new Map([...this.#terms].map(([monomial, coefficient]) => [monomial, n * coefficient])),
    );
  }

  times(other) {
    const terms = new Map();
    for (const [left, a] of this.#terms) {
      for (const [right, b] of other.#terms) accumulate(terms, productOf(left, right), a * b);
    }
    return new Polynomial(terms);
  }

  /** Divided by n, which has to divide every coefficient. */
  over(statement, n) {
    this.mustVanish(statement, n);
    return new Polynomial(
      new Map([...this.#terms].map(([monomial, coefficient]) => [monomial, coefficient / n])),
    );
  }

  /** The same text for equal polynomials. */
  get key() {
    return [...this.#terms.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).join(';');
  }

  /** The least and the greatest that it can be where `intervalOf` gives that of every unknown. */
  bounds(intervalOf) {
    const bounds = [0n, 0n];
    for (const [monomial, coefficient] of this.#terms) {
      const intervals = namesIn(monomial).map(intervalOf);
      const [lo, hi] = intervals.reduce(intervalProduct, [1n, 1n]).map((end) => coefficient * end);
      bounds[0] += lo < hi ? lo : hi;
      bounds[1] += lo < hi ? hi : lo;
    }
    return bounds;
  }

  /** Throws unless it is even whatever integers the unknowns are, of which a power is odd where they are. */
  mustBeEven(statement) {
    const odd = new Map();
    for (const [monomial, coefficient] of this.#terms) {
      accumulate(odd, [...new Set(namesIn(monomial))].join(TIMES), coefficient);
    }
    new Polynomial(odd).mustVanish(statement, 2n);
  }

  /** Throws unless every coefficient is 0 modulo `modulus`; a modulus of 0 asks for the polynomial 0. */
  mustVanish(statement, modulus) {
    const residue = (n) => (modulus === 0n ? n : n % modulus);
    const wrong = [...this.#terms].filter(([, coefficient]) => residue(coefficient) !== 0n);
    if (wrong.length === 0) return;
    const [monomial, coefficient] = wrong[0];
    throw new ProofError(
      `${statement}: is not so. The two sides differ by ${readable(residue(coefficient), modulus)}` +
        ` times ${monomial || '1'}` +
        (wrong.length === 1 ? '' : `, and in ${wrong.length - 1} more monomials`),
    );
  }
}

function accumulate(terms, monomial, coefficient) {
  const total = (terms.get(monomial) ?? 0n) + coefficient;
  if (total === 0n) terms.delete(monomial);
  else terms.set(monomial, total);
}

const namesIn = (monomial) => (monomial === '' ? [] : monomial.split(TIMES));
const productOf = (left, right) => [...namesIn(left), ...namesIn(right)].sort().join(TIMES);

export function intervalProduct([a, b], [c, d]) {
  const corners = [a * c, a * d, b * c, b * d].sort((x, y) => (x < y ? -1 : 1));
  return [corners[0], corners[3]];
}

/** The residue nearest to zero, as a power of two where it is one. */
function readable(residue, modulus) {
  let n = residue;
  if (2n * n > modulus && modulus > 0n) n -= modulus;
  if (-2n * n > modulus && modulus > 0n) n += modulus;
  const magnitude = n < 0n ? -n : n;
  const bits = magnitude.toString(2).length - 1;
  if (bits < 8 || magnitude !== 1n << BigInt(bits)) return String(n);
  return `${n < 0n ? '-' : ''}2^${bits}`;
}
