// What the verifier takes of P-256: y^2 = x^3 - 3 x + b (SEC 2 §2.4.2). Elements and factors are in Montgomery form.

import { invert, isEqual, ZERO } from '../p256/field';
import {
  B, Field, fromBytes, mul, mulDifference, ONE, sqr, sqrSubSub, THREE, TO_MONTGOMERY as FIELD_TO_MONTGOMERY, TWO,
} from '../p256/field-kernels';
import { mulScalar, TO_MONTGOMERY } from '../p256/scalar';

export { copyField, FIELD_BYTES, invert, isEqual, PRIME } from '../p256/field';
export { Field, mul, mulDifference, mulDifferenceSub, ONE, sqrSubSub } from '../p256/field-kernels';
export { invertScalar, mulScalar, ORDER, PRIME_LESS_ORDER } from '../p256/scalar';

/** G, little-endian */
export const GENERATOR = memory.data<u8>([
  0x96, 0xc2, 0x98, 0xd8, 0x45, 0x39, 0xa1, 0xf4, 0xa0, 0x33, 0xeb, 0x2d, 0x81, 0x7d, 0x03, 0x77,
  0xf2, 0x40, 0xa4, 0x63, 0xe5, 0xe6, 0xbc, 0xf8, 0x47, 0x42, 0x2c, 0xe1, 0xf2, 0xd1, 0x17, 0x6b,
  0xf5, 0x51, 0xbf, 0x37, 0x68, 0x40, 0xb6, 0xcb, 0xce, 0x5e, 0x31, 0x6b, 0x57, 0x33, 0xce, 0x2b,
  0x16, 0x9e, 0x0f, 0x7c, 0x4a, 0xeb, 0xe7, 0x8e, 0x9b, 0x7f, 0x1a, 0xfe, 0xe2, 0x42, 0xe3, 0x4f,
]);

const t0 = changetype<Field>(memory.data(36, 16));
const t1 = changetype<Field>(memory.data(36, 16));

/** out = the number at `bytes`, little-endian and below p. */
export function fieldOf(out: Field, bytes: usize): void {
  fromBytes(out, bytes);
  mul(out, out, FIELD_TO_MONTGOMERY);
}

/** out = a or -a. Limbs are signed: each is negated by itself. */
export function copyFieldSigned(out: Field, a: Field, negative: bool): void {
  const from = changetype<usize>(a), to = changetype<usize>(out);
  const mask = -<i32>negative, masks = i32x4.splat(mask);
  v128.store(to, i32x4.sub(v128.xor(v128.load(from), masks), masks));
  v128.store(to, i32x4.sub(v128.xor(v128.load(from, 16), masks), masks), 16);
  store<i32>(to, (load<i32>(from, 32) ^ mask) - mask, 32);
}

export function isOnCurve(x: Field, y: Field): bool {
  sqr(t0, x);
  mulDifference(t0, t0, THREE, x);
  sqrSubSub(t1, y, t0, B);
  return isEqual(t1, ZERO);
}

/** out = (3 x^2 - 3) / 2 y, the slope of the tangent. No point has y = 0. */
export function tangent(out: Field, x: Field, y: Field): void {
  mul(t0, y, TWO);
  invert(t0, t0);
  sqr(t1, x);
  mulDifference(t1, t1, ONE, THREE);
  mul(out, t0, t1);
}

/** out = a in the form in which mulScalar multiplies by it. */
// @ts-ignore: decorator
@inline
export function toFactor(out: usize, a: usize): void {
  mulScalar(out, a, TO_MONTGOMERY);
}

/** The verdict on a signature that is valid. */
// @ts-ignore: decorator
@inline
export function accept(s: usize, y: Field, isBeyondOrder: bool): u8 {
  return 1;
}
