// secp256k1 beside @noble/curves: the same answer or the same refusal.

import type { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { expect } from 'vitest';
import { edgeBytes, hex, messages } from './edge-inputs.js';
import { bigEndian, n, outcome } from './secp256k1-inputs.js';

export const utf8 = (text: string) => new TextEncoder().encode(text);
export const same = (call: () => Uint8Array, peer: () => Uint8Array) => {
  const bytes = (result: Uint8Array | 'throws') => (result === 'throws' ? result : hex(result));
  expect(bytes(outcome(call))).toBe(bytes(outcome(peer)));
};
/** Theirs may not be undefined, says their type. */
export type NobleOptions = NonNullable<Parameters<typeof noble.sign>[2]>;

export const formats = ['compact', 'recovered', 'der'] as const;

export const prehashed = fc
  .boolean()
  .chain((prehash) =>
    (prehash
      ? messages
      : fc.oneof(edgeBytes(32), fc.constantFrom(bigEndian(n), bigEndian(n - 1n), bigEndian(n + 1n)))
    ).map((message) => ({ prehash, message })),
  );
export const signOptions = fc.record({
  lowS: fc.constantFrom(true, false, undefined),
  format: fc.constantFrom(...formats, undefined),
  extraEntropy: fc.oneof(fc.constantFrom(false, undefined), edgeBytes(32)),
});
