// Kernels for the field of integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1: assembly/p256/field-kernels.ts.
//
// Nine signed limbs of 29 bits in Montgomery form (P. L. Montgomery, "Modular multiplication without trial division"): x
// stands for x / 2^261. As p = -1 (mod 2^29), the multiple of p that clears a low limb m is m itself, and adding m p is
// four shifts and no product. Limbs are signed, so that differences and negation need neither bias nor carry.

import { Kernel } from './core.mjs';
import { BITS, carry, indices, LIMBS, limbAt, loadBytes, nameAll, split } from './limbs.mjs';
import { bytesAt, elementOf, means } from './meaning.mjs';
import { Polynomial } from './polynomial.mjs';

export const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const R = 2n ** 261n;
/** What the limbs of an element may be in size: all but the top one, and that one. */
export const LIMB = 2n ** 29n + 2n ** 25n;
export const TOP_LIMB = 2n ** 26n;
const BOUND = indices(LIMBS).map((i) => (i === LIMBS - 1 ? TOP_LIMB : LIMB));

/** Powers of two other than 1 in p + 1, as limb, bits within it, and sign. */
const POWERS = [
  [3, 9, 1], // 2^96
  [6, 18, 1], // 2^192
  [7, 21, -1], // -2^224
  [8, 24, 1], // 2^256
];
const TOP_BITS = 24; // 256 - 8 * 29

// `minus` are operands that are subtracted after the division by 2^261; `difference` is subtracted from the left factor.
const KERNELS = [
  { name: 'mul', left: 'a', right: 'b' },
  { name: 'sqr', left: 'a' },
  { name: 'mulDifference', left: 'a', difference: 'b', right: 'c' },
  { name: 'sqrSubSub', left: 'a', minus: ['b', 'c'] },
  { name: 'mulDifferenceSub', left: 'a', difference: 'b', right: 'c', minus: ['d'] },
];

export const output = 'assembly/p256/field-kernels.ts';

export function generate() {
  return [header(), classes(), constants(), ...KERNELS.map(productKernel), fromBytes()].join('\n');
}

/** I in a formula is 1 / 2^261. */
const operand = (name) => (name === 'I' ? Polynomial.constant(inverse(R)) : elementOf(name));
const inverse = (x) => {
  let result = 1n;
  for (let b = x % P, e = P - 2n; e > 0n; b = (b * b) % P, e >>= 1n) if (e & 1n) result = (result * b) % P;
  return result;
};

function productKernel({ name, left, difference, right, minus = [] }) {
  const operands = [left, difference, right, ...minus].filter((operand) => operand !== undefined);
  const k = new Kernel('i64');
  const limbs = {};
  for (const operand of operands) limbs[operand] = nameAll(k, operand, signedLimbs(k, operand));
  const factor =
    difference === undefined
      ? limbs[left]
      : nameAll(
          k,
          'e',
          limbs[left].map((limb, i) => k.sub(limb, limbs[difference][i])),
        );
  const columns = right === undefined ? squareTerms(k, factor) : productTerms(k, factor, limbs[right]);
  const result = reduce(
    k,
    columns,
    minus.map((operand) => limbs[operand]),
  );
  for (const [i, limb] of result.entries()) k.writeSigned(limbAt('out', i), limb, BOUND[i]);
  const first = difference === undefined ? left : `(${left} - ${difference})`;
  const equation = `out = ${right === undefined ? `${first}^2` : `${first} * ${right}`} * I${minus.map((operand) => ` - ${operand}`).join('')}`;
  means(k, equation, P, operand);
  const parameters = ['out', ...operands].map((operand) => `${operand}: Field`).join(', ');
  const asserts = operands.map((operand) => `  if (!ASC_NO_ASSERT) assertField(${operand});\n`).join('');
  return `/** ${equation} */\nexport function ${name}(${parameters}): void {\n${asserts}${k.body()}}\n`;
}

const signedLimbs = (k, name) =>
  indices(LIMBS).map((i) => k.read(limbAt(name, i), [-BOUND[i], BOUND[i]], 'i64'));

/** The terms of columns 0 ... 16 of a * b. */
function productTerms(k, a, b) {
  const columns = indices(2 * LIMBS - 1).map(() => []);
  for (const i of indices(LIMBS)) for (const j of indices(LIMBS)) columns[i + j].push(k.mul(a[i], b[j]));
  return columns;
}

function squareTerms(k, a) {
  const columns = indices(2 * LIMBS - 1).map(() => []);
  const doubled = nameAll(
    k,
    'd',
    a.slice(0, LIMBS - 1).map((limb) => k.shl(limb, 1)),
  );
  for (const i of indices(LIMBS)) {
    for (let j = i; j < LIMBS; j++) columns[i + j].push(k.mul(i === j ? a[i] : doubled[i], a[j]));
  }
  return columns;
}

/** The columns' sum divided by 2^261 modulo p, less the elements in `minus`. */
function reduce(k, columns, minus) {
  const plus = [...columns, []];
  const less = plus.map(() => []);
  const summed = (i) => {
    const positive = k.add(...plus[i]);
    return k.let(
      `t${i}`,
      less[i].reduce((value, term) => k.sub(value, term), positive),
    );
  };
  for (const i of indices(LIMBS)) {
    const column = summed(i);
    const low = k.let(`m${i}`, k.low(column, BITS));
    plus[i + 1].push(k.let(`q${i}`, k.shr(column, BITS)));
    for (const [limb, bits, sign] of POWERS) (sign > 0 ? plus : less)[i + limb].push(k.shl(low, bits));
  }
  const upper = indices(LIMBS - 1).map((i) => summed(LIMBS + i));
  for (const element of minus) {
    for (const i of indices(LIMBS - 1)) upper[i] = k.sub(upper[i], element[i]);
  }
  const named = minus.length === 0 ? upper : nameAll(k, 'u', upper);
  carry(k, named, 0, LIMBS - 1, 'v');
  if (minus.length === 0) return named;
  named[LIMBS - 1] = minus.reduce((value, element) => k.sub(value, element[LIMBS - 1]), named[LIMBS - 1]);
  return foldTop(k, named);
}

/** What is above 2^256 as 2^224 - 2^192 - 2^96 + 1: differences do not grow from one to the next. */
function foldTop(k, limbs) {
  const top = k.let('top', limbs[LIMBS - 1]);
  const over = k.let('over', k.shr(top, TOP_BITS));
  const folded = [...limbs.slice(0, -1), k.low(top, TOP_BITS)];
  folded[0] = k.add(folded[0], over);
  for (const [limb, bits, sign] of POWERS.slice(0, -1)) {
    folded[limb] = (sign > 0 ? k.sub : k.add).call(k, folded[limb], k.shl(over, bits));
  }
  return folded;
}

function fromBytes() {
  const k = new Kernel();
  for (const [i, limb] of loadBytes(k, 'bytes').entries()) k.writeSigned(limbAt('out', i), limb, BOUND[i]);
  means(k, 'out = bytes', P, bytesAt());
  return `/** out = the 32 little-endian bytes, not in Montgomery form. */
export function fromBytes(out: Field, bytes: usize): void {
${k.body()}}
`;
}

const header =
  () => `// Generated by scripts/kernels/generate.mjs from field-p256.mjs: edit that, then run it again.
//
// Integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1 in nine signed limbs of 29 bits, least significant first, in
// Montgomery form: x stands for x I, where I = 1 / 2^261. Every kernel keeps its limbs in locals, has neither branch nor
// loop, reads its operands before it writes (so out may be any operand), and was proved, for all operands within the
// bounds of Field, not to overflow (by intervals) and to compute what its comment says (as an identity of polynomials
// modulo p).
`;

function constants() {
  const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
  const values = [
    ['ONE', '1', R],
    ['TWO', '2', 2n * R],
    ['THREE', '3', 3n * R],
    ['B', 'b of the curve y^2 = x^3 - 3 x + b (SEC 2 §2.4.2)', B * R],
    ['TO_MONTGOMERY', '2^522: times a number, it is in Montgomery form', R ** 2n],
    ['AFTER_INVERSION', '2^783: times the inverse of an element, it is in Montgomery form again', R ** 3n],
  ];
  return values
    .map(([name, what, value]) => {
      const limbs = split(value % P).map(String);
      return `/** ${what} */
export const ${name} = changetype<Field>(
  memory.data<i32>([${limbs.join(', ')}]),
);
`;
    })
    .join('');
}

function classes() {
  const lines = (line) =>
    indices(LIMBS)
      .map((i) => `  ${line(i)}\n`)
      .join('');
  const hex = (i) => `0x${BOUND[i].toString(16)}`;
  return `/** What every kernel takes and writes: limbs of at most ${hex(0)} in size, the top one of at most ${hex(8)}. */
@unmanaged
export class Field {
${lines((i) => `l${i}: i32;`)}}

function assertField(a: Field): void {
${lines((i) => `assert(a.l${i} >= -${hex(i)} && a.l${i} <= ${hex(i)});`)}}
`;
}
