// Scalar multiplication: of the base point by a secret scalar, and of several points by public ones.
//
// Fixed base: s = sum d_i 64^i with 43 signed digits from -32 to 31, and a table of j 64^i B for j = 1 ... 32. Every
// entry of a row is read whatever the digit, and sign and zero are applied with masks.
// Variable time: interleaved NAFs (Straus) with a table of odd multiples of each point.

import { ED25519_MULT } from '../memory';
import { BASE_X, BASE_Y, Field, ONE, copy, mul, negIf, swapIf } from './field-kernels';
import {
  CACHED_BYTES,
  Cached,
  NIELS_BYTES,
  Niels,
  POINT_BYTES,
  Point,
  addCached,
  addMissingT,
  addNiels,
  copyPoint,
  double,
  doubleWithoutT,
  setIdentity,
  subtractCached,
  subtractNiels,
  toCached,
  toNielsTogether,
} from './point';
import { Scalar } from './scalar';

const WINDOW = 6;
const WINDOWS = 43; // 43 * 6 = 258 bits
const ROW = 32;
const ROW_BYTES: usize = ROW * NIELS_BYTES;

const NAF_WIDTH = 5;
const ODD_MULTIPLES = 8; // 1, 3 ... 15
const BASE_NAF_WIDTH = 8;
const BASE_ODD_MULTIPLES = 64; // 1, 3 ... 127
const NAF_BYTES: usize = 256; // one signed digit for each bit

const TOP_BIT = 253; // of the NAF of a scalar below L

/** How many terms a sum can have, besides the base point's. */
export const MAX_TERMS = 128;

// Secret.
const DIGITS: usize = ED25519_MULT; // 48
const SELECTED = changetype<Niels>(ED25519_MULT + 48); // 112

// Public.
const SIGNING_TABLE: usize = memory.data(<i32>(WINDOWS * ROW_BYTES), 64);
const BASE_TABLE: usize = memory.data(<i32>(BASE_ODD_MULTIPLES * NIELS_BYTES), 64);
const BASE_NAF: usize = memory.data(<i32>NAF_BYTES, 16);
const TABLES: usize = memory.data(<i32>(MAX_TERMS * ODD_MULTIPLES * CACHED_BYTES), 64);
const NAFS: usize = memory.data(<i32>(MAX_TERMS * NAF_BYTES), 64);
const STEP = changetype<Point>(memory.data(<i32>POINT_BYTES, 16));
const STEP_CACHED = changetype<Cached>(memory.data(<i32>CACHED_BYTES, 16));

let signingTableReady = false;
let baseTableReady = false;
let terms = 0;
let tMissing = false;

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

function setBase(p: Point): void {
  copy(p.x, BASE_X);
  copy(p.y, BASE_Y);
  copy(p.z, ONE);
  mul(p.t, BASE_X, BASE_Y);
}

/** Row i: 1, 2 ... 32 times 64^i B; twice the last is the first of the next row. */
function fillSigningTable(): void {
  setBase(STEP);
  for (let i = 0; i < WINDOWS; i++) {
    toCached(STEP_CACHED, STEP);
    for (let j = 0; j < ROW; j++) {
      if (j > 0) addCached(STEP, STEP_CACHED);
      keepProjective(SIGNING_TABLE + NIELS_BYTES * (ROW * i + j));
    }
    double(STEP);
  }
  toNielsTogether(SIGNING_TABLE, WINDOWS * ROW, TABLES);
  signingTableReady = true;
}

/** 1, 3 ... 127 times B. */
function fillBaseTable(): void {
  setBase(STEP);
  double(STEP);
  toCached(STEP_CACHED, STEP);
  setBase(STEP);
  for (let j = 0; j < BASE_ODD_MULTIPLES; j++) {
    if (j > 0) addCached(STEP, STEP_CACHED);
    keepProjective(BASE_TABLE + NIELS_BYTES * j);
  }
  toNielsTogether(BASE_TABLE, BASE_ODD_MULTIPLES, TABLES);
  baseTableReady = true;
}

/** Puts X, Y and Z of STEP where toNielsTogether expects them. */
function keepProjective(entry: usize): void {
  const kept = changetype<Point>(entry);
  copy(kept.x, STEP.x);
  copy(kept.y, STEP.y);
  copy(kept.z, STEP.z);
}

/** Begins a sum of multiples of public points by public scalars. */
export function startSumVarTime(): void {
  if (!baseTableReady) fillBaseTable();
  terms = 0;
}

/** Adds s p to the sum, for s below L; at most MAX_TERMS times. */
export function addTermVarTime(s: Scalar, p: Point): void {
  nafVarTime(NAFS + NAF_BYTES * terms, changetype<usize>(s), NAF_WIDTH);
  const table = TABLES + CACHED_BYTES * ODD_MULTIPLES * terms;
  copyPoint(STEP, p);
  double(STEP);
  toCached(STEP_CACHED, STEP);
  copyPoint(STEP, p);
  for (let j = 0; j < ODD_MULTIPLES; j++) {
    if (j > 0) addCached(STEP, STEP_CACHED);
    toCached(changetype<Cached>(table + CACHED_BYTES * j), STEP);
  }
  terms++;
}

/** out = the sum + s B, for s below L. */
export function finishSumVarTime(out: Point, s: Scalar): void {
  nafVarTime(BASE_NAF, changetype<usize>(s), BASE_NAF_WIDTH);
  setIdentity(out);
  for (let bit = TOP_BIT; bit >= 0; bit--) {
    doubleWithoutT(out);
    tMissing = true;
    for (let i = 0; i < terms; i++) addMultiple(out, i, <i32>load<i8>(NAFS + NAF_BYTES * i + bit));
    addBaseMultiple(out, <i32>load<i8>(BASE_NAF + bit));
  }
  if (tMissing) addMissingT(out);
}

function addMultiple(out: Point, i: i32, digit: i32): void {
  if (digit == 0) return;
  const entry = changetype<Cached>(TABLES + CACHED_BYTES * (ODD_MULTIPLES * i + (abs(digit) >> 1)));
  provideT(out);
  if (digit > 0) addCached(out, entry);
  else subtractCached(out, entry);
}

function addBaseMultiple(out: Point, digit: i32): void {
  if (digit == 0) return;
  const entry = changetype<Niels>(BASE_TABLE + NIELS_BYTES * (abs(digit) >> 1));
  provideT(out);
  if (digit > 0) addNiels(out, entry);
  else subtractNiels(out, entry);
}

/** Only what is added to needs its T: most doublings are followed by another. */
function provideT(p: Point): void {
  if (tMissing) addMissingT(p);
  tMissing = false;
}

/** s = sum digits[i] 2^i with every digit zero or odd and below 2^(width-1), and width - 1 zeros after each. */
function nafVarTime(digits: usize, s: usize, width: i32): void {
  memory.fill(digits, 0, NAF_BYTES);
  let carry: i32 = 0;
  for (let at = 0; at < 256; ) {
    const bits = <i32>(load<u16>(s + (at >> 3)) >> (at & 7));
    if ((bits & 1) == carry) {
      at++;
      continue;
    }
    const taken = min(width, 256 - at);
    const digit = (bits & ((1 << taken) - 1)) + carry;
    carry = (digit >> (width - 1)) & 1;
    store<i8>(digits + at, digit - (carry << width));
    at += taken;
  }
}
