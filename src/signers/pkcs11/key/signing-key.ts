// What Pkcs11Signer signs with: one key on one token (OpenedKey), or the same key on several (ReplicatedKey).

import type { PublicKey } from '../../public-key.js';
import type { Signature } from '../../signature.js';
import type { SignerInfo } from '../../types.js';
import type { Attestation } from './attestation.js';
import type { TokenInput } from './token-signature.js';

export interface SigningKey {
  /** Read once, when the key was opened. */
  readonly publicKey: PublicKey;
  readonly info: SignerInfo;
  /** A signature that has been verified against `publicKey`. */
  sign(input: TokenInput, signal: AbortSignal | undefined): Promise<Signature>;
  /** What the device vouches for; `undefined` where it makes no statement on this key. */
  attestation(): Promise<Attestation | undefined>;
  close(): Promise<void>;
}
