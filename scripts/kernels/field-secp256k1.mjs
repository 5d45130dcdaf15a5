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
import { bytesAt, elementOf, means, meansReduced } from './meaning.mjs';

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
  { name: 'mulSub', products: [['a', 'b']], plus: '-c' },
  { name: 'sub', plus: 'a - b' },
  { name: 'mulDifferenceSubMul', products: pairs('a', 'b - c', 'd', '-e') },
  // complete addition alone
  { name: 'times3', plus: '3a' },
  { name: 'times21', plus: '21a' },
  { name: 'mulSumsSub', products: [['a + b', 'c + d']], plus: '-e - f', wide: 'b' },
  { name: 'mulAddSquares', products: pairs('a', 'b', 'c - d', 'c + d') },
  { name: 'mulSumAddMul', products: pairs('a + b', 'c', 'd', 'e') },
  // Jacobian doubling and addition alone
  { name: 'sqrTimes3', squares: [[3, 'a']] },
  { name: 'mulTimes2', products: [['2a', 'b']] },
  { name: 'sqrSub8', squares: [[1, 'a']], plus: '-8b' },
  { name: 'sqrSubSub2', squares: [[1, 'a']], plus: '-b - 2c' },
  { name: 'mulDifferenceSub8', products: [['a', '4b - c']], plus: '-8d' },
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
  return [header(), classes(), ...kernels, negateIf(bias), fromBytes(), toBytes()].join('\n');
}

function expressionKernel({ name, products = [], squares = [], plus = '', wide = '' }, bias) {
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
  for (const [left, right] of products) addProduct(k, columns, factor(left), factor(right));
  for (const [times, operand] of squares) addSquare(k, columns, limbs[operand], times);
  const rest = plus === '' ? [] : linear(plus);
  if (columns.length === 0) {
    writeLimbs(k, 'out', carriedOnce(k, rest), bound(1));
  } else {
    for (const [i, value] of rest.entries()) columns[i].push(value);
    const sums = columns.map((values, i) => k.let(`col${i}`, k.add(...values)));
    writeLimbs(k, 'out', reduce(k, sums), bound(1));
  }
  const equation = formula({ products, squares, plus });
  means(k, equation, P);
  const types = operands.map((operand) => [operand, magnitude(operand) === 1 ? 'Field' : 'Wide']);
  return kernelText(name, equation, types, k);
}

/** '2a - b' as [[2, 'a'], [-1, 'b']] */
function termsOf(form) {
  const terms = form.matchAll(/(-?) ?(\d*)([a-f])/g);
  return [...terms].map(([, sign, times, operand]) => [Number(`${sign}${times || 1}`), operand]);
}

function formula({ products, squares, plus }) {
  const bracketed = (form) => (/[ -]/.test(form) ? `(${form})` : form);
  const terms = [
    ...products.map(([left, right]) => `${bracketed(left)} * ${bracketed(right)}`),
    ...squares.map(([times, operand]) => `${times === 1 ? '' : times}${operand}^2`),
  ];
  if (terms.length === 0) return `out = ${plus}`;
  const rest = plus === '' ? '' : plus.startsWith('-') ? ` - ${plus.slice(1)}` : ` + ${plus}`;
  return `out = ${terms.join(' + ')}${rest}`;
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
          a.map((limb) => k.mul(limb, k.constant(factor))),
        );
  const twice = nameAll(
    k,
    't',
    a.slice(0, LIMBS - 1).map((limb) => k.mul(limb, k.constant(2 * factor))),
  );
  for (const i of indices(LIMBS)) {
    for (let j = i; j < LIMBS; j++) {
      columns[i + j] ??= [];
      columns[i + j].push(k.mul(i === j ? once[i] : twice[i], a[j]));
    }
  }
}

/** 2^261 = 2^37 + 31264: `over`, the multiple of 2^261, as what it adds to limbs 0 and 1. */
const foldLow = (k, over) => k.mul(over, k.constant(31264));
const foldHigh = (k, over) => k.shl(over, 8);

/** Columns 0 ... 16 of an expression, down to magnitude 1. */
function reduce(k, columns) {
  carry(k, columns, LIMBS, 2 * LIMBS - 1, 'h');
  const folded = indices(LIMBS).map((i) => {
    const terms = [columns[i], foldLow(k, columns[i + LIMBS])];
    if (i > 0) terms.push(foldHigh(k, columns[i + LIMBS - 1]));
    return k.let(`fold${i}`, k.add(...terms));
  });
  carry(k, folded, 0, LIMBS - 1, 'l');
  const top = folded[LIMBS - 1];
  const over = k.let('over', k.add(k.shr(top, BITS), foldHigh(k, columns[2 * LIMBS - 1])));
  folded[LIMBS - 1] = k.low(top, BITS);
  folded[0] = k.let('r0', k.add(folded[0], foldLow(k, over)));
  folded[1] = k.let('r1', k.add(folded[1], foldHigh(k, over)));
  carry(k, folded, 0, 3, 'v');
  return folded;
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
// limbs in locals, has neither branch nor loop, reads its operands before it writes (so out may be any operand), and
// was proved, for all operands within the bounds of their classes, not to overflow (by intervals) and to compute what
// its comment says (as an identity of polynomials modulo p).
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
