// Points of the curve, all of them affine and none of them infinity. An affine addition takes 5 multiplications and a
// squaring where many share one inversion (P. L. Montgomery's trick), which is half of what an addition to a Jacobian point
// takes. All of it is for public points: exceptional cases are branches.

import {
  copyField,
  copyFieldSigned,
  Field,
  FIELD_BYTES,
  invert,
  isEqual,
  mul,
  mulDifference,
  mulDifferenceSub,
  ONE,
  sqrSubSub,
  tangent,
} from './curve';

/** x, y */
@unmanaged
export class Affine {
  get x(): Field { return changetype<Field>(changetype<usize>(this)); }
  get y(): Field { return changetype<Field>(changetype<usize>(this) + 36); }
}

export const AFFINE_BYTES: usize = 72;

const t0 = changetype<Field>(memory.data(36, 16));
const t1 = changetype<Field>(memory.data(36, 16));
const all = changetype<Field>(memory.data(36, 16));

/** Additions that wait for an inversion: p and q each. */
const WAITING: i32 = 1024;
const SUMS = memory.data(8192, 16); // 8 * WAITING
/** The product of the differences of x before each of them, and of all. */
const PRODUCTS = memory.data(36900, 16); // FIELD_BYTES * (WAITING + 1)
let waiting = 0;

export function copyPoint(out: Affine, p: Affine): void {
  copyField(out.x, p.x);
  copyField(out.y, p.y);
}

/** out = p or -p */
export function copySigned(out: Affine, p: Affine, negative: bool): void {
  copyField(out.x, p.x);
  copyFieldSigned(out.y, p.y, negative);
}

/** out = 2 p */
export function double(out: Affine, p: Affine): void {
  tangent(t0, p.x, p.y);
  sqrSubSub(t1, t0, p.x, p.x);
  mulDifferenceSub(out.y, p.x, t1, t0, p.y);
  copyField(out.x, t1);
}

/**
 * p += q, at the latest when `addWaiting` has been called: until then neither may be changed, nor p be used. Gives false
 * where the sum is infinity, which p then is not.
 */
export function addLater(p: Affine, q: Affine): bool {
  if (isEqual(p.x, q.x)) {
    if (!isEqual(p.y, q.y)) return false;
    double(p, p);
    return true;
  }
  if (waiting == WAITING) addWaiting();
  if (waiting == 0) copyField(product(0), ONE);
  store<usize>(SUMS + (waiting << 3), changetype<usize>(p));
  store<usize>(SUMS + (waiting << 3), changetype<usize>(q), 4);
  mulDifference(product(waiting + 1), q.x, p.x, product(waiting));
  waiting++;
  return true;
}

// @ts-ignore: decorator
@inline
function product(count: i32): Field {
  return changetype<Field>(PRODUCTS + <usize>count * FIELD_BYTES);
}

export function addWaiting(): void {
  if (waiting == 0) return;
  invert(all, product(waiting));
  while (waiting > 0) {
    waiting--;
    const p = changetype<Affine>(load<usize>(SUMS + (waiting << 3)));
    const q = changetype<Affine>(load<usize>(SUMS + (waiting << 3), 4));
    mul(t0, all, product(waiting));
    mulDifference(all, q.x, p.x, all);
    mulDifference(t0, q.y, p.y, t0); // the slope
    sqrSubSub(p.x, t0, p.x, q.x);
    mulDifferenceSub(p.y, q.x, p.x, t0, q.y); // on the line through q as well, which is not overwritten
  }
}
