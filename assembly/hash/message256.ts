// SHA-256 over the message of a call, which arrives in pieces through MESSAGE. One hash at a time: the state is static.
// Every piece but the last is MESSAGE_BYTES long, a multiple of a block, so only the last leaves bytes over.

import { copy32 } from '../bytes';
import { MESSAGE, MESSAGE_BYTES, SHA256_SPACE } from '../memory';
import { SHA256_BLOCK, sha256Block, sha256Blocks, sha256Init, sha256Last } from './sha256';

const STATE = SHA256_SPACE + 352; // 32
const TOTAL = SHA256_SPACE + 384; // 8: bytes so far, those before the message included
const REST = SHA256_SPACE + 400; // 64: what does not fill a block

export function messageInit(): void {
  sha256Init(STATE);
  store<u64>(TOTAL, 0);
}

/** Starts with what a midstate of one block stands for, and one more block. */
export function messageInitFrom(midstate: usize, block: usize): void {
  copy32(STATE, midstate);
  sha256Block(STATE, block);
  store<u64>(TOTAL, 2 * SHA256_BLOCK);
}

export function messageAbsorb(bytes: i32): void {
  if (!ASC_NO_ASSERT) assert(bytes >= 0 && bytes <= MESSAGE_BYTES);
  const rest = bytes & 63, whole = bytes - rest;
  sha256Blocks(STATE, MESSAGE, whole);
  memory.copy(REST, MESSAGE + whole, rest);
  store<u64>(TOTAL, load<u64>(TOTAL) + bytes);
}

export function messageFinal(digest: usize): void {
  const total = load<u64>(TOTAL);
  sha256Last(digest, STATE, REST, <usize>(total & 63), total);
}
