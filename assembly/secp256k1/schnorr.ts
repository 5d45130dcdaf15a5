// Schnorr signatures (BIP-340). A tagged hash starts from the midstate of its tag; the 64 bytes that come before the
// message of a nonce or a challenge fill one block, so the message starts at a block too.
//
// The parities of the public key's and of the nonce's y decide which scalars are negated: by mask, as they are secret
// until the signature is out (that of the nonce stays so).

import { copy32, equal32, isZero32, reverse32 } from '../bytes';
import { messageFinal, messageInitFrom } from '../hash/message256';
import { sha256Last32 } from '../hash/sha256';
import { EXTRA, OK, PUBLIC_KEY, REJECTED, SECRET_KEY, SIGNATURE } from '../memory';
import { fromBytes, PRIME } from './field';
import { multiplyBase } from './fixed-base';
import { multiplyAddVarTime } from './multi-scalar';
import { Affine, Jacobian, jacobianToBytesVarTime, liftX, Projective, projectiveToBytes } from './point';
import { addScalar, isBelow, isSecretScalar, mulScalar, negateScalarIf, reduceScalar } from './scalar';
import { SCHNORR_SPACE } from './space';

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

const BLOCK = SCHNORR_SPACE; // 64: what precedes the message
const DIGEST = SCHNORR_SPACE + 64; // 32 each
const secret = SCHNORR_SPACE + 96;
const nonce = SCHNORR_SPACE + 128;
const challenge = SCHNORR_SPACE + 160;
const x = SCHNORR_SPACE + 192;
const y = SCHNORR_SPACE + 224;
const s = SCHNORR_SPACE + 256;
const product = changetype<Projective>(SCHNORR_SPACE + 288); // 112
const publicPoint = changetype<Affine>(SCHNORR_SPACE + 400); // 80
const sum = changetype<Jacobian>(SCHNORR_SPACE + 480); // 112

/** PUBLIC_KEY = the 32-byte public key of SECRET_KEY. */
export function schnorrPublicKey(): i32 {
  if (!loadKeyPair()) return REJECTED;
  reverse32(PUBLIC_KEY, x);
  return OK;
}

/** Signing, "Default Signing": start, the message, commit, the message again, finish. Auxiliary randomness in EXTRA. */
export function schnorrSignStart(): i32 {
  if (!loadKeyPair()) return REJECTED;
  reverse32(PUBLIC_KEY, x);
  sha256Last32(DIGEST, AUX, EXTRA);
  reverse32(BLOCK, secret);
  for (let i: usize = 0; i < 32; i += 8) store<u64>(BLOCK + i, load<u64>(BLOCK + i) ^ load<u64>(DIGEST + i));
  copy32(BLOCK + 32, PUBLIC_KEY);
  messageInitFrom(NONCE, BLOCK);
  return OK;
}

/** A nonce of 0 (once in 2^256) is refused, as BIP-340 has it. */
export function schnorrSignCommit(): i32 {
  messageFinal(DIGEST);
  reverse32(nonce, DIGEST);
  reduceScalar(nonce, nonce);
  if (isZero32(nonce) != 0) return REJECTED;
  multiplyBase(product, nonce);
  projectiveToBytes(x, y, product);
  negateScalarIf(nonce, nonce, 0 - (load<u64>(y) & 1));
  reverse32(SIGNATURE, x);
  startChallenge();
  return OK;
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

/** The secret scalar whose point has an even y, and that point's x; false where SECRET_KEY is not in [1, n - 1]. */
function loadKeyPair(): bool {
  reverse32(secret, SECRET_KEY);
  if (isSecretScalar(secret) == 0) return false;
  multiplyBase(product, secret);
  projectiveToBytes(x, y, product);
  negateScalarIf(secret, secret, 0 - (load<u64>(y) & 1));
  return true;
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
