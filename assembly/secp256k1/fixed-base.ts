// k G for a secret k. With the 258-bit K = (k + 2^258 - 1) / 2 (mod n) and its 43 windows of six bits b_w,
//   k = 2K - (2^258 - 1) = sum over w of (2 b_w - 63) 64^w (mod n):
// every digit is odd and below 64 in size, and the table holds the 32 positive ones for every window. So there are 43
// additions, no doubling, no digit zero and no carry. All 32 entries are read for each digit; the addition is complete.

import { TABLE_SCRATCH } from '../memory';
import { FIELD_BYTES } from './field';
import { negateIf } from './field-kernels';
import { makeAffine, oddMultiples, setGenerator } from './odd-multiples';
import { addComplete, Affine, AFFINE_BYTES, double, Jacobian, Projective, setInfinity } from './point';
import { addScalar, halveScalar, isSecretScalar } from './scalar';
import { MULT_SPACE } from './space';

const WINDOW: usize = 6;
const WINDOWS: usize = 43;
const ENTRIES: usize = 32; // of a window

const ENTRY = changetype<Affine>(MULT_SPACE); // 80
const RECODED = MULT_SPACE + 80; // 32, and 8 that stay zero

/** 2^258 - 1 mod n */
const RECODING = memory.data<u8>([
  0xfb, 0xfa, 0x26, 0xbf, 0xcc, 0x85, 0xb6, 0x00, 0x11, 0x7f, 0xdd, 0x42, 0x65, 0x8c, 0x44, 0x15,
  0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
]);

const TABLE = memory.data(110080, 64); // WINDOWS * ENTRIES * AFFINE_BYTES
let tableIsBuilt = false;

/** out = k G, for 0 < k < n. */
export function multiplyBase(out: Projective, k: usize): void {
  if (!ASC_NO_ASSERT) assert(isSecretScalar(k));
  if (!tableIsBuilt) buildTable();
  addScalar(RECODED, k, RECODING);
  halveScalar(RECODED, RECODED);
  store<u64>(RECODED, 0, 32);
  setInfinity(out);
  let window = TABLE;
  for (let bit: usize = 0; bit < WINDOW * WINDOWS; bit += WINDOW) {
    selectEntry(window, (load<u32>(RECODED + (bit >> 3)) >> <u32>(bit & 7)) & 63);
    addComplete(out, ENTRY);
    window += ENTRIES * AFFINE_BYTES;
  }
}

/** ENTRY = (2 digit - 63) times the window's point; entry j of the table is 2j + 1 times it. */
function selectEntry(window: usize, digit: u32): void {
  const negative = (digit >> 5) - 1; // a mask
  const wanted = i32x4.splat((digit ^ negative) & 31);
  const one = i32x4.splat(1);
  let index = i32x4.splat(0);
  let v0 = index, v1 = index, v2 = index, v3 = index, v4 = index;
  for (const end = window + ENTRIES * AFFINE_BYTES; window < end; window += AFFINE_BYTES) {
    const mask = i32x4.eq(index, wanted);
    v0 = v128.or(v0, v128.and(mask, v128.load(window)));
    v1 = v128.or(v1, v128.and(mask, v128.load(window, 16)));
    v2 = v128.or(v2, v128.and(mask, v128.load(window, 32)));
    v3 = v128.or(v3, v128.and(mask, v128.load(window, 48)));
    v4 = v128.or(v4, v128.and(mask, v128.load(window, 64)));
    index = i32x4.add(index, one);
  }
  const entry = changetype<usize>(ENTRY);
  v128.store(entry, v0);
  v128.store(entry, v1, 16);
  v128.store(entry, v2, 32);
  v128.store(entry, v3, 48);
  v128.store(entry, v4, 64);
  negateIf(ENTRY.wideY, ENTRY.y, <u64>(<i64>(<i32>negative)));
}

const BASE = changetype<Jacobian>(memory.data(112, 16));

function buildTable(): void {
  setGenerator(BASE);
  let table = TABLE, denominators = TABLE_SCRATCH;
  for (let window: usize = 0; window < WINDOWS; window++) {
    oddMultiples(table, denominators, BASE, ENTRIES);
    table += ENTRIES * AFFINE_BYTES;
    denominators += ENTRIES * 2 * FIELD_BYTES;
    for (let i: usize = 0; i < WINDOW; i++) double(BASE);
  }
  makeAffine(TABLE, TABLE_SCRATCH, WINDOWS * ENTRIES);
  tableIsBuilt = true;
}
