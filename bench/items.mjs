// What is signed and verified: 64 keys with a message of 32 bytes each, and the results that all contenders must give.
// They come from @noble/curves: RFC 8032, RFC 6979 with low s, and BIP-340 leave no choice but one.

import { ed25519 } from '@noble/curves/ed25519.js';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';

export const ITEMS = 64;

let made;

export function allItems() {
  made ??= { ed25519: listOf(ed25519Item), secp256k1: listOf(secp256k1Item), schnorr: listOf(schnorrItem) };
  return made;
}

const listOf = (makeItem) => Array.from({ length: ITEMS }, (_, i) => makeItem(i));

/** The same with other messages, which the signatures do not belong to. */
export function damaged(items) {
  const damage = (bytes) => bytes.with(bytes.length - 1, bytes.at(-1) ^ 1);
  const each = (list) => list.map((item) => ({ ...item, message: damage(item.message) }));
  return { ed25519: each(items.ed25519), secp256k1: each(items.secp256k1), schnorr: each(items.schnorr) };
}

function ed25519Item(i) {
  const secretKey = bytesOf(i, 5);
  const message = bytesOf(i, 7);
  const publicKey = ed25519.getPublicKey(secretKey);
  const signature = ed25519.sign(message, secretKey);
  /** Under the first item's key: a batch is signed with one key. */
  const batchSignature = ed25519.sign(message, bytesOf(0, 5));
  return { secretKey, message, publicKey, signature, batchSignature };
}

/** The message is a digest: it is signed as it is. `hashedSignature` is for who hashes it first. */
function secp256k1Item(i) {
  const secretKey = bytesOf(i, 11);
  const message = bytesOf(i, 13);
  const publicKey = secp256k1.getPublicKey(secretKey);
  const recovered = secp256k1.sign(message, secretKey, { prehash: false, format: 'recovered' });
  const hashedSignature = secp256k1.sign(message, secretKey);
  return { secretKey, message, publicKey, signature: recovered.slice(1), recovered, hashedSignature };
}

function schnorrItem(i) {
  const secretKey = bytesOf(i, 17);
  const message = bytesOf(i, 19);
  const auxRand = bytesOf(i, 23);
  const publicKey = schnorr.getPublicKey(secretKey);
  return { secretKey, message, auxRand, publicKey, signature: schnorr.sign(message, secretKey, auxRand) };
}

/** 32 bytes without a pattern, other ones for each pair. */
function bytesOf(index, salt) {
  let state = (index + 1) * 2654435761 + salt * 40503;
  return Uint8Array.from({ length: 32 }, () => {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + 374761393;
    return state >>> 24;
  });
}
