/** `length` bytes that look random and depend on `seed` alone (a 32-bit xorshift generator). */
export function sampleBytes(length: number, seed: number): Uint8Array {
  let state = (seed + 1) * 0x9e3779b1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}
