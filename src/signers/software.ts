// A Signer whose key is in this process's memory, with the arithmetic of erst-hsm/curves. Runs in every runtime;
// software.node.ts adds files and passphrases.
// Invariant: the key exists in one prepared form, which close() wipes. Copies that a JavaScript engine may have made of
// the PEM text are outside our reach: whoever can read this process's memory can read the key.

import { ed25519, secp256k1 } from '../curves/index.js';
import { KeyError, SignerError } from '../errors.js';
import {
  encodePrivateKeyPem,
  type PrivateKey,
  type PrivateKeyOptions,
  readPrivateKey,
  refuseEncryptedKey,
  type SoftwareAlgorithm,
} from './encoding/private-key.js';
import { PublicKey } from './public-key.js';
import { copyMessage, copyMessages } from './sign-request.js';
import { Signature } from './signature.js';
import type { Signer, SignerInfo, SignOptions } from './types.js';

export interface GenerateOptions {
  /** Encrypts `privateKeyPem` (PBES2, scrypt, AES-256-CBC). Node only. At least one character. */
  passphrase?: string;
}

export interface GeneratedKey<S extends SoftwareSigner = SoftwareSigner> {
  signer: S;
  /** The private key as PKCS#8 PEM; the only time that it is given. */
  privateKeyPem: string;
}

/** Messages signed before a batch lets the event loop turn: tens of milliseconds of work. */
const messagesPerTurn = 1024;

/**
 * Signs with an Ed25519 or secp256k1 key in memory: RFC 8032, and RFC 6979 with low S. Both are deterministic: the same
 * key and data give the same signature.
 *
 * Timing: the secret-dependent work is that of `erst-hsm/curves`, with its promise.
 */
export class SoftwareSigner implements Signer {
  readonly #publicKey: PublicKey;
  readonly #info: SignerInfo;
  #key: KeyInMemory | undefined;
  #closed = false;
  #batches = new Set<Promise<unknown>>();

  /** Takes `privateKey` over: its `secretKey` is wiped. */
  protected constructor(privateKey: PrivateKey, metadata: Record<string, string>) {
    const { algorithm, secretKey } = privateKey;
    this.#key = holdKey(algorithm, secretKey);
    secretKey.fill(0);
    this.#publicKey = PublicKey.fromRaw(algorithm, this.#key.publicKey);
    this.#info = { signerType: 'software', algorithm, metadata };
  }

  /**
   * A new key from the runtime's random source.
   *
   * @param algorithm - `ed25519` (default) or `secp256k1`
   * @returns rejects with a `SignerError` `unsupported-algorithm` for `p256`; `unsupported-runtime` for a passphrase
   *   where it cannot be used; a `TypeError` or `RangeError` for arguments that are none of these
   */
  static async generate(
    algorithm: SoftwareAlgorithm = 'ed25519',
    options: GenerateOptions = {},
  ): Promise<GeneratedKey> {
    const privateKey = generatePrivateKey(algorithm, options);
    try {
      if (options.passphrase !== undefined) throw cannotEncrypt();
      const privateKeyPem = encodePrivateKeyPem(privateKey);
      return { signer: new SoftwareSigner(privateKey, { source: 'generated' }), privateKeyPem };
    } finally {
      privateKey.secretKey.fill(0);
    }
  }

  /**
   * The key in `pem`: PKCS#8 `PRIVATE KEY` or SEC1 `EC PRIVATE KEY`; in Node also `ENCRYPTED PRIVATE KEY`.
   *
   * @returns rejects with a `KeyError` that says what was found instead (`invalid-key`, `unsupported-algorithm`,
   *   `key-mismatch`, `wrong-passphrase`), a `SignerError` `unsupported-runtime` for an encrypted key in a browser, or
   *   a `TypeError` for arguments of wrong types
   */
  static async fromPem(pem: string, options: PrivateKeyOptions = {}): Promise<SoftwareSigner> {
    return new SoftwareSigner(await readPrivateKey(pem, options, refuseEncryptedKey), { source: 'pem' });
  }

  async sign(data: Uint8Array, options: SignOptions = {}): Promise<Signature> {
    const key = this.#open();
    const message = copyMessage(this.#info.algorithm, data, options);
    options.signal?.throwIfAborted();
    try {
      return this.#signature(key, message, options);
    } finally {
      message.fill(0);
    }
  }

  async signBatch(messages: readonly Uint8Array[], options: SignOptions = {}): Promise<Signature[]> {
    const key = this.#open();
    const copies = copyMessages(this.#info.algorithm, messages, options);
    const batch = this.#signAll(key, copies, options);
    this.#batches.add(batch);
    try {
      return await batch;
    } finally {
      this.#batches.delete(batch);
      for (const copy of copies) copy.fill(0);
    }
  }

  async publicKey(): Promise<PublicKey> {
    this.#open();
    return this.#publicKey;
  }

  signerInfo(): SignerInfo {
    return { ...this.#info, metadata: { ...this.#info.metadata } };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#batches);
    this.#key?.destroy();
    this.#key = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(): KeyInMemory {
    if (this.#closed || !this.#key) {
      throw new SignerError(
        'signer-closed',
        'This signer has been closed. Create a new one to go on signing.',
      );
    }
    return this.#key;
  }

  async #signAll(
    key: KeyInMemory,
    messages: readonly Uint8Array[],
    options: SignOptions,
  ): Promise<Signature[]> {
    const signatures: Signature[] = [];
    options.signal?.throwIfAborted();
    for (const message of messages) {
      if (signatures.length > 0 && signatures.length % messagesPerTurn === 0) {
        await new Promise((resolve) => setTimeout(resolve));
        options.signal?.throwIfAborted();
      }
      signatures.push(this.#signature(key, message, options));
    }
    return signatures;
  }

  #signature(key: KeyInMemory, message: Uint8Array, options: SignOptions): Signature {
    const { algorithm } = this.#info;
    const bytes = key.sign(message, options.prehashed ?? false);
    if (algorithm === 'ed25519') return Signature.fromBytes(algorithm, bytes);
    return Signature.fromBytes(algorithm, bytes.subarray(1), bytes[0]!);
  }
}

/** A fresh private key, once the arguments of `generate` are checked. */
export function generatePrivateKey(algorithm: SoftwareAlgorithm, options: GenerateOptions): PrivateKey {
  if ((algorithm as string) === 'p256') {
    throw new KeyError(
      'unsupported-algorithm',
      'P-256 keys are made and used inside an HSM only (signer type pkcs11); in memory use ed25519 or secp256k1.',
    );
  }
  if (algorithm !== 'ed25519' && algorithm !== 'secp256k1') {
    throw new TypeError('algorithm must be ed25519 or secp256k1');
  }
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object');
  const { passphrase } = options;
  if (passphrase !== undefined && typeof passphrase !== 'string') {
    throw new TypeError('passphrase must be a string');
  }
  if (passphrase === '') throw new RangeError('passphrase must not be empty');
  const curve = algorithm === 'ed25519' ? ed25519 : secp256k1;
  return { algorithm, secretKey: curve.utils.randomSecretKey() };
}

function cannotEncrypt(): SignerError {
  return new SignerError(
    'unsupported-runtime',
    'Private keys are encrypted in Node only. Leave the passphrase out here, or make the key with: erst-hsm keygen',
  );
}

interface KeyInMemory {
  publicKey: Uint8Array;
  /** 64 bytes for Ed25519; recovery‖r‖s, 65 bytes, for secp256k1. */
  sign(message: Uint8Array, prehashed: boolean): Uint8Array;
  destroy(): void;
}

function holdKey(algorithm: SoftwareAlgorithm, secretKey: Uint8Array): KeyInMemory {
  if (algorithm === 'ed25519') {
    const key = ed25519.prepare(secretKey);
    return {
      publicKey: key.publicKey,
      sign: (message) => key.sign(message),
      destroy: () => key.destroy(),
    };
  }
  const key = secp256k1.prepare(secretKey);
  return {
    publicKey: key.publicKey,
    sign: (message, prehashed) => key.sign(message, { prehash: !prehashed, lowS: true, format: 'recovered' }),
    destroy: () => key.destroy(),
  };
}
