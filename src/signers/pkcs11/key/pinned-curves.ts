// The curves whose signatures tokens make with keys that stay the same, each with its compiled verifier.

import p256 from '#pinned-p256-wasm';
import secp256k1 from '#pinned-secp256k1-wasm';
import { PinnedCurve } from './pinned-key.js';

/** A valid signature in the one form in which it is released. */
export interface ReleasedSignature {
  /** r and s, 64 bytes. */
  bytes: Uint8Array;
  recovery?: number;
}

export const P256 = new PinnedCurve<ReleasedSignature | undefined>('P-256', p256, (code, { signature }) =>
  code === 0 ? undefined : { bytes: signature },
);

export interface RecoverableSignature extends ReleasedSignature {
  /** Bit 0: the y of the nonce's point is odd; bit 1: its x is at least n. */
  recovery: number;
}

/** With low S. */
export const SECP256K1 = new PinnedCurve<RecoverableSignature | undefined>(
  'secp256k1',
  secp256k1,
  (code, { signature }, s) => {
    if (code === 0) return undefined;
    const bytes = Uint8Array.from(signature);
    bytes.set(s, bytes.length - s.length);
    return { bytes, recovery: code - 1 };
  },
);
