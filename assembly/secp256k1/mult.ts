// Multiples of points: k G for secret k, and u G + v P for public u, v.
//
// k G: with the 258-bit K = (k + 2^258 - 1) / 2 (mod n) and its 43 windows of six bits b_w,
//   k = 2K - (2^258 - 1) = sum over w of (2 b_w - 63) 64^w (mod n):
// every digit is odd and below 64 in size, and the table holds the 32 positive ones for every window. So there are 43
// additions, no doubling, no digit zero and no carry. All 32 entries are read for each digit; the addition is complete.
//
// u G + v P: Gallant-Lambert-Vanstone halves of u and v, four interleaved non-adjacent forms over 129 doublings.
//
// Tables of G are built at first use. They and the scratch space of the second kind are public.

import { copyField, FIELD_BYTES, fromBytes, invertVarTime, ONE } from './field';
import { Field, mul, negateIf, sqr } from './field-kernels';
import {
  addAffineVarTime,
  addComplete,
  Affine,
  AFFINE_BYTES,
  double,
  Jacobian,
  Projective,
  setAffine,
  setInfinity,
} from './point';
import { addScalar, halveScalar, isHigh, isSecretScalar, mulScalar, negateScalarIf } from './scalar';
import { G1, G2, LAMBDA, MINUS_B1, MINUS_B2, mulShift384 } from './scalar-kernels';
import { MULT_SPACE } from './space';

const WINDOW: usize = 6;
const WINDOWS: usize = 43;
const ENTRIES: usize = 32; // of a window

const ENTRY = changetype<Affine>(MULT_SPACE); // 80
const RECODED = MULT_SPACE + 80; // 32, and 8 that stay zero

// G, little-endian
const GENERATOR_X = memory.data<u8>([
  0x98, 0x17, 0xf8, 0x16, 0x5b, 0x81, 0xf2, 0x59, 0xd9, 0x28, 0xce, 0x2d, 0xdb, 0xfc, 0x9b, 0x02,
  0x07, 0x0b, 0x87, 0xce, 0x95, 0x62, 0xa0, 0x55, 0xac, 0xbb, 0xdc, 0xf9, 0x7e, 0x66, 0xbe, 0x79,
]);
const GENERATOR_Y = memory.data<u8>([
  0xb8, 0xd4, 0x10, 0xfb, 0x8f, 0xd0, 0x47, 0x9c, 0x19, 0x54, 0x85, 0xa6, 0x48, 0xb4, 0x17, 0xfd,
  0xa8, 0x08, 0x11, 0x0e, 0xfc, 0xfb, 0xa4, 0x5d, 0x65, 0xc4, 0xa3, 0x26, 0x77, 0xda, 0x3a, 0x48,
]);

/** The x of λP is β times that of P. */
const BETA_BYTES = memory.data<u8>([
  0xee, 0x01, 0x95, 0x71, 0x28, 0x6c, 0x39, 0xc1, 0x95, 0x89, 0xf5, 0x12, 0x75, 0x49, 0xf0, 0x9c,
  0xe9, 0x34, 0x34, 0xac, 0x9e, 0x47, 0x64, 0x6e, 0x10, 0x07, 0x7c, 0x65, 0x2b, 0x6a, 0xe9, 0x7a,
]);

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

// Public from here on.

const P_WIDTH = 5;
const G_WIDTH = 10;
const P_ENTRIES: usize = 8; // 2^(P_WIDTH - 2)
const G_ENTRIES: usize = 256; // 2^(G_WIDTH - 2)

const P_TABLE = memory.data(640, 16); // P_ENTRIES * AFFINE_BYTES
const LAMBDA_P_TABLE = memory.data(640, 16);
const G_TABLE = memory.data(20480, 16); // G_ENTRIES * AFFINE_BYTES
const LAMBDA_G_TABLE = memory.data(20480, 16);
let verificationTablesAreBuilt = false;

const BASE = changetype<Jacobian>(memory.data(112, 16));
const SUM = changetype<Jacobian>(memory.data(112, 16));
const STEP = changetype<Jacobian>(memory.data(112, 16));
const BETA = changetype<Field>(memory.data(36, 16));
const SCALE = changetype<Field>(memory.data(36, 16));
const INVERSE = changetype<Field>(memory.data(36, 16));
const Z_INVERSE = changetype<Field>(memory.data(36, 16));
const SQUARE = changetype<Field>(memory.data(36, 16));
const DENOMINATORS = memory.data(99072, 16); // WINDOWS * ENTRIES pairs of Z and the product of all Z so far

const HALF1 = memory.data(32, 16);
const HALF2 = memory.data(32, 16);
const PRODUCT = memory.data(32, 16);
const DIGITS: i32 = 130;
const NAF_BYTES: usize = 260; // DIGITS of i16
const U1_NAF = memory.data(260, 16);
const U2_NAF = memory.data(260, 16);
const V1_NAF = memory.data(260, 16);
const V2_NAF = memory.data(260, 16);

function setGenerator(p: Jacobian): void {
  fromBytes(p.X, GENERATOR_X);
  fromBytes(p.Y, GENERATOR_Y);
  copyField(p.Z, ONE);
}

function buildTable(): void {
  setGenerator(BASE);
  let table = TABLE, denominators = DENOMINATORS;
  for (let window: usize = 0; window < WINDOWS; window++) {
    oddMultiples(table, denominators, BASE, ENTRIES);
    table += ENTRIES * AFFINE_BYTES;
    denominators += ENTRIES * 2 * FIELD_BYTES;
    for (let i: usize = 0; i < WINDOW; i++) double(BASE);
  }
  makeAffine(TABLE, DENOMINATORS, WINDOWS * ENTRIES);
  tableIsBuilt = true;
}

function buildVerificationTables(): void {
  setGenerator(BASE);
  oddMultiples(G_TABLE, DENOMINATORS, BASE, G_ENTRIES);
  makeAffine(G_TABLE, DENOMINATORS, G_ENTRIES);
  fromBytes(BETA, BETA_BYTES);
  multiplyByLambda(LAMBDA_G_TABLE, G_TABLE, G_ENTRIES);
  verificationTablesAreBuilt = true;
}

/**
 * X and Y of base, 3 base, 5 base, ... in the table, their Z in the denominators. The curve is left for one that is
 * isomorphic to it, where 2 base is affine: (x, y) goes to (x Z^2, y Z^3) for the Z of 2 base. The formulas of point.ts
 * do not depend on the 7 of the equation, so the additions are mixed ones.
 */
function oddMultiples(table: usize, denominators: usize, base: Jacobian, count: usize): void {
  copyField(STEP.X, base.X);
  copyField(STEP.Y, base.Y);
  copyField(STEP.Z, ONE);
  double(STEP);
  sqr(SQUARE, STEP.Z);
  mul(SUM.X, base.X, SQUARE);
  mul(SQUARE, SQUARE, STEP.Z);
  mul(SUM.Y, base.Y, SQUARE);
  copyField(SUM.Z, ONE);
  mul(SCALE, STEP.Z, base.Z);
  for (let i: usize = 0; ; i++) {
    const entry = changetype<Affine>(table + i * AFFINE_BYTES);
    copyField(entry.x, SUM.X);
    copyField(entry.y, SUM.Y);
    mul(changetype<Field>(denominators + i * 2 * FIELD_BYTES), SUM.Z, SCALE);
    if (i == count - 1) break;
    addAffineVarTime(SUM, changetype<Affine>(changetype<usize>(STEP)), false); // never equal or opposite
  }
}

/** Divides every entry by its Z, with one inversion (Montgomery's trick). */
function makeAffine(table: usize, denominators: usize, count: usize): void {
  const pair: usize = 2 * FIELD_BYTES;
  let product = changetype<Field>(denominators + FIELD_BYTES);
  copyField(product, changetype<Field>(denominators));
  for (let i: usize = 1; i < count; i++) {
    const z = denominators + i * pair;
    mul(changetype<Field>(z + FIELD_BYTES), product, changetype<Field>(z));
    product = changetype<Field>(z + FIELD_BYTES);
  }
  invertVarTime(INVERSE, product);
  for (let i = count - 1; ; i--) {
    const z = denominators + i * pair;
    if (i > 0) mul(Z_INVERSE, INVERSE, changetype<Field>(z + FIELD_BYTES - pair));
    else copyField(Z_INVERSE, INVERSE);
    mul(INVERSE, INVERSE, changetype<Field>(z));
    const entry = changetype<Affine>(table + i * AFFINE_BYTES);
    sqr(SQUARE, Z_INVERSE);
    mul(entry.x, entry.x, SQUARE);
    mul(SQUARE, SQUARE, Z_INVERSE);
    mul(entry.y, entry.y, SQUARE);
    if (i == 0) break;
  }
}

function multiplyByLambda(out: usize, table: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const from = changetype<Affine>(table + i * AFFINE_BYTES), to = changetype<Affine>(out + i * AFFINE_BYTES);
    mul(to.x, from.x, BETA);
    copyField(to.y, from.y);
  }
}

/** out = u G + v P. Gives false where that is infinity, which out then is not. */
export function multiplyAddVarTime(out: Jacobian, u: usize, v: usize, p: Affine): bool {
  if (!verificationTablesAreBuilt) buildVerificationTables();
  setAffine(BASE, p, false);
  oddMultiples(P_TABLE, DENOMINATORS, BASE, P_ENTRIES);
  makeAffine(P_TABLE, DENOMINATORS, P_ENTRIES);
  multiplyByLambda(LAMBDA_P_TABLE, P_TABLE, P_ENTRIES);
  splitVarTime(u, U1_NAF, U2_NAF, G_WIDTH);
  splitVarTime(v, V1_NAF, V2_NAF, P_WIDTH);
  let finite = false;
  for (let i = DIGITS - 1; i >= 0; i--) {
    if (finite) double(out);
    finite = addDigitVarTime(out, finite, V1_NAF, i, P_TABLE);
    finite = addDigitVarTime(out, finite, V2_NAF, i, LAMBDA_P_TABLE);
    finite = addDigitVarTime(out, finite, U1_NAF, i, G_TABLE);
    finite = addDigitVarTime(out, finite, U2_NAF, i, LAMBDA_G_TABLE);
  }
  return finite;
}

function addDigitVarTime(p: Jacobian, finite: bool, naf: usize, i: i32, table: usize): bool {
  const digit = <i32>load<i16>(naf + (i << 1));
  if (digit == 0) return finite;
  const entry = changetype<Affine>(table + <usize>(abs(digit) >> 1) * AFFINE_BYTES);
  if (finite) return addAffineVarTime(p, entry, digit < 0);
  setAffine(p, entry, digit < 0);
  return true;
}

/**
 * The non-adjacent forms of k1, k2 with k = k1 + k2 λ (mod n) and |k1|, |k2| < 2^128: Guide to Elliptic Curve
 * Cryptography, algorithm 3.74, with its two divisions by n as multiplications by precomputed reciprocals.
 */
function splitVarTime(k: usize, naf1: usize, naf2: usize, width: i32): void {
  mulShift384(HALF1, k, G1);
  mulShift384(HALF2, k, G2);
  mulScalar(HALF1, HALF1, MINUS_B1);
  mulScalar(HALF2, HALF2, MINUS_B2);
  addScalar(HALF2, HALF1, HALF2);
  mulScalar(PRODUCT, HALF2, LAMBDA);
  negateScalarIf(PRODUCT, PRODUCT, ~0);
  addScalar(HALF1, k, PRODUCT);
  nonAdjacentFormVarTime(naf1, HALF1, width);
  nonAdjacentFormVarTime(naf2, HALF2, width);
}

/** The width-w non-adjacent form of a number below 2^128 in size, modulo n: digits are odd or zero. Changes k. */
function nonAdjacentFormVarTime(naf: usize, k: usize, width: i32): void {
  memory.fill(naf, 0, NAF_BYTES);
  const sign = isHigh(k) != 0 ? -1 : 1;
  if (sign < 0) negateScalarIf(k, k, ~0);
  if (!ASC_NO_ASSERT) assert((load<u64>(k, 16) | load<u64>(k, 24)) == 0);
  let low = load<u64>(k), high = load<u64>(k, 8);
  let carry = 0;
  for (let i = 0; i < DIGITS - 1; ) {
    if (<i32>(low & 1) == carry) {
      low = (low >> 1) | (high << 63);
      high >>= 1;
      i++;
      continue;
    }
    const bits = <i32>(low & ((1 << width) - 1)) + carry;
    carry = bits >> (width - 1);
    store<i16>(naf + (i << 1), <i16>(sign * (bits - (carry << width))));
    low = (low >> width) | (high << (64 - width));
    high >>= width;
    i += width;
  }
}
