// One point of the curve in two lanes: the products of a formula in pairs, as Hisil, Wong, Carter and Dawson share them out
// to several processors ("Twisted Edwards Curves Revisited", 2008). Extended coordinates (x = X/Z, y = Y/Z, T = XY/Z); the
// formulas are complete (EFD: add-2008-hwcd-3, dbl-2008-hwcd). A pair (u, v) has u in the even lane, v in the odd one.

import { ED25519_PAIR } from '../memory';
import { Field } from './field-kernels';
import {
  BASE_TZ,
  BASE_XY,
  D2_AND_TWO,
  FieldPair,
  PAIR_BYTES,
  SumPair,
  ZERO_AND_ONE,
  differenceAndSum,
  doublingDifferences,
  exchangeOdd,
  mulPair,
  negateCached,
  sqrPair,
  sumAndOdd,
} from './field-lanes-kernels';
import { Point } from './point';

/** (X, Y) and (T, Z). */
@unmanaged
@final
export class LanePoint {
  @inline get xy(): FieldPair { return changetype<FieldPair>(changetype<usize>(this)); }
  @inline get tz(): FieldPair { return changetype<FieldPair>(changetype<usize>(this) + PAIR_BYTES); }
}
export const LANE_POINT_BYTES: usize = 2 * PAIR_BYTES;

/** A point prepared for being added: (Y - X, Y + X) and (2dT, 2Z). */
@unmanaged
@final
export class LaneCached {
  @inline get yx(): FieldPair { return changetype<FieldPair>(changetype<usize>(this)); }
  @inline get tz(): FieldPair { return changetype<FieldPair>(changetype<usize>(this) + PAIR_BYTES); }
}
export const LANE_CACHED_BYTES: usize = 2 * PAIR_BYTES;

// Named as in the formulas.
const AB = changetype<FieldPair>(ED25519_PAIR);
const CD = changetype<FieldPair>(ED25519_PAIR + 80);
const EH = changetype<FieldPair>(ED25519_PAIR + 160);
const FG = changetype<FieldPair>(ED25519_PAIR + 240);
const EG = changetype<FieldPair>(ED25519_PAIR + 320);
const HF = changetype<FieldPair>(ED25519_PAIR + 400);
const SUM = changetype<SumPair>(ED25519_PAIR + 480);
const UNUSED = changetype<Field>(ED25519_PAIR + 480); // 36

/** p = the neutral element. */
export function setNeutral(p: LanePoint): void {
  copyPair(p.xy, ZERO_AND_ONE);
  copyPair(p.tz, ZERO_AND_ONE);
}

/** p = B, the base point. */
export function setBase(p: LanePoint): void {
  copyPair(p.xy, BASE_XY);
  copyPair(p.tz, BASE_TZ);
}

export function copyLanes(out: LanePoint, p: LanePoint): void {
  copyPair(out.xy, p.xy);
  copyPair(out.tz, p.tz);
}

export function joinLanes(out: LanePoint, p: Point): void {
  join(out.xy, p.x, p.y);
  join(out.tz, p.t, p.z);
}

/** X, Y and Z of p. */
export function splitLanes(x: Field, y: Field, z: Field, p: LanePoint): void {
  split(x, y, p.xy);
  split(UNUSED, z, p.tz);
}

export function toLaneCached(out: LaneCached, p: LanePoint): void {
  differenceAndSum(out.yx, p.xy);
  mulPair(out.tz, D2_AND_TWO, p.tz);
}

/** p += c */
export function addLaneCached(p: LanePoint, c: LaneCached): void {
  differenceAndSum(AB, p.xy);
  mulPair(AB, AB, c.yx);
  mulPair(CD, c.tz, p.tz);
  finishAddition(p);
}

/** p -= c: c negated is (Y + X, Y - X) and (-2dT, 2Z). */
export function subtractLaneCached(p: LanePoint, c: LaneCached): void {
  negateCached(EH, SUM, c.yx, c.tz);
  differenceAndSum(AB, p.xy);
  mulPair(AB, AB, EH);
  mulPair(CD, SUM, p.tz);
  finishAddition(p);
}

/** From (A, B) and (C, D): E = B - A, H = B + A, F = D - C, G = D + C. */
function finishAddition(p: LanePoint): void {
  differenceAndSum(EH, AB);
  differenceAndSum(FG, CD);
  exchangeOdd(EG, HF, EH, FG);
  mulPair(p.xy, EH, FG);
  mulPair(p.tz, EG, HF);
}

/** p = 2p. F and H are those of the EFD, both negated. */
export function doubleLanes(p: LanePoint): void {
  const gh = AB, ef = CD, hg = HF;
  sumAndOdd(SUM, p.xy, p.tz);
  sqrPair(AB, p.xy);
  sqrPair(CD, SUM); // (X + Y)^2, Z^2
  differenceAndSum(gh, AB);
  doublingDifferences(ef, hg, CD, gh);
  exchangeOdd(EH, FG, ef, gh);
  mulPair(p.xy, EH, FG);
  mulPair(p.tz, ef, hg);
}

function copyPair(out: FieldPair, a: FieldPair): void {
  memory.copy(changetype<usize>(out), changetype<usize>(a), PAIR_BYTES);
}

function join(out: FieldPair, even: Field, odd: Field): void {
  const to = changetype<usize>(out), from = changetype<usize>(even), other = changetype<usize>(odd);
  for (let i: usize = 0; i < 36; i += 4) {
    store<u32>(to + 2 * i, load<u32>(from + i));
    store<u32>(to + 2 * i, load<u32>(other + i), 4);
  }
}

function split(even: Field, odd: Field, a: FieldPair): void {
  const at = changetype<usize>(a);
  const w0 = v128.load(at), w1 = v128.load(at, 16), w2 = v128.load(at, 32), w3 = v128.load(at, 48);
  v128.store(changetype<usize>(even), i32x4.shuffle(w0, w1, 0, 2, 4, 6));
  v128.store(changetype<usize>(even), i32x4.shuffle(w2, w3, 0, 2, 4, 6), 16);
  v128.store(changetype<usize>(odd), i32x4.shuffle(w0, w1, 1, 3, 5, 7));
  v128.store(changetype<usize>(odd), i32x4.shuffle(w2, w3, 1, 3, 5, 7), 16);
  even.l8 = load<u32>(at, 64);
  odd.l8 = load<u32>(at, 68);
}
