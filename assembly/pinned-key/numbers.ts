// Numbers below 2^256, as 32 little-endian bytes, all of them public.

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
