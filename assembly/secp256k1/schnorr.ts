// Schnorr signatures (BIP-340). A tagged hash starts from the midstate of its tag; the 64 bytes that come before the
// message of a nonce or a challenge fill one block, so the message starts at a block too.
//
// The parities of the public key's and of the nonce's y decide which scalars are negated: by mask, as they are secret
// until the signature is out (that of the nonce stays so).

import { copy32, equal32, isZero32, reverse32 } from '../bytes';
import { messageFinal, messageInitFrom } from '../hash/message256';
import { sha256Last32 } from '../hash/sha256';
import { EXTRA, OK, PREPARED_KEY, PUBLIC_KEY, REJECTED, SECRET_KEY, SIGNATURE } from '../memory';
import { fromBytes, PRIME } from './field';
import { multiplyBase } from './fixed-base';
import { multiplyBaseBatch } from './fixed-base-batch';
import { multiplyAddVarTime } from './multi-scalar';
import { Affine, Jacobian, jacobianToBytesVarTime, liftX, Xyzz, xyzzToBytes } from './point';
import { addScalar, isBelow, isSecretScalar, mulScalar, negateScalarIf, reduceScalar } from './scalar';
import { BATCH_SIGNING, SCHNORR_SPACE } from './space';

// 32 bytes each, and 64 of a point, for every signature of a batch
const batchNonces = BATCH_SIGNING;
const batchPoints = BATCH_SIGNING + 2048;

// The midstates after SHA-256(tag) twice.
const AUX = memory.data<u32>([
  0x24dd3219, 0x4eba7e70, 0xca0fabb9, 0x0fa3166d, 0x3afbe4b1, 0x4c44df97, 0x4aac2739, 0x249e850a,
]);
const NONCE = memory.data<u32>([
  0x46615b35, 0xf4bfbff7, 0x9f8dc671, 0x83627ab3, 0x60217180, 0x57358661, 0x21a29e54, 0x68b07b4c,
]);
const CHALLENGE = memory.data<u32>([
  0x9cecba11, 0x23925381, 0x11679112, 0xd1627e0f, 0x97c87550, 0x003cc765, 0x90f61164, 0x33e9b66a,
]);

/** In PREPARED_KEY: the secret scalar whose point has an even y, and the public key, that point's x. */
const secret = PREPARED_KEY; // 32
const publicKey = PREPARED_KEY + 32; // 32

const BLOCK = SCHNORR_SPACE; // 64: what precedes the message
const DIGEST = SCHNORR_SPACE + 64; // 32 each
const nonce = SCHNORR_SPACE + 128;
const challenge = SCHNORR_SPACE + 160;
const x = SCHNORR_SPACE + 192;
const y = SCHNORR_SPACE + 224;
const s = SCHNORR_SPACE + 256;
const product = changetype<Xyzz>(SCHNORR_SPACE + 288); // 144
const publicPoint = changetype<Affine>(SCHNORR_SPACE + 432); // 80
const sum = changetype<Jacobian>(SCHNORR_SPACE + 512); // 112

/** PREPARED_KEY = what signing needs of SECRET_KEY, PUBLIC_KEY = its 32-byte public key. */
export function schnorrPrepare(): i32 {
  reverse32(secret, SECRET_KEY);
  if (isSecretScalar(secret) == 0) return REJECTED;
  multiplyBase(product, secret);
  xyzzToBytes(x, y, product);
  negateScalarIf(secret, secret, 0 - (load<u64>(y) & 1));
  reverse32(publicKey, x);
  copy32(PUBLIC_KEY, publicKey);
  return OK;
}

/**
 * "Default Signing" under PREPARED_KEY: start, the message, commit, the message again, finish. Auxiliary randomness in
 * EXTRA.
 */
export function schnorrSignStart(): void {
  copy32(PUBLIC_KEY, publicKey);
  sha256Last32(DIGEST, AUX, EXTRA);
  reverse32(BLOCK, secret);
  for (let i: usize = 0; i < 32; i += 8) store<u64>(BLOCK + i, load<u64>(BLOCK + i) ^ load<u64>(DIGEST + i));
  copy32(BLOCK + 32, PUBLIC_KEY);
  messageInitFrom(NONCE, BLOCK);
}

/** A nonce of 0 (once in 2^256) is refused, as BIP-340 has it. */
export function schnorrSignCommit(): i32 {
  if (!finishNonce()) return REJECTED;
  multiplyBase(product, nonce);
  xyzzToBytes(x, y, product);
  commitTo(x);
  return OK;
}

/** A batch: start, the message, and this, with an index, for every message; then schnorrBatchMultiply. */
export function schnorrBatchCommit(index: usize): i32 {
  if (!finishNonce()) return REJECTED;
  copy32(batchNonces + 32 * index, nonce);
  return OK;
}

export function schnorrBatchMultiply(count: usize): void {
  multiplyBaseBatch(batchPoints, batchNonces, count);
}

/** After that, for every message: this, the message again, finish. */
export function schnorrBatchChallenge(index: usize): void {
  copy32(PUBLIC_KEY, publicKey);
  copy32(nonce, batchNonces + 32 * index);
  commitTo(batchPoints + 64 * index);
}

function finishNonce(): bool {
  messageFinal(DIGEST);
  reverse32(nonce, DIGEST);
  reduceScalar(nonce, nonce);
  return isZero32(nonce) == 0;
}

/** To the nonce's point, x and after it y. */
function commitTo(point: usize): void {
  negateScalarIf(nonce, nonce, 0 - (load<u64>(point, 32) & 1));
  reverse32(SIGNATURE, point);
  startChallenge();
}

export function schnorrSignFinish(): void {
  finishChallenge();
  mulScalar(s, challenge, secret);
  addScalar(s, s, nonce);
  reverse32(SIGNATURE + 32, s);
}

/** Verification: start, the message, finish. Variable-time. */
export function schnorrVerifyStart(): void {
  startChallenge();
}

/** Like @noble/curves, and unlike BIP-340, refuses s = 0, which no signer gives. */
export function schnorrVerifyFinish(): i32 {
  finishChallenge();
  reverse32(x, PUBLIC_KEY);
  if (isBelow(x, PRIME) == 0) return REJECTED;
  fromBytes(publicPoint.x, x);
  if (!liftX(publicPoint, 0)) return REJECTED;
  reverse32(s, SIGNATURE + 32);
  if (isSecretScalar(s) == 0) return REJECTED;
  negateScalarIf(challenge, challenge, ~0);
  if (!multiplyAddVarTime(sum, s, challenge, publicPoint)) return REJECTED;
  jacobianToBytesVarTime(x, y, sum);
  reverse32(x, x);
  const same = equal32(x, SIGNATURE);
  return same != 0 && (load<u64>(y) & 1) == 0 ? OK : REJECTED;
}

function startChallenge(): void {
  copy32(BLOCK, SIGNATURE);
  copy32(BLOCK + 32, PUBLIC_KEY);
  messageInitFrom(CHALLENGE, BLOCK);
}

function finishChallenge(): void {
  messageFinal(DIGEST);
  reverse32(challenge, DIGEST);
  reduceScalar(challenge, challenge);
}
