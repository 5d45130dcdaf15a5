// Runs in the browser: known answers, everything in hex.

import { bytesToHex, fromHex, utf8 } from '../../../src/bytes.js';
import { ed25519, schnorr, secp256k1 } from '../../../src/curves/index.js';

export interface Answer {
  publicKey: string;
  signature: string;
  accepted: boolean;
  /** Of the signature with its last bit, the message with a byte more. */
  damagedAccepted: boolean;
}

type Curve = typeof ed25519 | typeof secp256k1 | typeof schnorr;

function answer(curve: Curve, secretKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Answer {
  const publicKey = curve.getPublicKey(secretKey);
  const damaged = signature.slice();
  damaged[63]! ^= 1;
  const longer = Uint8Array.of(...message, 0);
  return {
    publicKey: bytesToHex(publicKey),
    signature: bytesToHex(signature),
    accepted: curve.verify(signature, message, publicKey),
    damagedAccepted: curve.verify(damaged, message, publicKey) || curve.verify(signature, longer, publicKey),
  };
}

export function ed25519Answer(secretKey: string, message: string): Answer {
  const [secret, data] = [fromHex(secretKey), fromHex(message)];
  return answer(ed25519, secret, data, ed25519.sign(data, secret));
}

export function secp256k1Answer(secretKey: string, text: string): Answer {
  const [secret, data] = [fromHex(secretKey), utf8(text)];
  return answer(secp256k1, secret, data, secp256k1.sign(data, secret));
}

export function schnorrAnswer(secretKey: string, message: string, aux: string): Answer {
  const [secret, data] = [fromHex(secretKey), fromHex(message)];
  return answer(schnorr, secret, data, schnorr.sign(data, secret, fromHex(aux)));
}

export const schnorrAccepts = (publicKey: string, message: string, signature: string): boolean =>
  schnorr.verify(fromHex(signature), fromHex(message), fromHex(publicKey));
