// What a token is given to sign: the message for Ed25519, its SHA-256 digest for ECDSA, because tokens hash with CKM_ECDSA
// not at all, and CKM_ECDSA_SHA256 is missing on many.

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
