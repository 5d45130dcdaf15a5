// The way from a token's 64 bytes to a signature that may be released: verified against the pinned public key and brought
// into the one form that every signer gives. A token that is faulty, or not the one it was, must not get a signature out,
// and half of what tokens make on secp256k1 is high-S. Public data only.
// Invariant: nothing is released that `verifySignature` would not accept.

import { Pkcs11Error } from '../../../errors.js';
import type { PublicKey } from '../../public-key.js';
import type { Signature } from '../../signature.js';
import type { Algorithm } from '../../types.js';
import { EcdsaVerifier } from './ecdsa-verifier.js';
import { Ed25519Verifier } from './ed25519-verifier.js';
import { P256, SECP256K1 } from './pinned-curves.js';
import type { TokenInput } from './token-input.js';

export { type TokenInput, tokenInput } from './token-input.js';

const SIGNATURE_BYTES = 64;

interface TokenSignatureVerifier {
  /** The signature in 64 bytes, `undefined` where it does not verify. */
  verify(signed: TokenInput, bytes: Uint8Array): Promise<Signature | undefined>;
}

const verifierFor: Readonly<Record<Algorithm, (publicKey: PublicKey) => TokenSignatureVerifier>> = {
  ed25519: (publicKey) => new Ed25519Verifier(publicKey),
  secp256k1: (publicKey) => new EcdsaVerifier(publicKey, SECP256K1),
  p256: (publicKey) => new EcdsaVerifier(publicKey, P256),
};

/** What is computed once for a key. */
const verifiers = new WeakMap<PublicKey, TokenSignatureVerifier>();

/**
 * The signature in `bytes`, verified against `publicKey`; code `signature-invalid` where it does not verify. Those that
 * come in together are verified together, and no turn of the event loop is held up for more than some milliseconds.
 */
export async function verifiedSignature(
  publicKey: PublicKey,
  signed: TokenInput,
  bytes: Uint8Array,
): Promise<Signature> {
  const signature = await verification(publicKey, signed, bytes);
  if (signature !== undefined) return signature;
  throw unverified(bytes);
}

/** The same, with `undefined` for a signature that does not verify. */
export function verification(
  publicKey: PublicKey,
  signed: TokenInput,
  bytes: Uint8Array,
): Promise<Signature | undefined> {
  return bytes.length === SIGNATURE_BYTES
    ? verifierOf(publicKey).verify(signed, bytes)
    : Promise.resolve(undefined);
}

function verifierOf(publicKey: PublicKey): TokenSignatureVerifier {
  let verifier = verifiers.get(publicKey);
  if (verifier === undefined) {
    verifier = verifierFor[publicKey.algorithm](publicKey);
    verifiers.set(publicKey, verifier);
  }
  return verifier;
}

/** The error for `bytes`, which no verifier has accepted. */
export function unverified(bytes: Uint8Array): Pkcs11Error {
  const reason =
    bytes.length === SIGNATURE_BYTES
      ? 'it does not verify against the public key that was read when the signer was opened'
      : `it has ${bytes.length} bytes, not ${SIGNATURE_BYTES}`;
  return new Pkcs11Error(
    'signature-invalid',
    `The token made a signature that is not released: ${reason}. If this happens again, the token is faulty, or its ` +
      'public key object belongs to another private key',
  );
}
