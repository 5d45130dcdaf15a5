// Kernels for integers modulo the order n of secp256k1: assembly/secp256k1/scalar-kernels.ts.
//
// Scalars lie in memory as 32 little-endian bytes, below n; inside a kernel they are limbs of 29 bits. With
// C = 2^256 - n (129 bits), 2^256 = C (mod n): each fold multiplies what is above by C.

import { Kernel } from './core.mjs';
import {
  BITS,
  carry,
  indices,
  LIMBS,
  loadBytes,
  nameAll,
  packWord,
  productColumns,
  split,
  storeBytes,
  subtractOnce,
} from './limbs.mjs';
import { bytesAt, limbSum, meansFloor, meansLow, meansReduced } from './meaning.mjs';

export const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const C = split(2n ** 256n - N).slice(0, 5);
const C261 = split(32n * (2n ** 256n - N)).slice(0, 5); // 2^261 mod n
const TOP = LIMBS - 1;
const TOP_BITS = 256 - BITS * TOP;

// The endomorphism's reduced lattice basis (Guide to Elliptic Curve Cryptography, §3.5): a1 + b1 λ = a2 + b2 λ = 0
// (mod n), and b1 < 0. The split of a scalar k rounds c1 = k b2 / n and c2 = -k b1 / n through these.
const A1 = 0x3086d221a7d46bcde86c90e49284eb15n;
const A2 = 0x114ca50f7a8e2f3f657c1108d9d44cfd8n;
const B1_NEGATED = 0xe4437ed6010e88286f547fa90abfe4c3n;
const B2 = A1;
const HALF_LIMBS = 5; // 145 bits
const rounded = (numerator) => (numerator * 2n ** 384n + N / 2n) / N;

export const output = 'assembly/secp256k1/scalar-kernels.ts';

export function generate() {
  return [header(), constants(), mulScalar(), mulShift384(), splitHalves()].join('\n');
}

function loadedProduct(k) {
  const a = nameAll(k, 'a', loadBytes(k, 'a'));
  const b = nameAll(k, 'b', loadBytes(k, 'b'));
  const x = productColumns(k, a, b);
  carry(k, x, 0, 2 * LIMBS - 1, 'p');
  return x;
}

/** x[0 .. from - 1] plus the limbs from `from` on times the constant, unless those are zero. */
function fold(k, x, from, constant, tag) {
  const terms = x.slice(0, from).map((value) => [value]);
  x.slice(from).forEach((high, i) => {
    constant.forEach((c, j) => {
      terms[i + j] ??= [];
      terms[i + j].push(k.mul(high, k.constant(c)));
    });
  });
  return terms.map((values, i) => k.let(`${tag}f${i}`, k.add(...values)));
}

function mulScalar() {
  const k = new Kernel();
  let x = loadedProduct(k); // below 2^512
  x = fold(k, x, LIMBS, C261, 'r'); // below 2^386
  carry(k, x, 0, x.length, 'r');
  x = fold(k, x, LIMBS, C261, 's'); // below 2^262
  carry(k, x, 0, LIMBS, 's');
  // now at 2^256: below 2^256 + 2^136
  const over = k.let('over', k.add(k.shr(x[TOP], TOP_BITS), k.shl(x[LIMBS], BITS - TOP_BITS)));
  x[TOP] = k.let('stop', k.low(x[TOP], TOP_BITS));
  x = addMultiple(k, x, over, 't');
  const reduction = subtractOnce(k, x, C, TOP_BITS);
  storeBytes(k, 'out', x);
  meansReduced(k, 'out = a * b', N, bytesAt(), reduction);
  return `/** out = a * b mod n, for any a, b below 2^256. */
export function mulScalar(out: usize, a: usize, b: usize): void {
${k.body()}}
`;
}

/** x + factor * C, carried up to the top limb. */
function addMultiple(k, x, factor, tag) {
  const sum = indices(LIMBS).map((i) =>
    i < C.length ? k.let(`${tag}m${i}`, k.add(x[i], k.mul(factor, k.constant(C[i])))) : x[i],
  );
  carry(k, sum, 0, TOP, tag);
  return sum;
}

function mulShift384() {
  const k = new Kernel();
  const x = loadedProduct(k);
  // bit 383 is bit 6 of limb 13; adding 2^383 rounds to nearest
  const first = 13;
  const high = x.slice(first);
  high[0] = k.let('rounded', k.add(high[0], k.constant(2n ** 6n)));
  carry(k, high, 0, high.length - 1, 'r');
  k.store64('out', packWord(k, high, 7), 0);
  k.store64('out', packWord(k, high, 71), 8);
  k.store64('out', k.constant(0), 16);
  k.store64('out', k.constant(0), 24);
  // everything below bit 384 of a * b + 2^383
  const remainder = limbSum([...x.slice(0, first), k.low(high[0], 7)]);
  const widths = { bits: 384, totalBits: 512, remainder };
  meansFloor(k, 'a * b + 2^383', bytesAt(), widths);
  return `/** out = a * b / 2^384, rounded to the nearest integer, for a * b below 2^512 - 2^383. */
export function mulShift384(out: usize, a: usize, b: usize): void {
${k.body()}}
`;
}

/** Both halves are below 2^128 in size, so they are what they are modulo 2^145. */
function splitHalves() {
  const k = new Kernel();
  const low = (name) => nameAll(k, name, loadBytes(k, name).slice(0, HALF_LIMBS));
  const [whole, first, second] = ['k', 'c', 'd'].map(low);
  const modulus = 2n ** BigInt(BITS * HALF_LIMBS);
  const half = (tag, target, start, byFirst, bySecond) => {
    const sums = start.map((limb) => [limb]);
    for (const [multiple, constant] of [
      [first, byFirst],
      [second, bySecond],
    ]) {
      const limbs = split((modulus + constant) % modulus);
      for (const i of indices(HALF_LIMBS)) {
        for (let j = 0; i + j < HALF_LIMBS; j++) sums[i + j].push(k.mul(multiple[i], k.constant(limbs[j])));
      }
    }
    const x = sums.map((values, i) => k.let(`${tag}c${i}`, k.add(...values)));
    carry(k, x, 0, HALF_LIMBS - 1, tag);
    x[HALF_LIMBS - 1] = k.low(x[HALF_LIMBS - 1], BITS);
    for (const word of [0, 1, 2]) k.store64(target, packWord(k, x, 64 * word), 8 * word);
  };
  half('x', 'half1', whole, -A1, -A2);
  half(
    'y',
    'half2',
    indices(HALF_LIMBS).map(() => k.constant(0)),
    B1_NEGATED,
    -B2,
  );
  const operand = bytesAt(BITS * HALF_LIMBS);
  meansLow(k, `half1 = k - ${A1} * c - ${A2} * d`, BITS * HALF_LIMBS, operand);
  meansLow(k, `half2 = ${B1_NEGATED} * c - ${B2} * d`, BITS * HALF_LIMBS, operand);
  return `/** half1 + half2 λ = k (mod n): k - c a1 - d a2 and -c b1 - d b2, both modulo 2^145. */
export function splitHalves(half1: usize, half2: usize, k: usize, c: usize, d: usize): void {
${k.body()}}
`;
}

const bytesOf = (x) => indices(32).map((i) => Number((x >> BigInt(8 * i)) & 255n));

function constants() {
  const list = [
    ['G1', '2^384 b2 / n, rounded', rounded(B2)],
    ['G2', '-2^384 b1 / n, rounded', rounded(B1_NEGATED)],
  ];
  return list
    .map(
      ([name, doc, value]) =>
        `/** ${doc} */\nexport const ${name} = memory.data<u8>([${bytesOf(value).join(', ')}]);\n`,
    )
    .join('');
}

const header =
  () => `// Generated by scripts/kernels/generate.mjs from scalar-secp256k1.mjs: edit that, then run it again.
//
// Products of integers modulo the order n of secp256k1, 32 little-endian bytes in and out. Every kernel keeps its limbs
// in locals, has neither branch nor loop, reads its operands before it writes, and was proved for any input not to
// overflow (by intervals) and to compute what its comment says (as an identity of polynomials).
`;
