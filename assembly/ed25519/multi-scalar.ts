// Sums of several points times public scalars, the base point among them: interleaved NAFs (Straus) with a table of odd
// multiples of each point.

import { TABLE_SCRATCH } from '../memory';
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
  keepProjective,
  setBase,
  setIdentity,
  subtractCached,
  subtractNiels,
  toCached,
  toNielsTogether,
} from './point';
import { Scalar } from './scalar';

const NAF_WIDTH = 5;
const ODD_MULTIPLES = 8; // 1, 3 ... 15
const BASE_NAF_WIDTH = 8;
const BASE_ODD_MULTIPLES = 64; // 1, 3 ... 127
const NAF_BYTES: usize = 256; // one signed digit for each bit

const TOP_BIT = 253; // of the NAF of a scalar below L

/** How many terms a sum can have, besides the base point's. */
export const MAX_TERMS = 128;

const BASE_TABLE: usize = memory.data(<i32>(BASE_ODD_MULTIPLES * NIELS_BYTES), 64);
const BASE_NAF: usize = memory.data(<i32>NAF_BYTES, 16);
const TABLES: usize = memory.data(<i32>(MAX_TERMS * ODD_MULTIPLES * CACHED_BYTES), 64);
const NAFS: usize = memory.data(<i32>(MAX_TERMS * NAF_BYTES), 64);
const STEP = changetype<Point>(memory.data(<i32>POINT_BYTES, 16));
const STEP_CACHED = changetype<Cached>(memory.data(<i32>CACHED_BYTES, 16));

let baseTableReady = false;
let terms = 0;
let tMissing = false;

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

/** 1, 3 ... 127 times B. */
function fillBaseTable(): void {
  setBase(STEP);
  double(STEP);
  toCached(STEP_CACHED, STEP);
  setBase(STEP);
  for (let j = 0; j < BASE_ODD_MULTIPLES; j++) {
    if (j > 0) addCached(STEP, STEP_CACHED);
    keepProjective(BASE_TABLE + NIELS_BYTES * j, STEP);
  }
  toNielsTogether(BASE_TABLE, BASE_ODD_MULTIPLES, TABLE_SCRATCH);
  baseTableReady = true;
}
