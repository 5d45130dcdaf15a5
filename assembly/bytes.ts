// Bytes in memory: copies and reversals of 32 bytes, comparisons without a branch.

export function copy32(to: usize, from: usize): void {
  const low = v128.load(from), high = v128.load(from, 16);
  v128.store(to, low);
  v128.store(to, high, 16);
}

/** to = the 32 bytes at `from` in reverse order: big-endian to little-endian and back. */
export function reverse32(to: usize, from: usize): void {
  const a = load<u64>(from), b = load<u64>(from, 8), c = load<u64>(from, 16), d = load<u64>(from, 24);
  store<u64>(to, bswap<u64>(d));
  store<u64>(to, bswap<u64>(c), 8);
  store<u64>(to, bswap<u64>(b), 16);
  store<u64>(to, bswap<u64>(a), 24);
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
