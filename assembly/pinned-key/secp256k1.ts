// What the verifier takes of secp256k1: y^2 = x^3 + 7 (SEC 2 §2.4.1). Elements have magnitude 1. Signatures of this curve
// are given low S and their recovery id (SEC 1 §4.1.6) on the way. All of it is public and in variable time.

import { reverse32 } from '../bytes';
import { copyField, curveEquation, Field, invertVarTime, isEqual as isEqualAnyTime, toBytes, ZERO } from '../secp256k1/field';
import { mul, mulDifferenceSub as mulThenSub, sqr, sqrSubSub2, sqrTimes3Half, sub } from '../secp256k1/field-kernels';
import { isHigh, negateScalarIf } from '../secp256k1/scalar';

export { copyField, Field, FIELD_BYTES, fromBytes as fieldOf, invertVarTime as invert, ONE, PRIME } from '../secp256k1/field';
export { mul } from '../secp256k1/field-kernels';
export { PRIME_MINUS_ORDER as PRIME_LESS_ORDER } from '../secp256k1/ecdsa';
export { invertScalarVarTime as invertScalar, mulScalar, ORDER } from '../secp256k1/scalar';

/** G, little-endian */
export const GENERATOR = memory.data<u8>([
  0x98, 0x17, 0xf8, 0x16, 0x5b, 0x81, 0xf2, 0x59, 0xd9, 0x28, 0xce, 0x2d, 0xdb, 0xfc, 0x9b, 0x02,
  0x07, 0x0b, 0x87, 0xce, 0x95, 0x62, 0xa0, 0x55, 0xac, 0xbb, 0xdc, 0xf9, 0x7e, 0x66, 0xbe, 0x79,
  0xb8, 0xd4, 0x10, 0xfb, 0x8f, 0xd0, 0x47, 0x9c, 0x19, 0x54, 0x85, 0xa6, 0x48, 0xb4, 0x17, 0xfd,
  0xa8, 0x08, 0x11, 0x0e, 0xfc, 0xfb, 0xa4, 0x5d, 0x65, 0xc4, 0xa3, 0x26, 0x77, 0xda, 0x3a, 0x48,
]);

const t0 = changetype<Field>(memory.data(36, 16));
const t1 = changetype<Field>(memory.data(36, 16));
const BYTES = memory.data(32, 16);

const LIMB: u32 = 0x1fffffff;

/** The low limb, once what exceeds 2^256 is folded, which leaves a number below 2 p. */
// @ts-ignore: decorator
@inline
function folded(a: Field): u32 {
  return a.l0 + (a.l8 >> 24) * 977;
}

/** Whether a = b (mod p), nearly always after a look at low limbs: p = -977 (mod 2^29). */
export function isEqual(a: Field, b: Field): bool {
  const difference = (folded(a) - folded(b) + 977) & LIMB;
  if (difference != 0 && difference != 977 && difference != 2 * 977) return false;
  return isEqualAnyTime(a, b) != 0;
}

/** out = (a - b) * c */
// @ts-ignore: decorator
@inline
export function mulDifference(out: Field, a: Field, b: Field, c: Field): void {
  mulThenSub(out, c, a, b, ZERO);
}

/** out = (a - b) * c - d */
// @ts-ignore: decorator
@inline
export function mulDifferenceSub(out: Field, a: Field, b: Field, c: Field, d: Field): void {
  mulThenSub(out, c, a, b, d);
}

/** out = a^2 - b - c */
// @ts-ignore: decorator
@inline
export function sqrSubSub(out: Field, a: Field, b: Field, c: Field): void {
  sub(t1, b, c);
  sqrSubSub2(out, a, t1, c);
}

/** out = a or -a */
export function copyFieldSigned(out: Field, a: Field, negative: bool): void {
  if (negative) sub(out, ZERO, a);
  else copyField(out, a);
}

export function isOnCurve(x: Field, y: Field): bool {
  curveEquation(t0, x);
  sqr(t1, y);
  return isEqual(t0, t1);
}

/** out = 3 x^2 / 2 y, the slope of the tangent. No point has y = 0. */
export function tangent(out: Field, x: Field, y: Field): void {
  invertVarTime(t0, y);
  sqrTimes3Half(t1, x);
  mul(out, t0, t1);
}

/** out = a, in the form in which mulScalar multiplies by it. */
// @ts-ignore: decorator
@inline
export function toFactor(out: usize, a: usize): void {
  if (out != a) memory.copy(out, a, 32);
}

/**
 * The verdict on a signature that is valid: 1 and its recovery id, of which bit 0 is the parity of the nonce's point and
 * bit 1 says that its x is at least n. A high s is replaced by n - s, which is for the opposite point; s is big-endian then.
 */
export function accept(s: usize, y: Field, isBeyondOrder: bool): u8 {
  const high = isHigh(s);
  negateScalarIf(s, s, 0 - high);
  reverse32(s, s);
  toBytes(BYTES, y);
  const odd = <u64>(load<u8>(BYTES) & 1);
  return 1 + <u8>(odd ^ high) + (u8(isBeyondOrder) << 1);
}
