// Affine tables of odd multiples of a public point, and the base point G.

import { copyField, FIELD_BYTES, fromBytes, invertVarTime, ONE } from './field';
import { Field, mul, sqr } from './field-kernels';
import { addAffineVarTime, Affine, AFFINE_BYTES, double, Jacobian } from './point';

// G, little-endian
const GENERATOR_X = memory.data<u8>([
  0x98, 0x17, 0xf8, 0x16, 0x5b, 0x81, 0xf2, 0x59, 0xd9, 0x28, 0xce, 0x2d, 0xdb, 0xfc, 0x9b, 0x02,
  0x07, 0x0b, 0x87, 0xce, 0x95, 0x62, 0xa0, 0x55, 0xac, 0xbb, 0xdc, 0xf9, 0x7e, 0x66, 0xbe, 0x79,
]);
const GENERATOR_Y = memory.data<u8>([
  0xb8, 0xd4, 0x10, 0xfb, 0x8f, 0xd0, 0x47, 0x9c, 0x19, 0x54, 0x85, 0xa6, 0x48, 0xb4, 0x17, 0xfd,
  0xa8, 0x08, 0x11, 0x0e, 0xfc, 0xfb, 0xa4, 0x5d, 0x65, 0xc4, 0xa3, 0x26, 0x77, 0xda, 0x3a, 0x48,
]);

const SUM = changetype<Jacobian>(memory.data(112, 16));
const STEP = changetype<Jacobian>(memory.data(112, 16));
const SCALE = changetype<Field>(memory.data(36, 16));
const INVERSE = changetype<Field>(memory.data(36, 16));
const Z_INVERSE = changetype<Field>(memory.data(36, 16));
const SQUARE = changetype<Field>(memory.data(36, 16));

export function setGenerator(p: Jacobian): void {
  fromBytes(p.X, GENERATOR_X);
  fromBytes(p.Y, GENERATOR_Y);
  copyField(p.Z, ONE);
}

/**
 * X and Y of base, 3 base, 5 base, ... in the table, their Z in the denominators. The curve is left for one that is
 * isomorphic to it, where 2 base is affine: (x, y) goes to (x Z^2, y Z^3) for the Z of 2 base. The formulas of point.ts
 * do not depend on the 7 of the equation, so the additions are mixed ones.
 */
export function oddMultiples(table: usize, denominators: usize, base: Jacobian, count: usize): void {
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
export function makeAffine(table: usize, denominators: usize, count: usize): void {
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
