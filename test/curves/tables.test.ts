// The tables of the fixed bases are computed when something is signed, and at no other time: whoever only verifies pays
// neither their time nor their memory. In a file of its own, which gives it a module that nothing has used yet.

import { ed25519 as nobleEd25519 } from '@noble/curves/ed25519.js';
import { schnorr as nobleSchnorr, secp256k1 as nobleSecp256k1 } from '@noble/curves/secp256k1.js';
import { expect, it } from 'vitest';
import { ed25519, schnorr, secp256k1 } from '../../src/curves/index.js';
import { withCurves } from '../../src/curves/wasm.js';

const TABLE_BYTES = 64 * 1024; // either is larger
const [message, secretKey] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

/** How many bytes of the memory that were zero are not zero any more after `work`. */
function newlyUsed(work: () => void): number {
  const memory = withCurves((curves) => curves.run.memory);
  const before = new Uint8Array(memory.buffer).slice();
  work();
  return new Uint8Array(memory.buffer).filter((byte, i) => byte !== 0 && before[i] === 0).length;
}

it('verification leaves the tables for signing alone', () => {
  const signature = nobleEd25519.sign(message, secretKey);
  const recovered = nobleSecp256k1.sign(message, secretKey, { format: 'recovered' });
  expect(ed25519.verify(signature, message, nobleEd25519.getPublicKey(secretKey))).toBe(true);
  const item = { signature, message, publicKey: nobleEd25519.getPublicKey(secretKey) };
  expect(ed25519.verifyBatch([item, item])).toBe(true);
  const publicKey = nobleSecp256k1.getPublicKey(secretKey);
  expect(secp256k1.verify(recovered.slice(1), message, publicKey)).toBe(true);
  expect(secp256k1.recoverPublicKey(recovered, message)).toEqual(publicKey);
  const schnorrSignature = nobleSchnorr.sign(message, secretKey);
  expect(schnorr.verify(schnorrSignature, message, nobleSchnorr.getPublicKey(secretKey))).toBe(true);

  expect(newlyUsed(() => ed25519.sign(message, secretKey))).toBeGreaterThan(TABLE_BYTES);
  expect(newlyUsed(() => secp256k1.sign(message, secretKey))).toBeGreaterThan(TABLE_BYTES);
  expect(newlyUsed(() => ed25519.sign(message, secretKey))).toBe(0);
  expect(newlyUsed(() => secp256k1.sign(message, secretKey))).toBe(0);
});
