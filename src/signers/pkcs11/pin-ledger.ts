// What this process knows of PINs without keeping them: a keyed hash under a random key of this process. It answers
// "is this the PIN that is logged in?" and "has the token refused this PIN already?", and neither costs a try.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const processKey = randomBytes(32);
const refused = new Map<string, Uint8Array[]>();

/** HMAC-SHA256 of the PIN, bound to the token. */
export function pinFingerprint(tokenKey: string, pin: string): Uint8Array {
  return createHmac('sha256', processKey)
    .update(JSON.stringify([tokenKey, pin]))
    .digest();
}

/** Whether two fingerprints are the same, in constant time. */
export const sameFingerprint = (a: Uint8Array, b: Uint8Array): boolean => timingSafeEqual(a, b);

/** The token refused this PIN: it is not tried again while this process lives. */
export function recordRefusal(tokenKey: string, pin: string): void {
  refused.set(tokenKey, [...(refused.get(tokenKey) ?? []), pinFingerprint(tokenKey, pin)]);
}

/** Whether the token has refused this PIN in this process. */
export function wasRefused(tokenKey: string, pin: string): boolean {
  const fingerprint = pinFingerprint(tokenKey, pin);
  return (refused.get(tokenKey) ?? []).some((known) => sameFingerprint(known, fingerprint));
}
