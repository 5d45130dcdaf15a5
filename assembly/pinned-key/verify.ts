// ECDSA verification under keys whose tables are at hand: SEC 1 §4.1.4, for up to GROUP signatures of one key at a time,
// which share an inversion modulo n, and one modulo p for each of the six levels at which their points are added in
// pairs. s may be low or high. Variable time: keys, digests and signatures are public.

import { isZero32, reverse32 } from '../bytes';
import { OK, REJECTED } from '../memory';
import {
  accept,
  Field,
  fieldOf,
  GENERATOR,
  invertScalar,
  isEqual,
  isOnCurve,
  mulScalar,
  ORDER,
  PRIME,
  PRIME_LESS_ORDER,
  toFactor,
} from './curve';
import { GENERATOR_TABLE, GROUP, KEY, SIGNED, SIGNED_BYTES, TABLE_BYTES, TABLES, VERDICTS } from './memory';
import { add256, isBelow } from './numbers';
import { addLater, addWaiting, Affine, AFFINE_BYTES } from './point';
import { buildTable, takeMultiples } from './table';

let generatorIsReady = false;

/** The points of every signature, and the addresses of those of them that are still to be added. */
const POINTS = memory.data(147456, 64); // GROUP * POINTS_BYTES
const POINTS_BYTES: usize = 4608; // 64 * AFFINE_BYTES
const LISTS = memory.data(8192, 16); // GROUP * LIST_BYTES
const LIST_BYTES: usize = 256;
const COUNTS = memory.data(128, 16); // GROUP * 4

/** s1 s2 ..., as mulScalar makes it, up to every signature. */
const PRODUCTS = memory.data(1024, 16); // GROUP * 32
const ALL = memory.data(32, 16);
const INVERSE = memory.data(32, 16);
const U = memory.data(32, 16);
const candidate = changetype<Field>(memory.data(36, 16));

/** Makes the table of the key at KEY the one of this number. REJECTED: it is no point of the curve. */
export function openKey(key: i32): i32 {
  if (!generatorIsReady) {
    setFirst(GENERATOR_TABLE, GENERATOR);
    buildTable(GENERATOR_TABLE);
    generatorIsReady = true;
  }
  reverse32(KEY, KEY);
  reverse32(KEY + 32, KEY + 32);
  if (!isBelow(KEY, PRIME) || !isBelow(KEY + 32, PRIME)) return REJECTED;
  const table = TABLES + <usize>key * TABLE_BYTES;
  setFirst(table, KEY);
  const first = changetype<Affine>(table);
  if (!isOnCurve(first.x, first.y)) return REJECTED;
  buildTable(table);
  return OK;
}

/** The first entry of a table: x and y, little-endian, each below p. */
function setFirst(table: usize, point: usize): void {
  const first = changetype<Affine>(table);
  fieldOf(first.x, point);
  fieldOf(first.y, point + 32);
}

// @ts-ignore: decorator
@inline
function signed(i: i32): usize {
  return SIGNED + <usize>i * SIGNED_BYTES;
}
// @ts-ignore: decorator
@inline
function countAt(i: i32): usize {
  return COUNTS + (<usize>i << 2);
}

/** Verifies the first `count` signatures at SIGNED under the key of this number; the verdicts are at VERDICTS. */
export function verifyGroup(key: i32, count: i32): void {
  if (!ASC_NO_ASSERT) assert(count <= GROUP);
  for (let i = 0; i < count; i++) {
    const at = signed(i);
    for (let part: usize = 0; part < SIGNED_BYTES; part += 32) reverse32(at + part, at + part);
    store<u8>(VERDICTS + i, u8(isInRange(at + 32) && isInRange(at + 64)));
    store<i32>(countAt(i), 0);
  }
  takeAllMultiples(TABLES + <usize>key * TABLE_BYTES, count);
  while (addPairs(count)) addWaiting();
  addWaiting();
  for (let i = 0; i < count; i++) {
    if (load<u8>(VERDICTS + i)) store<u8>(VERDICTS + i, load<i32>(countAt(i)) == 1 ? verdict(i) : 0);
  }
}

/** Whether 0 < a < n. */
function isInRange(a: usize): bool {
  return isBelow(a, ORDER) && !isZero32(a);
}

/**
 * The points of (z/s) G + (r/s) Q, for all signatures that are in range. Where mulScalar divides by a constant, that cancels:
 * the product of k numbers is divided by it k - 1 times, its inverse hence multiplied as often, and once less for each s
 * that is taken out of it.
 */
function takeAllMultiples(table: usize, count: i32): void {
  let last = -1;
  for (let i = 0; i < count; i++) {
    if (!load<u8>(VERDICTS + i)) continue;
    const product = PRODUCTS + (<usize>i << 5), s = signed(i) + 64;
    memory.copy(product, last < 0 ? s : ALL, 32); // of those before
    if (last < 0) memory.copy(ALL, s, 32);
    else mulScalar(ALL, ALL, s);
    last = i;
  }
  if (last < 0) return;
  invertScalar(ALL, ALL);
  const first = firstInRange();
  for (let i = last; i >= first; i--) {
    if (!load<u8>(VERDICTS + i)) continue;
    if (i == first) memory.copy(INVERSE, ALL, 32);
    else mulScalar(INVERSE, ALL, PRODUCTS + (<usize>i << 5));
    mulScalar(ALL, ALL, signed(i) + 64);
    toFactor(INVERSE, INVERSE);
    takePoints(i, table);
  }
}

function firstInRange(): i32 {
  let i = 0;
  while (!load<u8>(VERDICTS + i)) i++;
  return i;
}

/** With 1/s in INVERSE, as a factor. */
function takePoints(i: i32, table: usize): void {
  const points = POINTS + <usize>i * POINTS_BYTES;
  mulScalar(U, INVERSE, signed(i));
  let end = takeMultiples(points, GENERATOR_TABLE, U);
  mulScalar(U, INVERSE, signed(i) + 32);
  end = takeMultiples(end, table, U);
  let list = LISTS + <usize>i * LIST_BYTES;
  for (let point = points; point < end; point += AFFINE_BYTES, list += 4) store<usize>(list, point);
  store<i32>(countAt(i), <i32>((end - points) / AFFINE_BYTES));
}

/** Adds the points of every signature in pairs. Gives false where none had two. */
function addPairs(count: i32): bool {
  let any = false;
  for (let i = 0; i < count; i++) {
    const points = load<i32>(countAt(i)), list = LISTS + <usize>i * LIST_BYTES;
    if (points < 2) continue;
    any = true;
    let kept = list;
    for (let at = list; at < list + (<usize>(points >> 1) << 3); at += 8) {
      const p = load<usize>(at);
      if (!addLater(changetype<Affine>(p), changetype<Affine>(load<usize>(at, 4)))) continue;
      store<usize>(kept, p);
      kept += 4;
    }
    if (points & 1) {
      store<usize>(kept, load<usize>(list + (<usize>(points - 1) << 2)));
      kept += 4;
    }
    store<i32>(countAt(i), <i32>((kept - list) >> 2));
  }
  return any;
}

/** SEC 1 §4.1.4 steps 5 to 8 for the one point that is left: 0, or the curve's verdict where its x is r modulo n. */
function verdict(i: i32): u8 {
  const r = signed(i) + 32, s = signed(i) + 64, point = changetype<Affine>(load<usize>(LISTS + <usize>i * LIST_BYTES));
  if (isX(r, point)) return accept(s, point.y, false);
  if (!isBelow(r, PRIME_LESS_ORDER)) return 0;
  add256(U, r, ORDER);
  return isX(U, point) ? accept(s, point.y, true) : 0;
}

function isX(x: usize, point: Affine): bool {
  fieldOf(candidate, x);
  return isEqual(candidate, point.x);
}
