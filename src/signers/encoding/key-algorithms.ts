// Object identifiers of keys: those read here, and those worth naming when they are refused.
// Sources: RFC 8410 §3, RFC 5480 §2.1.1, SEC 2 §A, RFC 3279.

import { bytesToHex, equalBytes, fromHex } from '../../bytes.js';
import { KeyError } from '../../errors.js';
import type { Algorithm } from '../types.js';
import { type DerReader, TAG } from './der.js';

/** DER contents of `id-ecPublicKey`. */
export const EC_PUBLIC_KEY_OID = fromHex('2a8648ce3d0201');

/** DER contents of the OID that names the algorithm: the key type for Ed25519, the curve for ECDSA. */
export const ALGORITHM_OIDS: Readonly<Record<Algorithm, Uint8Array>> = {
  ed25519: fromHex('2b6570'),
  secp256k1: fromHex('2b8104000a'),
  p256: fromHex('2a8648ce3d030107'),
};

const refusedNames: Readonly<Record<string, string>> = {
  '2a864886f70d010101': 'an RSA key',
  '2a864886f70d01010a': 'an RSA-PSS key',
  '2a8648ce380401': 'a DSA key',
  '2a864886f70d010301': 'a Diffie-Hellman key',
  '2b656e': 'an X25519 key',
  '2b656f': 'an X448 key',
  '2b6571': 'an Ed448 key',
  '2b81040022': 'a key on P-384',
  '2b81040023': 'a key on P-521',
  '2b81040021': 'a key on P-224',
};

/**
 * Algorithm of an AlgorithmIdentifier's contents. EC keys name their curve; curve parameters spelled out are refused,
 * because a file could then choose a weak curve that looks like a good one. A `KeyError` for any other key type.
 */
export function readKeyAlgorithm(identifier: DerReader): Algorithm {
  const keyType = identifier.read(TAG.oid);
  if (equalBytes(keyType, ALGORITHM_OIDS.ed25519)) {
    identifier.end();
    return 'ed25519';
  }
  if (!equalBytes(keyType, EC_PUBLIC_KEY_OID)) throw unsupportedKey(keyType);
  const algorithm = readCurve(identifier);
  identifier.end();
  return algorithm;
}

/** Algorithm of EC parameters (RFC 5480 §2.1.1), which must be a named curve. */
export function readCurve(parameters: DerReader): Algorithm {
  if (parameters.nextIs(TAG.sequence)) {
    throw new KeyError(
      'invalid-key',
      'This EC key spells its curve parameters out; only named curves are read. ' +
        'Convert it with: openssl ec -in key.pem -param_enc named_curve -out named.pem',
    );
  }
  const curve = parameters.read(TAG.oid);
  if (equalBytes(curve, ALGORITHM_OIDS.secp256k1)) return 'secp256k1';
  if (equalBytes(curve, ALGORITHM_OIDS.p256)) return 'p256';
  throw unsupportedKey(curve);
}

/** The error for a key type or curve that is recognised, or not, but not usable here. */
function unsupportedKey(oid: Uint8Array): KeyError {
  const name = refusedNames[bytesToHex(oid)] ?? 'a key of an unknown type';
  return new KeyError(
    'unsupported-algorithm',
    `This is ${name}. Use an Ed25519 or secp256k1 key; make one with: erst-hsm keygen`,
  );
}
