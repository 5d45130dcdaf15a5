// Secrets to trace with: numbers at which carries, signs, digits or reductions are extreme, then arbitrary ones. The same
// in every run.

import { createHash } from 'node:crypto';

export const ORDERS = {
  ed25519: 2n ** 252n + 27742317777372353535851937790883648493n,
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
};

const BITS = Array.from({ length: 256 }, (_, bit) => BigInt(bit));
const ONES = 2n ** 256n - 1n;

export function littleEndian(value, length = 32) {
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

export const bigEndian = (value, length = 32) => littleEndian(value, length).reverse();

/** 32 bytes without a pattern, for every index and use. */
export function arbitrary(index, use = 'secret') {
  return new Uint8Array(createHash('sha256').update(`${use} ${index}`).digest());
}

/** Numbers below 2^256, each once. */
export function edgeNumbers(order) {
  const near = (value) => [-2n, -1n, 0n, 1n, 2n].map((step) => value + step);
  const multiples = Array.from({ length: Number(2n ** 256n / order) + 1 }, (_, i) => BigInt(i) * order);
  const runs = BITS.flatMap((from) => [5n, 31n, 64n, 128n].map((length) => (2n ** length - 1n) << from));
  const repeated = [4n, 5n, 6n, 8n].flatMap((width) =>
    Array.from({ length: 2 ** Number(width) }, (_, digit) => repeat(BigInt(digit), width)),
  );
  const numbers = [
    ...multiples.flatMap(near),
    ...[order / 2n, 2n ** 255n, 2n ** 256n].flatMap(near),
    ...BITS.flatMap((bit) => [2n ** bit, 2n ** bit - 1n, order - 2n ** bit, ONES ^ (2n ** bit)]),
    ...repeated.flatMap((number) => [number, order - number]),
    ...runs,
  ];
  return [...new Set(numbers)].filter((number) => number >= 0n && number <= ONES);
}

/** The same digit all over. */
function repeat(digit, width) {
  let number = 0n;
  for (let at = 0n; at < 256n; at += width) number |= digit << at;
  return number & ONES;
}

/** Any 32 bytes are a key of Ed25519, hashed before use: edges have little to say here. */
export function ed25519Keys(count) {
  const filled = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff].map((byte) => new Uint8Array(32).fill(byte));
  return [...filled, ...Array.from({ length: count - filled.length }, (_, i) => arbitrary(i))];
}

/** Scalars as a prepared key has them, and beyond: not clamped, any below 2^255. */
export function ed25519Scalars(count) {
  const edges = edgeNumbers(ORDERS.ed25519).filter((number) => number < 2n ** 255n);
  const others = Array.from({ length: Math.ceil(count / 4) }, (_, i) => clamped(arbitrary(i)));
  return spread([...edges.map((number) => littleEndian(number)), ...others], count);
}

function clamped(bytes) {
  bytes[0] &= 248;
  bytes[31] = (bytes[31] & 63) | 64;
  return bytes;
}

/** The one scalar that assembly/secp256k1/fixed-base.ts leaves out. */
const DOUBLED = 2n ** 253n - 6n * (2n ** 256n - ORDERS.secp256k1);

/** Big-endian scalars in [1, n - 1]: keys, or nonces. */
export function secp256k1Scalars(count) {
  const edges = edgeNumbers(ORDERS.secp256k1).filter((number) => number > 0n && number < ORDERS.secp256k1);
  const others = Array.from({ length: Math.ceil(count / 4) }, (_, i) => arbitrary(i));
  return spread([...[DOUBLED, ...edges].map((number) => bigEndian(number)), ...others], count);
}

/** Seeds of 48 bytes, as long as FIPS 186-5 A.2.1 wants them. */
export function secp256k1Seeds(count) {
  const filled = Array.from({ length: 256 }, (_, byte) => new Uint8Array(48).fill(byte));
  const others = Array.from({ length: Math.ceil(count / 2) }, (_, i) =>
    Uint8Array.of(...arbitrary(i), ...arbitrary(i, 'end').subarray(16)),
  );
  return spread([...filled, ...others], count);
}

/** `count` of the items, evenly from beginning to end; all, where there are no more. */
function spread(items, count) {
  if (count >= items.length) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]);
}
