// Public points in both SEC 1 forms (§2.3.3), checked to be on their curve.

import { p256 } from '@noble/curves/nist.js';
import { copyBytes } from '../../bytes.js';
import { ed25519, secp256k1 } from '../../curves/index.js';
import type { Algorithm } from '../types.js';

/**
 * The uncompressed form (65 bytes; 32 for Ed25519, which has one form) of a point in either form, as a fresh copy, or
 * `undefined` where it is none on the curve. Ed25519 by the strict decoding of RFC 8032 §5.1.3.
 */
export function uncompressedPoint(algorithm: Algorithm, raw: Uint8Array): Uint8Array | undefined {
  if (algorithm === 'ed25519') return ed25519.utils.isValidPublicKey(raw, false) ? copyBytes(raw) : undefined;
  try {
    if (algorithm === 'secp256k1') return secp256k1.utils.convertPublicKey(raw, false);
    return p256.Point.fromBytes(raw).toBytes(false);
  } catch {
    return undefined;
  }
}

/** The compressed form (33 bytes; 32 for Ed25519) of an uncompressed point. */
export function compressedPoint(algorithm: Algorithm, point: Uint8Array): Uint8Array {
  if (algorithm === 'ed25519') return copyBytes(point);
  const compressed = copyBytes(point.subarray(0, 33));
  compressed[0] = 0x02 | (point[64]! & 1);
  return compressed;
}
