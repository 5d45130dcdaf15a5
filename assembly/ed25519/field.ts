// The field of integers modulo p = 2^255 - 19: what is built from the generated kernels. field-kernels.ts defines the
// classes Field, Sum and Loose, which bound the limbs of an element in memory.

import { ED25519_FIELD } from '../memory';
import { MODULUS_25519, modInverse } from '../modinv';
import { Field, fromBytes, mul, sqr, subCarried, toBytes } from './field-kernels';

/** Bytes of an element. */
export const FIELD_BYTES: usize = 36;

const t0 = changetype<Field>(ED25519_FIELD);
const t1 = changetype<Field>(ED25519_FIELD + 40);
const t2 = changetype<Field>(ED25519_FIELD + 80);
const BYTES: usize = ED25519_FIELD + 160; // 32
const DIFFERENCE = changetype<Field>(ED25519_FIELD + 192);

/** out = 1/z, and 0 for z = 0. The same steps for every z. */
export function invert(out: Field, z: Field): void {
  toBytes(BYTES, z);
  modInverse(BYTES, BYTES, MODULUS_25519);
  fromBytes(out, BYTES);
}

/** out = z^((p-5)/8), from which square roots are made. The same steps for every z. */
export function powForSqrt(out: Field, z: Field): void {
  powTo250Ones(z); // (p-5)/8 = 2^252 - 3 = (2^250 - 1) * 2^2 + 1
  sqrTimes(t0, t0, 2);
  mul(out, t0, z);
}

/** t0 = z^(2^250 - 1); z is none of the temporaries. */
function powTo250Ones(z: Field): void {
  sqr(t0, z);
  sqrTimes(t1, t0, 2);
  mul(t1, t1, z); // 9
  mul(t0, t1, t0); // 11
  sqr(t0, t0);
  mul(t0, t0, t1); // 2^5 - 1
  sqrTimes(t1, t0, 5);
  mul(t0, t1, t0); // 2^10 - 1
  sqrTimes(t1, t0, 10);
  mul(t1, t1, t0); // 2^20 - 1
  sqrTimes(t2, t1, 20);
  mul(t1, t2, t1); // 2^40 - 1
  sqrTimes(t1, t1, 10);
  mul(t0, t1, t0); // 2^50 - 1
  sqrTimes(t1, t0, 50);
  mul(t1, t1, t0); // 2^100 - 1
  sqrTimes(t2, t1, 100);
  mul(t1, t2, t1); // 2^200 - 1
  sqrTimes(t1, t1, 50);
  mul(t0, t1, t0); // 2^250 - 1
}

function sqrTimes(out: Field, a: Field, count: i32): void {
  sqr(out, a);
  for (let i = 1; i < count; i++) sqr(out, out);
}

/** Whether a = 0 (mod p). For public values: the caller branches on it. */
export function isZero(a: Field): bool {
  toBytes(BYTES, a);
  return (load<u64>(BYTES) | load<u64>(BYTES, 8) | load<u64>(BYTES, 16) | load<u64>(BYTES, 24)) == 0;
}

/** Whether a = b (mod p). For public values. */
export function equal(a: Field, b: Field): bool {
  subCarried(DIFFERENCE, a, b);
  return isZero(DIFFERENCE);
}

/** The least significant bit of a, which is the sign of x in RFC 8032. */
export function parity(a: Field): u64 {
  toBytes(BYTES, a);
  return load<u64>(BYTES) & 1;
}
