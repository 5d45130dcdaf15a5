// Points of the curve -x^2 + y^2 = 1 + d x^2 y^2 in extended coordinates (x = X/Z, y = Y/Z, T = XY/Z), with the
// complete formulas of Hisil, Wong, Carter and Dawson, "Twisted Edwards Curves Revisited" (EFD: add-2008-hwcd-3,
// dbl-2008-hwcd): no exceptional points. Encoding by RFC 8032 §5.1.2.

import { ED25519_POINT } from '../memory';
import { invert, parity } from './field';
import {
  BASE_X,
  BASE_Y,
  D2,
  Field,
  Loose,
  ONE,
  Sum,
  add as addField,
  addCarried,
  copy,
  doubleAdd,
  doubleSubCarried,
  mul,
  mulDifference,
  mulSum,
  negCarried,
  sqr,
  sqrSum,
  sub as subField,
  subCarried,
  toBytes,
} from './field-kernels';

/** X, Y, Z, T. */
@unmanaged
@final
export class Point {
  @inline get x(): Field { return field(changetype<usize>(this), 0); }
  @inline get y(): Field { return field(changetype<usize>(this), 1); }
  @inline get z(): Field { return field(changetype<usize>(this), 2); }
  @inline get t(): Field { return field(changetype<usize>(this), 3); }
}
export const POINT_BYTES: usize = 144;

/** A point prepared for being added: Y + X, Y - X, Z, 2dT. */
@unmanaged
@final
export class Cached {
  @inline get yPlusX(): Field { return field(changetype<usize>(this), 0); }
  @inline get yMinusX(): Field { return field(changetype<usize>(this), 1); }
  @inline get z(): Field { return field(changetype<usize>(this), 2); }
  @inline get t2d(): Field { return field(changetype<usize>(this), 3); }
}
export const CACHED_BYTES: usize = 144;

/** The same with Z = 1: y + x, y - x, 2dxy. The last may be negated without a carry, so it counts as a Sum. */
@unmanaged
@final
export class Niels {
  @inline get yPlusX(): Field { return field(changetype<usize>(this), 0); }
  @inline get yMinusX(): Field { return field(changetype<usize>(this), 1); }
  @inline get xy2d(): Sum { return field(changetype<usize>(this), 2); }
}
/** 108 bytes of limbs, padded to whole 128-bit words for the table scan. */
export const NIELS_BYTES: usize = 112;

// @ts-ignore: decorator
@inline
function field(address: usize, index: usize): Field {
  return changetype<Field>(address + 36 * index);
}

// Temporaries, named as in the formulas. A variable has the class that the operation writing it promises.
const A = changetype<Field>(ED25519_POINT);
const B = changetype<Field>(ED25519_POINT + 40);
const C = changetype<Field>(ED25519_POINT + 80);
const U = changetype<Field>(ED25519_POINT + 120);
const V = changetype<Field>(ED25519_POINT + 160);
const ELoose = changetype<Loose>(ED25519_POINT + 200);
const E = changetype<Field>(ED25519_POINT + 200);
const FLoose = changetype<Loose>(ED25519_POINT + 240);
const F = changetype<Field>(ED25519_POINT + 240);
const GLoose = changetype<Loose>(ED25519_POINT + 280);
const G = changetype<Field>(ED25519_POINT + 280);
const HSum = changetype<Sum>(ED25519_POINT + 320);
const H = changetype<Field>(ED25519_POINT + 320);
const INVERSE = changetype<Field>(ED25519_POINT + 360);
const ADDEND = changetype<Cached>(ED25519_POINT + 400); // 144

export function setIdentity(p: Point): void {
  memory.fill(changetype<usize>(p), 0, POINT_BYTES);
  copy(p.y, ONE);
  copy(p.z, ONE);
}

/** p = B, the base point. */
export function setBase(p: Point): void {
  copy(p.x, BASE_X);
  copy(p.y, BASE_Y);
  copy(p.z, ONE);
  mul(p.t, BASE_X, BASE_Y);
}

export function copyPoint(out: Point, p: Point): void {
  copy(out.x, p.x);
  copy(out.y, p.y);
  copy(out.z, p.z);
  copy(out.t, p.t);
}

/** p += n, without T */
export function addNielsWithoutT(p: Point, n: Niels): void {
  mulDifference(A, p.y, p.x, n.yMinusX);
  mulSum(B, p.y, p.x, n.yPlusX);
  mul(C, n.xy2d, p.t);
  finishAddition(p, p.z);
}

/** p -= n, without T: n negated is yMinusX, yPlusX, -xy2d. */
export function subtractNielsWithoutT(p: Point, n: Niels): void {
  mulDifference(A, p.y, p.x, n.yPlusX);
  mulSum(B, p.y, p.x, n.yMinusX);
  mul(C, n.xy2d, p.t);
  finishSubtraction(p, p.z);
}

/** p += c */
export function addCached(p: Point, c: Cached): void {
  addCachedWithoutT(p, c);
  addMissingT(p);
}

/** p += c, without T */
export function addCachedWithoutT(p: Point, c: Cached): void {
  mulDifference(A, p.y, p.x, c.yMinusX);
  mulSum(B, p.y, p.x, c.yPlusX);
  mul(C, p.t, c.t2d);
  mul(U, p.z, c.z);
  finishAddition(p, U);
}

/** p -= c, without T */
export function subtractCachedWithoutT(p: Point, c: Cached): void {
  mulDifference(A, p.y, p.x, c.yPlusX);
  mulSum(B, p.y, p.x, c.yMinusX);
  mul(C, p.t, c.t2d);
  mul(U, p.z, c.z);
  finishSubtraction(p, U);
}

/** p += q */
export function addPoint(p: Point, q: Point): void {
  toCached(ADDEND, q);
  addCached(p, ADDEND);
}

/** From A, B, C and z = Z1 Z2: E = B - A, F = 2z - C, G = 2z + C, H = B + A; without T. */
function finishAddition(p: Point, z: Field): void {
  subField(ELoose, B, A);
  doubleSubCarried(F, z, C);
  doubleAdd(GLoose, z, C);
  addField(HSum, B, A);
  mul(p.x, ELoose, F);
  mul(p.y, GLoose, HSum);
  mul(p.z, GLoose, F);
}

/** The same with C negated, which exchanges F and G. */
function finishSubtraction(p: Point, z: Field): void {
  subCarried(E, B, A);
  doubleAdd(FLoose, z, C);
  doubleSubCarried(G, z, C);
  addField(HSum, B, A);
  mul(p.x, FLoose, E);
  mul(p.y, G, HSum);
  mul(p.z, FLoose, G);
}

/** p = 2p */
export function double(p: Point): void {
  doubleWithoutT(p);
  addMissingT(p);
}

/** Makes up for the T that the last operation left out; no other may come between. */
export function addMissingT(p: Point): void {
  mul(p.t, ELoose, HSum);
}

/** p = 2p, without its T: enough where another doubling follows. F and H are those of the EFD, both negated. */
export function doubleWithoutT(p: Point): void {
  sqr(A, p.x);
  sqr(B, p.y);
  sqr(C, p.z);
  sqrSum(U, p.x, p.y);
  addCarried(H, A, B);
  subField(ELoose, U, H);
  subField(GLoose, B, A);
  doubleSubCarried(F, C, GLoose);
  mul(p.x, ELoose, F);
  mul(p.y, GLoose, H);
  mul(p.z, GLoose, F);
}

export function toCached(out: Cached, p: Point): void {
  addCarried(out.yPlusX, p.y, p.x);
  subCarried(out.yMinusX, p.y, p.x);
  copy(out.z, p.z);
  mul(out.t2d, p.t, D2);
}

/** Writes the 32 bytes of RFC 8032 §5.1.2. The same steps for every point. */
export function encode(bytes: usize, p: Point): void {
  invert(INVERSE, p.z);
  encodeWithInverse(bytes, p, INVERSE);
}

/** The same, given 1/Z. */
export function encodeWithInverse(bytes: usize, p: Point, inverse: Field): void {
  mul(U, p.x, inverse);
  mul(V, p.y, inverse);
  toBytes(bytes, V);
  store<u64>(bytes, load<u64>(bytes, 24) | (parity(U) << 63), 24);
}

/** Puts X, Y and Z of p where toNielsTogether expects them. */
export function keepProjective(entry: usize, p: Point): void {
  const kept = changetype<Point>(entry);
  copy(kept.x, p.x);
  copy(kept.y, p.y);
  copy(kept.z, p.z);
}

/**
 * Turns `count` points X, Y, Z that lie at the start of the entries of a table into Niels, with one inversion for all:
 * products[i] = Z0 ... Zi, from whose inverse the single inverses are peeled off (Montgomery). For public tables.
 */
export function toNielsTogether(table: usize, count: i32, products: usize): void {
  copy(field(products, 0), tableEntry(table, 0).z);
  for (let i = 1; i < count; i++) mul(field(products, i), field(products, i - 1), tableEntry(table, i).z);
  invert(INVERSE, field(products, count - 1));
  for (let i = count - 1; i >= 0; i--) {
    const p = tableEntry(table, i);
    if (i > 0) mul(C, INVERSE, field(products, i - 1));
    else copy(C, INVERSE);
    mul(INVERSE, INVERSE, p.z);
    mul(U, p.x, C);
    mul(V, p.y, C);
    const niels = changetype<Niels>(p);
    addCarried(niels.yPlusX, V, U);
    subCarried(niels.yMinusX, V, U);
    mul(U, U, V);
    mul(changetype<Field>(niels.xy2d), U, D2);
  }
}

// @ts-ignore: decorator
@inline
function tableEntry(table: usize, i: i32): Point {
  return changetype<Point>(table + NIELS_BYTES * i);
}
