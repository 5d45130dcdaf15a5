// Inversion modulo a prime of up to 256 bits by safegcd: Bernstein and Yang, "Fast constant-time gcd computation and
// modular inversion" (https://gcd.cr.yp.to/papers.html), with the half-delta step that libsecp256k1's
// doc/safegcd_implementation.md derives.
//
// f starts as the modulus m, g as the number x. Each division step keeps gcd(f, g); d and e follow with d x = f and
// e x = g (mod m). When g is 0, f is 1 or -1, and d f is the inverse. Thirty steps at a time see the low words of f, g
// alone; their matrix (u v; q r), 2^30 times too large, is then applied to the whole f, g and, modulo m, d, e.
//
// A number is nine signed 30-bit limbs: limbs 0 to 7 in [0, 2^30), limb 8 signed. After each application f and g are in
// (-m, m), d and e in (-2m, m); with |u| + |v| <= 2^30 and |q| + |r| <= 2^30 a sum of products stays below 2^62.
//
// Numbers in and out are 32 little-endian bytes below m; the inverse of 0 is 0. modInverse has a fixed sequence of
// instructions and addresses, modInverseVarTime is for public numbers.

import { MODINV_SECOND_SPACE, MODINV_SPACE } from './memory';

export const MASK: i32 = 0x3fffffff;
export const TOP: usize = 32; // offset of limb 8
export const INVERSE: usize = 36; // offset of 1/m mod 2^30 in a modulus

// Limbs of the modulus, then its inverse modulo 2^30. Its limbs are signed, so that limbs 5 to 7 are zero in all of them.
export const MODULUS_25519 = memory.data<i32>([-19, 0, 0, 0, 0, 0, 0, 0, 0x8000, 0x179435e5]);
export const MODULUS_SECP256K1_P = memory.data<i32>([-977, -4, 0, 0, 0, 0, 0, 0, 0x10000, 0x2ddacacf]);
export const MODULUS_SECP256K1_N = memory.data<i32>([
  0x10364141, 0x3f497a33, 0x348a03bb, 0x2bb739ab, -326, 0, 0, 0, 0x10000, 0x2a774ec1,
]);

// Where one inversion is worked on; a pair has two of these. Of F, G, D and E there are two each: an application reads
// one and writes the other, SWAP bytes apart.
const FIRST = MODINV_SPACE;
const SECOND = MODINV_SECOND_SPACE;
export const F: usize = 0; // 80
export const G: usize = 80; // 80
export const D: usize = 160; // 80
export const E: usize = 240; // 80
export const MATRIX: usize = 320; // 16: u, v, q, r
export const SWAP: usize = 40;

// 590 steps are enough for 256 bits (safegcd_implementation.md, section 3)
const STEPS = 600;

/** out = 1/x mod m. */
export function modInverse(out: usize, x: usize, m: usize): void {
  start(FIRST, x, m);
  let now: usize = 0;
  let zeta = i32x4.splat(-1);
  for (let steps = 0; steps < STEPS; steps += 30) {
    zeta = divideSteps(zeta, FIRST, now);
    applyMatrix(FIRST, now, m);
    now ^= SWAP;
  }
  finish(out, FIRST, now, m);
}

/** out1 = 1/x1 mod m1 and out2 = 1/x2 mod m2, in less time than one after the other. */
export function modInversePair(out1: usize, x1: usize, m1: usize, out2: usize, x2: usize, m2: usize): void {
  start(FIRST, x1, m1);
  start(SECOND, x2, m2);
  let now: usize = 0;
  let zeta = i32x4.splat(-1);
  for (let steps = 0; steps < STEPS; steps += 30) {
    zeta = divideStepsPair(zeta, now);
    applyMatrix(FIRST, now, m1);
    applyMatrix(SECOND, now, m2);
    now ^= SWAP;
  }
  finish(out1, FIRST, now, m1);
  finish(out2, SECOND, now, m2);
}

/** out = 1/x mod m, in a time that depends on x. */
export function modInverseVarTime(out: usize, x: usize, m: usize): void {
  start(FIRST, x, m);
  let now: usize = 0;
  let eta = -1; // -delta
  while (!isZeroVarTime(FIRST + G + now)) {
    eta = divideStepsVarTime(eta, load<i32>(FIRST + F + now), load<i32>(FIRST + G + now));
    applyMatrix(FIRST, now, m);
    now ^= SWAP;
  }
  finish(out, FIRST, now, m);
}

export function start(space: usize, x: usize, m: usize): void {
  for (let limb: usize = 0; limb < 9; limb++) {
    const at = space + (limb << 2), byte = min<usize>((30 * limb) >> 3, 24);
    store<i32>(at, load<i32>(m + (limb << 2)), F);
    store<i32>(at, <i32>(load<u64>(x + byte) >> (30 * limb - (byte << 3))) & MASK, G);
    store<i32>(at, 0, D);
    store<i32>(at, 0, E);
  }
  store<i32>(space, 1, E);
}

/**
 * Thirty division steps, in the lanes (f u v 0) and (g q r 0). Here f is shifted left with u and v instead of g right, so
 * that step i looks at bit i of g. Only bits 0 to 29 of g count, and what a lane loses at its top does not reach them;
 * |u| + |v| and |q| + |r| are at most 2^i after i steps. zeta is -(delta + 1/2), the same in every lane.
 */
function divideSteps(zeta: v128, space: usize, now: usize): v128 {
  let fuv = i32x4.replace_lane(i32x4(0, 1, 0, 0), 0, load<i32>(space + now, F));
  let gqr = i32x4.replace_lane(i32x4(0, 0, 1, 0), 0, load<i32>(space + now, G));
  let bit = i32x4.splat(1);
  for (let i = 0; i < 30; i++) {
    const odd = i32x4.eq(v128.and(v128.shuffle<i32>(gqr, gqr, 0, 0, 0, 0), bit), bit);
    const positive = i32x4.shr_s(zeta, 31); // delta > 0
    const swap = v128.and(odd, positive);
    // g odd: add f, or subtract it where delta > 0
    const addend = i32x4.sub(v128.xor(fuv, positive), positive);
    // delta > 0 and g odd: f takes the old g
    fuv = v128.xor(fuv, v128.and(v128.xor(fuv, gqr), swap));
    fuv = i32x4.add(fuv, fuv);
    gqr = i32x4.add(gqr, v128.and(addend, odd));
    zeta = i32x4.sub(v128.xor(zeta, swap), i32x4.splat(1));
    bit = i32x4.add(bit, bit);
  }
  const u = i32x4.extract_lane(fuv, 1), v = i32x4.extract_lane(fuv, 2);
  storeMatrix(space, u, v, i32x4.extract_lane(gqr, 1), i32x4.extract_lane(gqr, 2));
  return zeta;
}

/**
 * The same of two inversions, in the lanes (f v f v) and (g r g r). u and q follow from f = u f0 + v g0 and
 * g = q f0 + r g0 modulo 2^32, because f0 is odd.
 */
function divideStepsPair(zeta: v128, now: usize): v128 {
  let fv = lowWords(now + F);
  let gr = v128.or(lowWords(now + G), i32x4(0, 1, 0, 1));
  let bit = i32x4.splat(1);
  for (let i = 0; i < 30; i++) {
    const odd = i32x4.eq(v128.and(v128.shuffle<i32>(gr, gr, 0, 0, 2, 2), bit), bit);
    const positive = i32x4.shr_s(zeta, 31);
    const swap = v128.and(odd, positive);
    const addend = i32x4.sub(v128.xor(fv, positive), positive);
    fv = v128.xor(fv, v128.and(v128.xor(fv, gr), swap));
    fv = i32x4.add(fv, fv);
    gr = i32x4.add(gr, v128.and(addend, odd));
    zeta = i32x4.sub(v128.xor(zeta, swap), i32x4.splat(1));
    bit = i32x4.add(bit, bit);
  }
  storeSteps(FIRST, now, i64x2.extract_lane(fv, 0), i64x2.extract_lane(gr, 0));
  storeSteps(SECOND, now, i64x2.extract_lane(fv, 1), i64x2.extract_lane(gr, 1));
  return zeta;
}

/** The matrix of the steps that made 2^32 v + f and 2^32 r + g. */
function storeSteps(space: usize, now: usize, fv: i64, gr: i64): void {
  const f0 = <i32>lowWord(space + now + F), g0 = <i32>lowWord(space + now + G), inverse = inverse32(f0);
  const v = <i32>(fv >> 32), r = <i32>(gr >> 32);
  storeMatrix(space, (<i32>fv - v * g0) * inverse, v, (<i32>gr - r * g0) * inverse, r);
}

/** 1/x modulo 2^32 for odd x: 5 bits are right, then 10, 20, 40. */
function inverse32(x: i32): i32 {
  let y = (3 * x) ^ 2;
  y *= 2 - x * y;
  y *= 2 - x * y;
  return y * (2 - x * y);
}

/** A number of either inversion modulo 2^32, in the even lanes. */
function lowWords(offset: usize): v128 {
  return i64x2.replace_lane(i64x2.splat(lowWord(FIRST + offset)), 1, lowWord(SECOND + offset));
}

function lowWord(x: usize): u64 {
  return <u32>(load<i32>(x) + (load<i32>(x, 4) << 30));
}

/** The same thirty steps in the form of delta, not delta + 1/2; zeros of g and pairs of odd f, g are done in bulk. */
export function divideStepsVarTime(eta: i32, f: i32, g: i32): i32 {
  let uv: i64 = 1 << 32, qr: i64 = 1;
  let left = 30;
  while (true) {
    const zeros = ctz<i32>(g | (-1 << left));
    g >>= zeros;
    uv <<= zeros;
    eta -= zeros;
    left -= zeros;
    if (left == 0) break;
    if (eta < 0) {
      eta = -eta;
      const oldF = f, oldUv = uv;
      f = g;
      g = -oldF;
      uv = qr;
      qr = -oldUv;
    }
    // adding k f clears up to six low bits of g: f (f^2 - 2) = -1/f (mod 64)
    const bits = min(min(eta + 1, left), 6);
    const k = (g * f * (f * f - 2)) & ((1 << bits) - 1);
    g += k * f;
    qr += <i64>k * uv;
  }
  const v = <i32>uv, r = <i32>qr;
  storeMatrix(FIRST, <i32>((uv - v) >> 32), v, <i32>((qr - r) >> 32), r);
  return eta;
}

function storeMatrix(space: usize, u: i32, v: i32, q: i32, r: i32): void {
  store<i32>(space, u, MATRIX);
  store<i32>(space, v, MATRIX + 4);
  store<i32>(space, q, MATRIX + 8);
  store<i32>(space, r, MATRIX + 12);
}

function applyMatrix(space: usize, now: usize, m: usize): void {
  const u = <i64>load<i32>(space, MATRIX), v = <i64>load<i32>(space, MATRIX + 4);
  const q = <i64>load<i32>(space, MATRIX + 8), r = <i64>load<i32>(space, MATRIX + 12);
  const before = space + now, after = space + (now ^ SWAP);
  combine(after + F, u, before + F, v, before + G);
  combine(after + G, q, before + F, r, before + G);
  combineModulo(after + D, u, before + D, v, before + E, m);
  combineModulo(after + E, q, before + D, r, before + E, m);
}

/** out = (a x + b y) / 2^30, where the division is exact. */
export function combine(out: usize, a: i64, x: usize, b: i64, y: usize): void {
  let sum = (a * load<i32>(x) + b * load<i32>(y)) >> 30;
  sum += a * load<i32>(x, 4) + b * load<i32>(y, 4);
  store<i32>(out, <i32>sum & MASK, 0);
  sum >>= 30;
  sum += a * load<i32>(x, 8) + b * load<i32>(y, 8);
  store<i32>(out, <i32>sum & MASK, 4);
  sum >>= 30;
  sum += a * load<i32>(x, 12) + b * load<i32>(y, 12);
  store<i32>(out, <i32>sum & MASK, 8);
  sum >>= 30;
  sum += a * load<i32>(x, 16) + b * load<i32>(y, 16);
  store<i32>(out, <i32>sum & MASK, 12);
  sum >>= 30;
  sum += a * load<i32>(x, 20) + b * load<i32>(y, 20);
  store<i32>(out, <i32>sum & MASK, 16);
  sum >>= 30;
  sum += a * load<i32>(x, 24) + b * load<i32>(y, 24);
  store<i32>(out, <i32>sum & MASK, 20);
  sum >>= 30;
  sum += a * load<i32>(x, 28) + b * load<i32>(y, 28);
  store<i32>(out, <i32>sum & MASK, 24);
  sum >>= 30;
  sum += a * load<i32>(x, 32) + b * load<i32>(y, 32);
  store<i32>(out, <i32>sum & MASK, 28);
  sum >>= 30;
  store<i32>(out, <i32>sum, TOP);
}

/** out = (a x + b y + k m) / 2^30, where k makes the division exact and brings x, y in (-2m, m) back there. */
function combineModulo(out: usize, a: i64, x: usize, b: i64, y: usize, m: usize): void {
  let sum = a * load<i32>(x) + b * load<i32>(y);
  const lift = (<i32>a & (load<i32>(x, TOP) >> 31)) + (<i32>b & (load<i32>(y, TOP) >> 31));
  const k = <i64>(lift - ((load<i32>(m, INVERSE) * <i32>sum + lift) & MASK));
  sum = (sum + k * load<i32>(m)) >> 30;
  sum += a * load<i32>(x, 4) + b * load<i32>(y, 4) + k * load<i32>(m, 4);
  store<i32>(out, <i32>sum & MASK, 0);
  sum >>= 30;
  sum += a * load<i32>(x, 8) + b * load<i32>(y, 8) + k * load<i32>(m, 8);
  store<i32>(out, <i32>sum & MASK, 4);
  sum >>= 30;
  sum += a * load<i32>(x, 12) + b * load<i32>(y, 12) + k * load<i32>(m, 12);
  store<i32>(out, <i32>sum & MASK, 8);
  sum >>= 30;
  sum += a * load<i32>(x, 16) + b * load<i32>(y, 16) + k * load<i32>(m, 16);
  store<i32>(out, <i32>sum & MASK, 12);
  sum >>= 30;
  sum += a * load<i32>(x, 20) + b * load<i32>(y, 20);
  store<i32>(out, <i32>sum & MASK, 16);
  sum >>= 30;
  sum += a * load<i32>(x, 24) + b * load<i32>(y, 24);
  store<i32>(out, <i32>sum & MASK, 20);
  sum >>= 30;
  sum += a * load<i32>(x, 28) + b * load<i32>(y, 28);
  store<i32>(out, <i32>sum & MASK, 24);
  sum >>= 30;
  sum += a * load<i32>(x, 32) + b * load<i32>(y, 32) + k * load<i32>(m, 32);
  store<i32>(out, <i32>sum & MASK, 28);
  sum >>= 30;
  store<i32>(out, <i32>sum, TOP);
}

export function isZeroVarTime(x: usize): bool {
  let any = 0;
  for (let at: usize = 0; at <= TOP; at += 4) any |= load<i32>(x + at);
  return any == 0;
}

/** out = d f mod m, where f is 1 or -1 (or d is 0). */
export function finish(out: usize, space: usize, now: usize, m: usize): void {
  if (!ASC_NO_ASSERT) assert(isZeroVarTime(space + now + G));
  const f = space + now + F, d = space + now + D;
  addIfNegative(d, m);
  const sign = load<i32>(f, TOP) >> 31;
  for (let at: usize = 0; at <= TOP; at += 4) store<i32>(d + at, (load<i32>(d + at) ^ sign) - sign);
  carry(d);
  addIfNegative(d, m);
  for (let word: usize = 0; word < 4; word++) {
    const limb = (word << 6) / 30, skip = (word << 6) - 30 * limb;
    const low = <u64>load<i32>(d + (limb << 2)), mid = <u64>load<i32>(d + (limb << 2), 4);
    const high = <u64>load<i32>(d + (limb << 2), 8);
    store<u64>(out + (word << 3), (low >> skip) | (mid << (30 - skip)) | (high << (60 - skip)));
  }
}

function addIfNegative(d: usize, m: usize): void {
  const negative = load<i32>(d, TOP) >> 31;
  for (let at: usize = 0; at <= TOP; at += 4) store<i32>(d + at, load<i32>(d + at) + (load<i32>(m + at) & negative));
  carry(d);
}

function carry(d: usize): void {
  let sum = 0;
  for (let at: usize = 0; at < TOP; at += 4) {
    sum += load<i32>(d + at);
    store<i32>(d + at, sum & MASK);
    sum >>= 30;
  }
  store<i32>(d, load<i32>(d, TOP) + sum, TOP);
}
