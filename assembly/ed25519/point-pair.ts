// Two points of the curve side by side, one in each lane, in extended coordinates and with the complete formulas of
// point.ts. The steps are the same for all points.

import { ED25519_PAIR } from '../memory';
import { Field } from './field-kernels';
import {
  FieldPair,
  LoosePair,
  PAIR_BYTES,
  mulPair,
  negatePairIf,
  sumAndDifference,
  swapPairIf,
  twiceSumAndDifference,
} from './field-lanes-kernels';
import { Point, addPoint } from './point';

/** X, Y, Z, T of both. */
@unmanaged
@final
export class PointPair {
  @inline get x(): FieldPair { return pair(changetype<usize>(this), 0); }
  @inline get y(): FieldPair { return pair(changetype<usize>(this), 1); }
  @inline get z(): FieldPair { return pair(changetype<usize>(this), 2); }
  @inline get t(): FieldPair { return pair(changetype<usize>(this), 3); }
}
export const POINT_PAIR_BYTES: usize = 4 * PAIR_BYTES;

/** y + x, y - x, 2dxy of both. The last is loose where it was negated. */
@unmanaged
@final
export class NielsPair {
  @inline get yPlusX(): FieldPair { return pair(changetype<usize>(this), 0); }
  @inline get yMinusX(): FieldPair { return pair(changetype<usize>(this), 1); }
  @inline get xy2d(): LoosePair { return pair(changetype<usize>(this), 2); }
}
export const NIELS_PAIR_BYTES: usize = 3 * PAIR_BYTES;

// @ts-ignore: decorator
@inline
function pair(address: usize, index: usize): FieldPair {
  return changetype<FieldPair>(address + PAIR_BYTES * index);
}

// Named as in the formulas of point.ts.
const A = changetype<FieldPair>(ED25519_PAIR);
const B = changetype<FieldPair>(ED25519_PAIR + 80);
const C = changetype<FieldPair>(ED25519_PAIR + 160);
const E = changetype<LoosePair>(ED25519_PAIR + 240);
const F = changetype<FieldPair>(ED25519_PAIR + 320);
const G = changetype<LoosePair>(ED25519_PAIR + 400);
const H = changetype<FieldPair>(ED25519_PAIR + 480);
const ODD = changetype<Point>(ED25519_PAIR + 560); // 144

// Public.
const TWO: FieldPair = changetype<FieldPair>(memory.data<u32>([2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 16));
const FOUR: FieldPair = changetype<FieldPair>(memory.data<u32>([4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 16));

/** Negates the points in the lanes where mask is all ones; the words of a lane are the even or the odd ones. */
export function negateNielsPairIf(n: NielsPair, mask: v128): void {
  swapPairIf(n.yPlusX, n.yMinusX, mask);
  negatePairIf(n.xy2d, changetype<FieldPair>(n.xy2d), mask);
}

/** p += n in both lanes. */
export function addNielsPair(p: PointPair, n: NielsPair): void {
  sumAndDifference(H, E, p.y, p.x);
  mulPair(A, E, n.yMinusX);
  mulPair(B, H, n.yPlusX);
  mulPair(C, n.xy2d, p.t);
  sumAndDifference(H, E, B, A);
  twiceSumAndDifference(G, F, p.z, C);
  mulPair(p.x, E, F);
  mulPair(p.y, G, H);
  mulPair(p.z, G, F);
  mulPair(p.t, E, H);
}

/** p = n in both lanes, with Z = 4: the coordinates are 4x, 4y, 4 and 4xy. */
export function fromNielsPair(p: PointPair, n: NielsPair): void {
  sumAndDifference(H, E, n.yPlusX, n.yMinusX);
  mulPair(p.x, E, TWO);
  mulPair(p.y, H, TWO);
  memory.copy(changetype<usize>(p.z), changetype<usize>(FOUR), PAIR_BYTES);
  mulPair(p.t, E, H);
}

/** out = the point of the first lane + that of the second. */
export function addLanes(out: Point, p: PointPair): void {
  splitPair(out.x, ODD.x, p.x);
  splitPair(out.y, ODD.y, p.y);
  splitPair(out.z, ODD.z, p.z);
  splitPair(out.t, ODD.t, p.t);
  addPoint(out, ODD);
}

function splitPair(even: Field, odd: Field, a: FieldPair): void {
  const at = changetype<usize>(a);
  const w0 = v128.load(at), w1 = v128.load(at, 16), w2 = v128.load(at, 32), w3 = v128.load(at, 48);
  v128.store(changetype<usize>(even), i32x4.shuffle(w0, w1, 0, 2, 4, 6));
  v128.store(changetype<usize>(even), i32x4.shuffle(w2, w3, 0, 2, 4, 6), 16);
  v128.store(changetype<usize>(odd), i32x4.shuffle(w0, w1, 1, 3, 5, 7));
  v128.store(changetype<usize>(odd), i32x4.shuffle(w2, w3, 1, 3, 5, 7), 16);
  even.l8 = load<u32>(at, 64);
  odd.l8 = load<u32>(at, 68);
}
