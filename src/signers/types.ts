/// <reference lib="esnext.disposable" preserve="true" />

// The Signer contract: one meaning of `sign` wherever the key lives.

import type { PublicKey } from './public-key.js';
import type { Signature } from './signature.js';

/** `p256` exists in HSMs (YubiKey PIV) and for verification; there is no software P-256 signer. */
export type Algorithm = 'ed25519' | 'secp256k1' | 'p256';

export interface SignOptions {
  /** ECDSA only: `data` is the 32-byte digest itself. A `TypeError` with Ed25519, a `RangeError` at another length. */
  prehashed?: boolean;
  /** Gives up waiting: the promise rejects with the signal's reason. Work that has reached the key may still finish. */
  signal?: AbortSignal;
}

export interface SignerInfo {
  signerType: 'software' | 'pkcs11' | 'remote';
  algorithm: Algorithm;
  /** What is known of the key's place, for people and logs. No secrets. */
  metadata: Record<string, string>;
}

/**
 * A key that signs. The same calls mean the same wherever the key lives.
 *
 * - Ed25519 is RFC 8032 pure over `data`; ECDSA is over SHA-256(`data`), or over `data` itself when `prehashed`.
 * - `data` is copied at the call: changing it afterwards changes nothing.
 * - Signatures are 64 bytes, `R‖S` or big-endian `r‖s`; secp256k1 is always low-S and carries its recovery id.
 * - Wrong argument types are a `TypeError`, wrong lengths a `RangeError`, everything else a `SignerError`; all arrive
 *   as rejections. After `close()` every call but `close()` rejects with code `signer-closed`.
 */
export interface Signer {
  /** Signs `data`, of any length that the place can carry. */
  sign(data: Uint8Array, options?: SignOptions): Promise<Signature>;
  /** Signs each message; all or nothing, in order. An empty list gives an empty list. */
  signBatch(messages: readonly Uint8Array[], options?: SignOptions): Promise<Signature[]>;
  /** The public key; constant for the life of the signer. */
  publicKey(): Promise<PublicKey>;
  /** Where the key is and what it is; still available after `close()`. */
  signerInfo(): SignerInfo;
  /**
   * Releases what is held and wipes secrets. Idempotent. Calls that are running finish first, as far as the key still
   * answers: a `Pkcs11Signer` gives them up when its token has been silent for three seconds.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
