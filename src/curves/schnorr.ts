// Schnorr signatures over secp256k1 (BIP-340): a drop-in for the object of the same name in @noble/curves, on the
// compiled curves.

import { checkBytes, checkBytesOfLength, isBytesOfLength } from './arguments.js';
import {
  checkInRange,
  inGroups,
  isValidSecretKey,
  randomSecretKey,
  SMALL_BATCH,
  secp256k1,
} from './secp256k1.js';
import type { PreparedKey } from './types.js';
import { type Curves, withCurves } from './wasm.js';

const OK = 0;
const AUX_RAND_BYTES = 32;
const EVEN = 2;
const PREPARED_BYTES = 64;

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
    checkInRange(curves.run.schnorrPrepare());
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
  const auxiliary = checkAuxRand(auxRand);
  return withCurves((curves) => {
    curves.put('secretKey', secretKey);
    checkInRange(curves.run.schnorrPrepare());
    return signPrepared(curves, message, auxiliary);
  });
}

/**
 * Checks a secret key and derives its public key (32 bytes) once, for signing many messages. Of the prepared key's
 * functions, the second argument is `auxRand`, the same for all messages of a batch if given.
 * @throws {TypeError | RangeError} if the key is not 32 bytes in [1, n - 1]
 */
function prepare(secretKey: Uint8Array): PreparedKey<Uint8Array> {
  checkBytesOfLength(secretKey, 'secretKey', lengths.secretKey);
  return withCurves((curves) => {
    curves.put('secretKey', secretKey);
    checkInRange(curves.run.schnorrPrepare());
    return new PreparedSchnorrKey(curves.take('preparedKey', PREPARED_BYTES));
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
export const schnorr = Object.freeze({ keygen, getPublicKey, sign, verify, prepare, lengths, utils });

class PreparedSchnorrKey implements PreparedKey<Uint8Array> {
  /** Secret scalar of a point with an even y, public key. */
  #expansion: Uint8Array | undefined;
  readonly #publicKey: Uint8Array;

  constructor(expansion: Uint8Array) {
    this.#expansion = expansion;
    this.#publicKey = expansion.slice(PREPARED_BYTES - lengths.publicKey);
  }

  get publicKey(): Uint8Array {
    return this.#publicKey.slice();
  }

  sign(message: Uint8Array, auxRand?: Uint8Array): Uint8Array {
    checkBytes(message, 'message');
    const auxiliary = checkAuxRand(auxRand);
    const expansion = this.#usable();
    return withCurves((curves) => {
      curves.put('preparedKey', expansion);
      return signPrepared(curves, message, auxiliary);
    });
  }

  signBatch(messages: readonly Uint8Array[], auxRand?: Uint8Array): Uint8Array[] {
    if (!Array.isArray(messages)) throw new TypeError('messages must be an array');
    const list = [...messages];
    for (const message of list) checkBytes(message, 'message');
    checkAuxRand(auxRand);
    const expansion = this.#usable();
    return inGroups(list, (group) =>
      group.length < SMALL_BATCH
        ? group.map((message) => this.sign(message, auxRand))
        : signGroup(expansion, group, auxRand),
    );
  }

  destroy(): void {
    this.#expansion?.fill(0);
    this.#expansion = undefined;
  }

  #usable(): Uint8Array {
    if (this.#expansion === undefined)
      throw new TypeError('this key was destroyed: prepare it again to sign');
    return this.#expansion;
  }
}

/** Signs with the key in PREPARED_KEY. */
function signPrepared(curves: Curves, message: Uint8Array, auxiliary: Uint8Array): Uint8Array {
  const { run } = curves;
  curves.put('extra', auxiliary);
  curves.hold(message);
  run.schnorrSignStart();
  curves.feed(run.secp256k1Absorb);
  checkNonce(run.schnorrSignCommit());
  curves.feed(run.secp256k1Absorb);
  run.schnorrSignFinish();
  return curves.take('signature', lengths.signature);
}

/**
 * Signs as many messages as a batch may have. They are copied, because each is read twice and has to be the same: two
 * challenges under one nonce would give the key away.
 */
function signGroup(
  expansion: Uint8Array,
  messages: readonly Uint8Array[],
  auxRand: Uint8Array | undefined,
): Uint8Array[] {
  const copies = messages.map((message) => new Uint8Array(message));
  try {
    return withCurves((curves) => {
      const { run } = curves;
      curves.useBatch();
      curves.put('preparedKey', expansion);
      for (const [i, message] of copies.entries()) {
        curves.put('extra', checkAuxRand(auxRand));
        curves.hold(message);
        run.schnorrSignStart();
        curves.feed(run.secp256k1Absorb);
        checkNonce(run.schnorrBatchCommit(i));
      }
      run.schnorrBatchMultiply(copies.length);
      return copies.map((message, i) => {
        curves.hold(message);
        run.schnorrBatchChallenge(i);
        curves.feed(run.secp256k1Absorb);
        run.schnorrSignFinish();
        return curves.take('signature', lengths.signature);
      });
    });
  } finally {
    for (const copy of copies) copy.fill(0);
  }
}

function checkAuxRand(auxRand: Uint8Array | undefined): Uint8Array {
  if (auxRand === undefined) return crypto.getRandomValues(new Uint8Array(AUX_RAND_BYTES));
  checkBytesOfLength(auxRand, 'auxRand', AUX_RAND_BYTES);
  return auxRand;
}

function checkNonce(status: number): void {
  if (status !== OK) throw new RangeError('the nonce came out as 0: sign with another auxRand');
}
