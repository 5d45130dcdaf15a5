// Schnorr signatures over secp256k1 (BIP-340): a drop-in for the object of the same name in @noble/curves, on the
// compiled curves.

import { checkBytes, checkBytesOfLength, isBytesOfLength } from './arguments.js';
import { checkInRange, isValidSecretKey, randomSecretKey, secp256k1 } from './secp256k1.js';
import { withCurves } from './wasm.js';

const OK = 0;
const AUX_RAND_BYTES = 32;
const EVEN = 2;

export interface SchnorrKeyPair {
  /** 32 bytes */
  secretKey: Uint8Array;
  /** 32 bytes */
  publicKey: Uint8Array;
}

const lengths = Object.freeze({
  secretKey: 32,
  publicKey: 32,
  publicKeyHasPrefix: false,
  signature: 64,
  seed: 48,
});

/**
 * A key pair, from random bytes or from a seed of 48 bytes.
 * @throws {TypeError | RangeError} if the seed is not 48 bytes
 */
function keygen(seed?: Uint8Array): SchnorrKeyPair {
  const secretKey = randomSecretKey(seed);
  return { secretKey, publicKey: getPublicKey(secretKey) };
}

/**
 * The 32-byte public key, an x coordinate, of a 32-byte secret key. Constant-time.
 * @throws {TypeError | RangeError} if the key is not 32 bytes, or not in [1, n - 1]
 */
function getPublicKey(secretKey: Uint8Array): Uint8Array {
  checkBytesOfLength(secretKey, 'secretKey', lengths.secretKey);
  return withCurves((curves) => {
    curves.put('secretKey', secretKey);
    checkInRange(curves.run.schnorrPublicKey());
    return curves.take('publicKey', lengths.publicKey);
  });
}

/**
 * The 64-byte signature of a message of any length ("Default Signing", without the verification at its end).
 * `auxRand` is 32 bytes, random ones by default. Constant-time, but for the length of the message.
 * @throws {TypeError | RangeError} if the key is not 32 bytes in [1, n - 1], the message is not bytes, or `auxRand` is not
 * 32 bytes
 */
function sign(message: Uint8Array, secretKey: Uint8Array, auxRand?: Uint8Array): Uint8Array {
  checkBytes(message, 'message');
  checkBytesOfLength(secretKey, 'secretKey', lengths.secretKey);
  if (auxRand !== undefined) checkBytesOfLength(auxRand, 'auxRand', AUX_RAND_BYTES);
  const auxiliary = auxRand ?? crypto.getRandomValues(new Uint8Array(AUX_RAND_BYTES));
  return withCurves((curves) => {
    const { run } = curves;
    curves.put('secretKey', secretKey);
    curves.put('extra', auxiliary);
    curves.hold(message);
    checkInRange(run.schnorrSignStart());
    curves.feed(run.secp256k1Absorb);
    if (run.schnorrSignCommit() !== OK)
      throw new RangeError('the nonce came out as 0: sign with another auxRand');
    curves.feed(run.secp256k1Absorb);
    run.schnorrSignFinish();
    return curves.take('signature', lengths.signature);
  });
}

/**
 * Whether the 64 bytes are a signature of the message under the 32-byte public key. Refuses s = 0, as @noble/curves does.
 * Variable-time.
 * @throws {TypeError | RangeError} for arguments of another type or length; whatever their content, the answer is a boolean
 */
function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  checkBytesOfLength(signature, 'signature', lengths.signature);
  checkBytes(message, 'message');
  checkBytesOfLength(publicKey, 'publicKey', lengths.publicKey);
  return withCurves((curves) => {
    curves.put('signature', signature);
    curves.put('publicKey', publicKey);
    curves.hold(message);
    curves.run.schnorrVerifyStart();
    curves.feed(curves.run.secp256k1Absorb);
    return curves.run.schnorrVerifyFinish() === OK;
  });
}

/** Whether the value is 32 bytes, the x coordinate of a point. Never throws. Variable-time. */
function isValidPublicKey(publicKey: Uint8Array): boolean {
  if (!isBytesOfLength(publicKey, lengths.publicKey)) return false;
  const compressed = new Uint8Array(1 + lengths.publicKey);
  compressed[0] = EVEN;
  compressed.set(publicKey, 1);
  return secp256k1.utils.isValidPublicKey(compressed);
}

const utils = Object.freeze({ randomSecretKey, isValidSecretKey, isValidPublicKey });

/** BIP-340 with the API of @noble/curves. */
export const schnorr = Object.freeze({ keygen, getPublicKey, sign, verify, lengths, utils });
