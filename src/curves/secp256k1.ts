// ECDSA over secp256k1 (SEC 1, SEC 2, RFC 6979): a drop-in for the object of the same name in @noble/curves, on the
// compiled curves.

import {
  checkBoolean,
  checkBytes,
  checkBytesOfLength,
  checkOptions,
  isBytes,
  isBytesOfLength,
  lengthOf,
} from './arguments.js';
import { decodeDer, encodeDer } from './der.js';
import type { PreparedKey, SignedMessage } from './types.js';
import { type Curves, withCurves } from './wasm.js';

const OK = 0;
const DIGEST_BYTES = 32;
const EXTRA_ENTROPY_BYTES = 32;
const RECOVERED_BYTES = 65;
const PREPARED_BYTES = 64;
/** A batch of more is cut into groups. */
const BATCH = 64;
/** Fewer take less time one by one. */
export const SMALL_BATCH = 4;
const NO_SIGNATURE = 0xff;

/** compact: r‖s, 64 bytes. recovered: recovery id‖r‖s, 65 bytes. der: SEQUENCE { INTEGER r, INTEGER s }, up to 72 bytes. */
export type Secp256k1SignatureFormat = 'compact' | 'recovered' | 'der';

export interface Secp256k1RecoverOptions {
  /** `true` (the default): the message is hashed with SHA-256. `false`: it is the 32-byte digest itself. */
  readonly prehash?: boolean | undefined;
}

export interface Secp256k1VerifyOptions extends Secp256k1RecoverOptions {
  /** `true` (the default): s is at most n/2 in signatures that are made, and others are refused. */
  readonly lowS?: boolean | undefined;
  /** `compact` is the default. */
  readonly format?: Secp256k1SignatureFormat | undefined;
}

export interface Secp256k1SignOptions extends Secp256k1VerifyOptions {
  /** Enters the nonce (RFC 6979 §3.6): 32 bytes, `true` for 32 random ones, `false` (the default) for none. */
  readonly extraEntropy?: boolean | Uint8Array | undefined;
}

export interface Secp256k1KeyPair {
  /** 32 bytes */
  secretKey: Uint8Array;
  /** 33 bytes */
  publicKey: Uint8Array;
}

/** The options of a call, each read once, with defaults. */
interface Settings {
  readonly prehash: boolean;
  readonly lowS: boolean;
  readonly format: Secp256k1SignatureFormat;
}

const lengths = Object.freeze({
  secretKey: 32,
  publicKey: 33,
  publicKeyUncompressed: 65,
  publicKeyHasPrefix: true,
  signature: 64,
  seed: 48,
});

/**
 * A key pair, from random bytes or from a seed of 48 bytes. The public key is compressed.
 * @throws {TypeError | RangeError} if the seed is not 48 bytes
 */
function keygen(seed?: Uint8Array): Secp256k1KeyPair {
  const secretKey = randomSecretKey(seed);
  return { secretKey, publicKey: getPublicKey(secretKey) };
}

/**
 * The public key of a 32-byte secret key: 33 bytes, or 65 if not compressed (SEC 1 §2.3.3). Constant-time.
 * @throws {TypeError | RangeError} if the key is not 32 bytes, or not in [1, n - 1]
 */
function getPublicKey(secretKey: Uint8Array, isCompressed = true): Uint8Array {
  checkBytesOfLength(secretKey, 'secretKey', lengths.secretKey);
  checkBoolean(isCompressed, 'isCompressed');
  return withCurves((curves) => {
    curves.put('secretKey', secretKey);
    checkInRange(curves.run.secp256k1PublicKey(isCompressed ? 1 : 0));
    return curves.take('publicKey', isCompressed ? lengths.publicKey : lengths.publicKeyUncompressed);
  });
}

/**
 * A signature (SEC 1 §4.1.3) of a message of any length, with the nonce of RFC 6979. Constant-time, but for the length of
 * the message.
 * @throws {TypeError | RangeError} if the key is not 32 bytes in [1, n - 1], the message is not bytes, or not 32 of them
 * with `prehash: false`, or an option has another value than its type names
 */
function sign(message: Uint8Array, secretKey: Uint8Array, options?: Secp256k1SignOptions): Uint8Array {
  const settings = checkOptionsAndMessage(options, message);
  const extraEntropy = checkExtraEntropy(options?.extraEntropy);
  checkBytesOfLength(secretKey, 'secretKey', lengths.secretKey);
  return withCurves((curves) => {
    curves.put('secretKey', secretKey);
    checkInRange(curves.run.secp256k1Prepare());
    return signPrepared(curves, message, settings, extraEntropy);
  });
}

/**
 * Whether the signature is one of the message under the public key of 33 or 65 bytes (SEC 1 §4.1.4). A `recovered` one
 * must also lead to that key. Variable-time.
 * @throws {TypeError | RangeError} for arguments of another type, a signature of another length than its format has, and a
 * message of another length than 32 with `prehash: false`; otherwise the answer is a boolean
 */
function verify(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
  options?: Secp256k1VerifyOptions,
): boolean {
  const settings = checkOptionsAndMessage(options, message);
  checkBytes(publicKey, 'publicKey');
  checkSignature(signature, settings.format);
  const publicKeyLength = lengthOf(publicKey);
  const recovered = recoveredFrom(signature, settings.format);
  if (recovered === undefined || !isPublicKeyLength(publicKeyLength)) return false;
  return withCurves((curves) => {
    curves.put('signature', recovered);
    curves.put('publicKey', publicKey);
    putDigest(curves, message, settings.prehash);
    const checksId = settings.format === 'recovered' ? 1 : 0;
    return curves.run.secp256k1Verify(publicKeyLength, settings.lowS ? 1 : 0, checksId) === OK;
  });
}

/**
 * The compressed public key (33 bytes) that a signature of 65 bytes, recovery id‖r‖s, leads to (SEC 1 §4.1.6).
 * Variable-time.
 * @throws {TypeError | RangeError} for arguments of another type or length, and where there is no such key
 */
function recoverPublicKey(
  signature: Uint8Array,
  message: Uint8Array,
  options?: Secp256k1RecoverOptions,
): Uint8Array {
  const { prehash } = checkOptionsAndMessage(options, message);
  checkSignature(signature, 'recovered');
  return withCurves((curves) => {
    curves.put('signature', signature);
    putDigest(curves, message, prehash);
    if (curves.run.secp256k1Recover() !== OK) {
      throw new RangeError(
        'no public key belongs to this signature: its recovery id, r or s is out of range',
      );
    }
    return curves.take('publicKey', lengths.publicKey);
  });
}

/**
 * Whether all the signatures are valid by the default rules of `verify`; `true` for none. An ECDSA signature lacks the
 * parity of its R, so this is one verification after the other. Variable-time.
 * @throws {TypeError | RangeError} if any item has arguments that `verify` would throw at, before any work
 */
function verifyBatch(items: readonly SignedMessage[]): boolean {
  return checkItems(items).every(({ signature, message, publicKey }) =>
    verify(signature, message, publicKey),
  );
}

/**
 * Checks a secret key and derives its public key (33 bytes) once, for signing many messages.
 * @throws {TypeError | RangeError} if the key is not 32 bytes in [1, n - 1]
 */
function prepare(secretKey: Uint8Array): PreparedKey<Secp256k1SignOptions> {
  checkBytesOfLength(secretKey, 'secretKey', lengths.secretKey);
  return withCurves((curves) => {
    curves.put('secretKey', secretKey);
    checkInRange(curves.run.secp256k1Prepare());
    const expansion = curves.take('preparedKey', PREPARED_BYTES);
    curves.run.secp256k1PublicKey(1);
    return new PreparedSecp256k1Key(expansion, curves.take('publicKey', lengths.publicKey));
  });
}

/**
 * A secret key, uniform but for 2^-128, from 48 random bytes or from a seed of as many. Constant-time.
 * @throws {TypeError | RangeError} if the seed is not 48 bytes
 */
export function randomSecretKey(seed?: Uint8Array): Uint8Array {
  if (seed !== undefined) checkBytesOfLength(seed, 'seed', lengths.seed);
  const entropy = seed ?? crypto.getRandomValues(new Uint8Array(lengths.seed));
  try {
    return withCurves((curves) => {
      curves.put('seed', entropy);
      curves.run.secp256k1SecretFromSeed();
      return curves.take('secretKey', lengths.secretKey);
    });
  } finally {
    if (seed === undefined) entropy.fill(0);
  }
}

/** Whether the value is 32 bytes in [1, n - 1]. Never throws. Constant-time, but for the answer. */
export function isValidSecretKey(secretKey: Uint8Array): boolean {
  if (!isBytesOfLength(secretKey, lengths.secretKey)) return false;
  return withCurves((curves) => {
    curves.put('secretKey', secretKey);
    return curves.run.secp256k1Prepare() === OK;
  });
}

/** Whether the value is 33 or 65 bytes (33 if `isCompressed`, 65 if not) that encode a point. Never throws. Variable-time. */
function isValidPublicKey(publicKey: Uint8Array, isCompressed?: boolean): boolean {
  if (!isBytes(publicKey)) return false;
  const length = lengthOf(publicKey);
  if (isCompressed === true && length !== lengths.publicKey) return false;
  if (isCompressed === false && length !== lengths.publicKeyUncompressed) return false;
  return isPublicKeyLength(length) && convert(publicKey, true) !== undefined;
}

/**
 * The same point in 33 bytes (`compressed`) or 65. Variable-time.
 * @throws {TypeError | RangeError} if the public key is not 33 or 65 bytes that encode a point
 */
function convertPublicKey(publicKey: Uint8Array, compressed: boolean): Uint8Array {
  checkPublicKeyLength(publicKey);
  checkBoolean(compressed, 'compressed');
  const converted = convert(publicKey, compressed);
  if (converted === undefined) throw new RangeError('publicKey does not encode a point of secp256k1');
  return converted;
}

const utils = Object.freeze({ randomSecretKey, isValidSecretKey, isValidPublicKey, convertPublicKey });

/** ECDSA over secp256k1 with the API of @noble/curves, and with prepared keys and more beyond it. */
export const secp256k1 = Object.freeze({
  keygen,
  getPublicKey,
  sign,
  verify,
  recoverPublicKey,
  verifyBatch,
  prepare,
  lengths,
  utils,
});

class PreparedSecp256k1Key implements PreparedKey<Secp256k1SignOptions> {
  /** Secret scalar, midstate of its nonces. */
  #expansion: Uint8Array | undefined;
  readonly #publicKey: Uint8Array;

  constructor(expansion: Uint8Array, publicKey: Uint8Array) {
    this.#expansion = expansion;
    this.#publicKey = publicKey;
  }

  get publicKey(): Uint8Array {
    return this.#publicKey.slice();
  }

  sign(message: Uint8Array, options?: Secp256k1SignOptions): Uint8Array {
    const settings = checkOptionsAndMessage(options, message);
    const extraEntropy = checkExtraEntropy(options?.extraEntropy);
    const expansion = this.#usable();
    return withCurves((curves) => {
      curves.put('preparedKey', expansion);
      return signPrepared(curves, message, settings, extraEntropy);
    });
  }

  signBatch(messages: readonly Uint8Array[], options?: Secp256k1SignOptions): Uint8Array[] {
    if (!Array.isArray(messages)) throw new TypeError('messages must be an array');
    const list = [...messages];
    const settings = readOptions(options);
    for (const message of list) checkMessage(message, settings.prehash);
    const extraEntropy = options?.extraEntropy;
    checkExtraEntropy(extraEntropy);
    const expansion = this.#usable();
    return inGroups(list, (group) => {
      const extraEntropies = group.map(() => checkExtraEntropy(extraEntropy));
      return signGroup(expansion, group, settings, extraEntropies);
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

/** What `sign` gives for groups of up to BATCH messages. */
export function inGroups(
  messages: readonly Uint8Array[],
  sign: (group: readonly Uint8Array[]) => Uint8Array[],
): Uint8Array[] {
  const groups = Math.ceil(messages.length / BATCH);
  return Array.from({ length: groups }, (_, i) => sign(messages.slice(BATCH * i, BATCH * (i + 1)))).flat();
}

/** Signs with the key in PREPARED_KEY. */
function signPrepared(
  curves: Curves,
  message: Uint8Array,
  settings: Settings,
  extraEntropy: Uint8Array | undefined,
): Uint8Array {
  const hedged = putDigestAndEntropy(curves, message, settings, extraEntropy);
  curves.run.secp256k1Sign(settings.lowS ? 1 : 0, hedged);
  if (settings.format === 'recovered') return curves.take('signature', RECOVERED_BYTES);
  return inFormat(curves.take('compact', lengths.signature), settings.format);
}

/** Signs up to BATCH messages; again alone where a nonce is of no use, once in 2^255, as the next one has to be taken. */
function signGroup(
  expansion: Uint8Array,
  messages: readonly Uint8Array[],
  settings: Settings,
  extraEntropies: readonly (Uint8Array | undefined)[],
): Uint8Array[] {
  const signAlone = (i: number) =>
    withCurves((curves) => {
      curves.put('preparedKey', expansion);
      return signPrepared(curves, messages[i]!, settings, extraEntropies[i]);
    });
  if (messages.length < SMALL_BATCH) return messages.map((_, i) => signAlone(i));
  const recovered = withCurves((curves) => {
    curves.useBatch();
    curves.put('preparedKey', expansion);
    for (const [i, message] of messages.entries()) {
      curves.run.secp256k1BatchAdd(i, putDigestAndEntropy(curves, message, settings, extraEntropies[i]));
    }
    curves.run.secp256k1BatchSign(messages.length, settings.lowS ? 1 : 0);
    return curves.take('batchSignatures', RECOVERED_BYTES * messages.length);
  });
  return messages.map((_, i) => {
    const [start, end] = [RECOVERED_BYTES * i, RECOVERED_BYTES * (i + 1)];
    if (recovered[start] === NO_SIGNATURE) return signAlone(i);
    if (settings.format === 'recovered') return recovered.slice(start, end);
    return inFormat(recovered.slice(start + 1, end), settings.format);
  });
}

/** For the status of calls on SECRET_KEY. */
export function checkInRange(status: number): void {
  if (status !== OK) throw new RangeError('secretKey must be in [1, n - 1], n being the order of secp256k1');
}

function putDigest(curves: Curves, message: Uint8Array, prehash: boolean): void {
  if (!prehash) {
    curves.put('digest', message);
    return;
  }
  curves.run.secp256k1HashStart();
  curves.hold(message);
  curves.feed(curves.run.secp256k1Absorb);
  curves.run.secp256k1HashFinish();
}

/** Gives the flag whether there is extra entropy. */
function putDigestAndEntropy(
  curves: Curves,
  message: Uint8Array,
  settings: Settings,
  extraEntropy: Uint8Array | undefined,
): number {
  putDigest(curves, message, settings.prehash);
  if (extraEntropy === undefined) return 0;
  curves.put('extra', extraEntropy);
  return 1;
}

function inFormat(compact: Uint8Array, format: 'compact' | 'der'): Uint8Array {
  return format === 'compact' ? compact : encodeDer(compact);
}

/** Recovery id‖r‖s, with a recovery id of 0 where the format has none; undefined for DER that is not well-formed. */
function recoveredFrom(signature: Uint8Array, format: Secp256k1SignatureFormat): Uint8Array | undefined {
  if (format === 'recovered') return signature;
  const compact = format === 'der' ? decodeDer(signature) : signature;
  if (compact === undefined) return undefined;
  const recovered = new Uint8Array(RECOVERED_BYTES);
  recovered.set(compact, 1);
  return recovered;
}

function convert(publicKey: Uint8Array, compressed: boolean): Uint8Array | undefined {
  return withCurves((curves) => {
    curves.put('publicKey', publicKey);
    const status = curves.run.secp256k1ConvertPublicKey(lengthOf(publicKey), compressed ? 1 : 0);
    if (status !== OK) return undefined;
    return curves.take('publicKey', compressed ? lengths.publicKey : lengths.publicKeyUncompressed);
  });
}

function isPublicKeyLength(length: number): boolean {
  return length === lengths.publicKey || length === lengths.publicKeyUncompressed;
}

function checkPublicKeyLength(publicKey: Uint8Array): void {
  checkBytes(publicKey, 'publicKey');
  if (!isPublicKeyLength(lengthOf(publicKey))) {
    throw new RangeError(`publicKey must be 33 or 65 bytes long, not ${lengthOf(publicKey)}`);
  }
}

function checkOptionsAndMessage(options: Secp256k1VerifyOptions | undefined, message: Uint8Array): Settings {
  const settings = readOptions(options);
  checkMessage(message, settings.prehash);
  return settings;
}

function checkMessage(message: Uint8Array, prehash: boolean): void {
  if (prehash) checkBytes(message, 'message');
  else checkBytesOfLength(message, 'message (a digest, as prehash is false)', DIGEST_BYTES);
}

function readOptions(options: Secp256k1VerifyOptions | undefined): Settings {
  if (options === undefined) return { prehash: true, lowS: true, format: 'compact' };
  checkOptions(options);
  const { prehash = true, lowS = true, format = 'compact' } = options;
  checkBoolean(prehash, 'prehash');
  checkBoolean(lowS, 'lowS');
  if (format !== 'compact' && format !== 'recovered' && format !== 'der') {
    throw new RangeError('format must be "compact", "recovered" or "der"');
  }
  return { prehash, lowS, format };
}

function checkExtraEntropy(extraEntropy: boolean | Uint8Array | undefined): Uint8Array | undefined {
  if (extraEntropy === undefined || extraEntropy === false) return undefined;
  if (extraEntropy === true) return crypto.getRandomValues(new Uint8Array(EXTRA_ENTROPY_BYTES));
  checkBytesOfLength(extraEntropy, 'extraEntropy', EXTRA_ENTROPY_BYTES);
  return extraEntropy;
}

function checkSignature(signature: Uint8Array, format: Secp256k1SignatureFormat): void {
  if (format === 'der') checkBytes(signature, 'signature');
  else checkBytesOfLength(signature, 'signature', format === 'compact' ? lengths.signature : RECOVERED_BYTES);
}

/** Reads each field of each item once: what is checked here is what is verified. */
function checkItems(items: readonly SignedMessage[]): SignedMessage[] {
  if (!Array.isArray(items))
    throw new TypeError('items must be an array of { signature, message, publicKey }');
  return Array.from(items, (item: SignedMessage) => {
    checkOptions(item);
    const { signature, message, publicKey } = item;
    checkSignature(signature, 'compact');
    checkBytes(message, 'message');
    checkBytes(publicKey, 'publicKey');
    return { signature, message, publicKey };
  });
}
