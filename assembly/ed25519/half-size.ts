// Half-size scalars for verification: for k modulo L short u and v with u = v k (mod L), so that v S B - v R - u A takes
// half the doublings of S B - R - k A (Antipa, Brown, Gallant, Lambert, Struik, Vanstone, "Accelerated Verification of
// ECDSA Signatures", SAC 2005; Pornin, https://eprint.iacr.org/2020/454). Variable-time: k is public.
//
// They come from Euclid's algorithm on L and k, stopped half-way. Each remainder r has a cofactor t > 0 with r = t k or
// r = -t k (mod L), by turns. Invariant of two successive ones: r0 > r1, and r0 t1 + r1 t0 = L. While r1 >= 2^126 both
// t0 and t1 are at most L / 2^126, so below 2^126 + 1; and so is the last t1, whose r0 was an r1 before. By Lehmer's
// method (Knuth, TAOCP 2, §4.5.2, algorithm L) the leading 63 bits give most quotients, and a batch of them is applied
// to the whole numbers as one matrix.

import { Scalar } from './scalar';

const STOP = 126; // bits

// Numbers of eight 32-bit words, little-endian; the cofactors fill four.
const R0 = memory.data(32, 16);
const R1 = memory.data(32, 16);
const T0 = memory.data(32, 16);
const T1 = memory.data(32, 16);

const ORDER = memory.data<u64>([0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000]);

// Whether r1 = -t1 k.
let negative = false;

/** Sets u < 2^126 and v from 1 to 2^126, and says whether it is -u that is v k modulo L. */
export function halveVarTime(u: Scalar, v: Scalar, k: Scalar): bool {
  for (let at: usize = 0; at < 32; at += 8) {
    store<u64>(R0 + at, load<u64>(ORDER + at));
    store<u64>(R1 + at, load<u64>(changetype<usize>(k) + at));
    store<u64>(T0 + at, 0);
    store<u64>(T1 + at, 0);
  }
  store<u64>(T1, 1);
  negative = false;
  while (isLong(R1)) if (!leadingSteps()) subtractShifted();
  copyWords(changetype<usize>(u), R1);
  copyWords(changetype<usize>(v), T1);
  return negative;
}

function isLong(r: usize): bool {
  return (load<u64>(r, 24) | load<u64>(r, 16) | (load<u64>(r, 8) >> (STOP - 64))) != 0;
}

/**
 * Steps of Euclid's algorithm on a and b, the leading bits of r0 and r1 without the last `shift`; false if there was
 * none to take. After some steps r0 and r1 are x0 r0 - y0 r1 and y1 r1 - x1 r0, or the negatives of these, and a and b
 * the same of the leading bits; so they differ from r0 / 2^shift and r1 / 2^shift by less than c0 = x0 + y0 and c1.
 * A step is taken if by these bounds r1 >= 2^126 and the next remainder lies between 0 and r1: what the whole
 * numbers would give.
 */
function leadingSteps(): bool {
  const shift = bitLength(R0) - 63;
  const stop: i64 = shift < STOP ? 1 << <i64>(STOP - shift) : 1;
  let a = bitsFrom(R0, shift), b = bitsFrom(R1, shift);
  let x0: i64 = 1, y0: i64 = 0, x1: i64 = 0, y1: i64 = 1, c0: i64 = 1, c1: i64 = 1;
  let odd = false;
  while (b >= stop + c1) {
    const ratio = <f64>a / <f64>b;
    if (ratio >= 2147483648) break;
    const quotient = <i64><i32>ratio; // one that rounding made wrong by one fails the next conditions
    const rest = a - quotient * b, c = c0 + quotient * c1;
    if (c >> 31 != 0 || rest < c || b - rest < c + c1) break;
    const x = x0 + quotient * x1, y = y0 + quotient * y1;
    a = b;
    b = rest;
    x0 = x1;
    y0 = y1;
    c0 = c1;
    x1 = x;
    y1 = y;
    c1 = c;
    odd = !odd;
  }
  if (x1 == 0) return false;
  applyMatrix(T0, T1, 16, x0, y0, x1, y1);
  if (odd) applyMatrix(R0, R1, 32, -x0, y0, x1, -y1);
  else applyMatrix(R0, R1, 32, x0, -y0, -x1, y1);
  negative = negative != odd;
  return true;
}

/**
 * a, b = x0 a + y0 b, x1 a + y1 b for numbers of so many bytes. |x0| + |y0| and |x1| + |y1| are below 2^31, so the sums
 * fit an i64.
 */
function applyMatrix(a: usize, b: usize, bytes: usize, x0: i64, y0: i64, x1: i64, y1: i64): void {
  let sum0: i64 = 0, sum1: i64 = 0;
  for (let at: usize = 0; at < bytes; at += 4) {
    const wordA = <i64>load<u32>(a + at), wordB = <i64>load<u32>(b + at);
    sum0 += x0 * wordA + y0 * wordB;
    sum1 += x1 * wordA + y1 * wordB;
    store<u32>(a + at, <u32>sum0);
    store<u32>(b + at, <u32>sum1);
    sum0 >>= 32;
    sum1 >>= 32;
  }
}

/**
 * Part of a step, on the whole numbers: r0 -= 2^bits r1, and where r0 is then below r1 the two change places. For
 * quotients beyond 2^31 and remainders too close to 0 or to r1, which few k have.
 */
function subtractShifted(): void {
  const bits = max(bitLength(R0) - bitLength(R1) - 1, 0);
  addShifted(R0, R1, bits, -1);
  addShifted(T0, T1, bits, 1);
  if (!isBelow(R0, R1)) return;
  swapWords(R0, R1);
  swapWords(T0, T1);
  negative = !negative;
}

/** a += sign 2^bits b, for a result that is not negative and fits. */
function addShifted(a: usize, b: usize, bits: i32, sign: i64): void {
  const words = <usize>(bits >> 5) << 2, shift = <i64>(bits & 31);
  let sum: i64 = 0, over: i64 = 0;
  for (let at = words; at < 32; at += 4) {
    over |= <i64>load<u32>(b + at - words) << shift;
    sum += <i64>load<u32>(a + at) + sign * (over & 0xffffffff);
    store<u32>(a + at, <u32>sum);
    sum >>= 32;
    over = <i64>(<u64>over >> 32);
  }
}

function isBelow(a: usize, b: usize): bool {
  for (let at: isize = 24; at >= 0; at -= 8) {
    const left = load<u64>(a + at), right = load<u64>(b + at);
    if (left != right) return left < right;
  }
  return false;
}

/** For a > 0. */
function bitLength(a: usize): i32 {
  let word = 3;
  while (load<u64>(a + (word << 3)) == 0) word--;
  return ((word + 1) << 6) - <i32>clz<u64>(load<u64>(a + (word << 3)));
}

/** Bits shift ... shift + 63, for shift < 192. */
function bitsFrom(a: usize, shift: i32): i64 {
  const word = a + <usize>((shift >> 6) << 3), skip = <u64>(shift & 63);
  return <i64>((load<u64>(word) >> skip) | ((load<u64>(word, 8) << 1) << (63 - skip)));
}

function copyWords(to: usize, from: usize): void {
  for (let at: usize = 0; at < 32; at += 8) store<u64>(to + at, load<u64>(from + at));
}

function swapWords(a: usize, b: usize): void {
  for (let at: usize = 0; at < 32; at += 8) {
    const word = load<u64>(a + at);
    store<u64>(a + at, load<u64>(b + at));
    store<u64>(b + at, word);
  }
}
