// u G + v P for public u and v: Gallant-Lambert-Vanstone halves of both, four interleaved non-adjacent forms over 128
// doublings at most. The sum is computed on the isomorphic curve where the odd multiples of P are affine without an inversion; the
// table of G is affine on the original one, at one multiplication more for each addition.

import { copyField, fromBytes } from './field';
import { Field, mul, sqr } from './field-kernels';
import { oddMultiples, oddMultiplesTimesZ, setGenerator } from './odd-multiples';
import { addAffineVarTime, Affine, AFFINE_BYTES, doubleNegated, Jacobian, setAffine } from './point';
import { G1, G2, mulShift384, splitHalves } from './scalar-kernels';

/** The x of λP is β times that of P. */
const BETA_BYTES = memory.data<u8>([
  0xee, 0x01, 0x95, 0x71, 0x28, 0x6c, 0x39, 0xc1, 0x95, 0x89, 0xf5, 0x12, 0x75, 0x49, 0xf0, 0x9c,
  0xe9, 0x34, 0x34, 0xac, 0x9e, 0x47, 0x64, 0x6e, 0x10, 0x07, 0x7c, 0x65, 0x2b, 0x6a, 0xe9, 0x7a,
]);

const P_WIDTH = 5;
const G_WIDTH = 11;
const P_ENTRIES: usize = 8; // 2^(P_WIDTH - 2)
const G_ENTRIES: usize = 512; // 2^(G_WIDTH - 2)

const P_TABLE = memory.data(640, 16); // P_ENTRIES * AFFINE_BYTES
const LAMBDA_P_TABLE = memory.data(640, 16);
const G_TABLE = memory.data(40960, 16); // G_ENTRIES * AFFINE_BYTES
const LAMBDA_G_TABLE = memory.data(40960, 16);
let verificationTablesAreBuilt = false;

const BASE = changetype<Jacobian>(memory.data(112, 16));
const BETA = changetype<Field>(memory.data(36, 16));
/** The multiples of P are affine on the curve y^2 = x^3 + 7 TABLE_Z^6. */
const TABLE_Z = changetype<Field>(memory.data(36, 16));
const Z = changetype<Field>(memory.data(36, 16));

const HALF1 = memory.data(32, 16);
const HALF2 = memory.data(32, 16);
const PLACES = 129;
/** For every place the digits of P, λP, G and λG, as i16. */
const DIGITS_BYTES: usize = 1040; // 8 * (PLACES + 1)
const DIGITS = memory.data(1040, 16);

function buildVerificationTables(): void {
  setGenerator(BASE);
  oddMultiples(G_TABLE, BASE, G_ENTRIES);
  fromBytes(BETA, BETA_BYTES);
  multiplyByLambda(LAMBDA_G_TABLE, G_TABLE, G_ENTRIES);
  verificationTablesAreBuilt = true;
}

function multiplyByLambda(out: usize, table: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const from = changetype<Affine>(table + i * AFFINE_BYTES), to = changetype<Affine>(out + i * AFFINE_BYTES);
    mul(to.x, from.x, BETA);
    copyField(to.y, from.y);
  }
}

/**
 * out = u G + v P. Gives false where that is infinity, which out then is not. The sum is computed on the curve where the
 * multiples of P are affine. Every doubling changes its sign, so the digits at odd places have theirs changed.
 */
export function multiplyAddVarTime(out: Jacobian, u: usize, v: usize, p: Affine): bool {
  if (!verificationTablesAreBuilt) buildVerificationTables();
  setAffine(BASE, p, false);
  oddMultiplesTimesZ(P_TABLE, TABLE_Z, BASE, P_ENTRIES);
  multiplyByLambda(LAMBDA_P_TABLE, P_TABLE, P_ENTRIES);
  memory.fill(DIGITS, 0, DIGITS_BYTES);
  splitVarTime(v, DIGITS, P_WIDTH);
  splitVarTime(u, DIGITS + 4, G_WIDTH);
  let finite = false;
  for (let at = DIGITS + DIGITS_BYTES - 8; at >= DIGITS; at -= 8) {
    if (finite) doubleNegated(out);
    if (load<u64>(at) == 0) continue;
    finite = addDigitVarTime(out, finite, load<i16>(at), P_TABLE, false);
    finite = addDigitVarTime(out, finite, load<i16>(at, 2), LAMBDA_P_TABLE, false);
    finite = addDigitVarTime(out, finite, load<i16>(at, 4), G_TABLE, true);
    finite = addDigitVarTime(out, finite, load<i16>(at, 6), LAMBDA_G_TABLE, true);
  }
  if (finite) mul(out.Z, out.Z, TABLE_Z);
  return finite;
}

/** p += digit times the table's point; `original`: which is affine on the original curve. */
function addDigitVarTime(p: Jacobian, finite: bool, digit: i32, table: usize, original: bool): bool {
  if (digit == 0) return finite;
  const entry = changetype<Affine>(table + <usize>(abs(digit) >> 1) * AFFINE_BYTES);
  if (finite) {
    if (!original) return addAffineVarTime(p, p.Z, entry, digit < 0);
    mul(Z, p.Z, TABLE_Z);
    return addAffineVarTime(p, Z, entry, digit < 0);
  }
  setAffine(p, entry, digit < 0);
  if (original) {
    sqr(Z, TABLE_Z);
    mul(p.X, p.X, Z);
    mul(Z, Z, TABLE_Z);
    mul(p.Y, p.Y, Z);
  }
  return true;
}

/**
 * The non-adjacent forms of k1, k2 with k = k1 + k2 λ (mod n) and |k1|, |k2| < 2^128: Guide to Elliptic Curve
 * Cryptography, algorithm 3.74, with its two divisions by n as multiplications by precomputed reciprocals.
 */
function splitVarTime(k: usize, digits: usize, width: i32): void {
  mulShift384(HALF1, k, G1);
  mulShift384(HALF2, k, G2);
  splitHalves(HALF1, HALF2, k, HALF1, HALF2);
  nonAdjacentFormVarTime(digits, HALF1, width);
  nonAdjacentFormVarTime(digits + 2, HALF2, width);
}

/**
 * The width-w non-adjacent form of a number below 2^128 in size, modulo 2^145, every eight bytes: digits are odd or zero,
 * and at odd places have the other sign.
 */
export function nonAdjacentFormVarTime(digits: usize, k: usize, width: i32): void {
  let low = load<u64>(k), high = load<u64>(k, 8);
  const negative = load<u64>(k, 16) != 0;
  if (negative) {
    low = 0 - low;
    high = ~high + u64(low == 0);
  }
  for (let place: u64 = 0; (low | high) != 0; ) {
    if (low == 0) {
      low = high;
      high = 0;
      place += 64;
    }
    const zeros = ctz(low);
    low = (low >> zeros) | ((high << 1) << (63 - zeros));
    high >>= zeros;
    place += zeros;
    let digit = <i32>low & ((1 << width) - 1);
    low = (low >> width) | (high << (64 - width));
    high >>= width;
    if (digit >> (width - 1) != 0) {
      digit -= 1 << width;
      low++; // below 2^(128 - width) before
      if (low == 0) high++;
    }
    if (!ASC_NO_ASSERT) assert(<i32>place < PLACES);
    store<i16>(digits + (<usize>place << 3), <i16>(negative != ((place & 1) != 0) ? -digit : digit));
    place += width;
  }
}
