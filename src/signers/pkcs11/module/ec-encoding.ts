// CKA_EC_PARAMS and CKA_EC_POINT in the encodings that modules give them.
// Sources: PKCS #11 v3.1 §6.3.3 (ECParameters, OCTET STRING around the point); RFC 8410 §3, RFC 5480 §2.1.1.1 (OIDs);
// PKCS #11 v3.1 §6.3.5 (curve names as PrintableString); SEC 1 §2.3.3 (points).

import { bytesToHex, fromHex, utf8 } from '../../../bytes.js';
import type { Algorithm } from '../../types.js';
import { explicitP256 } from './explicit-params.js';

const printableString = (text: string): string =>
  bytesToHex(Uint8Array.of(0x13, text.length)) + bytesToHex(utf8(text));

const algorithmByParams = new Map<string, Algorithm>([
  ['06032b6570', 'ed25519'], // 1.3.101.112
  ['06092b06010401da470f01', 'ed25519'], // 1.3.6.1.4.1.11591.15.1, before RFC 8410
  [printableString('edwards25519'), 'ed25519'],
  ['06052b8104000a', 'secp256k1'], // 1.3.132.0.10
  [printableString('secp256k1'), 'secp256k1'],
  ['06082a8648ce3d030107', 'p256'], // 1.2.840.10045.3.1.7
  [printableString('secp256r1'), 'p256'],
  [printableString('prime256v1'), 'p256'],
  ...explicitP256.map((params): [string, Algorithm] => [params, 'p256']), // libykcs11, of keys without attestation
]);

/** The algorithm of a key with these EC_PARAMS; `undefined` for other curves. */
export function algorithmOfParams(ecParams: Uint8Array): Algorithm | undefined {
  return algorithmByParams.get(bytesToHex(ecParams));
}

/** EC_PARAMS that name `algorithm`, in the order to try: the OID, then what older modules want for Ed25519. */
export function paramsToTry(algorithm: Algorithm): Uint8Array[] {
  const byAlgorithm: Record<Algorithm, string[]> = {
    ed25519: ['06032b6570', printableString('edwards25519')],
    secp256k1: ['06052b8104000a'],
    p256: ['06082a8648ce3d030107'],
  };
  return byAlgorithm[algorithm].map(fromHex);
}

/**
 * The bare point in an EC_POINT: 32 bytes for Ed25519, 33 or 65 (SEC 1) for the others; `undefined` where it is none.
 * By the book it is inside an OCTET STRING; some modules leave that out (SoftHSM for imported Ed25519 keys), or use a
 * BIT STRING as in an SPKI. The length tells them apart.
 */
export function pointOf(algorithm: Algorithm, ecPoint: Uint8Array): Uint8Array | undefined {
  const lengths = algorithm === 'ed25519' ? [32] : [33, 65];
  if (lengths.includes(ecPoint.length)) return ecPoint;
  const [tag, length, unusedBits] = ecPoint;
  if (length !== ecPoint.length - 2) return undefined;
  if (tag === 0x04 && lengths.includes(length)) return ecPoint.subarray(2);
  if (tag === 0x03 && unusedBits === 0 && lengths.includes(length - 1)) return ecPoint.subarray(3);
  return undefined;
}
