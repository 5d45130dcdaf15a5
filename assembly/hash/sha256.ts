// SHA-256 (FIPS 180-4 §6.2), built around the chaining value: callers lay out whole 64-byte blocks themselves, so a
// message is hashed where it lies and a midstate is a 32-byte copy.
//
// A chaining value is eight u32 in native (little-endian) order. Everything is straight-line apart from the public
// number of blocks; the working variables are locals and never reach memory.

import { copy32, swap32 } from '../bytes';
import { SHA256_SPACE } from '../memory';

export const SHA256_BLOCK: usize = 64;

const LAST = SHA256_SPACE; // 128: the last one or two blocks of a message, padded
const BLOCK = SHA256_SPACE + 128; // 64
const CHAINING = SHA256_SPACE + 192; // 32

// FIPS 180-4 §5.3.3
const INITIAL = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

// FIPS 180-4 §4.2.2
const K = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

// FIPS 180-4 §4.1.2, with Ch and Maj in the forms that take one operation less
// @ts-ignore: decorator
@inline function choose(x: u32, y: u32, z: u32): u32 { return z ^ (x & (y ^ z)); }
// @ts-ignore: decorator
@inline function majority(x: u32, y: u32, z: u32): u32 { return (x & y) | (z & (x | y)); }
// @ts-ignore: decorator
@inline function bigSigma0(x: u32): u32 { return rotr<u32>(x, 2) ^ rotr<u32>(x, 13) ^ rotr<u32>(x, 22); }
// @ts-ignore: decorator
@inline function bigSigma1(x: u32): u32 { return rotr<u32>(x, 6) ^ rotr<u32>(x, 11) ^ rotr<u32>(x, 25); }
// @ts-ignore: decorator
@inline function smallSigma0(x: u32): u32 { return rotr<u32>(x, 7) ^ rotr<u32>(x, 18) ^ (x >> 3); }
// @ts-ignore: decorator
@inline function smallSigma1(x: u32): u32 { return rotr<u32>(x, 17) ^ rotr<u32>(x, 19) ^ (x >> 10); }

/** chaining = the initial value. */
export function sha256Init(chaining: usize): void {
  copy32(chaining, INITIAL);
}

/** Compresses one block. Sixteen rounds a turn bring a..h back to their own names. */
export function sha256Block(chaining: usize, block: usize): void {
  let words = swap32(v128.load(block, 0));
  let w0 = i32x4.extract_lane(words, 0), w1 = i32x4.extract_lane(words, 1);
  let w2 = i32x4.extract_lane(words, 2), w3 = i32x4.extract_lane(words, 3);
  words = swap32(v128.load(block, 16));
  let w4 = i32x4.extract_lane(words, 0), w5 = i32x4.extract_lane(words, 1);
  let w6 = i32x4.extract_lane(words, 2), w7 = i32x4.extract_lane(words, 3);
  words = swap32(v128.load(block, 32));
  let w8 = i32x4.extract_lane(words, 0), w9 = i32x4.extract_lane(words, 1);
  let w10 = i32x4.extract_lane(words, 2), w11 = i32x4.extract_lane(words, 3);
  words = swap32(v128.load(block, 48));
  let w12 = i32x4.extract_lane(words, 0), w13 = i32x4.extract_lane(words, 1);
  let w14 = i32x4.extract_lane(words, 2), w15 = i32x4.extract_lane(words, 3);
  let a = load<u32>(chaining, 0), b = load<u32>(chaining, 4), c = load<u32>(chaining, 8), d = load<u32>(chaining, 12);
  let e = load<u32>(chaining, 16), f = load<u32>(chaining, 20), g = load<u32>(chaining, 24), h = load<u32>(chaining, 28);
  let t: u32;
  for (let k = K; ; k += 64) {
    t = h + bigSigma1(e) + choose(e, f, g) + load<u32>(k, 0) + w0; d += t; h = t + bigSigma0(a) + majority(a, b, c);
    t = g + bigSigma1(d) + choose(d, e, f) + load<u32>(k, 4) + w1; c += t; g = t + bigSigma0(h) + majority(h, a, b);
    t = f + bigSigma1(c) + choose(c, d, e) + load<u32>(k, 8) + w2; b += t; f = t + bigSigma0(g) + majority(g, h, a);
    t = e + bigSigma1(b) + choose(b, c, d) + load<u32>(k, 12) + w3; a += t; e = t + bigSigma0(f) + majority(f, g, h);
    t = d + bigSigma1(a) + choose(a, b, c) + load<u32>(k, 16) + w4; h += t; d = t + bigSigma0(e) + majority(e, f, g);
    t = c + bigSigma1(h) + choose(h, a, b) + load<u32>(k, 20) + w5; g += t; c = t + bigSigma0(d) + majority(d, e, f);
    t = b + bigSigma1(g) + choose(g, h, a) + load<u32>(k, 24) + w6; f += t; b = t + bigSigma0(c) + majority(c, d, e);
    t = a + bigSigma1(f) + choose(f, g, h) + load<u32>(k, 28) + w7; e += t; a = t + bigSigma0(b) + majority(b, c, d);
    t = h + bigSigma1(e) + choose(e, f, g) + load<u32>(k, 32) + w8; d += t; h = t + bigSigma0(a) + majority(a, b, c);
    t = g + bigSigma1(d) + choose(d, e, f) + load<u32>(k, 36) + w9; c += t; g = t + bigSigma0(h) + majority(h, a, b);
    t = f + bigSigma1(c) + choose(c, d, e) + load<u32>(k, 40) + w10; b += t; f = t + bigSigma0(g) + majority(g, h, a);
    t = e + bigSigma1(b) + choose(b, c, d) + load<u32>(k, 44) + w11; a += t; e = t + bigSigma0(f) + majority(f, g, h);
    t = d + bigSigma1(a) + choose(a, b, c) + load<u32>(k, 48) + w12; h += t; d = t + bigSigma0(e) + majority(e, f, g);
    t = c + bigSigma1(h) + choose(h, a, b) + load<u32>(k, 52) + w13; g += t; c = t + bigSigma0(d) + majority(d, e, f);
    t = b + bigSigma1(g) + choose(g, h, a) + load<u32>(k, 56) + w14; f += t; b = t + bigSigma0(c) + majority(c, d, e);
    t = a + bigSigma1(f) + choose(f, g, h) + load<u32>(k, 60) + w15; e += t; a = t + bigSigma0(b) + majority(b, c, d);
    if (k == K + 192) break;
    w0 += smallSigma0(w1) + w9 + smallSigma1(w14);
    w1 += smallSigma0(w2) + w10 + smallSigma1(w15);
    w2 += smallSigma0(w3) + w11 + smallSigma1(w0);
    w3 += smallSigma0(w4) + w12 + smallSigma1(w1);
    w4 += smallSigma0(w5) + w13 + smallSigma1(w2);
    w5 += smallSigma0(w6) + w14 + smallSigma1(w3);
    w6 += smallSigma0(w7) + w15 + smallSigma1(w4);
    w7 += smallSigma0(w8) + w0 + smallSigma1(w5);
    w8 += smallSigma0(w9) + w1 + smallSigma1(w6);
    w9 += smallSigma0(w10) + w2 + smallSigma1(w7);
    w10 += smallSigma0(w11) + w3 + smallSigma1(w8);
    w11 += smallSigma0(w12) + w4 + smallSigma1(w9);
    w12 += smallSigma0(w13) + w5 + smallSigma1(w10);
    w13 += smallSigma0(w14) + w6 + smallSigma1(w11);
    w14 += smallSigma0(w15) + w7 + smallSigma1(w12);
    w15 += smallSigma0(w0) + w8 + smallSigma1(w13);
  }
  store<u32>(chaining, load<u32>(chaining, 0) + a, 0);
  store<u32>(chaining, load<u32>(chaining, 4) + b, 4);
  store<u32>(chaining, load<u32>(chaining, 8) + c, 8);
  store<u32>(chaining, load<u32>(chaining, 12) + d, 12);
  store<u32>(chaining, load<u32>(chaining, 16) + e, 16);
  store<u32>(chaining, load<u32>(chaining, 20) + f, 20);
  store<u32>(chaining, load<u32>(chaining, 24) + g, 24);
  store<u32>(chaining, load<u32>(chaining, 28) + h, 28);
}

/** Compresses `bytes` (a multiple of 64) at `data`. */
export function sha256Blocks(chaining: usize, data: usize, bytes: usize): void {
  for (let end = data + bytes; data < end; data += SHA256_BLOCK) sha256Block(chaining, data);
}

/** Compresses the last `bytes` bytes of a message of `total` bytes with their padding, and writes the digest. */
export function sha256Last(digest: usize, chaining: usize, data: usize, bytes: usize, total: u64): void {
  const rest = bytes & (SHA256_BLOCK - 1), whole = bytes - rest;
  sha256Blocks(chaining, data, whole);
  const padded: usize = rest < SHA256_BLOCK - 8 ? 64 : 128;
  for (let i: usize = 0; i < padded; i += 16) v128.store(LAST + i, i64x2.splat(0));
  for (let i: usize = 0; i < rest; i++) store<u8>(LAST + i, load<u8>(data + whole + i));
  store<u8>(LAST + rest, 0x80);
  store<u64>(LAST + padded - 8, bswap<u64>(total << 3));
  sha256Blocks(chaining, LAST, padded);
  sha256Digest(digest, chaining);
}

/** The digest of 96 bytes, of which the first 64 are in the midstate: one block, whose padding never changes. */
export function sha256Last32(digest: usize, midstate: usize, bytes32: usize): void {
  copy32(CHAINING, midstate);
  copy32(BLOCK, bytes32);
  store<u64>(BLOCK, 0x80, 32);
  store<u64>(BLOCK, 0, 40);
  store<u64>(BLOCK, 0, 48);
  store<u64>(BLOCK, bswap<u64>(96 << 3), 56);
  sha256Block(CHAINING, BLOCK);
  sha256Digest(digest, CHAINING);
}

/** Writes the chaining value as the 32 bytes of a digest. */
export function sha256Digest(digest: usize, chaining: usize): void {
  v128.store(digest, swap32(v128.load(chaining)));
  v128.store(digest, swap32(v128.load(chaining, 16)), 16);
}
