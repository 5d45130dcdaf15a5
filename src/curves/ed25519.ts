// Ed25519 (RFC 8032 §5.1): a drop-in for the object of the same name in @noble/curves, on the compiled curves.

import {
  checkBoolean,
  checkBytes,
  checkBytesOfLength,
  checkObject,
  checkOptions,
  isBytesOfLength,
  lengthOf,
} from './arguments.js';
import type { PreparedKey, SignedMessage } from './types.js';
import { type Curves, withCurves } from './wasm.js';

const OK = 0;
const PREPARED_BYTES = 96;
const WEIGHT_BYTES = 22; // assembly/ed25519/weight.ts

/** For signing: nothing can be chosen. A non-empty `context` would mean Ed25519ctx, which this is not. */
export interface Ed25519SignOptions {
  readonly context?: Uint8Array | undefined;
}

export interface Ed25519VerifyOptions extends Ed25519SignOptions {
  /**
   * `true` (the default) accepts what ZIP 215 accepts; `false` also refuses encodings of points that are not canonical
   * (RFC 8032 §5.1.3) and public keys of small order. The equation is checked with the cofactor either way.
   */
  readonly zip215?: boolean | undefined;
}

export interface Ed25519KeyPair {
  /** 32 bytes */
  secretKey: Uint8Array;
  /** 32 bytes */
  publicKey: Uint8Array;
}

const lengths = Object.freeze({ secretKey: 32, publicKey: 32, signature: 64, seed: 32 });

/**
 * A key pair, from 32 random bytes or from the given seed, which becomes the secret key without being copied.
 * @throws {TypeError | RangeError} if the seed is not 32 bytes
 */
function keygen(seed?: Uint8Array): Ed25519KeyPair {
  const secretKey = randomSecretKey(seed);
  return { secretKey, publicKey: getPublicKey(secretKey) };
}

/**
 * The 32-byte public key of a 32-byte secret key (the seed of RFC 8032 §5.1.5). Constant-time.
 * @throws {TypeError | RangeError} if the key is not 32 bytes
 */
function getPublicKey(secretKey: Uint8Array): Uint8Array {
  const prepared = expand(secretKey);
  try {
    return prepared.slice(64);
  } finally {
    prepared.fill(0);
  }
}

/**
 * The 64-byte signature R‖S of a message of any length (RFC 8032 §5.1.6; deterministic). Constant-time, but for
 * the length of the message. For many signatures under one key, `prepare` it.
 * @throws {TypeError | RangeError} if the key is not 32 bytes, the message is not bytes, or a context is given
 */
function sign(message: Uint8Array, secretKey: Uint8Array, options?: Ed25519SignOptions): Uint8Array {
  checkSignArguments(message, options);
  checkBytesOfLength(secretKey, 'secretKey', lengths.secretKey);
  return withCurves((curves) => {
    curves.put('secretKey', secretKey);
    curves.run.ed25519Prepare();
    return signPrepared(curves, message);
  });
}

/**
 * Whether the 64 bytes R‖S are a signature of the message under the 32-byte public key (RFC 8032 §5.1.7, with the
 * cofactor). Variable-time.
 * @throws {TypeError | RangeError} for arguments of another type or length; their content only decides the answer
 */
function verify(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
  options?: Ed25519VerifyOptions,
): boolean {
  checkSignedMessage(signature, message, publicKey);
  const zip215 = checkVerifyOptions(options);
  return withCurves((curves) => {
    startVerification(curves, signature, message, publicKey);
    return curves.run.ed25519VerifyFinish(zip215 ? 1 : 0) === OK;
  });
}

/**
 * Whether all the signatures are valid by the rules of `verify` with these options; `true` for none. Faster than one by
 * one, most of all where signatures under one key follow each other. Signatures that are not all valid pass with a
 * probability below 2^-128, over weights drawn here. Variable-time.
 * @throws {TypeError | RangeError} if any item has arguments that `verify` would throw at, before any work
 */
function verifyBatch(items: readonly SignedMessage[], options?: Ed25519VerifyOptions): boolean {
  const list = checkItems(items);
  const zip215 = checkVerifyOptions(options);
  return withCurves((curves) => {
    const size = curves.run.ED25519_BATCH.value;
    for (let start = 0; start < list.length; start += size) {
      if (!verifyTogether(curves, list.slice(start, start + size), zip215)) return false;
    }
    return true;
  });
}

/**
 * Expands a 32-byte secret key for signing many messages.
 * @throws {TypeError | RangeError} if the key is not 32 bytes
 */
function prepare(secretKey: Uint8Array): PreparedKey<Ed25519SignOptions> {
  return new PreparedEd25519Key(expand(secretKey));
}

/**
 * 32 random bytes, or the given seed itself.
 * @throws {TypeError | RangeError} if the seed is not 32 bytes
 */
function randomSecretKey(seed?: Uint8Array): Uint8Array {
  if (seed === undefined) return crypto.getRandomValues(new Uint8Array(lengths.seed));
  checkBytesOfLength(seed, 'seed', lengths.seed);
  return seed;
}

/** Whether the value is 32 bytes: any of them are a secret key. Never throws. */
function isValidSecretKey(secretKey: Uint8Array): boolean {
  return isBytesOfLength(secretKey, lengths.secretKey);
}

/** Whether the value is 32 bytes that encode a point, by ZIP 215 unless `zip215` is false. Never throws. */
function isValidPublicKey(publicKey: Uint8Array, zip215 = true): boolean {
  if (!isBytesOfLength(publicKey, lengths.publicKey) || typeof zip215 !== 'boolean') return false;
  return withCurves((curves) => {
    curves.put('publicKey', publicKey);
    return curves.run.ed25519IsPublicKey(zip215 ? 1 : 0) === OK;
  });
}

const utils = Object.freeze({ randomSecretKey, isValidSecretKey, isValidPublicKey });

/** Ed25519 with the API of @noble/curves, and with prepared keys and batch verification beyond it. */
export const ed25519 = Object.freeze({
  keygen,
  getPublicKey,
  sign,
  verify,
  verifyBatch,
  prepare,
  lengths,
  utils,
});

class PreparedEd25519Key implements PreparedKey<Ed25519SignOptions> {
  /** Secret scalar, prefix of the nonce hash, public key. */
  #expansion: Uint8Array | undefined;
  readonly #publicKey: Uint8Array;

  constructor(expansion: Uint8Array) {
    this.#expansion = expansion;
    this.#publicKey = expansion.slice(64);
  }

  get publicKey(): Uint8Array {
    return this.#publicKey.slice();
  }

  sign(message: Uint8Array, options?: Ed25519SignOptions): Uint8Array {
    checkSignArguments(message, options);
    const expansion = this.#usable();
    return withCurves((curves) => {
      curves.put('preparedKey', expansion);
      return signPrepared(curves, message);
    });
  }

  signBatch(messages: readonly Uint8Array[], options?: Ed25519SignOptions): Uint8Array[] {
    if (!Array.isArray(messages)) throw new TypeError('messages must be an array');
    const list = [...messages];
    for (const message of list) checkSignArguments(message, options);
    const expansion = this.#usable();
    return withCurves((curves) => {
      curves.put('preparedKey', expansion);
      return signTogether(curves, list);
    });
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

function expand(secretKey: Uint8Array): Uint8Array {
  checkBytesOfLength(secretKey, 'secretKey', lengths.secretKey);
  return withCurves((curves) => {
    curves.put('secretKey', secretKey);
    curves.run.ed25519Prepare();
    return curves.take('preparedKey', PREPARED_BYTES);
  });
}

function signPrepared(curves: Curves, message: Uint8Array): Uint8Array {
  const { run } = curves;
  curves.hold(message);
  run.ed25519SignStart();
  curves.feed(run.ed25519Absorb);
  run.ed25519SignCommit();
  curves.feed(run.ed25519Absorb);
  run.ed25519SignFinish();
  return curves.take('signature', lengths.signature);
}

/** As many messages at a time as have room side by side; one that has not even alone is signed in pieces. */
function signTogether(curves: Curves, messages: readonly Uint8Array[]): Uint8Array[] {
  const signatures: Uint8Array[] = [];
  curves.useBatch();
  while (signatures.length < messages.length) {
    const count = placeMessages(curves, messages, signatures.length);
    curves.run.ed25519SignTogetherFinish();
    const together = curves.take('batchSignatures', lengths.signature * count);
    for (let i = 0; i < together.length; i += lengths.signature) {
      signatures.push(together.slice(i, i + lengths.signature));
    }
    if (count === 0) signatures.push(signPrepared(curves, messages[signatures.length]!));
  }
  return signatures;
}

/** Places messages from index `start` on, and says how many. */
function placeMessages(curves: Curves, messages: readonly Uint8Array[], start: number): number {
  curves.run.ed25519SignTogetherStart();
  for (let i = start; i < messages.length; i++) {
    const address = curves.run.ed25519SignTogetherAdd(lengthOf(messages[i]!));
    if (address === 0) return i - start;
    curves.place(messages[i]!, address);
  }
  return messages.length - start;
}

function startVerification(
  curves: Curves,
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
) {
  curves.put('signature', signature);
  curves.put('publicKey', publicKey);
  curves.hold(message);
  curves.run.ed25519VerifyStart();
  curves.feed(curves.run.ed25519Absorb);
}

function verifyTogether(curves: Curves, items: readonly SignedMessage[], zip215: boolean): boolean {
  const random = crypto.getRandomValues(new Uint8Array(WEIGHT_BYTES * items.length));
  curves.run.ed25519BatchStart();
  for (const [i, { signature, message, publicKey }] of items.entries()) {
    startVerification(curves, signature, message, publicKey);
    curves.put('extra', random.subarray(WEIGHT_BYTES * i, WEIGHT_BYTES * (i + 1)));
    if (curves.run.ed25519BatchAdd(zip215 ? 1 : 0) !== OK) return false;
  }
  return curves.run.ed25519BatchFinish() === OK;
}

function checkSignArguments(message: Uint8Array, options: Ed25519SignOptions | undefined): void {
  checkBytes(message, 'message');
  if (options === undefined) return;
  checkOptions(options);
  checkNoContext(options.context);
}

function checkVerifyOptions(options: Ed25519VerifyOptions | undefined): boolean {
  if (options === undefined) return true;
  checkOptions(options);
  const { context, zip215 = true } = options;
  checkNoContext(context);
  checkBoolean(zip215, 'zip215');
  return zip215;
}

function checkNoContext(context: Uint8Array | undefined): void {
  if (context !== undefined) checkBytesOfLength(context, 'context (Ed25519ctx is not supported)', 0);
}

function checkSignedMessage(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): void {
  checkBytesOfLength(signature, 'signature', lengths.signature);
  checkBytes(message, 'message');
  checkBytesOfLength(publicKey, 'publicKey', lengths.publicKey);
}

/** Reads each field of each item once: what is checked here is what is verified. */
function checkItems(items: readonly SignedMessage[]): SignedMessage[] {
  if (!Array.isArray(items))
    throw new TypeError('items must be an array of { signature, message, publicKey }');
  return Array.from(items, (item: SignedMessage) => {
    checkObject(item, 'an item');
    const { signature, message, publicKey } = item;
    checkSignedMessage(signature, message, publicKey);
    return { signature, message, publicKey };
  });
}
