// The field of integers modulo p = 2^255 - 19: what is built from the generated kernels. field-kernels.ts defines the
// class Field, which bounds the limbs of an element in memory.

import { ED25519_FIELD } from '../memory';
import { MODULUS_25519, modInverse } from '../modinv';
import { Field, fromBytes, subCarried, toBytes } from './field-kernels';

const BYTES: usize = ED25519_FIELD; // 32
const DIFFERENCE = changetype<Field>(ED25519_FIELD + 32);

/** out = 1/z, and 0 for z = 0. The same steps for every z. */
export function invert(out: Field, z: Field): void {
  toBytes(BYTES, z);
  modInverse(BYTES, BYTES, MODULUS_25519);
  fromBytes(out, BYTES);
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
