// Integers modulo the order n of P-256, as 32 little-endian bytes. All of it is for public numbers.

import { MODULUS_N, modInverseVarTime } from './inverse';
import { mulScalar, TO_MONTGOMERY } from './scalar-kernels';

export { mulScalar, TO_MONTGOMERY };

/** n */
export const ORDER = memory.data<u8>([
  0x51, 0x25, 0x63, 0xfc, 0xc2, 0xca, 0xb9, 0xf3, 0x84, 0x9e, 0x17, 0xa7, 0xad, 0xfa, 0xe6, 0xbc,
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
]);

/** p - n: x coordinates below it stand for two classes of points modulo n. */
export const PRIME_LESS_ORDER = memory.data<u8>([
  0xae, 0xda, 0x9c, 0x03, 0x3d, 0x35, 0x46, 0x0c, 0x7b, 0x61, 0xe8, 0x58, 0x53, 0x05, 0x19, 0x43,
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
]);

export function isBelow(a: usize, b: usize): bool {
  let at: usize = 24;
  while (at > 0 && load<u64>(a + at) == load<u64>(b + at)) at -= 8;
  return load<u64>(a + at) < load<u64>(b + at);
}

/** out = a + b mod 2^256 */
export function add256(out: usize, a: usize, b: usize): void {
  let sum: u64 = 0;
  for (let at: usize = 0; at < 32; at += 4) {
    sum += <u64>load<u32>(a + at) + load<u32>(b + at);
    store<u32>(out + at, <u32>sum);
    sum >>= 32;
  }
}

/** out = a - b mod 2^256 */
export function sub256(out: usize, a: usize, b: usize): void {
  let borrow: u64 = 0;
  for (let at: usize = 0; at < 32; at += 4) {
    const difference = <u64>load<u32>(a + at) - load<u32>(b + at) - borrow;
    store<u32>(out + at, <u32>difference);
    borrow = difference >> 63;
  }
}

export function invertScalar(out: usize, a: usize): void {
  modInverseVarTime(out, a, MODULUS_N);
}
