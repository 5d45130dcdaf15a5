// u G + v P for public u and v: Gallant-Lambert-Vanstone halves of both, four interleaved non-adjacent forms over 129
// doublings.

import { TABLE_SCRATCH } from '../memory';
import { copyField, fromBytes } from './field';
import { Field, mul } from './field-kernels';
import { makeAffine, oddMultiples, setGenerator } from './odd-multiples';
import { addAffineVarTime, Affine, AFFINE_BYTES, double, Jacobian, setAffine } from './point';
import { addScalar, isHigh, mulScalar, negateScalarIf } from './scalar';
import { G1, G2, LAMBDA, MINUS_B1, MINUS_B2, mulShift384 } from './scalar-kernels';

/** The x of λP is β times that of P. */
const BETA_BYTES = memory.data<u8>([
  0xee, 0x01, 0x95, 0x71, 0x28, 0x6c, 0x39, 0xc1, 0x95, 0x89, 0xf5, 0x12, 0x75, 0x49, 0xf0, 0x9c,
  0xe9, 0x34, 0x34, 0xac, 0x9e, 0x47, 0x64, 0x6e, 0x10, 0x07, 0x7c, 0x65, 0x2b, 0x6a, 0xe9, 0x7a,
]);

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
const BETA = changetype<Field>(memory.data(36, 16));

const HALF1 = memory.data(32, 16);
const HALF2 = memory.data(32, 16);
const PRODUCT = memory.data(32, 16);
const DIGITS: i32 = 130;
const NAF_BYTES: usize = 260; // DIGITS of i16
const U1_NAF = memory.data(260, 16);
const U2_NAF = memory.data(260, 16);
const V1_NAF = memory.data(260, 16);
const V2_NAF = memory.data(260, 16);

function buildVerificationTables(): void {
  setGenerator(BASE);
  oddMultiples(G_TABLE, TABLE_SCRATCH, BASE, G_ENTRIES);
  makeAffine(G_TABLE, TABLE_SCRATCH, G_ENTRIES);
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

/** out = u G + v P. Gives false where that is infinity, which out then is not. */
export function multiplyAddVarTime(out: Jacobian, u: usize, v: usize, p: Affine): bool {
  if (!verificationTablesAreBuilt) buildVerificationTables();
  setAffine(BASE, p, false);
  oddMultiples(P_TABLE, TABLE_SCRATCH, BASE, P_ENTRIES);
  makeAffine(P_TABLE, TABLE_SCRATCH, P_ENTRIES);
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
