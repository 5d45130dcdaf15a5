// The random weight z of a signature in a batch, with few non-zero digits, so that z R takes few additions (Cheon and Yi,
// "Fast Batch Verification of Multiple Signatures", PKC 2007).
//
// z = sum d_i 2^(11 i + e_i) for i = 0 ... 21, with d_i from -7, -5 ... 7, where the last is positive, and e_i from 0 ... 7:
// its non-adjacent form of width 4. |d_i 2^e_i| < 2^10, so no two choices give the same z; and 0 < z < 2^242 < L. A batch
// that has an invalid signature passes for at most one of the 2^131 weights of that signature, whatever the others are.

import { Scalar, multiplyAdd } from './scalar';

/** Random bytes for a weight: one a digit, of which six bits are used. */
export const WEIGHT_BYTES: i32 = 22;
export const WEIGHT_WIDTH: i32 = 4;

const PLUS = changetype<Scalar>(memory.data(32, 16));
const MINUS = changetype<Scalar>(memory.data(32, 16));
const MINUS_ONE = changetype<Scalar>(
  memory.data<u64>([0x5812631a5cf5d3ec, 0x14def9dea2f79cd6, 0, 0x1000000000000000]),
);

/** z from WEIGHT_BYTES random bytes. Variable-time: the weights are not secret, only new for every batch. */
export function weightVarTime(z: Scalar, random: usize): void {
  memory.fill(changetype<usize>(PLUS), 0, 32);
  memory.fill(changetype<usize>(MINUS), 0, 32);
  for (let i = 0; i < WEIGHT_BYTES; i++) {
    const bits = <i32>load<u8>(random + i);
    const negative = (bits & 32) != 0 && i < WEIGHT_BYTES - 1;
    const digit = ((bits >> 2) & 6) | 1, at = 11 * i + (bits & 7);
    const word = changetype<usize>(negative ? MINUS : PLUS) + (at >> 3);
    store<u16>(word, <u16>(<i32>load<u16>(word) | (digit << (at & 7))));
  }
  multiplyAdd(z, MINUS, MINUS_ONE, PLUS);
}
