// Integers modulo the order n of secp256k1, as 32 little-endian bytes. Functions take and write numbers below n unless
// they say otherwise; apart from those named VarTime they have neither branch nor address that depends on a number.
// A condition is a u64 of 1 or 0, a mask is all ones or zero.

import { modInverse, modInverseVarTime, MODULUS_SECP256K1_N } from '../modinv';
import { isZero32 } from '../bytes';
import { SCALAR_SPACE } from './space';

export { mulScalar } from './scalar-kernels';

const SUM = SCALAR_SPACE; // 32
const DIFFERENCE = SCALAR_SPACE + 32; // 32
const WIDE = SCALAR_SPACE + 64; // 32

/** n */
export const ORDER = memory.data<u8>([
  0x41, 0x41, 0x36, 0xd0, 0x8c, 0x5e, 0xd2, 0xbf, 0x3b, 0xa0, 0x48, 0xaf, 0xe6, 0xdc, 0xae, 0xba,
  0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
]);

/** n - 1 */
const ORDER_MINUS_1 = memory.data<u8>([
  0x40, 0x41, 0x36, 0xd0, 0x8c, 0x5e, 0xd2, 0xbf, 0x3b, 0xa0, 0x48, 0xaf, 0xe6, 0xdc, 0xae, 0xba,
  0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
]);

/** (n + 1) / 2, the least high number */
const HIGH = memory.data<u8>([
  0xa1, 0x20, 0x1b, 0x68, 0x46, 0x2f, 0xe9, 0xdf, 0x1d, 0x50, 0xa4, 0x57, 0x73, 0x6e, 0x57, 0x5d,
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
]);

const ONE = memory.data<u8>([
  1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/** out = a + b mod 2^256; gives the carry. */
export function add256(out: usize, a: usize, b: usize): u64 {
  let sum: u64 = 0;
  for (let at: usize = 0; at < 32; at += 4) {
    sum += <u64>load<u32>(a + at) + load<u32>(b + at);
    store<u32>(out + at, <u32>sum);
    sum >>= 32;
  }
  return sum;
}

/** out = a - b mod 2^256; gives the borrow. */
function sub256(out: usize, a: usize, b: usize): u64 {
  let borrow: u64 = 0;
  for (let at: usize = 0; at < 32; at += 4) {
    const difference = <u64>load<u32>(a + at) - load<u32>(b + at) - borrow;
    store<u32>(out + at, <u32>difference);
    borrow = difference >> 63;
  }
  return borrow;
}

/** out = mask ? a : b */
export function choose32(out: usize, mask: u64, a: usize, b: usize): void {
  for (let at: usize = 0; at < 32; at += 8) {
    const other = load<u64>(b + at);
    store<u64>(out + at, other ^ ((load<u64>(a + at) ^ other) & mask));
  }
}

/** out = a + 2^256 carry modulo m, where that is below 2 m. */
function reduceOnce(out: usize, a: usize, carry: u64, m: usize): void {
  const less = sub256(DIFFERENCE, a, m) & (carry ^ 1);
  choose32(out, 0 - less, a, DIFFERENCE);
}

/** out = a mod n, for any a below 2^256. */
export function reduceScalar(out: usize, a: usize): void {
  reduceOnce(out, a, 0, ORDER);
}

/** Whether a < b, for any a, b below 2^256. */
export function isBelow(a: usize, b: usize): u64 {
  return sub256(DIFFERENCE, a, b);
}

/** Whether 0 < a < n, for any a below 2^256. */
export function isSecretScalar(a: usize): u64 {
  return isBelow(a, ORDER) & (isZero32(a) ^ 1);
}

/** Whether a > n / 2. */
export function isHigh(a: usize): u64 {
  return isBelow(a, HIGH) ^ 1;
}

export function addScalar(out: usize, a: usize, b: usize): void {
  const carry = add256(SUM, a, b);
  reduceOnce(out, SUM, carry, ORDER);
}

/** out = mask ? -a : a. */
export function negateScalarIf(out: usize, a: usize, mask: u64): void {
  sub256(WIDE, ORDER, a);
  reduceOnce(WIDE, WIDE, 0, ORDER); // n - 0
  choose32(out, mask, WIDE, a);
}

/** out = a / 2: an odd a has n, which is odd, added to it first. */
export function halveScalar(out: usize, a: usize): void {
  const odd: u64 = 0 - (load<u64>(a) & 1);
  for (let at: usize = 0; at < 32; at += 8) store<u64>(WIDE + at, load<u64>(ORDER + at) & odd);
  const carry = add256(SUM, a, WIDE);
  for (let at: usize = 0; at < 24; at += 8) {
    store<u64>(out + at, (load<u64>(SUM + at) >> 1) | (load<u64>(SUM + at, 8) << 63));
  }
  store<u64>(out, (load<u64>(SUM, 24) >> 1) | (carry << 63), 24);
}

export function invertScalar(out: usize, a: usize): void {
  modInverse(out, a, MODULUS_SECP256K1_N);
}

export function invertScalarVarTime(out: usize, a: usize): void {
  modInverseVarTime(out, a, MODULUS_SECP256K1_N);
}

/** out = 1 + (the big-endian integer of `bytes` bytes) mod (n - 1): FIPS 186-5 A.2.1, by shift and subtract. */
export function scalarFromSeed(out: usize, seed: usize, bytes: usize): void {
  for (let at: usize = 0; at < 32; at += 8) store<u64>(out + at, 0);
  for (let bit: usize = 0; bit < bytes << 3; bit++) {
    const carry = add256(out, out, out);
    store<u8>(out, load<u8>(out) | ((load<u8>(seed + (bit >> 3)) >> <u8>(7 - (bit & 7))) & 1));
    reduceOnce(out, out, carry, ORDER_MINUS_1);
  }
  add256(out, out, ONE);
}
