// Kernels for the field of integers modulo p = 2^256 - 2^32 - 977: assembly/secp256k1/field-kernels.ts.
//
// Nine limbs of 29 bits, 2^261 = 2^37 + 31264 (mod p). An element has magnitude m where its limbs are at most
// m * UNIT. Sums and differences live inside the kernels only: a kernel computes a whole expression (products of
// linear forms, plus a linear form) with a single reduction, so what it writes has magnitude 1 again. Negating
// magnitude m gives m + 1; the magnitudes of the two factors of a product, multiplied and summed over the products of
// a kernel, may come to 7.

import { Kernel } from './core.mjs';
import {
  BITS,
  carry,
  indices,
  LIMBS,
  limbsOf,
  loadBytes,
  nameAll,
  split,
  storeBytes,
  subtractOnce,
  times,
  writeLimbs,
} from './limbs.mjs';
import { bytesAt, elementOf, means, meansHalf, meansReduced } from './meaning.mjs';

export const P = 2n ** 256n - 2n ** 32n - 977n;
const COMPLEMENT = [977n, 8n]; // 2^256 - p in limbs
const UNIT = 2n ** 29n + 2n ** 20n;
const bound = (magnitude) => indices(LIMBS).map(() => BigInt(magnitude) * UNIT);

/** A multiple of p whose limbs are at least m * UNIT and below (m + 1) * UNIT: what -x adds, for x of magnitude m. */
export function biasFor(m) {
  const least = indices(LIMBS).reduce((x, i) => x + ((BigInt(m) * UNIT) << BigInt(BITS * i)), 0n);
  return split((P - (least % P)) % P).map((limb) => BigInt(m) * UNIT + limb);
}

// Operands have magnitude 1, apart from those named in `wide`: they are of class Wide, with magnitude 2.
// Products are pairs of linear forms, `squares` are a factor and the operand that is squared, `plus` is a linear form.
const KERNELS = [
  { name: 'mul', products: [['a', 'b']], wide: 'b' },
  { name: 'sqr', squares: [[1, 'a']] },
  { name: 'mulAdd', products: [['a', 'b']], plus: 'c', wide: 'b' },
  { name: 'mulSub', products: [['a', 'b']], plus: '-c', wide: 'b' },
  { name: 'sub', plus: 'a - b', wide: 'a' },
  { name: 'mulDifferenceSubMul', products: pairs('a', 'b - c', 'd', '-e') },
  { name: 'mulDifferenceSub', products: [['a', 'b - c']], plus: '-d', wide: 'bcd' },
  // Jacobian doubling and addition alone
  { name: 'sqrTimes3Half', squares: [[3, 'a']], halved: true },
  { name: 'sqrSubSub2', squares: [[1, 'a']], plus: '-b - 2c' },
  { name: 'mulDifferenceAddSqr', products: [['a', 'b - c']], squares: [[1, 'd']] },
];

function pairs(a, b, c, d) {
  return [
    [a, b],
    [c, d],
  ];
}

export const output = 'assembly/secp256k1/field-kernels.ts';

export function generate({ bias = biasFor } = {}) {
  const kernels = KERNELS.map((spec) => expressionKernel(spec, bias));
  return [header(), classes(), ...kernels, sqrTimes(), negateIf(bias), fromBytes(), toBytes()].join('\n');
}

function expressionKernel({ name, products = [], squares = [], plus = '', wide = '', halved = false }, bias) {
  const text = [products, squares, plus].flat(2).join(' ');
  const operands = [...new Set(text.match(/[a-f]/g))].sort();
  const magnitude = (operand) => (wide.includes(operand) ? 2 : 1);
  const k = new Kernel();
  const limbs = {};
  for (const operand of operands) {
    limbs[operand] = nameAll(k, operand, limbsOf(k, operand, bound(magnitude(operand))));
  }
  const linear = (form) => linearForm(k, termsOf(form), limbs, magnitude, bias);
  const names = ['p', 'q'];
  const factor = (form) => limbs[form] ?? nameAll(k, names.shift(), linear(form));

  const columns = [];
  let lowest;
  for (const [left, right] of products) addProduct(k, columns, factor(left), factor(right));
  for (const [times, operand] of squares) addSquare(k, columns, limbs[operand], times);
  const rest = plus === '' ? [] : linear(plus);
  if (columns.length === 0) {
    writeLimbs(k, 'out', carriedOnce(k, rest), bound(1));
  } else {
    for (const [i, value] of rest.entries()) columns[i].push(value);
    if (halved) for (const [i, value] of oddPrime(k, limbs.a).entries()) columns[i].push(value);
    const sums = columns.map((values, i) => k.let(`col${i}`, k.add(...values)));
    const reduced = reduce(k, sums);
    writeLimbs(k, 'out', halved ? half(k, reduced) : reduced, bound(1));
    lowest = reduced[0];
  }
  const equation = formula({ products, squares, plus, halved });
  if (halved) meansHalf(k, equation, P, lowest);
  else means(k, equation, P);
  const types = operands.map((operand) => [operand, magnitude(operand) === 1 ? 'Field' : 'Wide']);
  return kernelText(name, equation, types, k);
}

/** '2a - b' as [[2, 'a'], [-1, 'b']] */
function termsOf(form) {
  const terms = form.matchAll(/(-?) ?(\d*)([a-f])/g);
  return [...terms].map(([, sign, times, operand]) => [Number(`${sign}${times || 1}`), operand]);
}

function formula({ products, squares, plus, halved }) {
  const bracketed = (form) => (/[ -]/.test(form) ? `(${form})` : form);
  const terms = [
    ...products.map(([left, right]) => `${bracketed(left)} * ${bracketed(right)}`),
    ...squares.map(([times, operand]) => `${times === 1 ? '' : times}${operand}^2`),
  ];
  if (terms.length === 0) return `out = ${plus}`;
  const rest = plus === '' ? '' : plus.startsWith('-') ? ` - ${plus.slice(1)}` : ` + ${plus}`;
  return `out = ${terms.join(' + ')}${rest}${halved ? ' / 2' : ''}`;
}

function kernelText(name, doc, operands, k) {
  const parameters = [['out', 'Field'], ...operands]
    .map(([operand, type]) => `${operand}: ${type}`)
    .join(', ');
  const asserts = operands
    .map(([operand, type]) => `  if (!ASC_NO_ASSERT) assert${type}(${operand});\n`)
    .join('');
  return `/** ${doc} */\nexport function ${name}(${parameters}): void {\n${asserts}${k.body()}}\n`;
}

/** The nine limbs of a linear form. Its negative part, of magnitude m in sum, is subtracted from a bias for m. */
function linearForm(k, terms, limbs, magnitude, bias) {
  const negative = terms.filter(([n]) => n < 0);
  const m = negative.reduce((total, [n, operand]) => total - n * magnitude(operand), 0);
  return indices(LIMBS).map((i) => {
    const positive = terms.filter(([n]) => n > 0).map(([n, operand]) => times(k, limbs[operand][i], n));
    if (m > 0) positive.push(k.constant(bias(m)[i]));
    const subtract = (value, [n, operand]) => k.sub(value, times(k, limbs[operand][i], -n));
    return negative.reduce(subtract, k.add(...positive));
  });
}

function addProduct(k, columns, a, b) {
  for (const i of indices(LIMBS)) {
    for (const j of indices(LIMBS)) {
      columns[i + j] ??= [];
      columns[i + j].push(k.mul(a[i], b[j]));
    }
  }
}

/** factor * a^2: the factor and the 2 of the mixed terms go into one operand. */
function addSquare(k, columns, a, factor) {
  const once =
    factor === 1
      ? a
      : nameAll(
          k,
          's',
          a.map((limb) => times(k, limb, factor)),
        );
  const twice = nameAll(
    k,
    't',
    once.slice(0, LIMBS - 1).map((limb) => k.shl(limb, 1)),
  );
  for (const i of indices(LIMBS)) {
    for (let j = i; j < LIMBS; j++) {
      columns[i + j] ??= [];
      columns[i + j].push(k.mul(i === j ? once[i] : twice[i], a[j]));
    }
  }
}

const MIDDLE = 4;

/** 2^261 = 2^37 + 31264: `over`, the multiple of 2^261, as what it adds to limbs 0 and 1. */
const foldLow = (k, over) => k.mul(over, k.constant(31264));
const foldHigh = (k, over) => k.shl(over, 8);

/**
 * Columns 0 ... 16 of an expression, down to magnitude 1. What counts is how long the chain of carries is: those of the
 * upper columns are taken all at once, those of the lower ones in two chains, from limbs 0 and MIDDLE.
 */
function reduce(k, columns) {
  const upper = carriedColumns(k, columns.slice(LIMBS));
  const folded = indices(LIMBS).map((i) => {
    const terms = [columns[i], foldLow(k, upper[i])];
    if (i > 0) terms.push(foldHigh(k, upper[i - 1]));
    return k.let(`fold${i}`, k.add(...terms));
  });
  const low = folded.slice(0, MIDDLE + 1);
  carry(k, folded, MIDDLE, LIMBS - 1, 'm');
  low[MIDDLE] = folded[MIDDLE];
  carry(k, low, 0, MIDDLE, 'l');
  folded.splice(0, low.length, ...low);
  const top = folded[LIMBS - 1];
  const over = k.let('over', k.add(k.shr(top, BITS), foldHigh(k, upper[LIMBS - 1])));
  folded[LIMBS - 1] = k.low(top, BITS);
  folded[0] = k.let('r0', k.add(folded[0], foldLow(k, over)));
  folded[1] = k.let('r1', k.add(folded[1], foldHigh(k, over)));
  carry(k, folded, 0, 3, 'v');
  carry(k, folded, MIDDLE, MIDDLE + 1, 'w');
  return folded;
}

/** One carry out of every column at once: one column more, all of them small enough to be folded. */
function carriedColumns(k, columns) {
  const over = columns.map((value, i) => k.let(`hq${i}`, k.shr(value, BITS)));
  const low = columns.map((value, i) => k.let(`hl${i}`, k.low(value, BITS)));
  return [...columns, 0].map((_, i) => {
    if (i === 0) return low[i];
    return i === columns.length ? over[i - 1] : k.let(`h${i}`, k.add(low[i], over[i - 1]));
  });
}

/**
 * p where the columns' sum is odd, so that it becomes even, and stays so: what 2^261 is folded to is even too. As the
 * columns are those of 3 a^2, that is where a is.
 */
function oddPrime(k, limbs) {
  const odd = k.let('odd', k.low(limbs[0], 1));
  const names = new Map();
  return split(P).map((limb) => {
    if (!names.has(limb)) names.set(limb, k.let(`p${names.size}`, k.mul(odd, k.constant(limb))));
    return names.get(limb);
  });
}

/** Half of an even element. */
function half(k, limbs) {
  const named = nameAll(k, 'e', limbs);
  return named.map((limb, i) => {
    const low = k.shr(limb, 1);
    return i === LIMBS - 1 ? low : k.add(low, k.shl(k.low(named[i + 1], 1), BITS - 1));
  });
}

/** One carry out of every limb at once, for limbs of a few units. */
function carriedOnce(k, values) {
  const named = nameAll(k, 'x', values);
  const over = nameAll(
    k,
    'o',
    named.map((value) => k.shr(value, BITS)),
  );
  return named.map((value, i) => {
    const terms = [k.low(value, BITS)];
    if (i === 0) terms.push(foldLow(k, over[LIMBS - 1]));
    else terms.push(over[i - 1]);
    if (i === 1) terms.push(foldHigh(k, over[LIMBS - 1]));
    return k.add(...terms);
  });
}

/** The one kernel with a loop: limbs that stay in locals make a chain of squarings a fifth faster. */
function sqrTimes() {
  const k = new Kernel();
  const columns = [];
  const limbs = indices(LIMBS).map((i) => k.read(`x${i}`, [0n, UNIT]));
  addSquare(k, columns, limbs, 1);
  const sums = columns.map((values, i) => k.let(`col${i}`, k.add(...values)));
  // the next round's limbs have the bounds of this one's
  const next = nameAll(k, 'next', reduce(k, sums));
  for (const [i, limb] of next.entries()) k.write(`x${i}`, limb, UNIT, 'u64');
  means(k, 'x = x^2', P, undefined, (name, i) => `${name}${i}`); // what a round does
  const lines = (line) => indices(LIMBS).map(line).join('');
  return `/** out = a^(2^count) */
export function sqrTimes(out: Field, a: Field, count: i32): void {
  if (!ASC_NO_ASSERT) assertField(a);
${lines((i) => `  let x${i}: u64 = a.l${i};\n`)}  for (let i = 0; i < count; i++) {
${k.body().replace(/^/gm, '  ').trimEnd()}
  }
${lines((i) => `  out.l${i} = <u32>x${i};\n`)}}
`;
}

/** The result of negateIf is the one value of magnitude 2 that is written to memory. */
function negateIf(bias) {
  const k = new Kernel();
  const a = nameAll(k, 'a', limbsOf(k, 'a', bound(1)));
  const negated = nameAll(
    k,
    'n',
    a.map((limb, i) => k.sub(k.constant(bias(1)[i]), limb)),
  );
  const chosen = a.map((limb, i) => k.select('mask', negated[i], limb));
  writeLimbs(k, 'out', chosen, bound(2));
  means(k, 'out = mask ? -a : a', P);
  return `/** out = mask ? -a : a, where mask is all zeros or all ones, without a branch. */
export function negateIf(out: Wide, a: Field, mask: u64): void {
  if (!ASC_NO_ASSERT) assertField(a);
${k.body()}}
`;
}

function fromBytes() {
  const k = new Kernel();
  writeLimbs(k, 'out', loadBytes(k, 'bytes'), bound(1));
  means(k, 'out = bytes', P, bytesAt());
  return `/** out = the 32 little-endian bytes; values from p to 2^256 - 1 are accepted. */
export function fromBytes(out: Field, bytes: usize): void {
${k.body()}}
`;
}

/** After the fold at 2^256 the value is below 2^256 + 2^40 < 2p. */
function toBytes() {
  const k = new Kernel();
  const top = LIMBS - 1;
  const topBits = 256 - BITS * top;
  const x = nameAll(k, 'a', limbsOf(k, 'a', bound(1)));
  carry(k, x, 0, top, 'u');
  const over = k.let('over', k.shr(x[top], topBits));
  x[top] = k.let('utop', k.low(x[top], topBits));
  COMPLEMENT.forEach((limb, i) => {
    x[i] = k.let(`f${i}`, k.add(x[i], times(k, over, limb)));
  });
  carry(k, x, 0, top, 'v');
  const reduction = subtractOnce(k, x, COMPLEMENT, topBits);
  storeBytes(k, 'bytes', x);
  meansReduced(k, 'bytes = a', P, elementOf, reduction);
  return `/** Writes a, fully reduced, as 32 little-endian bytes. */
export function toBytes(bytes: usize, a: Field): void {
  if (!ASC_NO_ASSERT) assertField(a);
${k.body()}}
`;
}

const header =
  () => `// Generated by scripts/kernels/generate.mjs from field-secp256k1.mjs: edit that, then run it again.
//
// Integers modulo p = 2^256 - 2^32 - 977 in nine limbs of 29 bits, least significant first. Every kernel keeps its
// limbs in locals, has no branch and, but for sqrTimes, no loop, reads its operands before it writes (so out may be any
// operand), and was proved, for all operands within the bounds of their classes, not to overflow (by intervals) and to
// compute what its comment says (as an identity of polynomials modulo p).
`;

function classes() {
  const fields = indices(LIMBS)
    .map((i) => `  l${i}: u32;\n`)
    .join('');
  const checks = (m) =>
    indices(LIMBS)
      .map((i) => `  assert(a.l${i} <= 0x${(m * UNIT).toString(16)});\n`)
      .join('');
  return `/** Magnitude 2: a Field, or a negated one. */
@unmanaged
export class Wide {
${fields}}

/** Magnitude 1, what every kernel but negateIf writes: limbs at most 0x${UNIT.toString(16)}. Normalized: below p, limbs below 2^29. */
@unmanaged
export class Field extends Wide {}

function assertWide(a: Wide): void {
${checks(2n)}}

function assertField(a: Field): void {
${checks(1n)}}
`;
}
