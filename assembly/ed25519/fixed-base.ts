// The base point times a secret scalar: s = sum d_i 64^i with 43 signed digits from -32 to 31, and a table of j 64^i B
// for j = 1 ... 32. Every entry of a row is read whatever the digit, and sign and zero are applied with masks.

import { ED25519_MULT, TABLE_SCRATCH } from '../memory';
import { Field, negIf, swapIf } from './field-kernels';
import {
  CACHED_BYTES,
  Cached,
  NIELS_BYTES,
  Niels,
  POINT_BYTES,
  Point,
  addCached,
  addNiels,
  double,
  keepProjective,
  setBase,
  setIdentity,
  toCached,
  toNielsTogether,
} from './point';
import { Scalar } from './scalar';

const WINDOW = 6;
const WINDOWS = 43; // 43 * 6 = 258 bits
const ROW = 32;
const ROW_BYTES: usize = ROW * NIELS_BYTES;

// Secret.
const DIGITS: usize = ED25519_MULT; // 48
const SELECTED = changetype<Niels>(ED25519_MULT + 48); // 112

// Public.
const SIGNING_TABLE: usize = memory.data(<i32>(WINDOWS * ROW_BYTES), 64);
const STEP = changetype<Point>(memory.data(<i32>POINT_BYTES, 16));
const STEP_CACHED = changetype<Cached>(memory.data(<i32>CACHED_BYTES, 16));

let signingTableReady = false;

/** out = s B for a secret s below 2^255. */
export function multiplyBase(out: Point, s: Scalar): void {
  if (!signingTableReady) fillSigningTable();
  recode(changetype<usize>(s));
  setIdentity(out);
  for (let i = 0; i < WINDOWS; i++) {
    select(SIGNING_TABLE + ROW_BYTES * i, load<i8>(DIGITS + i));
    addNiels(out, SELECTED);
  }
}

/** Digits from -32 to 31; the last one has at most three bits and takes the last carry. */
function recode(s: usize): void {
  let carry: i32 = 0;
  for (let i = 0; i < WINDOWS - 1; i++) {
    const at = WINDOW * i;
    const digit = ((<i32>load<u16>(s + (at >> 3)) >> (at & 7)) & 63) + carry;
    carry = (digit + 32) >> WINDOW;
    store<i8>(DIGITS + i, digit - (carry << WINDOW));
  }
  store<i8>(DIGITS + WINDOWS - 1, (<i32>load<u8>(s, 31) >> 4) + carry);
}

/** SELECTED = |digit|-th entry of the row, or the neutral element for 0, negated if digit < 0; reads the whole row. */
function select(row: usize, digit: i32): void {
  const sign = digit >> 31;
  const wanted = i32x4.splat((digit ^ sign) - sign);
  let index = i32x4.splat(0);
  let mask = i32x4.eq(wanted, index);
  // The neutral element: y + x = 1 in word 0, y - x = 1 in word 9, 2dxy = 0.
  let s0 = v128.and(mask, i32x4(1, 0, 0, 0));
  let s1 = i32x4.splat(0);
  let s2 = v128.and(mask, i32x4(0, 1, 0, 0));
  let s3 = i32x4.splat(0);
  let s4 = i32x4.splat(0);
  let s5 = i32x4.splat(0);
  let s6 = i32x4.splat(0);
  for (const end = row + ROW_BYTES; row < end; row += NIELS_BYTES) {
    index = i32x4.add(index, i32x4.splat(1));
    mask = i32x4.eq(wanted, index);
    s0 = v128.or(s0, v128.and(mask, v128.load(row, 0)));
    s1 = v128.or(s1, v128.and(mask, v128.load(row, 16)));
    s2 = v128.or(s2, v128.and(mask, v128.load(row, 32)));
    s3 = v128.or(s3, v128.and(mask, v128.load(row, 48)));
    s4 = v128.or(s4, v128.and(mask, v128.load(row, 64)));
    s5 = v128.or(s5, v128.and(mask, v128.load(row, 80)));
    s6 = v128.or(s6, v128.and(mask, v128.load(row, 96)));
  }
  const out = changetype<usize>(SELECTED);
  v128.store(out, s0, 0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
  v128.store(out, s4, 64);
  v128.store(out, s5, 80);
  v128.store(out, s6, 96);

  const negative = <u64>(<i64>sign);
  swapIf(SELECTED.yPlusX, SELECTED.yMinusX, negative);
  negIf(SELECTED.xy2d, changetype<Field>(SELECTED.xy2d), negative);
}

/** Row i: 1, 2 ... 32 times 64^i B; twice the last is the first of the next row. */
function fillSigningTable(): void {
  setBase(STEP);
  for (let i = 0; i < WINDOWS; i++) {
    toCached(STEP_CACHED, STEP);
    for (let j = 0; j < ROW; j++) {
      if (j > 0) addCached(STEP, STEP_CACHED);
      keepProjective(SIGNING_TABLE + NIELS_BYTES * (ROW * i + j), STEP);
    }
    double(STEP);
  }
  toNielsTogether(SIGNING_TABLE, WINDOWS * ROW, TABLE_SCRATCH);
  signingTableReady = true;
}
