// The field of integers modulo p = 2^256 - 2^32 - 977: what is built from the generated kernels. An element has
// magnitude 1 (class Field, its limbs may exceed p) or 2 (class Wide, see field-kernels.ts); as 32 little-endian bytes
// it is always normalized, that is, below p.

import { equal32, isZero32 } from '../bytes';
import { modInverse, modInversePair, modInverseVarTime, MODULUS_SECP256K1_N, MODULUS_SECP256K1_P } from '../modinv';
import { Field, fromBytes, mul, mulAdd, sqr, sqrTimes, toBytes } from './field-kernels';
import { FIELD_SPACE } from './space';

export { Field, fromBytes, toBytes };

/** Bytes of an element in memory. */
export const FIELD_BYTES: usize = 36;

const BYTES = FIELD_SPACE; // 32
const OTHER_BYTES = FIELD_SPACE + 32; // 32
const t0 = changetype<Field>(FIELD_SPACE + 64);
const t1 = changetype<Field>(FIELD_SPACE + 104);
const ones2 = changetype<Field>(FIELD_SPACE + 144);
const ones3 = changetype<Field>(FIELD_SPACE + 184);
const ones22 = changetype<Field>(FIELD_SPACE + 224);
const ones44 = changetype<Field>(FIELD_SPACE + 264);

/** p */
export const PRIME = memory.data<u8>([
  0x2f, 0xfc, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
]);

const SEVEN = changetype<Field>(memory.data<u32>([7, 0, 0, 0, 0, 0, 0, 0, 0]));
export const ONE = changetype<Field>(memory.data<u32>([1, 0, 0, 0, 0, 0, 0, 0, 0]));
export const ZERO = changetype<Field>(memory.data(36, 16));

export function copyField(out: Field, a: Field): void {
  const low = v128.load(changetype<usize>(a)), mid = v128.load(changetype<usize>(a), 16), top = a.l8;
  v128.store(changetype<usize>(out), low);
  v128.store(changetype<usize>(out), mid, 16);
  out.l8 = top;
}

/** out = 1/a, and 0 for a = 0. The same steps for every a. */
export function invert(out: Field, a: Field): void {
  toBytes(BYTES, a);
  modInverse(BYTES, BYTES, MODULUS_SECP256K1_P);
  fromBytes(out, BYTES);
}

/** The same, and scalar = 1/scalar modulo the order n: both in less time than one after the other. */
export function invertWithScalar(out: Field, a: Field, scalar: usize): void {
  toBytes(BYTES, a);
  modInversePair(BYTES, BYTES, MODULUS_SECP256K1_P, scalar, scalar, MODULUS_SECP256K1_N);
  fromBytes(out, BYTES);
}

export function invertVarTime(out: Field, a: Field): void {
  toBytes(BYTES, a);
  modInverseVarTime(BYTES, BYTES, MODULUS_SECP256K1_P);
  fromBytes(out, BYTES);
}

/** Whether a = 0 (mod p): 1 or 0. */
export function isZero(a: Field): u64 {
  toBytes(BYTES, a);
  return isZero32(BYTES);
}

/**
 * Whether a = 0 (mod p), nearly always after a look at the low limb: folding what exceeds 2^256 leaves 0 or p, and only
 * those have these low 29 bits (up to one case in 2^28).
 */
export function isZeroVarTime(a: Field): bool {
  const low = (a.l0 + (a.l8 >> 24) * 977) & 0x1fffffff;
  if (low != 0 && low != 0x1ffffc2f) return false;
  return isZero(a) != 0;
}

/** Whether a = b (mod p): 1 or 0. */
export function isEqual(a: Field, b: Field): u64 {
  toBytes(BYTES, a);
  toBytes(OTHER_BYTES, b);
  return equal32(BYTES, OTHER_BYTES);
}

/** out = x^3 + 7, the right-hand side of the curve's equation; out is not x. */
export function curveEquation(out: Field, x: Field): void {
  sqr(out, x);
  mulAdd(out, out, x, SEVEN);
}

/**
 * out = a^((p+1)/4), a square root of a if it has one; out is not a. The exponent is, in binary, 223 ones, 0, 22 ones,
 * 0000, 11, 00.
 */
export function squareRoot(out: Field, a: Field): void {
  sqr(t0, a);
  mul(ones2, t0, a);
  sqr(t0, ones2);
  mul(ones3, t0, a);
  sqrTimes(t0, ones3, 3);
  mul(t0, t0, ones3); // 6
  sqrTimes(t0, t0, 3);
  mul(t0, t0, ones3); // 9
  sqrTimes(t0, t0, 2);
  mul(t0, t0, ones2); // 11
  sqrTimes(t1, t0, 11);
  mul(ones22, t1, t0);
  sqrTimes(t0, ones22, 22);
  mul(ones44, t0, ones22);
  sqrTimes(t0, ones44, 44);
  mul(t0, t0, ones44); // 88
  sqrTimes(t1, t0, 88);
  mul(t0, t1, t0); // 176
  sqrTimes(t0, t0, 44);
  mul(t0, t0, ones44); // 220
  sqrTimes(t0, t0, 3);
  mul(t0, t0, ones3); // 223
  sqrTimes(t0, t0, 23);
  mul(t0, t0, ones22);
  sqrTimes(t0, t0, 6);
  mul(t0, t0, ones2);
  sqrTimes(out, t0, 2);
}
