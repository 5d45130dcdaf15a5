// What the tests of module processes share.

import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import type { Algorithm } from '../../../../src/signers/types.js';

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resolves once `condition` holds; fails after a generous time. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 45_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within 45 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function verified(
  algorithm: Algorithm,
  point: Uint8Array,
  input: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (algorithm === 'ed25519') return ed25519.verify(signature, input, point, { zip215: false });
  const curve = { secp256k1, p256 }[algorithm];
  return curve.verify(signature, input, point, { prehash: false, lowS: false });
}
