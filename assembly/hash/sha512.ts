// SHA-512 (FIPS 180-4) over a message that arrives in pieces. One hash at a time: the state is static.

import { SHA512_SPACE } from '../memory';
import { compress, initialize } from './sha512-kernel';

const STATE: usize = SHA512_SPACE; // 64
const BLOCK: usize = SHA512_SPACE + 64; // 128: what does not fill a block yet
const TOTAL: usize = SHA512_SPACE + 192; // 8: bytes so far

export function sha512Init(): void {
  initialize(STATE);
  store<u64>(TOTAL, 0);
}

export function sha512Update(bytes: usize, length: i32): void {
  const total = load<u64>(TOTAL);
  store<u64>(TOTAL, total + length);
  let at = bytes;
  const end = bytes + length;

  const waiting = <i32>(total & 127);
  if (waiting != 0) {
    const taken = min(128 - waiting, length);
    memory.copy(BLOCK + waiting, at, taken);
    at += taken;
    if (waiting + taken < 128) return;
    compress(STATE, BLOCK);
  }
  for (; at + 128 <= end; at += 128) compress(STATE, at);
  memory.copy(BLOCK, at, end - at);
}

/** Writes the 64-byte digest. */
export function sha512Final(digest: usize): void {
  const total = load<u64>(TOTAL);
  const waiting = <i32>(total & 127);
  store<u8>(BLOCK + waiting, 0x80);
  memory.fill(BLOCK + waiting + 1, 0, 127 - waiting);
  if (waiting >= 112) {
    compress(STATE, BLOCK);
    memory.fill(BLOCK, 0, 120);
  }
  store<u64>(BLOCK, bswap<u64>(total << 3), 120); // the length in bits; messages stay below 2^61 bytes
  compress(STATE, BLOCK);
  for (let i: usize = 0; i < 64; i += 8) store<u64>(digest + i, bswap<u64>(load<u64>(STATE + i)));
}
