// Ed25519 keys and signing (RFC 8032 §5.1.5 and §5.1.6), in steps between which the loader feeds the message, which is
// hashed twice.

import { sha512Final, sha512Init, sha512Update } from '../hash/sha512';
import { ED25519_EDDSA, MESSAGE, PREPARED_KEY, SECRET_KEY, SIGNATURE } from '../memory';
import { multiplyBase } from './fixed-base';
import { Point, encode } from './point';
import { Scalar, clamp, multiplyAdd, reduceDigest } from './scalar';

// A prepared key is the secret scalar, the prefix of the nonce hash and the public key, 32 bytes each.
const SECRET_SCALAR = changetype<Scalar>(PREPARED_KEY);
const PREFIX: usize = PREPARED_KEY + 32;
const PREPARED_PUBLIC_KEY: usize = PREPARED_KEY + 64;

const DIGEST: usize = ED25519_EDDSA; // 64
const NONCE = changetype<Scalar>(ED25519_EDDSA + 64);
const PRODUCT = changetype<Point>(ED25519_EDDSA + 96); // 144

/** The seed in SECRET_KEY becomes PREPARED_KEY. */
export function ed25519Prepare(): void {
  sha512Init();
  sha512Update(SECRET_KEY, 32);
  sha512Final(PREPARED_KEY);
  clamp(SECRET_SCALAR);
  multiplyBase(PRODUCT, SECRET_SCALAR);
  encode(PREPARED_PUBLIC_KEY, PRODUCT);
}

/** Takes the next piece of the message into the hash of the current step. */
export function ed25519Absorb(length: i32): void {
  sha512Update(MESSAGE, length);
}

/** Signing with PREPARED_KEY, first step: to be fed the message. */
export function ed25519SignStart(): void {
  sha512Init();
  sha512Update(PREFIX, 32);
}

/** Second step: commits to R, and is to be fed the message again. */
export function ed25519SignCommit(): void {
  takeNonce(NONCE);
  multiplyBase(PRODUCT, NONCE);
  encode(SIGNATURE, PRODUCT);
  startChallenge(SIGNATURE);
}

/** Third step: S. */
export function ed25519SignFinish(): void {
  completeSignature(SIGNATURE, NONCE);
}

/** The nonce r from the hash that ed25519SignStart began. */
export function takeNonce(nonce: Scalar): void {
  sha512Final(DIGEST);
  reduceDigest(nonce, DIGEST);
}

/** Begins the hash of R, the public key and the message. */
export function startChallenge(r: usize): void {
  sha512Init();
  sha512Update(r, 32);
  sha512Update(PREPARED_PUBLIC_KEY, 32);
}

/** S = r + k a, where the challenge k is that hash. */
export function completeSignature(signature: usize, nonce: Scalar): void {
  const S = changetype<Scalar>(signature + 32);
  sha512Final(DIGEST);
  reduceDigest(S, DIGEST);
  multiplyAdd(S, S, SECRET_SCALAR, nonce);
}
