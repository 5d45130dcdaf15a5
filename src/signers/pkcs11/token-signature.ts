// What goes to a token to be signed, and from the 64 bytes that come back to a Signature. Digests, low-S and recovery ids
// are made here: CKM_ECDSA signs what it is given, and half of what tokens make on secp256k1 is high-S. Public data only.
// Sources: SEC 1 §4.1.3, §4.1.6; BIP-146 (low S).

import { createHash } from 'node:crypto';
import { concatBytes, equalBytes, fromHex } from '../../bytes.js';
import { secp256k1 } from '../../curves/index.js';
import { Pkcs11Error } from '../../errors.js';
import type { PublicKey } from '../public-key.js';
import { Signature } from '../signature.js';
import type { Algorithm } from '../types.js';
import { verifySignature } from '../verify.js';

/** Order of secp256k1's group (SEC 2 §2.4.1). */
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

export interface TokenInput {
  /** What the caller wants signed. */
  message: Uint8Array;
  prehashed: boolean;
  /** What the token signs: the message for Ed25519, its digest of 32 bytes for ECDSA. */
  input: Uint8Array;
}

export function tokenInput(algorithm: Algorithm, message: Uint8Array, prehashed: boolean): TokenInput {
  if (algorithm === 'ed25519' || prehashed) return { message, prehashed, input: message };
  return { message, prehashed, input: Uint8Array.from(createHash('sha256').update(message).digest()) };
}

/** The signature in `bytes`, verified against `publicKey`; code `signature-invalid` where it does not verify. */
export async function verifiedSignature(
  publicKey: PublicKey,
  { message, prehashed, input }: TokenInput,
  bytes: Uint8Array,
): Promise<Signature> {
  const { algorithm } = publicKey;
  if (bytes.length !== 64) throw invalid(`it has ${bytes.length} bytes, not 64`);
  const normal = algorithm === 'secp256k1' ? toLowS(bytes) : bytes;
  if (!(await verifySignature(publicKey, message, normal, prehashed ? { prehashed } : {}))) {
    throw invalid('it does not verify against the public key that was read when the signer was opened');
  }
  const recovery = algorithm === 'secp256k1' ? recoveryOf(publicKey, input, normal) : undefined;
  return Signature.fromBytes(algorithm, normal, recovery);
}

/** `r‖s` with s replaced by n − s where it is above n/2: as valid as before. */
export function toLowS(signature: Uint8Array): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
  if (s <= N / 2n || s >= N) return signature;
  return concatBytes(signature.subarray(0, 32), fromHex((N - s).toString(16).padStart(64, '0')));
}

/** Which of the points that may have been R gives back `publicKey` (SEC 1 §4.1.6). */
function recoveryOf(publicKey: PublicKey, digest32: Uint8Array, signature: Uint8Array): number {
  const { raw } = publicKey;
  for (const recovery of [0, 1, 2, 3]) {
    const candidate = recover(concatBytes(Uint8Array.of(recovery), signature), digest32);
    if (candidate !== undefined && equalBytes(candidate, raw)) return recovery;
  }
  throw invalid('no recovery id leads to its public key');
}

function recover(recovered65: Uint8Array, digest32: Uint8Array): Uint8Array | undefined {
  try {
    return secp256k1.recoverPublicKey(recovered65, digest32, { prehash: false });
  } catch {
    return undefined; // no such point
  }
}

function invalid(reason: string): Pkcs11Error {
  return new Pkcs11Error(
    'signature-invalid',
    `The token made a signature that is not released: ${reason}. If this happens again, the token is faulty, or its ` +
      'public key object belongs to another private key',
  );
}
