// Affine tables of odd multiples of a public point, and the base point G.
//
// The multiples are computed with co-Z additions: base and 2 base have the same Z, and so have every sum and 2 base. An
// entry is affine on the isomorphic curve of its own Z; afterwards all of them are brought to that of one Z.

import { TABLE_SCRATCH } from '../memory';
import { copyField, FIELD_BYTES, fromBytes, invertVarTime, ONE } from './field';
import { Field, mul, sqr } from './field-kernels';
import { addCoZ, Affine, AFFINE_BYTES, double, Jacobian } from './point';

// G, little-endian
const GENERATOR_X = memory.data<u8>([
  0x98, 0x17, 0xf8, 0x16, 0x5b, 0x81, 0xf2, 0x59, 0xd9, 0x28, 0xce, 0x2d, 0xdb, 0xfc, 0x9b, 0x02,
  0x07, 0x0b, 0x87, 0xce, 0x95, 0x62, 0xa0, 0x55, 0xac, 0xbb, 0xdc, 0xf9, 0x7e, 0x66, 0xbe, 0x79,
]);
const GENERATOR_Y = memory.data<u8>([
  0xb8, 0xd4, 0x10, 0xfb, 0x8f, 0xd0, 0x47, 0x9c, 0x19, 0x54, 0x85, 0xa6, 0x48, 0xb4, 0x17, 0xfd,
  0xa8, 0x08, 0x11, 0x0e, 0xfc, 0xfb, 0xa4, 0x5d, 0x65, 0xc4, 0xa3, 0x26, 0x77, 0xda, 0x3a, 0x48,
]);

const TWICE = changetype<Jacobian>(memory.data(112, 16));
const Z = changetype<Field>(memory.data(36, 16));
const SCALE = changetype<Field>(memory.data(36, 16));
const POWER = changetype<Field>(memory.data(36, 16));

export function setGenerator(p: Jacobian): void {
  fromBytes(p.X, GENERATOR_X);
  fromBytes(p.Y, GENERATOR_Y);
  copyField(p.Z, ONE);
}

/** The table of base, 3 base, 5 base, ..., affine: one inversion. */
export function oddMultiples(table: usize, base: Jacobian, count: usize): void {
  computeMultiples(table, base, count);
  for (let i: usize = 1; i < count; i++) mul(Z, Z, ratio(i));
  invertVarTime(SCALE, Z);
  scaleEntries(table, count - 1);
}

/** The same, affine on the curve where (x, y) is (x z^2, y z^3): no inversion. */
export function oddMultiplesTimesZ(table: usize, z: Field, base: Jacobian, count: usize): void {
  computeMultiples(table, base, count);
  copyField(SCALE, ratio(count - 1));
  scaleEntries(table, count - 2);
  mul(z, Z, SCALE);
}

/** The Z of entry i, divided by that of the entry before it. */
function ratio(i: usize): Field {
  return changetype<Field>(TABLE_SCRATCH + i * FIELD_BYTES);
}

/** Every entry affine on the curve of its own Z, the ratios, and Z of the first entry. */
function computeMultiples(table: usize, base: Jacobian, count: usize): void {
  copyField(TWICE.X, base.X);
  copyField(TWICE.Y, base.Y);
  copyField(TWICE.Z, ONE);
  double(TWICE);
  const first = changetype<Affine>(table);
  sqr(POWER, TWICE.Z);
  mul(first.x, base.X, POWER);
  mul(POWER, POWER, TWICE.Z);
  mul(first.y, base.Y, POWER);
  mul(Z, TWICE.Z, base.Z);
  for (let i: usize = 1; i < count; i++) {
    const entry = table + i * AFFINE_BYTES;
    addCoZ(
      changetype<Affine>(entry),
      changetype<Affine>(entry - AFFINE_BYTES),
      changetype<Affine>(changetype<usize>(TWICE)),
      ratio(i),
    ); // never equal or opposite
  }
}

/** Entries last ... 0 times SCALE, and times every ratio that lies between; leaves SCALE as that of entry 0. */
function scaleEntries(table: usize, last: usize): void {
  for (let i = last; ; i--) {
    const entry = changetype<Affine>(table + i * AFFINE_BYTES);
    sqr(POWER, SCALE);
    mul(entry.x, entry.x, POWER);
    mul(POWER, POWER, SCALE);
    mul(entry.y, entry.y, POWER);
    if (i == 0) break;
    mul(SCALE, SCALE, ratio(i));
  }
}
