// A Signer whose key is on a PKCS#11 token. Node only; the optional package pkcs11js does the native calls.
// Invariants: the public key is read once, when the signer is opened, and never again; no signature leaves that has not
// been verified against it.
// Source: OASIS PKCS #11 v3.1.

import { SignerError } from '../../errors.js';
import type { Pkcs11Config } from '../config/config.js';
import { PublicKey } from '../public-key.js';
import { copyMessage, copyMessages } from '../sign-request.js';
import type { Signature } from '../signature.js';
import type { Algorithm, Signer, SignerInfo, SignOptions } from '../types.js';
import { settledWithin } from './engine/settled-within.js';
import type { Attestation } from './key/attestation.js';
import { openKey } from './key/open-key.js';
import { ReplicatedKey } from './key/replicated-key.js';
import type { SigningKey } from './key/signing-key.js';
import { tokenInput } from './key/token-signature.js';
import { selectionsOf } from './selection/selection.js';

/** Messages of one batch that are at the token at once; the queue has room for others beside them. */
const BATCH_IN_FLIGHT = 64;
/** How long `close` waits for a token that answers nothing. */
const CLOSE_PATIENCE_MS = 3_000;

/**
 * Signs with an Ed25519 (CKM_EDDSA), secp256k1 or P-256 (CKM_ECDSA) key that never leaves its token.
 *
 * The module runs in a process of its own, which all signers of this process on that module share: it may crash or hang
 * without harm, and a signature that a fault has hit is tried again once the token is back. Where the configuration
 * names several tokens with the same key, they sign in turn, and for each other.
 *
 * A PIN given by value is kept until `close()`, so that a token that has lost the login can be logged in again; so is any
 * PIN for a key that asks for it at every signature (CKA_ALWAYS_AUTHENTICATE, such as PIV slot 9c). One from `pinFile` or
 * `pinCommand` is read again when it is needed.
 *
 * Timing is the token's.
 */
export class Pkcs11Signer implements Signer {
  readonly #key: SigningKey;
  /** Calls that have not ended. */
  #running = 0;
  /** Calls that have ended, and signatures of batches. */
  #answers = 0;
  #whenIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  private constructor(key: SigningKey) {
    this.#key = key;
  }

  /**
   * Finds the token and the key, logs in, reads the public key, and tries the key with a test signature.
   *
   * @returns rejects with a `TypeError` or `RangeError` for wrong types, a `ConfigError` for settings that are missing or
   *   contradict each other, a `KeyError` for an unreadable `publicKeyPem`, or a `Pkcs11Error`: `module-missing`,
   *   `module-load-failed`, `module-crashed`, `token-not-found`, `token-ambiguous`, `pin-missing`, `pin-incorrect`,
   *   `pin-locked`, `key-not-found`, `key-ambiguous`, `key-mismatch`, `unsupported-algorithm`, `mechanism-unsupported`,
   *   `signature-invalid`, `timeout`, `token-error`
   */
  static async open(config: Pkcs11Config): Promise<Pkcs11Signer> {
    const [first, ...others] = selectionsOf(config);
    const expected = first.publicKeyPem === undefined ? undefined : PublicKey.fromPem(first.publicKeyPem);
    if (others.length === 0) return new Pkcs11Signer(await openKey(first, expected));
    const replicas = [first, ...others].map(
      (one) => (known: PublicKey | undefined, signal?: AbortSignal) => openKey(one, known, signal),
    );
    return new Pkcs11Signer(await ReplicatedKey.open(replicas, expected));
  }

  /**
   * 64 bytes, verified: `R‖S` for Ed25519, `r‖s` for ECDSA. `data` has up to 16 MiB for Ed25519, where the module is in a
   * process of its own (a `RangeError` beyond), and any length for ECDSA.
   *
   * @returns rejects also with a `Pkcs11Error`: `signature-invalid`, `key-mismatch` (replaced on the token),
   *   `key-not-found`, `token-not-found`, `signer-busy`, `timeout`, `module-crashed`, `token-error`, or those of a login
   */
  async sign(data: Uint8Array, options: SignOptions = {}): Promise<Signature> {
    this.#throwIfClosed();
    const message = copyMessage(this.#algorithm, data, options);
    return this.#counted(() => this.#sign(message, options));
  }

  async signBatch(messages: readonly Uint8Array[], options: SignOptions = {}): Promise<Signature[]> {
    this.#throwIfClosed();
    const copies = copyMessages(this.#algorithm, messages, options);
    return this.#counted(() => this.#signAll(copies, options));
  }

  async publicKey(): Promise<PublicKey> {
    this.#throwIfClosed();
    return this.#key.publicKey;
  }

  /**
   * What the device vouches for: that the key was made on it, and what guards it. `undefined` where it makes no such
   * statement, e.g. for a key that was imported; today YubiKey PIV through libykcs11 makes one.
   *
   * @returns rejects with a `KeyError` where `attestationRootPem` holds no certificate, or a `Pkcs11Error` of the token
   */
  async attestation(): Promise<Attestation | undefined> {
    this.#throwIfClosed();
    return this.#counted(() => this.#key.attestation());
  }

  /**
   * `metadata`: manufacturer, model, serial, firmware, tokenLabel, keyLabel, keyId (hex), mechanism, module;
   * madeOnToken, neverExtractable, alwaysSensitive, pinForEverySignature (`yes`, `no`, `unknown`);
   * attestation (`verified`, `not-checked`, `failed`, `none`);
   * for several tokens replicas (`2 of 3`: how many work at the moment), the rest being of the first.
   */
  signerInfo(): SignerInfo {
    const { info } = this.#key;
    return { ...info, metadata: { ...info.metadata } };
  }

  /**
   * Calls that are running finish first, as long as the token answers any of them. When it has answered none for three
   * seconds they reject with `signer-closed`, and the module's process, if no other signer uses it, is killed.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const idle = this.#untilIdle();
    await this.#finishRunning(idle);
    await this.#key.close();
    await idle;
  }

  /** Nothing new is begun any more. */
  #untilIdle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  async #finishRunning(idle: Promise<void>): Promise<void> {
    let answers: number;
    let isDone: boolean;
    do {
      answers = this.#answers;
      isDone = await settledWithin(idle, CLOSE_PATIENCE_MS);
    } while (!isDone && answers !== this.#answers);
  }

  get #algorithm(): Algorithm {
    return this.#key.publicKey.algorithm;
  }

  #throwIfClosed(): void {
    if (this.#closing === undefined) return;
    throw new SignerError('signer-closed', 'This signer has been closed. Open a new one to go on signing.');
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      const result = await work();
      this.#answers++;
      return result;
    } finally {
      this.#running--;
      if (this.#running === 0) this.#whenIdle?.();
    }
  }

  #sign(message: Uint8Array, options: SignOptions): Promise<Signature> {
    options.signal?.throwIfAborted();
    return this.#key.sign(tokenInput(this.#algorithm, message, options.prehashed ?? false), options.signal);
  }

  /** All or nothing: the first failure ends the batch, once those at the token have ended. */
  async #signAll(messages: readonly Uint8Array[], options: SignOptions): Promise<Signature[]> {
    options.signal?.throwIfAborted();
    const signatures = new Array<Signature>(messages.length);
    let next = 0;
    let failure: { reason: unknown } | undefined;
    const signRest = async () => {
      while (next < messages.length && failure === undefined) {
        const i = next++;
        try {
          signatures[i] = await this.#sign(messages[i]!, options);
          this.#answers++;
        } catch (reason) {
          failure ??= { reason };
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(BATCH_IN_FLIGHT, messages.length) }, signRest));
    if (failure !== undefined) throw failure.reason;
    return signatures;
  }
}
