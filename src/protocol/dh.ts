// X25519 (RFC 7748 §5) as the handshake needs it: a key pair whose Diffie-Hellman is asynchronous, because a browser's
// non-extractable key has no other. `x25519KeyPair` is the one whose secret is in memory.

import { x25519 } from '@noble/curves/ed25519.js';
import { expectBytes } from '../bytes.js';

/** Bytes of an X25519 public key, secret key or shared secret. */
export const DH_LENGTH = 32;

export interface DhKeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * Diffie-Hellman with a peer's 32-byte public key; 32 bytes. Rejects, with any error, where the result would be all
   * zeros (RFC 7748 §6.1); the handshake checks that once more.
   */
  dh(remotePublicKey: Uint8Array): Promise<Uint8Array>;
  /** Wipes the secret, where it can be; the pair is of no use afterwards. The handshake calls it for ephemeral keys only. */
  destroy?(): void;
}

/**
 * A key pair from a 32-byte secret key, which is copied, or from a fresh one. Not constant-time: the arithmetic is
 * JavaScript's BigInt.
 */
export function x25519KeyPair(secretKey?: Uint8Array): DhKeyPair {
  const secret =
    secretKey === undefined
      ? x25519.utils.randomSecretKey()
      : Uint8Array.from(expectBytes(secretKey, 'X25519 secret key', DH_LENGTH));
  const publicKey = x25519.getPublicKey(secret);
  let destroyed = false;
  return {
    get publicKey() {
      return Uint8Array.from(publicKey);
    },
    async dh(remotePublicKey) {
      if (destroyed) throw new TypeError('this X25519 key pair has been destroyed');
      return x25519.getSharedSecret(secret, expectBytes(remotePublicKey, 'X25519 public key', DH_LENGTH));
    },
    destroy() {
      destroyed = true;
      secret.fill(0);
    },
  };
}
