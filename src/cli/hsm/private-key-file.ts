// A private key on its way from a file to a token. P-256 is read by OpenSSL through node:crypto, since it has no software
// signer here; the other two by the strict reader of key files.
// Sources: RFC 5915 (EC keys), RFC 8032 §5.1.5 (seed).

import { createECDH, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { equalBytes, fromBase64Url } from '../../bytes.js';
import { ed25519, secp256k1 } from '../../curves/index.js';
import { KeyError } from '../../errors.js';
import { readPrivateKey } from '../../signers/encoding/private-key.js';
import { openEncryptedKey } from '../../signers/encoding/private-key.node.js';
import type { ImportedKey } from '../../signers/pkcs11/engine/hosted-module.js';
import { PublicKey } from '../../signers/public-key.js';

/** Whoever holds one wipes `privateKey`. */
export type KeyMaterial = Pick<ImportedKey, 'algorithm' | 'privateKey' | 'publicPoint'>;

/** The private key in `pem`: PKCS#8, also encrypted, or SEC1. `KeyError` as `SoftwareSigner.fromPem` gives it. */
export async function readKeyMaterial(pem: string, passphrase: string | undefined): Promise<KeyMaterial> {
  try {
    const options = passphrase === undefined ? {} : { passphrase };
    const { algorithm, secretKey } = await readPrivateKey(pem, options, openEncryptedKey);
    const publicPoint =
      algorithm === 'ed25519' ? ed25519.getPublicKey(secretKey) : secp256k1.getPublicKey(secretKey, false);
    return { algorithm, privateKey: secretKey, publicPoint };
  } catch (error) {
    const isOther = error instanceof KeyError && error.code === 'unsupported-algorithm';
    const key = isOther ? readByOpenSsl(pem, passphrase) : undefined;
    if (key?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw error;
    return readP256(key);
  }
}

function readByOpenSsl(pem: string, passphrase = ''): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch {
    return undefined;
  }
}

function readP256(key: KeyObject): KeyMaterial {
  const privateKey = fromBase64Url(key.export({ format: 'jwk' }).d!);
  const publicPoint = pointOf(privateKey);
  const stated = PublicKey.fromSpki(
    Uint8Array.from(createPublicKey(key).export({ format: 'der', type: 'spki' })),
  );
  if (equalBytes(stated.raw, PublicKey.fromRaw('p256', publicPoint).raw)) {
    return { algorithm: 'p256', privateKey, publicPoint };
  }
  privateKey.fill(0);
  throw new KeyError(
    'invalid-key',
    'The file is damaged or was put together wrongly: its public key does not belong to its private key. ' +
      'Take the key from a backup.',
  );
}

function pointOf(privateKey: Uint8Array): Uint8Array {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(privateKey);
  return Uint8Array.from(ecdh.getPublicKey());
}
