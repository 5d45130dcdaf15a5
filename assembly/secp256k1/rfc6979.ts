// Deterministic nonces (RFC 6979 §3.2 with HMAC-SHA-256, §3.6 for the additional data). The first takes 15
// compressions: keys are hashed once for all the messages under them, the zero key of step c never, and the first block
// of step d once for all the nonces of a secret key.

import { copy32, reverse32 } from '../bytes';
import { hmac, hmac32, hmacAfter, hmacKey } from '../hash/hmac';
import { SHA256_BLOCK, sha256Block } from '../hash/sha256';
import { RFC6979_SPACE } from './space';

const KEY = RFC6979_SPACE; // 32: K
const KEYED = RFC6979_SPACE + 32; // 64: the midstates of K
// V, a byte that tells the uses apart, x, h1, k': the message of steps d and f
const V = RFC6979_SPACE + 96; // 32
const SEPARATOR = RFC6979_SPACE + 128; // 1
const X = RFC6979_SPACE + 129; // 32
const DIGEST = RFC6979_SPACE + 161; // 32
const ADDITIONAL = RFC6979_SPACE + 193; // 32
const FRESH = RFC6979_SPACE + 228; // 4: whether no nonce was taken yet

/** The midstates of the key of 32 zero bytes. */
const ZERO_KEYED = memory.data<u32>([
  0xf454dead, 0x9725214f, 0x90daf2a0, 0xdf1228ea, 0x64e5750f, 0xa3924181, 0x824a932b, 0xf8e04e32,
  0xd385480f, 0x7abb6477, 0x37c9c538, 0x5dd82467, 0x8e043a72, 0x753434b0, 0xdeb82818, 0x361d45a6,
]);

/** midstate = that of step d after its first block, which is V, a zero and 31 bytes of the secret scalar. */
export function prepareNonces(midstate: usize, secret: usize): void {
  startMessage(secret);
  copy32(midstate, ZERO_KEYED);
  sha256Block(midstate, V);
}

/** Step b, and the parts of the message of step d that only depend on the key. */
function startMessage(secret: usize): void {
  const ones = i8x16.splat(1);
  v128.store(V, ones);
  v128.store(V, ones, 16);
  store<u8>(SEPARATOR, 0);
  reverse32(X, secret);
}

/**
 * Steps b to g, for a secret scalar and its midstate (prepareNonces), a digest below n, and 32 bytes of additional data or
 * none (0).
 */
export function startNonces(secret: usize, midstate: usize, digest: usize, additional: usize): void {
  startMessage(secret);
  reverse32(DIGEST, digest);
  let bytes = ADDITIONAL - V;
  if (additional != 0) {
    memory.copy(ADDITIONAL, additional, 32);
    bytes += 32;
  }
  hmacAfter(KEY, ZERO_KEYED, midstate, SHA256_BLOCK, V + SHA256_BLOCK, bytes - SHA256_BLOCK);
  hmacKey(KEYED, KEY);
  hmac32(V, KEYED, V);
  store<u8>(SEPARATOR, 1);
  hmac(KEY, KEYED, V, bytes);
  hmacKey(KEYED, KEY);
  hmac32(V, KEYED, V);
  store<i32>(FRESH, 1);
}

/** Step h: out = the next candidate, any number below 2^256. That an earlier one was no use is public. */
export function nextNonce(out: usize): void {
  if (load<i32>(FRESH) == 0) {
    store<u8>(SEPARATOR, 0);
    hmac(KEY, KEYED, V, SEPARATOR + 1 - V);
    hmacKey(KEYED, KEY);
    hmac32(V, KEYED, V);
  }
  store<i32>(FRESH, 0);
  hmac32(V, KEYED, V);
  reverse32(out, V);
  if (!ASC_NO_ASSERT) takeForcedNonce(out);
}

/** Debug build only: a count, then candidates that replace as many of the generator's, for tests of the rejections. */
export const FORCED_NONCES = memory.data(136, 16);

function takeForcedNonce(out: usize): void {
  const left = load<i32>(FORCED_NONCES);
  if (left == 0) return;
  store<i32>(FORCED_NONCES, left - 1);
  reverse32(out, FORCED_NONCES + 8 + 32 * (left - 1));
}
