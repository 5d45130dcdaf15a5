// What a token is given to sign: the message for Ed25519, its SHA-256 digest for ECDSA. CKM_ECDSA does not hash, and many
// tokens lack CKM_ECDSA_SHA256.

import { createHash } from 'node:crypto';
import { copyBytes } from '../../../bytes.js';
import type { Algorithm } from '../../types.js';

export interface TokenInput {
  /** What the caller wants signed. */
  message: Uint8Array;
  prehashed: boolean;
  /** What the token signs: the message for Ed25519, its digest of 32 bytes for ECDSA. */
  input: Uint8Array;
}

export function tokenInput(algorithm: Algorithm, message: Uint8Array, prehashed: boolean): TokenInput {
  if (algorithm === 'ed25519' || prehashed) return { message, prehashed, input: message };
  return { message, prehashed, input: copyBytes(createHash('sha256').update(message).digest()) };
}
