// Decoding of points (RFC 8032 §5.1.3), two at a time: a square root is a chain of 252 squarings, of which each waits for
// the one before, so the processor can work on another chain meanwhile. With zip215 also what RFC 8032 refuses is decoded:
// y from p upwards, and the sign bit set where x = 0 (ZIP 215). Variable-time: for public points.

import { equal, isZero, parity } from './field';
import {
  D,
  Field,
  ONE,
  SQRT_MINUS_ONE,
  addCarried,
  copy,
  fromBytes,
  mul,
  negCarried,
  sqr,
  subCarried,
  toBytes,
} from './field-kernels';
import { Point } from './point';

/** Where the second element of a pair is, from the first. */
const NEXT: usize = 64;
const PAIR_BYTES: i32 = 128;

// Pairs, one element for each point. x^2 = u/v with u = y^2 - 1 and v = d y^2 + 1.
const U = changetype<Field>(memory.data(PAIR_BYTES, 64));
const V = changetype<Field>(memory.data(PAIR_BYTES, 64));
const UV3 = changetype<Field>(memory.data(PAIR_BYTES, 64));
const POWER = changetype<Field>(memory.data(PAIR_BYTES, 64));
const T0 = changetype<Field>(memory.data(PAIR_BYTES, 64));
const T1 = changetype<Field>(memory.data(PAIR_BYTES, 64));
const T2 = changetype<Field>(memory.data(PAIR_BYTES, 64));

const SQUARE = changetype<Field>(memory.data(36, 16));
const CANONICAL: usize = memory.data(32, 16);

/** Reads p and q from 32 bytes each and says whether both encode a point. */
export function decodePairVarTime(p: Point, pBytes: usize, q: Point, qBytes: usize, zip215: bool): bool {
  if (!startDecoding(0, p, pBytes, zip215) || !startDecoding(NEXT, q, qBytes, zip215)) return false;
  powForSqrtOfPair(POWER, POWER);
  return finishDecoding(0, p, pBytes, zip215) && finishDecoding(NEXT, q, qBytes, zip215);
}

/** Reads p from 32 bytes and says whether they encode a point. */
export function decodeVarTime(p: Point, bytes: usize, zip215: bool): bool {
  return decodePairVarTime(p, bytes, p, bytes, zip215);
}

/** y, u, v, u v^3 and u v^7, of which the root's power is to be taken. */
function startDecoding(index: usize, p: Point, bytes: usize, zip215: bool): bool {
  fromBytes(p.y, bytes);
  if (!zip215 && !isCanonical(p.y, bytes)) return false;
  const u = at(U, index), v = at(V, index), uv3 = at(UV3, index), uv7 = at(POWER, index);
  sqr(SQUARE, p.y);
  subCarried(u, SQUARE, ONE);
  mul(v, D, SQUARE);
  addCarried(v, v, ONE);
  sqr(SQUARE, v);
  mul(uv3, SQUARE, v);
  mul(uv3, uv3, u);
  sqr(SQUARE, SQUARE);
  mul(uv7, uv3, SQUARE);
  return true;
}

/** x = u v^3 (u v^7)^((p-5)/8), or that times the root of -1, or there is none. */
function finishDecoding(index: usize, p: Point, bytes: usize, zip215: bool): bool {
  const u = at(U, index);
  mul(p.x, at(UV3, index), at(POWER, index));
  sqr(SQUARE, p.x);
  mul(SQUARE, SQUARE, at(V, index));
  if (!equal(SQUARE, u)) {
    negCarried(u, u);
    if (!equal(SQUARE, u)) return false;
    mul(p.x, p.x, SQRT_MINUS_ONE);
  }
  const sign = load<u64>(bytes, 24) >> 63;
  if (!zip215 && sign == 1 && isZero(p.x)) return false;
  if (parity(p.x) != sign) negCarried(p.x, p.x);
  copy(p.z, ONE);
  mul(p.t, p.x, p.y);
  return true;
}

/** Whether the 255 bits that y was read from are below p. */
function isCanonical(y: Field, bytes: usize): bool {
  toBytes(CANONICAL, y);
  const top = load<u64>(bytes, 24) & 0x7fffffffffffffff;
  return top == load<u64>(CANONICAL, 24) && memory.compare(CANONICAL, bytes, 24) == 0;
}

/** The pair out = the pair z^((p-5)/8), where (p-5)/8 = 2^252 - 3 = (2^250 - 1) * 2^2 + 1. */
export function powForSqrtOfPair(out: Field, z: Field): void {
  squarePair(T0, z, 1);
  squarePair(T1, T0, 2);
  mulPair(T1, T1, z); // 9
  mulPair(T0, T1, T0); // 11
  squarePair(T0, T0, 1);
  mulPair(T0, T0, T1); // 2^5 - 1
  squarePair(T1, T0, 5);
  mulPair(T0, T1, T0); // 2^10 - 1
  squarePair(T1, T0, 10);
  mulPair(T1, T1, T0); // 2^20 - 1
  squarePair(T2, T1, 20);
  mulPair(T1, T2, T1); // 2^40 - 1
  squarePair(T1, T1, 10);
  mulPair(T0, T1, T0); // 2^50 - 1
  squarePair(T1, T0, 50);
  mulPair(T1, T1, T0); // 2^100 - 1
  squarePair(T2, T1, 100);
  mulPair(T1, T2, T1); // 2^200 - 1
  squarePair(T1, T1, 50);
  mulPair(T0, T1, T0); // 2^250 - 1
  squarePair(T0, T0, 2);
  mulPair(out, T0, z);
}

function squarePair(out: Field, a: Field, times: i32): void {
  sqr(out, a);
  sqr(at(out, NEXT), at(a, NEXT));
  for (let i = 1; i < times; i++) {
    sqr(out, out);
    sqr(at(out, NEXT), at(out, NEXT));
  }
}

function mulPair(out: Field, a: Field, b: Field): void {
  mul(out, a, b);
  mul(at(out, NEXT), at(a, NEXT), at(b, NEXT));
}

// @ts-ignore: decorator
@inline
function at(pair: Field, index: usize): Field {
  return changetype<Field>(changetype<usize>(pair) + index);
}
