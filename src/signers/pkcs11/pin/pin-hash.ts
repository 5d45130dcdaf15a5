// PINs without the PINs. On disk, scrypt (RFC 7914) under a salt of the token: a PIN of six digits can still be found from
// it in hours, so the file is its owner's alone. In memory, HMAC-SHA256 under a random key of this process.

import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { TokenName } from '../engine/hosted-module.js';

/** 16 MiB, some 40 ms. */
const SCRYPT = { N: 2 ** 14, r: 8, p: 1 };
const HASH_BYTES = 32;
const CACHED_AT_MOST = 256;

const processKey = randomBytes(32);
const hashes = new Map<string, Promise<string>>();

/** Keyed hash of a PIN under a random key of this process: to compare PINs without keeping them. */
export function pinFingerprint(token: TokenName, pin: string): Uint8Array {
  return createHmac('sha256', processKey)
    .update(JSON.stringify([...deviceOf(token), pin]))
    .digest();
}

/**
 * What tells devices apart. The label, which can change while the counter of tries stays (OpenSC takes it from a
 * certificate), counts only where the serial number tells nothing (NetHSM shows none to an operator).
 */
export const deviceOf = ({ manufacturer, model, serial, label }: TokenName): string[] =>
  serial === '' || /^unknown$/i.test(serial) ? [manufacturer, model, label] : [manufacturer, model, serial];

/** Whether two fingerprints are the same, in constant time. */
export const sameFingerprint = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b);

/** scrypt of a PIN, in hex. Computed once for a token, PIN and salt, however many processes log in to the token. */
export function pinHash(token: TokenName, pin: string, saltHex: string): Promise<string> {
  const key = `${saltHex} ${Buffer.from(pinFingerprint(token, pin)).toString('hex')}`;
  const known = hashes.get(key);
  if (known !== undefined) return known;
  const hash = computeHash(pin, saltHex);
  const [oldest] = hashes.size >= CACHED_AT_MOST ? hashes.keys() : [];
  if (oldest !== undefined) hashes.delete(oldest);
  hashes.set(key, hash);
  hash.catch(() => hashes.delete(key));
  return hash;
}

function computeHash(pin: string, saltHex: string): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(pin, Buffer.from(saltHex, 'hex'), HASH_BYTES, SCRYPT, (error, hash) => {
      if (error) reject(error);
      else resolve(hash.toString('hex'));
    });
  });
}

/** Whether two hashes are the same, in constant time. */
export const sameHash = (a: string, b: string): boolean => sameFingerprint(Buffer.from(a), Buffer.from(b));
