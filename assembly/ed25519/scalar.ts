// Integers modulo L, the order of the base point (RFC 8032 §5.1), as 32 little-endian bytes.

import * as kernels from './scalar-kernels';

/** 32 little-endian bytes; below L where a function here wrote it. */
@unmanaged
@final
export class Scalar {
  w0: u64;
  w1: u64;
  w2: u64;
  w3: u64;
}

/** out = the 64-byte digest modulo L. */
export function reduceDigest(out: Scalar, digest: usize): void {
  kernels.reduceWide(changetype<usize>(out), digest);
}

/** out = a * b + c modulo L, for any 32-byte integers a, b and c. */
export function multiplyAdd(out: Scalar, a: Scalar, b: Scalar, c: Scalar): void {
  kernels.multiplyAdd(changetype<usize>(out), changetype<usize>(a), changetype<usize>(b), changetype<usize>(c));
}

/** Turns 32 bytes of a digest into the secret scalar (RFC 8032 §5.1.5 step 2). */
export function clamp(a: Scalar): void {
  a.w0 &= 0xfffffffffffffff8;
  a.w3 = (a.w3 & 0x3fffffffffffffff) | 0x4000000000000000;
}

/** Whether a < L. Variable-time: for the S of signatures, which is public. */
export function isReducedVarTime(a: Scalar): bool {
  if (a.w3 != 0x1000000000000000) return a.w3 < 0x1000000000000000;
  if (a.w2 != 0) return false;
  if (a.w1 != 0x14def9dea2f79cd6) return a.w1 < 0x14def9dea2f79cd6;
  return a.w0 < 0x5812631a5cf5d3ed;
}
