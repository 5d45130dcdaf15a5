// A Signer whose key is on a PKCS#11 token. Node only; the optional package pkcs11js does the native calls.
// Invariants: the public key is read once, when the signer is opened, and never again; no signature leaves that has not
// been verified against it.
// Source: OASIS PKCS #11 v3.1.

import { Pkcs11Error, SignerError } from '../../errors.js';
import type { Pkcs11Config } from '../config/config.js';
import { PublicKey } from '../public-key.js';
import { copyMessage, copyMessages } from '../sign-request.js';
import type { Signature } from '../signature.js';
import type { Signer, SignerInfo, SignOptions } from '../types.js';
import { isLoginLost } from './errors.js';
import { InProcessEngine } from './in-process-engine.js';
import { type OpenedKey, openKey } from './open-key.js';
import { selectionOf } from './selection.js';
import { tokenInput, verifiedSignature } from './token-signature.js';

/**
 * Signs with an Ed25519 (CKM_EDDSA), secp256k1 or P-256 (CKM_ECDSA) key that never leaves its token.
 *
 * One logged-in session for a token serves all signers on it in this process; signatures are made one after the other.
 * The PIN is not kept, but for a key that asks for it at every signature (CKA_ALWAYS_AUTHENTICATE, such as PIV slot 9c):
 * there it stays in memory until `close()`. Where the token ends the login, a PIN from `pinFile` or `pinCommand` is read
 * again; one given by value cannot be, and signing says so.
 *
 * Timing is the token's.
 */
export class Pkcs11Signer implements Signer {
  readonly #opened: OpenedKey;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;
  #loggingIn: Promise<void> | undefined;

  private constructor(opened: OpenedKey) {
    this.#opened = opened;
  }

  /**
   * Finds the token and the key, logs in and reads the public key.
   *
   * @returns rejects with a `TypeError` or `RangeError` for wrong types, a `ConfigError` for settings that are missing or
   *   contradict each other, a `KeyError` for an unreadable `publicKeyPem`, or a `Pkcs11Error`: `module-missing`,
   *   `module-load-failed`, `token-not-found`, `token-ambiguous`, `pin-missing`, `pin-incorrect`, `pin-locked`,
   *   `key-not-found`, `key-ambiguous`, `key-mismatch`, `unsupported-algorithm`, `mechanism-unsupported`, `token-error`
   */
  static async open(config: Pkcs11Config): Promise<Pkcs11Signer> {
    const selection = selectionOf(config);
    const expected =
      selection.publicKeyPem === undefined ? undefined : PublicKey.fromPem(selection.publicKeyPem);
    const engine = await InProcessEngine.acquire(selection.modulePath);
    try {
      return new Pkcs11Signer(await openKey(engine, selection, expected));
    } catch (error) {
      await engine.release();
      throw error;
    }
  }

  /** @returns rejects also with a `Pkcs11Error`: `signature-invalid`, `token-error`, or those of a login */
  async sign(data: Uint8Array, options: SignOptions = {}): Promise<Signature> {
    this.#throwIfClosed();
    const message = copyMessage(this.#opened.key.algorithm, data, options);
    return this.#track(this.#sign(message, options));
  }

  async signBatch(messages: readonly Uint8Array[], options: SignOptions = {}): Promise<Signature[]> {
    this.#throwIfClosed();
    const copies = copyMessages(this.#opened.key.algorithm, messages, options);
    return this.#track(this.#signAll(copies, options));
  }

  async publicKey(): Promise<PublicKey> {
    this.#throwIfClosed();
    return this.#opened.publicKey;
  }

  /** `metadata`: manufacturer, model, serial, tokenLabel, keyLabel, keyId (hex), mechanism, module. */
  signerInfo(): SignerInfo {
    const { info } = this.#opened;
    return { ...info, metadata: { ...info.metadata } };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    this.#opened.contextPin = undefined;
    await this.#opened.connection.close();
    await this.#opened.engine.release();
  }

  #throwIfClosed(): void {
    if (this.#closing === undefined) return;
    throw new SignerError('signer-closed', 'This signer has been closed. Open a new one to go on signing.');
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    const ended = () => void this.#running.delete(work);
    work.then(ended, ended);
    return work;
  }

  async #signAll(messages: readonly Uint8Array[], options: SignOptions): Promise<Signature[]> {
    const signatures: Signature[] = [];
    options.signal?.throwIfAborted();
    for (const message of messages) signatures.push(await this.#sign(message, options));
    return signatures;
  }

  async #sign(message: Uint8Array, options: SignOptions): Promise<Signature> {
    const { key, publicKey } = this.#opened;
    const signed = tokenInput(key.algorithm, message, options.prehashed ?? false);
    options.signal?.throwIfAborted();
    return verifiedSignature(publicKey, signed, await this.#signOnToken(signed.input, options.signal));
  }

  async #signOnToken(input: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { connection, key, contextPin } = this.#opened;
    const request = { key, input, contextPin };
    try {
      return await connection.sign(request, signal);
    } catch (error) {
      if (!isLoginLost(error)) throw error;
      await this.#loginAgain(error);
      return connection.sign(request, signal);
    }
  }

  /** However many signatures find the login gone, the PIN is read once. */
  #loginAgain(cause: unknown): Promise<void> {
    this.#loggingIn ??= this.#login(cause).finally(() => {
      this.#loggingIn = undefined;
    });
    return this.#loggingIn;
  }

  async #login(cause: unknown): Promise<void> {
    const { connection, pinSource, contextPin } = this.#opened;
    const pin = contextPin ?? (await pinSource.read());
    if (pin === undefined) {
      throw new Pkcs11Error(
        'token-error',
        'The token has ended the login, and a PIN given by value is not kept: open the signer again. A PIN from ' +
          'ERST_PKCS11_PIN_FILE or ERST_PKCS11_PIN_COMMAND is read again by itself',
        loginLostDetails(cause),
      );
    }
    await connection.login(pin);
  }
}

function loginLostDetails(cause: unknown) {
  const { ckr, ckrCode, functionName } = cause as Pkcs11Error;
  return { cause, ckr: ckr!, ckrCode: ckrCode!, functionName: functionName! };
}
