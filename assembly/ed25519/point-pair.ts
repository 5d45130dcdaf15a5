// Two points of the curve side by side, one in each lane, in extended coordinates and with the complete formulas of
// point-lanes.ts. The steps are the same for all points.

import { ED25519_PAIR } from '../memory';
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
import { Point } from './point';
import { LaneCached, LanePoint, addLaneCached, splitLanes, toLaneCached } from './point-lanes';

/** X, Y, Z, T of both. */
@unmanaged
@final
export class PointPair {
  @inline get x(): FieldPair { return pair(changetype<usize>(this), 0); }
  @inline get y(): FieldPair { return pair(changetype<usize>(this), 1); }
  @inline get z(): FieldPair { return pair(changetype<usize>(this), 2); }
  @inline get t(): FieldPair { return pair(changetype<usize>(this), 3); }
}

/** y + x, y - x, 2dxy of both. The last is loose where it was negated. */
@unmanaged
@final
export class NielsPair {
  @inline get yPlusX(): FieldPair { return pair(changetype<usize>(this), 0); }
  @inline get yMinusX(): FieldPair { return pair(changetype<usize>(this), 1); }
  @inline get xy2d(): LoosePair { return pair(changetype<usize>(this), 2); }
}

// @ts-ignore: decorator
@inline
function pair(address: usize, index: usize): FieldPair {
  return changetype<FieldPair>(address + PAIR_BYTES * index);
}

// Named as in the formulas.
const A = changetype<FieldPair>(ED25519_PAIR);
const B = changetype<FieldPair>(ED25519_PAIR + 80);
const C = changetype<FieldPair>(ED25519_PAIR + 160);
const E = changetype<LoosePair>(ED25519_PAIR + 240);
const F = changetype<FieldPair>(ED25519_PAIR + 320);
const G = changetype<LoosePair>(ED25519_PAIR + 400);
const H = changetype<FieldPair>(ED25519_PAIR + 480);
const ADDEND = changetype<LaneCached>(ED25519_PAIR + 560); // 160

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

/** out = the point of the even lane + that of the odd one, without T. Overwrites p. */
export function addLanes(out: Point, p: PointPair): void {
  const even = changetype<LanePoint>(p), odd = changetype<LanePoint>(p.z);
  for (let at = changetype<usize>(p), end = at + PAIR_BYTES; at < end; at += 16) {
    const x = v128.load(at), y = v128.load(at, 80), z = v128.load(at, 160), t = v128.load(at, 240);
    v128.store(at, i32x4.shuffle(x, y, 0, 4, 2, 6));
    v128.store(at, i32x4.shuffle(t, z, 0, 4, 2, 6), 80);
    v128.store(at, i32x4.shuffle(x, y, 1, 5, 3, 7), 160);
    v128.store(at, i32x4.shuffle(t, z, 1, 5, 3, 7), 240);
  }
  toLaneCached(ADDEND, odd);
  addLaneCached(even, ADDEND);
  splitLanes(out.x, out.y, out.z, even);
}
