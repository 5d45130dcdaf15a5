// ECDSA over secp256k1 (SEC 1 §4.1) with recovery ids, and public keys (SEC 1 §2.3.3, §2.3.4). Scalars and coordinates
// are big-endian in the buffers and little-endian inside.
//
// Signing reveals, besides the signature: whether the secret key is valid, and whether a nonce was rejected, which
// happens with probability 2^-127 or less, after which another one is used.

import { copy32, isZero32, reverse32 } from '../bytes';
import { messageAbsorb, messageFinal, messageInit } from '../hash/message256';
import { BATCH_SIGNATURES, EXTRA, OK, PREPARED_KEY, PUBLIC_KEY, REJECTED, SECRET_KEY, SIGNATURE } from '../memory';
import { Field, fromBytes, isEqual, PRIME, toBytes } from './field';
import { mul, sqr } from './field-kernels';
import { multiplyBase } from './fixed-base';
import { multiplyBaseBatch } from './fixed-base-batch';
import { multiplyAddVarTime } from './multi-scalar';
import { Affine, isOnCurve, Jacobian, jacobianToBytesVarTime, liftX, Xyzz, xyzzToBytes, xyzzToBytesAndInvert } from './point';
import { nextNonce, prepareNonces, startNonces } from './rfc6979';
import {
  add256,
  addScalar,
  invertScalar,
  invertScalarVarTime,
  isBelow,
  isHigh,
  isSecretScalar,
  mulScalar,
  negateScalarIf,
  ORDER,
  reduceScalar,
  scalarFromSeed,
} from './scalar';
import { BATCH_SIGNING, ECDSA_SPACE } from './space';

/** 32 bytes: what is signed and verified */
export const DIGEST: usize = ECDSA_SPACE;
/** 48 bytes: what a secret key is made from */
export const SEED: usize = ECDSA_SPACE + 32;
const SEED_BYTES: usize = 48;

/** In PREPARED_KEY: the secret scalar and the midstate of its nonces. */
const secret = PREPARED_KEY; // 32
const midstate = PREPARED_KEY + 32; // 32

const digest = ECDSA_SPACE + 112; // 32 each
const nonce = ECDSA_SPACE + 144;
const x = ECDSA_SPACE + 176;
const y = ECDSA_SPACE + 208;
const r = ECDSA_SPACE + 240;
const s = ECDSA_SPACE + 272;
const u = ECDSA_SPACE + 304;
const v = ECDSA_SPACE + 336;
const product = changetype<Xyzz>(ECDSA_SPACE + 368); // 144
const publicPoint = changetype<Affine>(ECDSA_SPACE + 512); // 80
const sum = changetype<Jacobian>(ECDSA_SPACE + 592); // 112
const t0 = changetype<Field>(ECDSA_SPACE + 704); // 40
const t1 = changetype<Field>(ECDSA_SPACE + 744); // 40

// 32 bytes each, and 64 of a point, for every signature of a batch
const batchNonces = BATCH_SIGNING;
const batchPoints = BATCH_SIGNING + 2048;
const batchDigests = BATCH_SIGNING + 6144;
const batchProducts = BATCH_SIGNING + 8192;
const SIGNATURE_BYTES: usize = 65;
const NO_SIGNATURE: u8 = 0xff;

/** p - n: below it, r + n is a second x that gives r. */
export const PRIME_MINUS_ORDER = memory.data<u8>([
  0xee, 0xba, 0xc9, 0x2f, 0x72, 0xa1, 0x2d, 0x40, 0xc4, 0x5f, 0xb7, 0x50, 0x19, 0x23, 0x51, 0x45,
  0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/** SECRET_KEY = a key made from SEED, with a bias of 2^-128. */
export function secp256k1SecretFromSeed(): void {
  scalarFromSeed(secret, SEED, SEED_BYTES);
  reverse32(SECRET_KEY, secret);
}

/** PREPARED_KEY = what signing needs of SECRET_KEY. */
export function secp256k1Prepare(): i32 {
  if (!loadSecret()) return REJECTED;
  prepareNonces(midstate, secret);
  return OK;
}

/** Whether 0 < SECRET_KEY < n; the only thing about it that is revealed. */
function loadSecret(): bool {
  reverse32(secret, SECRET_KEY);
  return isSecretScalar(secret) != 0;
}

/** PUBLIC_KEY = that of SECRET_KEY, in 33 or 65 bytes. */
export function secp256k1PublicKey(compressed: i32): i32 {
  if (!loadSecret()) return REJECTED;
  multiplyBase(product, secret);
  xyzzToBytes(x, y, product);
  storePublicKey(compressed);
  return OK;
}

/** Decodes PUBLIC_KEY of 33 or 65 bytes and encodes it again. */
export function secp256k1ConvertPublicKey(bytes: i32, compressed: i32): i32 {
  if (!loadPublicKey(bytes)) return REJECTED;
  toBytes(x, publicPoint.x);
  toBytes(y, publicPoint.y);
  storePublicKey(compressed);
  return OK;
}

/** DIGEST = SHA-256 of the message, in pieces between these two. */
export function secp256k1HashStart(): void {
  messageInit();
}

export function secp256k1Absorb(bytes: i32): void {
  messageAbsorb(bytes);
}

export function secp256k1HashFinish(): void {
  messageFinal(DIGEST);
}

/** SIGNATURE = recovery id, r, s for DIGEST under PREPARED_KEY; hedged: with EXTRA as additional data of the nonce. */
export function secp256k1Sign(lowS: i32, hedged: i32): void {
  loadDigest();
  startNonces(secret, midstate, digest, hedged != 0 ? EXTRA : 0);
  do nextNonce(nonce);
  while (!signWithNonce(<u64>lowS));
}

/** Gives false where the nonce is of no use. */
function signWithNonce(lowS: u64): bool {
  if (isSecretScalar(nonce) == 0) return false;
  multiplyBase(product, nonce);
  xyzzToBytesAndInvert(x, y, product, nonce);
  return finishSignature(SIGNATURE, x, digest, nonce, lowS);
}

/** SEC 1 §4.1.3 from the nonce's point, x and after it y, and the nonce's inverse. Gives false where r or s is 0. */
function finishSignature(signature: usize, point: usize, digest: usize, inverse: usize, lowS: u64): bool {
  const overflow = isBelow(point, ORDER) ^ 1;
  reduceScalar(r, point);
  mulScalar(s, r, secret);
  addScalar(s, s, digest);
  mulScalar(s, s, inverse);
  if ((isZero32(r) | isZero32(s)) != 0) return false;
  const negate = isHigh(s) & lowS;
  negateScalarIf(s, s, 0 - negate);
  const odd = load<u64>(point, 32) & 1;
  store<u8>(signature, <u8>((overflow << 1) | (odd ^ negate)));
  reverse32(signature + 1, r);
  reverse32(signature + 33, s);
  return true;
}

/** Signing up to BATCH digests: each is added with its index, then the signatures of all are made. */
export function secp256k1BatchAdd(index: usize, hedged: i32): void {
  loadDigest();
  copy32(batchDigests + 32 * index, digest);
  startNonces(secret, midstate, digest, hedged != 0 ? EXTRA : 0);
  do nextNonce(nonce);
  while (isSecretScalar(nonce) == 0);
  copy32(batchNonces + 32 * index, nonce);
}

/** BATCH_SIGNATURES = recovery id, r, s of each; NO_SIGNATURE for a recovery id where the nonce was of no use. */
export function secp256k1BatchSign(count: usize, lowS: i32): void {
  multiplyBaseBatch(batchPoints, batchNonces, count);
  copy32(u, batchNonces);
  for (let at: usize = 32; at < 32 * count; at += 32) {
    copy32(batchProducts + at, u); // of the nonces before this one
    mulScalar(u, u, batchNonces + at);
  }
  invertScalar(u, u);
  for (let i = count; i-- > 0; ) {
    const nonceAt = batchNonces + 32 * i;
    if (i > 0) mulScalar(v, u, batchProducts + 32 * i);
    else copy32(v, u);
    mulScalar(u, u, nonceAt);
    const signature = BATCH_SIGNATURES + SIGNATURE_BYTES * i;
    if (!finishSignature(signature, batchPoints + 64 * i, batchDigests + 32 * i, v, <u64>lowS)) {
      store<u8>(signature, NO_SIGNATURE);
    }
  }
}

/**
 * SEC 1 §4.1.4: whether SIGNATURE is one of DIGEST under PUBLIC_KEY. lowS: refuses s > n / 2. recovered: refuses a
 * recovery id that does not lead to the key. Variable-time.
 */
export function secp256k1Verify(publicKeyBytes: i32, lowS: i32, recovered: i32): i32 {
  if (!loadSignature()) return REJECTED;
  if (lowS != 0 && isHigh(s) != 0) return REJECTED;
  if (!isSignatureUnder(publicKeyBytes)) return REJECTED;
  return recovered == 0 || load<u8>(SIGNATURE) == recoveryId() ? OK : REJECTED;
}

/** SEC 1 §4.1.4 for r, s and DIGEST; `sum` is the nonce's point then, and s is used up. */
function isSignatureUnder(publicKeyBytes: i32): bool {
  if (!loadPublicKey(publicKeyBytes)) return false;
  loadDigest();
  invertScalarVarTime(s, s);
  mulScalar(u, digest, s);
  mulScalar(v, r, s);
  return multiplyAddVarTime(sum, u, v, publicPoint) && hasX();
}

/** Whether the x of `sum`, modulo n, is r: x is r, or r + n if that is below p. Compared without a division by Z^2. */
function hasX(): bool {
  sqr(t0, sum.Z);
  fromBytes(t1, r);
  mul(t1, t1, t0);
  if (isEqual(t1, sum.X) != 0) return true;
  if (isBelow(r, PRIME_MINUS_ORDER) == 0) return false;
  add256(x, r, ORDER);
  fromBytes(t1, x);
  mul(t1, t1, t0);
  return isEqual(t1, sum.X) != 0;
}

/** Of the signature whose nonce's point is `sum`: bit 0, y odd; bit 1, x at least n. */
function recoveryId(): u8 {
  jacobianToBytesVarTime(x, y, sum);
  const overflow = isBelow(x, ORDER) ^ 1;
  return <u8>((overflow << 1) | (load<u64>(y) & 1));
}

/** SEC 1 §4.1.6: PUBLIC_KEY = the compressed key that SIGNATURE with its recovery id stands for. Variable-time. */
export function secp256k1Recover(): i32 {
  const id = load<u8>(SIGNATURE);
  if (id > 3 || !loadSignature()) return REJECTED;
  reverse32(x, SIGNATURE + 1);
  if (id > 1) {
    if (isBelow(r, PRIME_MINUS_ORDER) == 0) return REJECTED;
    add256(x, r, ORDER);
  }
  fromBytes(publicPoint.x, x);
  if (!liftX(publicPoint, id & 1)) return REJECTED;
  loadDigest();
  invertScalarVarTime(r, r);
  mulScalar(u, digest, r);
  negateScalarIf(u, u, ~0);
  mulScalar(v, s, r);
  if (!multiplyAddVarTime(sum, u, v, publicPoint)) return REJECTED;
  jacobianToBytesVarTime(x, y, sum);
  storePublicKey(1);
  return OK;
}

function loadDigest(): void {
  reverse32(digest, DIGEST);
  reduceScalar(digest, digest);
}

/** r and s, if both are in [1, n - 1]. */
function loadSignature(): bool {
  reverse32(r, SIGNATURE + 1);
  reverse32(s, SIGNATURE + 33);
  return (isSecretScalar(r) & isSecretScalar(s)) != 0;
}

/** SEC 1 §2.3.4, without the encodings of infinity and without the hybrid ones. */
function loadPublicKey(bytes: i32): bool {
  const form = load<u8>(PUBLIC_KEY);
  if (!loadCoordinate(publicPoint.x, PUBLIC_KEY + 1)) return false;
  if (bytes == 33) return (form == 2 || form == 3) && liftX(publicPoint, form & 1);
  if (!loadCoordinate(publicPoint.y, PUBLIC_KEY + 33)) return false;
  return form == 4 && isOnCurve(publicPoint);
}

function loadCoordinate(out: Field, bytes: usize): bool {
  reverse32(x, bytes);
  fromBytes(out, x);
  return isBelow(x, PRIME) != 0;
}

function storePublicKey(compressed: i32): void {
  reverse32(PUBLIC_KEY + 1, x);
  if (compressed != 0) {
    store<u8>(PUBLIC_KEY, <u8>(2 | (load<u64>(y) & 1)));
  } else {
    store<u8>(PUBLIC_KEY, 4);
    reverse32(PUBLIC_KEY + 33, y);
  }
}
