// SHA-512 (FIPS 180-4 §6.4) over a message that arrives in pieces. One hash at a time: the state is static.
//
// The state is eight u64 in native (little-endian) order. A compression is straight-line apart from the five turns of
// sixteen rounds; its working variables are locals and never reach memory.

import { swap64 } from '../bytes';
import { SHA512_SPACE } from '../memory';

const STATE: usize = SHA512_SPACE; // 64
const BLOCK: usize = SHA512_SPACE + 64; // 128: what does not fill a block yet
const TOTAL: usize = SHA512_SPACE + 192; // 8: bytes so far

// FIPS 180-4 §5.3.5
const INITIAL = memory.data<u64>([
  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
]);

// FIPS 180-4 §4.2.3
const K = memory.data<u64>([
  0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
  0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
  0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
  0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
  0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
  0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
  0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
  0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
  0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
  0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
  0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
  0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
  0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
  0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
  0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
  0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
  0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
  0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
  0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
  0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
]);

// FIPS 180-4 §4.1.3, with Ch in the form that takes one operation less; Maj(a, b, c) is b ^ ((a ^ b) & (b ^ c)), where
// b ^ c is the a ^ b of the round before: x and y hold them in turn
// @ts-ignore: decorator
@inline function choose(x: u64, y: u64, z: u64): u64 { return z ^ (x & (y ^ z)); }
// @ts-ignore: decorator
@inline function bigSigma0(x: u64): u64 { return rotr<u64>(x, 28) ^ rotr<u64>(x, 34) ^ rotr<u64>(x, 39); }
// @ts-ignore: decorator
@inline function bigSigma1(x: u64): u64 { return rotr<u64>(x, 14) ^ rotr<u64>(x, 18) ^ rotr<u64>(x, 41); }
// @ts-ignore: decorator
@inline function smallSigma0(x: u64): u64 { return rotr<u64>(x, 1) ^ rotr<u64>(x, 8) ^ (x >> 7); }
// @ts-ignore: decorator
@inline function smallSigma1(x: u64): u64 { return rotr<u64>(x, 19) ^ rotr<u64>(x, 61) ^ (x >> 6); }

export function sha512Init(): void {
  for (let i: usize = 0; i < 64; i += 16) v128.store(STATE + i, v128.load(INITIAL + i));
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
  for (let i: usize = 0; i < 64; i += 16) v128.store(digest + i, swap64(v128.load(STATE + i)));
}

/** Takes one block of 128 bytes into the state. Sixteen rounds a turn bring a..h back to their own names. */
export function compress(state: usize, block: usize): void {
  let words = swap64(v128.load(block, 0));
  let w0 = i64x2.extract_lane(words, 0), w1 = i64x2.extract_lane(words, 1);
  words = swap64(v128.load(block, 16));
  let w2 = i64x2.extract_lane(words, 0), w3 = i64x2.extract_lane(words, 1);
  words = swap64(v128.load(block, 32));
  let w4 = i64x2.extract_lane(words, 0), w5 = i64x2.extract_lane(words, 1);
  words = swap64(v128.load(block, 48));
  let w6 = i64x2.extract_lane(words, 0), w7 = i64x2.extract_lane(words, 1);
  words = swap64(v128.load(block, 64));
  let w8 = i64x2.extract_lane(words, 0), w9 = i64x2.extract_lane(words, 1);
  words = swap64(v128.load(block, 80));
  let w10 = i64x2.extract_lane(words, 0), w11 = i64x2.extract_lane(words, 1);
  words = swap64(v128.load(block, 96));
  let w12 = i64x2.extract_lane(words, 0), w13 = i64x2.extract_lane(words, 1);
  words = swap64(v128.load(block, 112));
  let w14 = i64x2.extract_lane(words, 0), w15 = i64x2.extract_lane(words, 1);
  let a = load<u64>(state, 0), b = load<u64>(state, 8), c = load<u64>(state, 16), d = load<u64>(state, 24);
  let e = load<u64>(state, 32), f = load<u64>(state, 40), g = load<u64>(state, 48), h = load<u64>(state, 56);
  let t: u64, x: u64, y = b ^ c;
  for (let k = K; ; k += 128) {
    t = h + bigSigma1(e) + choose(e, f, g) + load<u64>(k, 0) + w0; d += t; x = a ^ b; h = t + bigSigma0(a) + (b ^ (x & y));
    t = g + bigSigma1(d) + choose(d, e, f) + load<u64>(k, 8) + w1; c += t; y = h ^ a; g = t + bigSigma0(h) + (a ^ (x & y));
    t = f + bigSigma1(c) + choose(c, d, e) + load<u64>(k, 16) + w2; b += t; x = g ^ h; f = t + bigSigma0(g) + (h ^ (x & y));
    t = e + bigSigma1(b) + choose(b, c, d) + load<u64>(k, 24) + w3; a += t; y = f ^ g; e = t + bigSigma0(f) + (g ^ (x & y));
    t = d + bigSigma1(a) + choose(a, b, c) + load<u64>(k, 32) + w4; h += t; x = e ^ f; d = t + bigSigma0(e) + (f ^ (x & y));
    t = c + bigSigma1(h) + choose(h, a, b) + load<u64>(k, 40) + w5; g += t; y = d ^ e; c = t + bigSigma0(d) + (e ^ (x & y));
    t = b + bigSigma1(g) + choose(g, h, a) + load<u64>(k, 48) + w6; f += t; x = c ^ d; b = t + bigSigma0(c) + (d ^ (x & y));
    t = a + bigSigma1(f) + choose(f, g, h) + load<u64>(k, 56) + w7; e += t; y = b ^ c; a = t + bigSigma0(b) + (c ^ (x & y));
    t = h + bigSigma1(e) + choose(e, f, g) + load<u64>(k, 64) + w8; d += t; x = a ^ b; h = t + bigSigma0(a) + (b ^ (x & y));
    t = g + bigSigma1(d) + choose(d, e, f) + load<u64>(k, 72) + w9; c += t; y = h ^ a; g = t + bigSigma0(h) + (a ^ (x & y));
    t = f + bigSigma1(c) + choose(c, d, e) + load<u64>(k, 80) + w10; b += t; x = g ^ h; f = t + bigSigma0(g) + (h ^ (x & y));
    t = e + bigSigma1(b) + choose(b, c, d) + load<u64>(k, 88) + w11; a += t; y = f ^ g; e = t + bigSigma0(f) + (g ^ (x & y));
    t = d + bigSigma1(a) + choose(a, b, c) + load<u64>(k, 96) + w12; h += t; x = e ^ f; d = t + bigSigma0(e) + (f ^ (x & y));
    t = c + bigSigma1(h) + choose(h, a, b) + load<u64>(k, 104) + w13; g += t; y = d ^ e; c = t + bigSigma0(d) + (e ^ (x & y));
    t = b + bigSigma1(g) + choose(g, h, a) + load<u64>(k, 112) + w14; f += t; x = c ^ d; b = t + bigSigma0(c) + (d ^ (x & y));
    t = a + bigSigma1(f) + choose(f, g, h) + load<u64>(k, 120) + w15; e += t; y = b ^ c; a = t + bigSigma0(b) + (c ^ (x & y));
    if (k == K + 512) break;
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
  store<u64>(state, load<u64>(state, 0) + a, 0);
  store<u64>(state, load<u64>(state, 8) + b, 8);
  store<u64>(state, load<u64>(state, 16) + c, 16);
  store<u64>(state, load<u64>(state, 24) + d, 24);
  store<u64>(state, load<u64>(state, 32) + e, 32);
  store<u64>(state, load<u64>(state, 40) + f, 40);
  store<u64>(state, load<u64>(state, 48) + g, 48);
  store<u64>(state, load<u64>(state, 56) + h, 56);
}
