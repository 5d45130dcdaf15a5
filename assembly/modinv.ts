// Inversion modulo a prime of up to 256 bits by safegcd: Bernstein and Yang, "Fast constant-time gcd computation and
// modular inversion" (https://gcd.cr.yp.to/papers.html), with the half-delta step that libsecp256k1's
// doc/safegcd_implementation.md derives.
//
// f starts as the modulus m, g as the number x. Each division step keeps gcd(f, g); d and e follow with d x = f and
// e x = g (mod m). When g is 0, f is 1 or -1, and d f is the inverse. Thirty steps at a time see the low words of f, g
// alone; their matrix (u v; q r), 2^30 times too large, is then applied to the whole f, g and, modulo m, d, e.
//
// A number is nine signed 30-bit limbs: limbs 0 to 7 in [0, 2^30), limb 8 signed. After each application f and g are in
// (-m, m), d and e in (-2m, m), and |u| + |v| <= 2^30, |q| + |r| <= 2^30: a sum of products stays below 2^62.
//
// Numbers in and out are 32 little-endian bytes below m; the inverse of 0 is 0. modInverse has a fixed sequence of
// instructions and addresses, modInverseVarTime is for public numbers.

import { MODINV_SPACE } from './memory';

const MASK: i32 = 0x3fffffff;
const TOP: usize = 32; // offset of limb 8
const INVERSE: usize = 36; // offset of 1/m mod 2^30 in a modulus

/** Limbs of the modulus, then its inverse modulo 2^30. */
export const MODULUS_25519 = memory.data<i32>([
  0x3fffffed, 0x3fffffff, 0x3fffffff, 0x3fffffff, 0x3fffffff, 0x3fffffff, 0x3fffffff, 0x3fffffff, 0x7fff, 0x179435e5,
]);
export const MODULUS_SECP256K1_P = memory.data<i32>([
  0x3ffffc2f, 0x3ffffffb, 0x3fffffff, 0x3fffffff, 0x3fffffff, 0x3fffffff, 0x3fffffff, 0x3fffffff, 0xffff, 0x2ddacacf,
]);
export const MODULUS_SECP256K1_N = memory.data<i32>([
  0x10364141, 0x3f497a33, 0x348a03bb, 0x2bb739ab, 0x3ffffeba, 0x3fffffff, 0x3fffffff, 0x3fffffff, 0xffff, 0x2a774ec1,
]);

// Two of each: an application reads one and writes the other, SWAP bytes apart.
const F = MODINV_SPACE; // 80
const G = MODINV_SPACE + 80; // 80
const D = MODINV_SPACE + 160; // 80
const E = MODINV_SPACE + 240; // 80
const MATRIX = MODINV_SPACE + 320; // 16: u, v, q, r
const SWAP: usize = 40;

/** out = 1/x mod m. */
export function modInverse(out: usize, x: usize, m: usize): void {
  start(x, m);
  let now: usize = 0;
  let zeta = -1; // -(delta + 1/2)
  // 590 steps are enough for 256 bits (safegcd_implementation.md, section 3)
  for (let steps = 0; steps < 600; steps += 30) {
    zeta = divideSteps(zeta, load<i32>(F + now), load<i32>(G + now));
    applyMatrix(now, m);
    now ^= SWAP;
  }
  if (!ASC_NO_ASSERT) assert(isZeroVarTime(G + now));
  finish(out, F + now, D + now, m);
}

/** out = 1/x mod m, in a time that depends on x. */
export function modInverseVarTime(out: usize, x: usize, m: usize): void {
  start(x, m);
  let now: usize = 0;
  let eta = -1; // -delta
  while (!isZeroVarTime(G + now)) {
    eta = divideStepsVarTime(eta, load<i32>(F + now), load<i32>(G + now));
    applyMatrix(now, m);
    now ^= SWAP;
  }
  finish(out, F + now, D + now, m);
}

function start(x: usize, m: usize): void {
  for (let limb: usize = 0; limb < 9; limb++) {
    const at = limb << 2, byte = min<usize>((30 * limb) >> 3, 24);
    store<i32>(F + at, load<i32>(m + at));
    store<i32>(G + at, <i32>(load<u64>(x + byte) >> (30 * limb - (byte << 3))) & MASK);
    store<i32>(D + at, 0);
    store<i32>(E + at, 0);
  }
  store<i32>(E, 1);
}

/**
 * Thirty division steps. u and v travel in one i64 as 2^32 u + v, and so do q and r: the steps add, negate and double
 * both halves alike, and |v| <= 2^30 lets storeMatrix tell them apart.
 */
function divideSteps(zeta: i32, f: i32, g: i32): i32 {
  let uv: i64 = 1 << 32, qr: i64 = 1;
  for (let i = 0; i < 30; i++) {
    const odd = -(g & 1), positive = zeta >> 31; // positive: delta > 0
    const swap = odd & positive;
    // g odd: add f, or subtract it where delta > 0
    g += ((f ^ positive) - positive) & odd;
    qr += ((uv ^ <i64>positive) - <i64>positive) & <i64>odd;
    // delta > 0 and g odd: f takes the old g, which is the new g plus f
    f += g & swap;
    uv += qr & <i64>swap;
    zeta = (zeta ^ swap) - 1;
    g = <i32>(<u32>g >> 1);
    uv <<= 1;
  }
  storeMatrix(uv, qr);
  return zeta;
}

/** The same thirty steps in the form of delta, not delta + 1/2; zeros of g and pairs of odd f, g are done in bulk. */
function divideStepsVarTime(eta: i32, f: i32, g: i32): i32 {
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
  storeMatrix(uv, qr);
  return eta;
}

function storeMatrix(uv: i64, qr: i64): void {
  const v = <i32>uv, r = <i32>qr;
  store<i32>(MATRIX, <i32>((uv - v) >> 32), 0);
  store<i32>(MATRIX, v, 4);
  store<i32>(MATRIX, <i32>((qr - r) >> 32), 8);
  store<i32>(MATRIX, r, 12);
}

function applyMatrix(now: usize, m: usize): void {
  const u = <i64>load<i32>(MATRIX, 0), v = <i64>load<i32>(MATRIX, 4);
  const q = <i64>load<i32>(MATRIX, 8), r = <i64>load<i32>(MATRIX, 12);
  const next = now ^ SWAP;
  combine(F + next, u, F + now, v, G + now);
  combine(G + next, q, F + now, r, G + now);
  combineModulo(D + next, u, D + now, v, E + now, m);
  combineModulo(E + next, q, D + now, r, E + now, m);
}

/** out = (a x + b y) / 2^30, where the division is exact. */
function combine(out: usize, a: i64, x: usize, b: i64, y: usize): void {
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
  sum += a * load<i32>(x, 20) + b * load<i32>(y, 20) + k * load<i32>(m, 20);
  store<i32>(out, <i32>sum & MASK, 16);
  sum >>= 30;
  sum += a * load<i32>(x, 24) + b * load<i32>(y, 24) + k * load<i32>(m, 24);
  store<i32>(out, <i32>sum & MASK, 20);
  sum >>= 30;
  sum += a * load<i32>(x, 28) + b * load<i32>(y, 28) + k * load<i32>(m, 28);
  store<i32>(out, <i32>sum & MASK, 24);
  sum >>= 30;
  sum += a * load<i32>(x, 32) + b * load<i32>(y, 32) + k * load<i32>(m, 32);
  store<i32>(out, <i32>sum & MASK, 28);
  sum >>= 30;
  store<i32>(out, <i32>sum, TOP);
}

function isZeroVarTime(x: usize): bool {
  let any = 0;
  for (let at: usize = 0; at <= TOP; at += 4) any |= load<i32>(x + at);
  return any == 0;
}

/** out = d f mod m, where f is 1 or -1 (or d is 0). */
function finish(out: usize, f: usize, d: usize, m: usize): void {
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
