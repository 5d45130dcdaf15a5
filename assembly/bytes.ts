// Bytes in memory: copies, reversals, comparisons without a branch.

export function copy32(to: usize, from: usize): void {
  const low = v128.load(from), high = v128.load(from, 16);
  v128.store(to, low);
  v128.store(to, high, 16);
}

/** to = the 32 bytes at `from` in reverse order: big-endian to little-endian and back. */
export function reverse32(to: usize, from: usize): void {
  const low = v128.load(from), high = v128.load(from, 16);
  v128.store(to, reverse16(high));
  v128.store(to, reverse16(low), 16);
}

// @ts-ignore: decorator
@inline
function reverse16(bytes: v128): v128 {
  return v128.shuffle<u8>(bytes, bytes, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

/** Two 64-bit words, big-endian to little-endian and back. */
// @ts-ignore: decorator
@inline
export function swap64(words: v128): v128 {
  return v128.shuffle<u8>(words, words, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);
}

/** Four 32-bit words, big-endian to little-endian and back. */
// @ts-ignore: decorator
@inline
export function swap32(words: v128): v128 {
  return v128.shuffle<u8>(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** 1 where the 32 bytes are all zero, else 0. */
export function isZero32(bytes: usize): u64 {
  const any = load<u64>(bytes) | load<u64>(bytes, 8) | load<u64>(bytes, 16) | load<u64>(bytes, 24);
  return ((any | (0 - any)) >> 63) ^ 1;
}

/** 1 where the 32 bytes are equal, else 0. */
export function equal32(a: usize, b: usize): u64 {
  const differences =
    (load<u64>(a) ^ load<u64>(b)) |
    (load<u64>(a, 8) ^ load<u64>(b, 8)) |
    (load<u64>(a, 16) ^ load<u64>(b, 16)) |
    (load<u64>(a, 24) ^ load<u64>(b, 24));
  return ((differences | (0 - differences)) >> 63) ^ 1;
}
