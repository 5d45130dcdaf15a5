// Points of the curve y^2 = x^3 + 7 over the field of field.ts, none of them infinity, in three representations:
//   Affine      x, y
//   Xyzz        X, Y, ZZ, ZZZ with x = X/ZZ, y = Y/ZZZ, ZZ^3 = ZZZ^2      for secrets
//   Jacobian    X, Y, Z with x = X/Z^2, y = Y/Z^3                         for public points
// Coordinates have magnitude 1, except the y of an Affine that is added to an Xyzz: it may have magnitude 2.

import {
  copyField,
  curveEquation,
  invert,
  invertVarTime,
  invertWithScalar,
  isEqual,
  isZeroVarTime,
  ONE,
  squareRoot,
  toBytes,
  ZERO,
} from './field';
import {
  Field,
  mul,
  mulAdd,
  mulDifferenceAddSqr,
  mulDifferenceSub,
  mulDifferenceSubMul,
  mulSub,
  sqr,
  sqrSubSub2,
  sqrTimes3Half,
  sub,
  Wide,
} from './field-kernels';
import { POINT_SPACE } from './space';

@unmanaged
export class Affine {
  get x(): Field { return changetype<Field>(changetype<usize>(this)); }
  get y(): Field { return changetype<Field>(changetype<usize>(this) + 36); }
  get wideY(): Wide { return changetype<Wide>(changetype<usize>(this) + 36); }
}

@unmanaged
export class Jacobian {
  get X(): Field { return changetype<Field>(changetype<usize>(this)); }
  get Y(): Field { return changetype<Field>(changetype<usize>(this) + 36); }
  get Z(): Field { return changetype<Field>(changetype<usize>(this) + 72); }
}

@unmanaged
export class Xyzz {
  get X(): Field { return changetype<Field>(changetype<usize>(this)); }
  get Y(): Field { return changetype<Field>(changetype<usize>(this) + 36); }
  get ZZ(): Field { return changetype<Field>(changetype<usize>(this) + 72); }
  get ZZZ(): Field { return changetype<Field>(changetype<usize>(this) + 108); }
}

/** Bytes of an Affine, a multiple of 16 for the vector loads of the table scan; 8 of them are unused. */
export const AFFINE_BYTES: usize = 80;

const t0 = changetype<Field>(POINT_SPACE);
const t1 = changetype<Field>(POINT_SPACE + 40);
const t2 = changetype<Field>(POINT_SPACE + 80);
const t3 = changetype<Field>(POINT_SPACE + 120);
const t4 = changetype<Field>(POINT_SPACE + 160);
const t5 = changetype<Field>(POINT_SPACE + 200);
const BYTES = POINT_SPACE + 240; // 32

/** p = a + b by EFD "mmadd-2008-s" (4M + 2S), for b that is neither a nor -a. */
export function setSum(p: Xyzz, a: Affine, b: Affine): void {
  copyField(p.X, a.x);
  mul(p.Y, ONE, a.wideY);
  sub(t0, b.x, p.X); // P
  sub(t1, b.wideY, p.Y); // R
  addFromDifferences(p);
  copyField(p.ZZ, t2);
  copyField(p.ZZZ, t3);
}

/** p += q by EFD "madd-2008-s" (8M + 2S), for q that is neither p nor -p: who adds secret points proves that. */
export function addDistinct(p: Xyzz, q: Affine): void {
  mulSub(t0, q.x, p.ZZ, p.X); // P
  mulSub(t1, p.ZZZ, q.wideY, p.Y); // R
  addFromDifferences(p);
  mul(p.ZZ, p.ZZ, t2);
  mul(p.ZZZ, p.ZZZ, t3);
}

/** X and Y of the sum from P and R in t0, t1; leaves PP and PPP in t2, t3. */
function addFromDifferences(p: Xyzz): void {
  sqr(t2, t0); // PP
  mul(t3, t2, t0); // PPP
  mul(t4, p.X, t2); // Q
  sqrSubSub2(p.X, t1, t3, t4);
  mulDifferenceSubMul(p.Y, t1, t4, p.X, p.Y, t3);
}

/** p += q for q that is neither p nor -p, with the difference of their x (q's less p's) and its inverse. */
export function addAffine(p: Affine, q: Affine, difference: Field, inverse: Field): void {
  mulDifferenceSub(t0, inverse, q.wideY, p.wideY, ZERO); // the slope
  sqrSubSub2(t1, t0, difference, p.x);
  mulDifferenceSub(p.y, t0, p.x, t1, p.wideY);
  copyField(p.x, t1);
}

/** x and y, 32 normalized little-endian bytes each. */
export function xyzzToBytes(x: usize, y: usize, p: Xyzz): void {
  invert(t0, p.ZZZ);
  divide(x, y, p);
}

/** The same, and k = 1/k modulo n. */
export function xyzzToBytesAndInvert(x: usize, y: usize, p: Xyzz, k: usize): void {
  invertWithScalar(t0, p.ZZZ, k);
  divide(x, y, p);
}

/** With 1/ZZZ in t0. As Z = ZZZ/ZZ, 1/ZZ is (ZZ/ZZZ)^2. */
function divide(x: usize, y: usize, p: Xyzz): void {
  mul(t1, t0, p.ZZ);
  sqr(t1, t1);
  mul(t1, p.X, t1);
  toBytes(x, t1);
  mul(t1, p.Y, t0);
  toBytes(y, t1);
}

export function jacobianToBytesVarTime(x: usize, y: usize, p: Jacobian): void {
  invertVarTime(t0, p.Z);
  sqr(t1, t0);
  mul(t0, t0, t1);
  mul(t1, p.X, t1);
  toBytes(x, t1);
  mul(t1, p.Y, t0);
  toBytes(y, t1);
}

export function setAffine(p: Jacobian, q: Affine, negative: bool): void {
  copyField(p.X, q.x);
  if (negative) sub(p.Y, ZERO, q.y);
  else copyField(p.Y, q.y);
  copyField(p.Z, ONE);
}

/**
 * p = -2p: 3M + 4S with L = 3 X^2 / 2, S = Y^2, T = X S, X3 = L^2 - 2 T, -Y3 = L (X3 - T) + S^2, Z3 = Y Z. It is EFD
 * "dbl-2009-l" with coordinates divided by 4, 8, 2, and with a sign that spares the negation of S^2. There is no point of
 * order 2.
 */
export function doubleNegated(p: Jacobian): void {
  sqr(t0, p.Y); // S
  sqrTimes3Half(t1, p.X); // L
  mul(t2, p.X, t0); // T
  mul(p.Z, p.Y, p.Z);
  sqrSubSub2(p.X, t1, ZERO, t2);
  mulDifferenceAddSqr(p.Y, t1, p.X, t2, t0);
}

/** p = 2p */
export function double(p: Jacobian): void {
  doubleNegated(p);
  sub(p.Y, ZERO, p.Y);
}

/**
 * p += q, or p -= q, by EFD "madd" (8M + 3S). Gives false where the sum is infinity, which p then is not.
 * q is affine on the curve that p has with `z` for p.Z: z is p.Z, or p.Z times a constant where q is a point of another
 * one of the isomorphic curves y^2 = x^3 + 7 / z^6, of whose 7 the formulas do not depend.
 * With R' = Y1 + S2 in place of R = S2 - Y1, the sign of q changes two operands and costs nothing.
 */
export function addAffineVarTime(p: Jacobian, z: Field, q: Affine, negative: bool): bool {
  sqr(t0, z);
  mulSub(t1, q.x, t0, p.X); // H
  mul(t0, t0, z);
  if (negative) mulAdd(t2, q.y, t0, p.Y); // -R
  else mulSub(t2, q.y, t0, p.Y); // R
  if (isZeroVarTime(t1)) {
    if (!isZeroVarTime(t2)) return false;
    double(p);
    return true;
  }
  mul(p.Z, p.Z, t1);
  sqr(t0, t1); // H^2
  mul(t3, t1, t0); // H^3
  mul(t4, p.X, t0); // V
  sqrSubSub2(p.X, t2, t3, t4);
  if (negative) mulDifferenceSubMul(p.Y, t2, p.X, t4, p.Y, t3);
  else mulDifferenceSubMul(p.Y, t2, t4, p.X, p.Y, t3);
  return true;
}

/**
 * sum = p + q, and q for the sum's Z, which is h times the one that p and q share: Meloni, "New point addition formulae
 * for ECC applications" (WAIFI 2007), 4M + 2S without the Z. p is neither q nor -q.
 */
export function addCoZ(sum: Affine, p: Affine, q: Affine, h: Field): void {
  sub(h, p.x, q.x); // H
  sub(t0, p.y, q.y); // R
  sqr(t1, h);
  mul(t2, h, t1); // H^3
  mul(q.x, q.x, t1); // V
  mul(q.y, q.y, t2);
  sqrSubSub2(sum.x, t0, t2, q.x);
  sub(t1, q.x, sum.x);
  mulSub(sum.y, t0, t1, q.y);
}

/** Sets p.y to the root of the given parity for p.x. Gives false where there is none. */
export function liftX(p: Affine, odd: u64): bool {
  curveEquation(t0, p.x);
  squareRoot(t1, t0);
  sqr(t2, t1);
  if (!isEqual(t2, t0)) return false;
  toBytes(BYTES, t1);
  if ((load<u64>(BYTES) & 1) == odd) copyField(p.y, t1);
  else sub(p.y, ZERO, t1);
  return true;
}

export function isOnCurve(p: Affine): bool {
  curveEquation(t0, p.x);
  sqr(t1, p.y);
  return isEqual(t0, t1) != 0;
}
