// The base point times a secret scalar. K = s + sum 32 * 64^i modulo L has 42 windows b of 6 bits (the last one may be
// 64), so that s B = sum (b - 32) 64^i B: 42 digits from -32 to 32, of which no one carries into the next. Digits i and
// i + 21 are looked up and added side by side, in two lanes, from a table of j 64^i B for j = 1 ... 32.
//
// Every entry of a row is read whatever the digits; sign and zero are applied with masks.

import { ED25519_MULT, ED25519_PAIR, TABLE_SCRATCH } from '../memory';
import { NIELS_BYTES, Point, toNielsTogether } from './point';
import {
  LANE_CACHED_BYTES,
  LANE_POINT_BYTES,
  LaneCached,
  LanePoint,
  addLaneCached,
  doubleLanes,
  setBase,
  splitLanes,
  toLaneCached,
} from './point-lanes';
import { NielsPair, PointPair, addLanes, addNielsPair, fromNielsPair, negateNielsPairIf } from './point-pair';
import { Scalar, multiplyAdd } from './scalar';

const WINDOW = 6;
const STEPS = 21; // of two windows each
const ROW = 32;

// An entry is a NielsPair without its padding, in halves: y + x and 2dxy's limbs 0 to 3, y - x and its limbs 4 to 7. Its
// limb 8 is where the first half would have padding.
const HALF_BYTES: usize = NIELS_BYTES;
const ENTRY_BYTES: usize = 2 * NIELS_BYTES;
const ROW_BYTES: usize = ROW * ENTRY_BYTES;

// Secret.
const WINDOWS = changetype<Scalar>(ED25519_MULT); // 32
const SELECTED = changetype<NielsPair>(ED25519_MULT + 32); // 240
const SUMS = changetype<PointPair>(ED25519_PAIR + 960); // 320

// Public.
const SIGNING_TABLE: usize = memory.data(<i32>(STEPS * ROW_BYTES), 64);
const STEP = changetype<LanePoint>(memory.data(<i32>LANE_POINT_BYTES, 16));
const STEP_CACHED = changetype<LaneCached>(memory.data(<i32>LANE_CACHED_BYTES, 16));
const ENTRY: usize = memory.data(<i32>ENTRY_BYTES, 16);
const ONE = changetype<Scalar>(memory.data<u64>([1, 0, 0, 0]));
/** sum 32 * 64^i for i = 0 ... 41 */
const OFFSET = changetype<Scalar>(
  memory.data<u64>([0x0820820820820820, 0x2082082082082082, 0x8208208208208208, 0x0820820820820820]),
);
const ONES: usize = memory.data<u32>([1, 1, 1, 1], 16);
const LIMB_0: usize = memory.data<u32>([1, 1, 0, 0], 16);

let signingTableReady = false;

/** out = s B for a secret s of 32 bytes. */
export function multiplyBase(out: Point, s: Scalar): void {
  if (!signingTableReady) fillSigningTable();
  multiplyAdd(WINDOWS, s, ONE, OFFSET);
  select(STEPS - 1, window(STEPS - 1), load<u16>(changetype<usize>(WINDOWS), 30) >> 6);
  fromNielsPair(SUMS, SELECTED);
  for (let i = STEPS - 2; i >= 0; i--) {
    select(i, window(i), window(i + STEPS));
    addNielsPair(SUMS, SELECTED);
  }
  addLanes(out, SUMS);
}

// @ts-ignore: decorator
@inline
function window(i: i32): i32 {
  const at = WINDOW * i;
  return (<i32>load<u16>(changetype<usize>(WINDOWS) + (at >> 3)) >> (at & 7)) & 63;
}

/** SELECTED = the entries of row i for both digits: the neutral element for 0, negated for less; reads the whole row. */
function select(i: i32, even: i32, odd: i32): void {
  const negative = inWords((even - 32) >> 31, (odd - 32) >> 31);
  const wanted = i32x4.abs(inWords(even - 32, odd - 32));
  const row = SIGNING_TABLE + ROW_BYTES * i;
  const product = changetype<usize>(SELECTED.xy2d);
  selectHalf(row, wanted, changetype<usize>(SELECTED.yPlusX), product);
  selectHalf(row + HALF_BYTES, wanted, changetype<usize>(SELECTED.yMinusX), product + 32);
  const last = SELECTED.yPlusX.w4;
  SELECTED.xy2d.w4 = i64x2.shuffle(last, last, 1, 0);
  negateNielsPairIf(SELECTED, negative);
}

// @ts-ignore: decorator
@inline
function inWords(even: i32, odd: i32): v128 {
  return i64x2.splat((<i64>odd << 32) | <i64>(<u32>even));
}

/** The entry's half to `sum` (for the neutral element 1) and the rest of it to `product`; four entries a round. */
function selectHalf(at: usize, wanted: v128, sum: usize, product: usize): void {
  const one = v128.load(ONES), zero = i32x4.splat(0);
  let index = zero;
  let mask = i32x4.eq(wanted, zero);
  let s0 = v128.and(mask, v128.load(LIMB_0)), s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero;
  for (const end = at + ROW_BYTES; at < end; at += 4 * ENTRY_BYTES) {
    index = i32x4.add(index, one);
    mask = i32x4.eq(wanted, index);
    s0 = v128.or(s0, v128.and(mask, v128.load(at, 0)));
    s1 = v128.or(s1, v128.and(mask, v128.load(at, 16)));
    s2 = v128.or(s2, v128.and(mask, v128.load(at, 32)));
    s3 = v128.or(s3, v128.and(mask, v128.load(at, 48)));
    s4 = v128.or(s4, v128.and(mask, v128.load(at, 64)));
    s5 = v128.or(s5, v128.and(mask, v128.load(at, 80)));
    s6 = v128.or(s6, v128.and(mask, v128.load(at, 96)));
    index = i32x4.add(index, one);
    mask = i32x4.eq(wanted, index);
    s0 = v128.or(s0, v128.and(mask, v128.load(at, 224)));
    s1 = v128.or(s1, v128.and(mask, v128.load(at, 240)));
    s2 = v128.or(s2, v128.and(mask, v128.load(at, 256)));
    s3 = v128.or(s3, v128.and(mask, v128.load(at, 272)));
    s4 = v128.or(s4, v128.and(mask, v128.load(at, 288)));
    s5 = v128.or(s5, v128.and(mask, v128.load(at, 304)));
    s6 = v128.or(s6, v128.and(mask, v128.load(at, 320)));
    index = i32x4.add(index, one);
    mask = i32x4.eq(wanted, index);
    s0 = v128.or(s0, v128.and(mask, v128.load(at, 448)));
    s1 = v128.or(s1, v128.and(mask, v128.load(at, 464)));
    s2 = v128.or(s2, v128.and(mask, v128.load(at, 480)));
    s3 = v128.or(s3, v128.and(mask, v128.load(at, 496)));
    s4 = v128.or(s4, v128.and(mask, v128.load(at, 512)));
    s5 = v128.or(s5, v128.and(mask, v128.load(at, 528)));
    s6 = v128.or(s6, v128.and(mask, v128.load(at, 544)));
    index = i32x4.add(index, one);
    mask = i32x4.eq(wanted, index);
    s0 = v128.or(s0, v128.and(mask, v128.load(at, 672)));
    s1 = v128.or(s1, v128.and(mask, v128.load(at, 688)));
    s2 = v128.or(s2, v128.and(mask, v128.load(at, 704)));
    s3 = v128.or(s3, v128.and(mask, v128.load(at, 720)));
    s4 = v128.or(s4, v128.and(mask, v128.load(at, 736)));
    s5 = v128.or(s5, v128.and(mask, v128.load(at, 752)));
    s6 = v128.or(s6, v128.and(mask, v128.load(at, 768)));
  }
  v128.store(sum, s0, 0);
  v128.store(sum, s1, 16);
  v128.store(sum, s2, 32);
  v128.store(sum, s3, 48);
  v128.store(sum, s4, 64);
  v128.store(product, s5, 0);
  v128.store(product, s6, 16);
}

/** Row i: 1, 2 ... 32 times 64^i B and 64^(i + 21) B; twice the last of a window is the first of the next. */
function fillSigningTable(): void {
  setBase(STEP);
  for (let i = 0; i < 2 * STEPS; i++) {
    let at = i < STEPS ? SIGNING_TABLE + ROW_BYTES * i : SIGNING_TABLE + ROW_BYTES * (i - STEPS) + NIELS_BYTES;
    toLaneCached(STEP_CACHED, STEP);
    for (let j = 0; j < ROW; j++) {
      if (j > 0) addLaneCached(STEP, STEP_CACHED);
      const kept = changetype<Point>(at);
      splitLanes(kept.x, kept.y, kept.z, STEP);
      at += ENTRY_BYTES;
    }
    doubleLanes(STEP);
  }
  toNielsTogether(SIGNING_TABLE, 2 * STEPS * ROW, TABLE_SCRATCH);
  for (let i = 0; i < STEPS * ROW; i++) interleave(SIGNING_TABLE + ENTRY_BYTES * i);
  signingTableReady = true;
}

/** Two Niels become an entry. */
function interleave(entry: usize): void {
  for (let element = 0; element < 3; element++) {
    for (let limb = 0; limb < 9; limb++) {
      const from = entry + 36 * element + 4 * limb;
      const to = ENTRY + place(element, limb);
      store<u32>(to, load<u32>(from));
      store<u32>(to, load<u32>(from, NIELS_BYTES), 4);
    }
  }
  memory.copy(entry, ENTRY, ENTRY_BYTES);
}

/** Where an entry has the limb of both elements. */
function place(element: i32, limb: i32): usize {
  if (element < 2) return HALF_BYTES * element + 8 * limb;
  return limb < 8 ? HALF_BYTES * (limb >> 2) + 80 + 8 * (limb & 3) : 72;
}
