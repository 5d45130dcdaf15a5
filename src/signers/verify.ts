// One verification for signatures from every place.

import { p256 } from '@noble/curves/nist.js';
import { copyBytes, expectBytes } from '../bytes.js';
import { ed25519, secp256k1 } from '../curves/index.js';
import type { PublicKey } from './public-key.js';
import { copyMessage } from './sign-request.js';
import type { Signature } from './signature.js';
import type { Algorithm } from './types.js';

export interface VerifyOptions {
  /** ECDSA only: `data` is the 32-byte digest itself. A `TypeError` with Ed25519, a `RangeError` at another length. */
  prehashed?: boolean;
}

/**
 * Whether `signature` over `data` is by `publicKey`. A well-formed but wrong signature is `false`, whatever its 64 bytes.
 *
 * - Ed25519: RFC 8032 over `data`, by the strict rules (canonical encodings, no small-order key; `zip215: false`).
 * - ECDSA: over SHA-256(`data`), or over `data` when `prehashed`. Low and high S are both accepted, because ECDSA by
 *   other software, OpenSSL and most tokens included, is high-S half the time. Whoever needs one form for one
 *   signature (Bitcoin, Ethereum) has it from every `Signer` here: theirs are low-S on secp256k1.
 *
 * Public data only; no timing promise.
 *
 * @param signature - a `Signature`, or its 64 bytes (`R‖S`, `r‖s`); DER goes through `Signature.fromDer` first
 * @returns rejects with a `TypeError` for wrong types or a signature of another algorithm than the key's, a
 *   `RangeError` for wrong lengths
 */
export async function verifySignature(
  publicKey: PublicKey,
  data: Uint8Array,
  signature: Signature | Uint8Array,
  options: VerifyOptions = {},
): Promise<boolean> {
  const algorithm = expectPublicKey(publicKey);
  const message = copyMessage(algorithm, data, options);
  const bytes = signatureBytes(publicKey, signature);
  const prehash = !options.prehashed;
  if (algorithm === 'ed25519') return ed25519.verify(bytes, message, publicKey.raw, { zip215: false });
  if (algorithm === 'secp256k1')
    return secp256k1.verify(bytes, message, publicKey.raw, { prehash, lowS: false });
  // WebCrypto always hashes, and so does node:crypto for EC keys; a digest needs a library that does not. Browsers
  // have WebCrypto in secure contexts only.
  if (prehash && globalThis.crypto?.subtle) return verifyP256(publicKey, message, bytes);
  return p256.verify(bytes, message, publicKey.raw, { prehash, lowS: false });
}

// Neither here nor below instanceof: two copies of this package may meet, as in a bundle beside its source.
function expectPublicKey(publicKey: PublicKey): Algorithm {
  if (
    publicKey?.raw instanceof Uint8Array &&
    ['ed25519', 'secp256k1', 'p256'].includes(publicKey.algorithm)
  ) {
    return publicKey.algorithm;
  }
  throw new TypeError('publicKey must be a PublicKey, e.g. from PublicKey.fromPem');
}

/**
 * Whether `signature` is one that a `Signer` with this key may give: it verifies, and on secp256k1 it is low-S and its
 * recovery id leads to the key. For signatures that came from elsewhere and are about to be passed on.
 */
export async function isSignerSignature(
  publicKey: PublicKey,
  data: Uint8Array,
  signature: Signature,
  options: VerifyOptions = {},
): Promise<boolean> {
  if (publicKey.algorithm !== 'secp256k1') {
    return signature.recovery === undefined && verifySignature(publicKey, data, signature, options);
  }
  if (signature.algorithm !== 'secp256k1' || signature.recovery === undefined) return false;
  const message = copyMessage(publicKey.algorithm, data, options);
  return secp256k1.verify(signature.toRecovered(), message, publicKey.raw, {
    prehash: !options.prehashed,
    lowS: true,
    format: 'recovered',
  });
}

async function verifyP256(
  publicKey: PublicKey,
  message: BufferSource,
  bytes: BufferSource,
): Promise<boolean> {
  const { subtle } = globalThis.crypto;
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await subtle.importKey('spki', copyBytes(publicKey.spki), curve, false, ['verify']);
  return subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, bytes, message);
}

function signatureBytes(publicKey: PublicKey, signature: Signature | Uint8Array): Uint8Array<ArrayBuffer> {
  if (signature instanceof Uint8Array) return copyBytes(expectBytes(signature, 'signature', 64));
  if (typeof signature !== 'object' || signature === null || !('bytes' in signature)) {
    throw new TypeError('signature must be a Signature or a Uint8Array of 64 bytes');
  }
  if (signature.algorithm !== publicKey.algorithm) {
    throw new TypeError(
      `a ${signature.algorithm} signature cannot be verified with a ${publicKey.algorithm} key`,
    );
  }
  return copyBytes(expectBytes(signature.bytes, 'signature.bytes', 64));
}
