// ECDSA verification under keys whose tables are at hand: SEC 1 §4.1.4, for up to GROUP signatures of one key at a time,
// which share an inversion modulo n, and one modulo p for each of the six levels at which their points are added in
// pairs. s may be low or high. Variable time: keys, digests and signatures are public.

import { isZero32, reverse32 } from '../bytes';
import { OK, REJECTED } from '../memory';
import { isEqual, PRIME } from './field';
import { Field, fromBytes, mul, TO_MONTGOMERY as FIELD_TO_MONTGOMERY } from './field-kernels';
import { GENERATOR_TABLE, GROUP, KEY, SIGNED, SIGNED_BYTES, TABLE_BYTES, TABLES, VERDICTS } from './memory';
import { addLater, addWaiting, Affine, AFFINE_BYTES, isOnCurve } from './point';
import { add256, invertScalar, isBelow, mulScalar, ORDER, PRIME_LESS_ORDER, TO_MONTGOMERY } from './scalar';
import { buildTable, takeMultiples } from './table';

// G, little-endian
const GENERATOR = memory.data<u8>([
  0x96, 0xc2, 0x98, 0xd8, 0x45, 0x39, 0xa1, 0xf4, 0xa0, 0x33, 0xeb, 0x2d, 0x81, 0x7d, 0x03, 0x77,
  0xf2, 0x40, 0xa4, 0x63, 0xe5, 0xe6, 0xbc, 0xf8, 0x47, 0x42, 0x2c, 0xe1, 0xf2, 0xd1, 0x17, 0x6b,
  0xf5, 0x51, 0xbf, 0x37, 0x68, 0x40, 0xb6, 0xcb, 0xce, 0x5e, 0x31, 0x6b, 0x57, 0x33, 0xce, 0x2b,
  0x16, 0x9e, 0x0f, 0x7c, 0x4a, 0xeb, 0xe7, 0x8e, 0x9b, 0x7f, 0x1a, 0xfe, 0xe2, 0x42, 0xe3, 0x4f,
]);
let generatorIsReady = false;

/** The points of every signature, and the addresses of those of them that are still to be added. */
const POINTS = memory.data(147456, 64); // GROUP * POINTS_BYTES
const POINTS_BYTES: usize = 4608; // 64 * AFFINE_BYTES
const LISTS = memory.data(8192, 16); // GROUP * LIST_BYTES
const LIST_BYTES: usize = 256;
const COUNTS = memory.data(128, 16); // GROUP * 4

/** s1 s2 ... / I^..., as mulScalar makes it, up to every signature. */
const PRODUCTS = memory.data(1024, 16); // GROUP * 32
const ALL = memory.data(32, 16);
const INVERSE = memory.data(32, 16);
const U = memory.data(32, 16);
const candidate = changetype<Field>(memory.data(36, 16));

/** Makes the table of the key at KEY the one of this number. REJECTED: it is no point of the curve. */
export function p256Open(key: i32): i32 {
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
  if (!isOnCurve(changetype<Affine>(table))) return REJECTED;
  buildTable(table);
  return OK;
}

/** The first entry of a table: x and y, little-endian, each below p. */
function setFirst(table: usize, point: usize): void {
  const first = changetype<Affine>(table);
  fromBytes(first.x, point);
  fromBytes(first.y, point + 32);
  mul(first.x, first.x, FIELD_TO_MONTGOMERY);
  mul(first.y, first.y, FIELD_TO_MONTGOMERY);
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
export function p256Verify(key: i32, count: i32): void {
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
    if (load<u8>(VERDICTS + i)) store<u8>(VERDICTS + i, u8(load<i32>(countAt(i)) == 1 && hasX(i)));
  }
}

/** Whether 0 < a < n. */
function isInRange(a: usize): bool {
  return isBelow(a, ORDER) && !isZero32(a);
}

/**
 * The points of (z/s) G + (r/s) Q, for all signatures that are in range. mulScalar divides by 2^261, which cancels: the
 * product of k numbers is divided by 2^261 k - 1 times, its inverse hence multiplied as often, and once less for each s that is
 * taken out of it.
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
    mulScalar(INVERSE, INVERSE, TO_MONTGOMERY);
    takePoints(i, table);
  }
}

function firstInRange(): i32 {
  let i = 0;
  while (!load<u8>(VERDICTS + i)) i++;
  return i;
}

/** With 1/s in INVERSE, in Montgomery form. */
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

/** Whether the x of the one point that is left is r modulo n: r, or r + n where that is below p. */
function hasX(i: i32): bool {
  const r = signed(i) + 32, point = changetype<Affine>(load<usize>(LISTS + <usize>i * LIST_BYTES));
  if (isX(r, point)) return true;
  if (!isBelow(r, PRIME_LESS_ORDER)) return false;
  add256(U, r, ORDER);
  return isX(U, point);
}

function isX(x: usize, point: Affine): bool {
  fromBytes(candidate, x);
  mul(candidate, candidate, FIELD_TO_MONTGOMERY);
  return isEqual(candidate, point.x);
}
