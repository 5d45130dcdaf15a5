// The field of integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1: what is built from the generated kernels. All of it
// is for public numbers and takes a time that depends on them. Elements are in Montgomery form; as 32 little-endian bytes
// they are below p and still in that form.

import { equal32 } from '../bytes';
import { AFTER_INVERSION, Field, fromBytes, mul } from './field-kernels';
import { MODULUS_P, modInverseVarTime } from './inverse';

/** Bytes of an element in memory. */
export const FIELD_BYTES: usize = 36;
const LIMBS: usize = 9;
const BITS: usize = 29;
const MASK: i64 = 0x1fffffff;
const TOP: usize = 64; // offset of the top limb, as i64
const TOP_BITS: i64 = 24; // 256 - 8 * BITS

const limbs = memory.data(72, 16);
const BYTES = memory.data(32, 16);
const OTHER_BYTES = memory.data(32, 16);

const PRIME_LIMBS = memory.data<i64>([0x1fffffff, 0x1fffffff, 0x1fffffff, 511, 0, 0, 0x40000, 0x1fe00000, 0xffffff]);

export const ZERO = changetype<Field>(memory.data(36, 16));

/** p */
export const PRIME = memory.data<u8>([
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
]);

export function copyField(out: Field, a: Field): void {
  const low = v128.load(changetype<usize>(a)), mid = v128.load(changetype<usize>(a), 16), top = a.l8;
  v128.store(changetype<usize>(out), low);
  v128.store(changetype<usize>(out), mid, 16);
  out.l8 = top;
}

/** Writes a, reduced to [0, p). */
export function toBytes(bytes: usize, a: Field): void {
  for (let i: usize = 0; i < LIMBS; i++) store<i64>(limbs + (i << 3), load<i32>(changetype<usize>(a) + (i << 2)));
  addPrime(0);
  // a = 2^256 q + rest, and 2^256 - p < 2^224: what is left is in [-p, 2p)
  addPrime(-(load<i64>(limbs, TOP) >> TOP_BITS));
  while (load<i64>(limbs, TOP) < 0) addPrime(1);
  while (!isBelowPrime()) addPrime(-1);
  for (let word: usize = 0; word < 4; word++) store<u64>(bytes + (word << 3), 0);
  for (let i: usize = 0; i < LIMBS; i++) {
    const place = BITS * i, shift = place & 63, at = bytes + ((place >> 6) << 3);
    const limb = load<u64>(limbs + (i << 3));
    store<u64>(at, load<u64>(at) | (limb << shift));
    if (shift > 64 - BITS) store<u64>(at, load<u64>(at, 8) | (limb >> (64 - shift)), 8);
  }
}

/** Adds so many times p to the limbs, and carries: all but the top one are in [0, 2^29) afterwards. */
function addPrime(times: i64): void {
  let sum: i64 = 0;
  for (let at: usize = 0; at < TOP; at += 8) {
    sum += load<i64>(limbs + at) + times * load<i64>(PRIME_LIMBS + at);
    store<i64>(limbs + at, sum & MASK);
    sum >>= <i64>BITS;
  }
  store<i64>(limbs, load<i64>(limbs, TOP) + times * load<i64>(PRIME_LIMBS, TOP) + sum, TOP);
}

function isBelowPrime(): bool {
  let at = TOP;
  while (at > 0 && load<i64>(limbs + at) == load<i64>(PRIME_LIMBS + at)) at -= 8;
  return load<i64>(limbs + at) < load<i64>(PRIME_LIMBS + at);
}

/**
 * Whether a = b (mod p), nearly always after a look at the low limbs: elements are below 2^258 + 2^234 in size, so that a
 * difference which is a multiple of p is at most 8 times p, and p = -1 (mod 2^29).
 */
export function isEqual(a: Field, b: Field): bool {
  if (((a.l0 - b.l0 + 8) & <i32>MASK) > 16) return false;
  toBytes(BYTES, a);
  toBytes(OTHER_BYTES, b);
  return equal32(BYTES, OTHER_BYTES) != 0;
}

/** out = 1/a, and 0 for a = 0. */
export function invert(out: Field, a: Field): void {
  toBytes(BYTES, a);
  modInverseVarTime(BYTES, BYTES, MODULUS_P);
  fromBytes(out, BYTES);
  mul(out, out, AFTER_INVERSION);
}
