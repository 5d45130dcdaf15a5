// k G for a secret k. With the 258-bit K = (k + 2^258 - 1) / 2 (mod n) and its 43 windows of six bits b_w,
//   k = 2K - (2^258 - 1) = sum over w of d_w 64^w (mod n), d_w = 2 b_w - 63:
// every digit is odd and below 64 in size, and the table holds the 32 positive ones for every window. So there are 42
// additions, no doubling, no digit zero and no carry. All 32 entries are read for each digit.
//
// Windows are added from the lowest upwards, and no two points that meet are equal or opposite: the sum S of the digits
// below window w is odd, and |S| < 64^w <= |d_w 64^w|, so S and d_w 64^w +- S are not 0; below w = 42 they are less than n
// in size. In the last window d_42 is in [-63, -33], as K < 2^256, and only d_42 = -47 has a multiple d_42 64^42 that is
// equal to an S or -S modulo n: S = 2^252 - 3 (2^256 - n). Opposite means k = 0; equal, k = 2S, which is left out (recode).

import { equal32 } from '../bytes';
import { negateIf } from './field-kernels';
import { oddMultiples, setGenerator } from './odd-multiples';
import { addDistinct, Affine, AFFINE_BYTES, double, Jacobian, setSum, Xyzz } from './point';
import { addScalar, halveScalar, isSecretScalar, negateScalarIf } from './scalar';
import { MULT_SPACE } from './space';

const WINDOW: usize = 6;
export const WINDOWS: usize = 43;
const ENTRIES: usize = 32; // of a window

const ENTRY = changetype<Affine>(MULT_SPACE); // 80
const DIGITS = MULT_SPACE + 80; // DIGITS_BYTES
const FIRST = changetype<Affine>(MULT_SPACE + 128); // 80

/** Bytes of a recoded scalar. */
export const DIGITS_BYTES: usize = 40;

/** 2^258 - 1 mod n */
const RECODING = memory.data<u8>([
  0xfb, 0xfa, 0x26, 0xbf, 0xcc, 0x85, 0xb6, 0x00, 0x11, 0x7f, 0xdd, 0x42, 0x65, 0x8c, 0x44, 0x15,
  0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
]);

/** 2^253 - 6 (2^256 - n): the k for which the last addition would be a doubling */
const DOUBLED = memory.data<u8>([
  0x86, 0x87, 0x45, 0xe1, 0x4c, 0x37, 0xee, 0x7e, 0x66, 0xc1, 0xb3, 0x1b, 0x68, 0x2d, 0x19, 0x60,
  0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f,
]);

const TABLE = memory.data(110080, 64); // WINDOWS * ENTRIES * AFFINE_BYTES
let tableIsBuilt = false;

/** out = k G, for 0 < k < n. */
export function multiplyBase(out: Xyzz, k: usize): void {
  if (!ASC_NO_ASSERT) assert(isSecretScalar(k));
  buildTable();
  recode(DIGITS, k);
  selectEntry(FIRST, DIGITS, 0);
  selectEntry(ENTRY, DIGITS, 1);
  setSum(out, FIRST, ENTRY);
  for (let window: usize = 2; window < WINDOWS; window++) {
    selectEntry(ENTRY, DIGITS, window);
    addDistinct(out, ENTRY);
  }
}

/**
 * digits = K for k, and after it a mask of zeros; where k is DOUBLED, K for -k and a mask of ones, with which all digits
 * change their signs.
 */
export function recode(digits: usize, k: usize): void {
  const opposite = 0 - equal32(k, DOUBLED);
  negateScalarIf(digits, k, opposite);
  addScalar(digits, digits, RECODING);
  halveScalar(digits, digits);
  store<u32>(digits, 0, 32);
  store<u32>(digits, <u32>opposite, 36);
}

/**
 * out = d_w times the point of window w; entry j of its table is 2j + 1 times it. Four entries a turn take less time than
 * one.
 */
export function selectEntry(out: Affine, digits: usize, w: usize): void {
  const bit = WINDOW * w;
  const digit = (load<u32>(digits + (bit >> 3)) >> <u32>(bit & 7)) & 63;
  const negative = (digit >> 5) - 1; // a mask
  const wanted = i32x4.splat((digit ^ negative) & 31);
  const one = i32x4.splat(1);
  let index = i32x4.splat(0);
  let v0 = index, v1 = index, v2 = index, v3 = index, v4 = index;
  let window = TABLE + w * ENTRIES * AFFINE_BYTES;
  for (const end = window + ENTRIES * AFFINE_BYTES; window < end; window += 4 * AFFINE_BYTES) {
    let mask = i32x4.eq(index, wanted);
    v0 = v128.or(v0, v128.and(mask, v128.load(window)));
    v1 = v128.or(v1, v128.and(mask, v128.load(window, 16)));
    v2 = v128.or(v2, v128.and(mask, v128.load(window, 32)));
    v3 = v128.or(v3, v128.and(mask, v128.load(window, 48)));
    v4 = v128.or(v4, v128.and(mask, v128.load(window, 64)));
    index = i32x4.add(index, one);
    mask = i32x4.eq(index, wanted);
    v0 = v128.or(v0, v128.and(mask, v128.load(window, 80)));
    v1 = v128.or(v1, v128.and(mask, v128.load(window, 96)));
    v2 = v128.or(v2, v128.and(mask, v128.load(window, 112)));
    v3 = v128.or(v3, v128.and(mask, v128.load(window, 128)));
    v4 = v128.or(v4, v128.and(mask, v128.load(window, 144)));
    index = i32x4.add(index, one);
    mask = i32x4.eq(index, wanted);
    v0 = v128.or(v0, v128.and(mask, v128.load(window, 160)));
    v1 = v128.or(v1, v128.and(mask, v128.load(window, 176)));
    v2 = v128.or(v2, v128.and(mask, v128.load(window, 192)));
    v3 = v128.or(v3, v128.and(mask, v128.load(window, 208)));
    v4 = v128.or(v4, v128.and(mask, v128.load(window, 224)));
    index = i32x4.add(index, one);
    mask = i32x4.eq(index, wanted);
    v0 = v128.or(v0, v128.and(mask, v128.load(window, 240)));
    v1 = v128.or(v1, v128.and(mask, v128.load(window, 256)));
    v2 = v128.or(v2, v128.and(mask, v128.load(window, 272)));
    v3 = v128.or(v3, v128.and(mask, v128.load(window, 288)));
    v4 = v128.or(v4, v128.and(mask, v128.load(window, 304)));
    index = i32x4.add(index, one);
  }
  const entry = changetype<usize>(out);
  v128.store(entry, v0);
  v128.store(entry, v1, 16);
  v128.store(entry, v2, 32);
  v128.store(entry, v3, 48);
  v128.store(entry, v4, 64);
  negateIf(out.wideY, out.y, <u64>(<i64>(<i32>(negative ^ load<u32>(digits, 36)))));
}

const BASE = changetype<Jacobian>(memory.data(112, 16));

export function buildTable(): void {
  if (tableIsBuilt) return;
  setGenerator(BASE);
  let table = TABLE;
  for (let window: usize = 0; window < WINDOWS; window++) {
    oddMultiples(table, BASE, ENTRIES);
    table += ENTRIES * AFFINE_BYTES;
    for (let i: usize = 0; i < WINDOW; i++) double(BASE);
  }
  tableIsBuilt = true;
}
