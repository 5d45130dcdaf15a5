// What signing derives from a secret key, in each form that it could have in memory: bytes in both orders, limbs, digits,
// states of the hashes.

import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { fromLittleEndian, littleEndian } from './edge-inputs.js';
import { bigEndian, fromBigEndian, mod, n } from './secp256k1-inputs.js';

export type Forms = Record<string, Uint8Array>;

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const utf8 = (text: string) => new TextEncoder().encode(text);
const inverse = (number: bigint) => (number + 1n) / 2n; // of 2, modulo an odd number

const TELLING_BYTES = 7;

/** The forms of which a piece is in the image, and where. */
export function search(image: Buffer, forms: Forms): { name: string; at: number }[] {
  const triples = triplesOf(image);
  return Object.entries(forms).flatMap(([name, form]) => {
    for (let start = 0; start < form.length; start++) {
      const piece = pieceFrom(form, start);
      const at = piece !== undefined && mayHave(triples, piece) ? image.indexOf(piece) : -1;
      if (at >= 0) return [{ name, at }];
    }
    return [];
  });
}

/** The same in words, for messages. */
export const found = (image: Buffer, forms: Forms): string[] =>
  search(image, forms).map(({ name, at }) => `${name} at ${at}`);

/** Which three bytes follow each other anywhere in the image: what spares nearly every search. */
function triplesOf(image: Uint8Array): Uint8Array {
  const triples = new Uint8Array(2 ** 24);
  let triple = 0;
  for (const byte of image) {
    triple = ((triple << 8) | byte) & 0xffffff;
    triples[triple] = 1;
  }
  return triples;
}

function mayHave(triples: Uint8Array, piece: Uint8Array): boolean {
  for (let at = 2; at < piece.length; at++) {
    if (triples[(piece[at - 2]! << 16) | (piece[at - 1]! << 8) | piece[at]!] === 0) return false;
  }
  return true;
}

/** Long enough not to be met by chance: zeros and ones, of which limbs in wide lanes are full, tell nothing. */
function pieceFrom(form: Uint8Array, start: number): Uint8Array | undefined {
  let telling = 0;
  for (let end = start; end < form.length; end++) {
    if (form[end] !== 0 && form[end] !== 0xff) telling++;
    if (telling === TELLING_BYTES) return form.subarray(start, end + 1);
  }
  return undefined;
}

function limbs(number: bigint, bits: number, bytes: 4 | 8): Uint8Array {
  const count = Math.ceil(258 / bits);
  const parts = Array.from({ length: count }, (_, i) =>
    littleEndian((number >> BigInt(bits * i)) & ((1n << BigInt(bits)) - 1n), bytes),
  );
  return concatBytes(...parts);
}

/** Signed digits of six bits from -32 to 31. */
function signedDigits(number: bigint): Uint8Array {
  const digits = new Int8Array(43);
  let rest = number;
  for (let i = 0; i < 43; i++) {
    const digit = BigInt.asIntN(6, rest);
    digits[i] = Number(digit);
    rest = (rest - digit) >> 6n;
  }
  return new Uint8Array(digits.buffer);
}

/** What is added to a scalar of Ed25519, so that its windows are the digits from -32 to 32. */
const OFFSET = Array.from({ length: 42 }, (_, i) => 32n << BigInt(6 * i)).reduce((sum, term) => sum + term);

function windows(number: bigint, offset: number): Uint8Array {
  const digits = Int8Array.from({ length: 42 }, (_, i) => Number((number >> BigInt(6 * i)) & 63n) - offset);
  return new Uint8Array(digits.buffer);
}

/** The odd digits 2 b - 63 that sum up to a number modulo n, as they are or as their b. */
function oddDigits(number: bigint, toDigit: (b: number) => number): Uint8Array {
  const recoded = mod((number + 2n ** 258n - 1n) * inverse(n), n);
  const digits = Int8Array.from({ length: 43 }, (_, i) => toDigit(Number((recoded >> BigInt(6 * i)) & 63n)));
  return new Uint8Array(digits.buffer);
}

/** A number below the order in every form of a scalar. */
function scalarForms(name: string, number: bigint, order: bigint): Forms {
  const negated = mod(-number, order);
  const forms: Forms = {
    [`${name}, little-endian`]: littleEndian(number),
    [`${name}, big-endian`]: bigEndian(number),
    [`${name}, negated, little-endian`]: littleEndian(negated),
    [`${name}, negated, big-endian`]: bigEndian(negated),
    [`${name}, signed digits`]: signedDigits(number),
    [`${name}, halved`]: littleEndian(mod(number * inverse(order), order)),
  };
  if (order === L) {
    const recoded = mod(number + OFFSET, L);
    forms[`${name}, recoded`] = littleEndian(recoded);
    forms[`${name}, digits`] = windows(recoded, 32);
    forms[`${name}, windows of digits`] = windows(recoded, 0);
  }
  if (order === n) {
    forms[`${name}, recoded`] = littleEndian(mod((number + 2n ** 258n - 1n) * inverse(n), n));
    forms[`${name}, odd digits`] = oddDigits(number, (b) => 2 * b - 63);
    forms[`${name}, windows of odd digits`] = oddDigits(number, (b) => b);
  }
  for (const bits of [26, 28, 29, 30, 51, 52]) {
    if (bits < 32) forms[`${name}, limbs of ${bits} bits`] = limbs(number, bits, 4);
    forms[`${name}, limbs of ${bits} bits in 64`] = limbs(number, bits, 8);
    forms[`${name}, negated, limbs of ${bits} bits`] = limbs(negated, bits, bits < 32 ? 4 : 8);
  }
  return forms;
}

/** Bytes as they are and with their words turned around, as a hash reads or keeps them. */
function hashForms(name: string, bytes: Uint8Array): Forms {
  const words = (size: number) => {
    const turned = bytes.slice();
    for (let at = 0; at < turned.length; at += size) turned.subarray(at, at + size).reverse();
    return turned;
  };
  return { [name]: bytes, [`${name}, words of 4`]: words(4), [`${name}, words of 8`]: words(8) };
}

export function ed25519Forms(secretKey: Uint8Array, message: Uint8Array): Forms {
  const expanded = sha512(secretKey);
  const prefix = expanded.slice(32);
  const clamped = expanded.slice(0, 32);
  clamped[0]! &= 248;
  clamped[31] = (clamped[31]! & 63) | 64;
  const scalar = fromLittleEndian(clamped);
  const nonceDigest = sha512(concatBytes(prefix, message));
  const nonce = fromLittleEndian(nonceDigest) % L;
  return {
    ...hashForms('secret key', secretKey),
    ...hashForms('expanded key', expanded),
    ...hashForms('prefix', prefix),
    ...hashForms('digest of the nonce', nonceDigest),
    ...scalarForms('secret scalar', scalar, L),
    ...scalarForms('secret scalar, reduced', scalar % L, L),
    ...scalarForms('nonce', nonce, L),
    ...hashForms('message', message),
  };
}

/** The chaining value of SHA-256 after one block: that of an empty key is public, that of a secret one is as good as it. */
function midstate(block: Uint8Array): Uint8Array {
  const hash = sha256.create().update(block) as unknown as { get(): number[] };
  return concatBytes(...hash.get().map((word) => littleEndian(BigInt(word >>> 0), 4)));
}

function hmacForms(name: string, key: Uint8Array): Forms {
  const blocks = [0x36, 0x5c].map((pad) => new Uint8Array(64).map((_, i) => (i < 32 ? key[i]! : 0) ^ pad));
  return {
    ...hashForms(name, key),
    [`${name}, inner block`]: blocks[0]!.slice(0, 32),
    [`${name}, outer block`]: blocks[1]!.slice(0, 32),
    [`${name}, inner midstate`]: midstate(blocks[0]!),
    [`${name}, outer midstate`]: midstate(blocks[1]!),
  };
}

export function ecdsaForms(secretKey: Uint8Array, digest: Uint8Array): Forms {
  const mac = (key: Uint8Array, ...parts: Uint8Array[]) => hmac(sha256, key, concatBytes(...parts));
  const h1 = bigEndian(fromBigEndian(digest) % n);
  let [K, V] = [new Uint8Array(32), new Uint8Array(32).fill(1)];
  const forms: Forms = {};
  for (const separator of [0, 1]) {
    K = mac(K, V, Uint8Array.of(separator), secretKey, h1);
    V = mac(K, V);
    Object.assign(forms, hmacForms(`K ${separator}`, K), hashForms(`V ${separator}`, V));
  }
  const nonce = fromBigEndian(mac(K, V));
  const r = noble.Point.BASE.multiply(nonce).x % n;
  const key = fromBigEndian(secretKey);
  const inverseNonce = noble.Point.Fn.inv(nonce);
  return {
    ...forms,
    ...hashForms('secret key', secretKey),
    ...hashForms('digest', digest),
    ...scalarForms('secret key', key, n),
    ...scalarForms('nonce', nonce, n),
    ...scalarForms('inverse of the nonce', inverseNonce, n),
    ...scalarForms('r d', mod(r * key, n), n),
    ...scalarForms('z + r d', mod(fromBigEndian(digest) + r * key, n), n),
  };
}

export function schnorrForms(secretKey: Uint8Array, message: Uint8Array, aux: Uint8Array): Forms {
  const tagged = (tag: string, ...parts: Uint8Array[]) => {
    const prefix = sha256(utf8(tag));
    return sha256(concatBytes(prefix, prefix, ...parts));
  };
  const key = fromBigEndian(secretKey);
  const P = noble.Point.BASE.multiply(key);
  const d = P.y & 1n ? n - key : key;
  const mask = tagged('BIP0340/aux', aux);
  const t = bigEndian(d).map((byte, i) => byte ^ mask[i]!);
  const rand = tagged('BIP0340/nonce', t, bigEndian(P.x), message);
  const nonce = fromBigEndian(rand) % n;
  const R = noble.Point.BASE.multiply(nonce);
  const challenge = tagged('BIP0340/challenge', bigEndian(R.x), bigEndian(P.x), message);
  return {
    ...hashForms('secret key', secretKey),
    ...hashForms('mask', mask),
    ...hashForms('t', t),
    ...hashForms('rand', rand),
    ...hashForms('auxiliary randomness', aux),
    ...hashForms('message', message),
    ...scalarForms('secret key', key, n),
    ...scalarForms('nonce', nonce, n),
    ...scalarForms('e d', mod(fromBigEndian(challenge) * d, n), n),
  };
}
