// Points of the curve -x^2 + y^2 = 1 + d x^2 y^2 in extended coordinates (x = X/Z, y = Y/Z, T = XY/Z), one element by
// itself: encoding by RFC 8032 §5.1.2, and entries of tables. point-pair.ts and point-lanes.ts have the formulas.

import { ED25519_POINT } from '../memory';
import { invert, parity } from './field';
import { D2, Field, addCarried, copy, mul, subCarried, toBytes } from './field-kernels';

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

/** A point with Z = 1, prepared for being added: y + x, y - x, 2dxy. */
@unmanaged
@final
export class Niels {
  @inline get yPlusX(): Field { return field(changetype<usize>(this), 0); }
  @inline get yMinusX(): Field { return field(changetype<usize>(this), 1); }
  @inline get xy2d(): Field { return field(changetype<usize>(this), 2); }
}
/** 108 bytes of limbs, padded to whole 128-bit words for the table scan. */
export const NIELS_BYTES: usize = 112;

// @ts-ignore: decorator
@inline
function field(address: usize, index: usize): Field {
  return changetype<Field>(address + 36 * index);
}

const U = changetype<Field>(ED25519_POINT);
const V = changetype<Field>(ED25519_POINT + 40);
const INVERSE = changetype<Field>(ED25519_POINT + 80);
const SINGLE_INVERSE = changetype<Field>(memory.data(36, 16)); // public

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
    if (i > 0) mul(SINGLE_INVERSE, INVERSE, field(products, i - 1));
    else copy(SINGLE_INVERSE, INVERSE);
    mul(INVERSE, INVERSE, p.z);
    mul(U, p.x, SINGLE_INVERSE);
    mul(V, p.y, SINGLE_INVERSE);
    const niels = changetype<Niels>(p);
    addCarried(niels.yPlusX, V, U);
    subCarried(niels.yMinusX, V, U);
    mul(U, U, V);
    mul(niels.xy2d, U, D2);
  }
}

// @ts-ignore: decorator
@inline
function tableEntry(table: usize, i: i32): Point {
  return changetype<Point>(table + NIELS_BYTES * i);
}
