// Points of the curve y^2 = x^3 + 7 over the field of field.ts, in three representations:
//   Affine      x, y
//   Projective  X, Y, Z with x = X/Z, y = Y/Z; infinity is (0 : 1 : 0)      for secrets, with complete addition
//   Jacobian    X, Y, Z with x = X/Z^2, y = Y/Z^3; never infinity           for public points
// Coordinates have magnitude 1, except the y of an Affine that addComplete adds: it may have magnitude 2.

import {
  copyField,
  curveEquation,
  invert,
  invertVarTime,
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
  mulAddSquares,
  mulDifferenceSub8,
  mulDifferenceSubMul,
  mulSub,
  mulSumAddMul,
  mulSumsSub,
  mulTimes2,
  sqr,
  sqrSub8,
  sqrSubSub2,
  sqrTimes3,
  sub,
  times21,
  times3,
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
class Coordinates {
  get X(): Field { return changetype<Field>(changetype<usize>(this)); }
  get Y(): Field { return changetype<Field>(changetype<usize>(this) + 36); }
  get Z(): Field { return changetype<Field>(changetype<usize>(this) + 72); }
}

@unmanaged
export class Projective extends Coordinates {}

@unmanaged
export class Jacobian extends Coordinates {}

/** Bytes of an Affine, a multiple of 16 for the vector loads of the table scan; 8 of them are unused. */
export const AFFINE_BYTES: usize = 80;

const t0 = changetype<Field>(POINT_SPACE);
const t1 = changetype<Field>(POINT_SPACE + 40);
const t2 = changetype<Field>(POINT_SPACE + 80);
const t3 = changetype<Field>(POINT_SPACE + 120);
const t4 = changetype<Field>(POINT_SPACE + 160);
const t5 = changetype<Field>(POINT_SPACE + 200);
const BYTES = POINT_SPACE + 240; // 32

/**
 * p += q for every p on the curve, infinity and q itself included: algorithm 8 of Renes, Costello and Batina, "Complete
 * addition formulas for prime order elliptic curves" (https://eprint.iacr.org/2015/1060), with b3 = 21 and the outputs'
 * pairs of products summed before they are reduced.
 */
export function addComplete(p: Projective, q: Affine): void {
  mul(t0, p.X, q.x);
  mul(t1, p.Y, q.wideY);
  mulSumsSub(t3, q.x, q.wideY, p.X, p.Y, t0, t1); // X1 y2 + x2 Y1
  mulAdd(t4, p.Z, q.wideY, p.Y);
  mulAdd(t5, q.x, p.Z, p.X);
  times21(t5, t5);
  times21(t2, p.Z);
  times3(t0, t0);
  mulDifferenceSubMul(p.X, t3, t1, t2, t4, t5);
  mulAddSquares(p.Y, t5, t0, t1, t2);
  mulSumAddMul(p.Z, t1, t2, t4, t0, t3);
}

export function setInfinity(p: Projective): void {
  copyField(p.X, ZERO);
  copyField(p.Y, ONE);
  copyField(p.Z, ZERO);
}

/** x and y, 32 normalized little-endian bytes each, of a p that is not infinity. */
export function projectiveToBytes(x: usize, y: usize, p: Projective): void {
  invert(t0, p.Z);
  mul(t1, p.X, t0);
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

/** p = 2p: EFD "dbl-2009-l" for a = 0, with D = 4 X B written out. There is no point of order 2. */
export function double(p: Jacobian): void {
  sqr(t0, p.Y); // B
  sqrTimes3(t1, p.X); // E
  mul(t2, p.X, t0); // D / 4
  sqr(t0, t0); // C
  mulTimes2(p.Z, p.Y, p.Z);
  sqrSub8(p.X, t1, t2); // E^2 - 2 D
  mulDifferenceSub8(p.Y, t1, t2, p.X, t0); // E (D - X3) - 8 C
}

/**
 * p += q, or p -= q, by EFD "madd" (8M + 3S). Gives false where the sum is infinity, which p then is not.
 * With R' = Y1 + S2 in place of R = S2 - Y1, the sign of q changes two operands and costs nothing.
 */
export function addAffineVarTime(p: Jacobian, q: Affine, negative: bool): bool {
  sqr(t0, p.Z);
  mulSub(t1, q.x, t0, p.X); // H
  mul(t0, t0, p.Z);
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
