// HMAC-SHA-256 (RFC 2104) with a 32-byte key. Keying leaves two midstates, after the inner and the outer key block;
// each message then costs its own blocks and one more.

import { copy32 } from '../bytes';
import { SHA256_SPACE } from '../memory';
import { SHA256_BLOCK, sha256Block, sha256Init, sha256Last, sha256Last32 } from './sha256';

const KEY_BLOCK = SHA256_SPACE + 224; // 64
const CHAINING = SHA256_SPACE + 288; // 32
const DIGEST = SHA256_SPACE + 320; // 32

const INNER: u8 = 0x36;
const OUTER: u8 = 0x5c;

/** keyed = the inner and the outer midstate, 32 bytes each. */
export function hmacKey(keyed: usize, key32: usize): void {
  hashKeyBlock(keyed, key32, INNER);
  hashKeyBlock(keyed + 32, key32, OUTER);
}

function hashKeyBlock(chaining: usize, key32: usize, pad: u8): void {
  const pads = i8x16.splat(pad);
  v128.store(KEY_BLOCK, v128.xor(v128.load(key32), pads));
  v128.store(KEY_BLOCK, v128.xor(v128.load(key32, 16), pads), 16);
  v128.store(KEY_BLOCK, pads, 32);
  v128.store(KEY_BLOCK, pads, 48);
  sha256Init(chaining);
  sha256Block(chaining, KEY_BLOCK);
}

/** out = HMAC of a message of any length. */
export function hmac(out: usize, keyed: usize, message: usize, bytes: usize): void {
  hmacAfter(out, keyed, keyed, 0, message, bytes);
}

/** The same where `inner` is the midstate after the first `before` bytes of the message, a multiple of a block. */
export function hmacAfter(
  out: usize, keyed: usize, inner: usize, before: usize, message: usize, bytes: usize,
): void {
  copy32(CHAINING, inner);
  sha256Last(DIGEST, CHAINING, message, bytes, SHA256_BLOCK + before + bytes);
  sha256Last32(out, keyed + 32, DIGEST);
}

/** out = HMAC of a message of 32 bytes, which fits one block of each hash. */
export function hmac32(out: usize, keyed: usize, message32: usize): void {
  sha256Last32(DIGEST, keyed, message32);
  sha256Last32(out, keyed + 32, DIGEST);
}
