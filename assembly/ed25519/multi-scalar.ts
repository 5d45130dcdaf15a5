// Sums of several points times public scalars, the base point among them: interleaved non-adjacent forms (Straus) with a
// table of odd multiples of each point. A width-w form (Guide to Elliptic Curve Cryptography, algorithm 3.35) has digits
// that are zero or odd and below 2^(w-1) in size, w - 1 zeros at least between two that are not. They are kept as one
// list for each bit of what is to be added there.
//
// The base point's scalar is split at bit 127, with tables of B and 2^127 B, so that it never needs more doublings than
// half-size scalars do.

import { Point } from './point';
import {
  LANE_CACHED_BYTES,
  LANE_POINT_BYTES,
  LaneCached,
  LanePoint,
  addLaneCached,
  copyLanes,
  doubleLanes,
  joinLanes,
  setBase,
  setNeutral,
  subtractLaneCached,
  toLaneCached,
} from './point-lanes';
import { Scalar } from './scalar';

/** The width for most scalars, and the largest. */
export const WIDTH: i32 = 5;
const ODD_MULTIPLES = 8; // 1, 3 ... 15, of which smaller widths need fewer
const BASE_WIDTH = 10;
const BASE_ODD_MULTIPLES = 256; // 1, 3 ... 511
const HALF_BITS = 127;

/** How many terms a sum can have, besides the base point's. */
export const MAX_TERMS = 128;

const BASE_TABLE_BYTES: usize = <usize>BASE_ODD_MULTIPLES * LANE_CACHED_BYTES;
const BASE_TABLES: usize = memory.data(<i32>(2 * BASE_TABLE_BYTES), 64);
const TABLES: usize = memory.data(<i32>(MAX_TERMS * ODD_MULTIPLES * LANE_CACHED_BYTES), 64);
const LOW_HALF = changetype<Scalar>(memory.data(32, 16));
const HIGH_HALF = changetype<Scalar>(memory.data(32, 16));
const STEP = changetype<LanePoint>(memory.data(<i32>LANE_POINT_BYTES, 16));
const START = changetype<LanePoint>(memory.data(<i32>LANE_POINT_BYTES, 16));
const TWICE = changetype<LaneCached>(memory.data(<i32>LANE_CACHED_BYTES, 16));

/** An entry of a table, to be added or subtracted at one bit. */
@unmanaged
@final
class Addition {
  next: Addition | null;
  entry: LaneCached;
  negative: bool; // whether the entry is to be subtracted
}
const ADDITION_BYTES: usize = 12;
const MAX_ADDITIONS = MAX_TERMS * 52 + 2 * 13; // a digit in 5 of 256 bits, and in 10 of 127

const BITS = 256;
const ADDITIONS: usize = memory.data(<i32>(MAX_ADDITIONS * ADDITION_BYTES), 16);
const LISTS: usize = memory.data(4 * BITS, 16); // the first Addition of each bit

let baseTablesReady = false;
let terms = 0;
let additions = 0;
let topBit = -1;

/** Begins a sum of multiples of public points by public scalars. */
export function startSumVarTime(): void {
  if (!baseTablesReady) fillBaseTables();
  for (let at: usize = 0; at < 4 * BITS; at += 16) v128.store(LISTS + at, i64x2.splat(0));
  terms = 0;
  additions = 0;
  topBit = -1;
}

/** Adds s p to the sum, or subtracts it, for s below 2^255; at most MAX_TERMS times. */
export function addTermVarTime(s: Scalar, p: Point, negative: bool, width: i32 = WIDTH): void {
  const table = TABLES + LANE_CACHED_BYTES * ODD_MULTIPLES * terms++;
  joinLanes(START, p);
  fillTable(table, 1 << (width - 2));
  schedule(s, width, table, negative);
}

/** out = the sum + s B, for s below L. */
export function finishSumVarTime(out: LanePoint, s: Scalar): void {
  LOW_HALF.w0 = s.w0;
  LOW_HALF.w1 = s.w1 & 0x7fffffffffffffff;
  HIGH_HALF.w0 = (s.w1 >> 63) | (s.w2 << 1);
  HIGH_HALF.w1 = (s.w2 >> 63) | (s.w3 << 1);
  schedule(LOW_HALF, BASE_WIDTH, BASE_TABLES, false);
  schedule(HIGH_HALF, BASE_WIDTH, BASE_TABLES + BASE_TABLE_BYTES, false);
  setNeutral(out);
  for (let bit = topBit; bit >= 0; bit--) {
    doubleLanes(out);
    let addition = firstAt(bit);
    while (addition != null) {
      if (addition.negative) subtractLaneCached(out, addition.entry);
      else addLaneCached(out, addition.entry);
      addition = addition.next;
    }
  }
}

/** Puts the digits of s, or of -s, into the lists, as entries of a table of odd multiples. */
function schedule(s: Scalar, width: i32, table: usize, negative: bool): void {
  let carry: u64 = 0;
  for (let bit = 0; bit < BITS; ) {
    const byte = min(bit >> 3, 24);
    const window = load<u64>(changetype<usize>(s) + byte) >> (bit - (byte << 3));
    const zeros = <i32>ctz<u64>(window ^ (0 - carry));
    if (zeros > 0) {
      bit += min(zeros, 56); // a window has 57 bits at least, or reaches the top
      continue;
    }
    const unsigned = <i32>(window & ((1 << width) - 1)) + <i32>carry;
    carry = <u64>(unsigned >> (width - 1));
    const digit = unsigned - (<i32>carry << width);
    const addition = insertAt(bit);
    addition.entry = changetype<LaneCached>(table + LANE_CACHED_BYTES * (abs(digit) >> 1));
    addition.negative = digit < 0 != negative;
    bit += width;
  }
}

function firstAt(bit: i32): Addition | null {
  return changetype<Addition | null>(load<usize>(LISTS + 4 * bit));
}

function insertAt(bit: i32): Addition {
  if (!ASC_NO_ASSERT) assert(additions < MAX_ADDITIONS);
  const addition = changetype<Addition>(ADDITIONS + ADDITION_BYTES * additions++);
  addition.next = firstAt(bit);
  store<usize>(LISTS + 4 * bit, changetype<usize>(addition));
  topBit = max(topBit, bit);
  return addition;
}

/** 1, 3 ... 511 times B, and the same of 2^127 B. */
function fillBaseTables(): void {
  setBase(START);
  fillTable(BASE_TABLES, BASE_ODD_MULTIPLES);
  for (let i = 0; i < HALF_BITS; i++) doubleLanes(START);
  fillTable(BASE_TABLES + BASE_TABLE_BYTES, BASE_ODD_MULTIPLES);
  baseTablesReady = true;
}

/** The first `count` odd multiples of START. */
function fillTable(table: usize, count: i32): void {
  copyLanes(STEP, START);
  doubleLanes(STEP);
  toLaneCached(TWICE, STEP);
  copyLanes(STEP, START);
  for (let j = 0; j < count; j++) {
    if (j > 0) addLaneCached(STEP, TWICE);
    toLaneCached(changetype<LaneCached>(table + LANE_CACHED_BYTES * j), STEP);
  }
}
