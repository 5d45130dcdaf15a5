// The curves whose signatures tokens make with keys that stay the same, each with its compiled verifier.

import p256 from '#pinned-p256-wasm';
import secp256k1 from '#pinned-secp256k1-wasm';
import { PinnedCurve } from './pinned-key.js';

/** Whether a signature is valid. */
export const P256 = new PinnedCurve('P-256', p256, (code) => code !== 0);

/** A secp256k1 signature as it is released. */
export interface CompletedSignature {
  /** r and s, low-S. */
  bytes: Uint8Array;
  /** Bit 0: the y of the nonce's point is odd; bit 1: its x is at least n. */
  recovery: number;
}

/** The signature with low S and its recovery id, or `undefined` where it is not valid. */
export const SECP256K1 = new PinnedCurve<CompletedSignature | undefined>(
  'secp256k1',
  secp256k1,
  (code, { signature }, s) => {
    if (code === 0) return undefined;
    const bytes = Uint8Array.from(signature);
    bytes.set(s, bytes.length - s.length);
    return { bytes, recovery: code - 1 };
  },
);
