// What a key can do is tried, not guessed: lists of mechanisms show no curves, and modules differ in encodings. One
// signature is made over a message that cannot be mistaken for anybody's document, and verified.

import { randomBytes } from 'node:crypto';
import { concatBytes, utf8 } from '../../../bytes.js';
import type { PublicKey } from '../../public-key.js';
import type { TokenConnection } from '../engine/engine.js';
import type { KeyIdentity } from '../engine/hosted-module.js';
import { tokenInput, verifiedSignature } from './token-signature.js';

const PURPOSE = 'erst-hsm: a test signature, which says nothing but that this key works. ';

/** Signs and verifies a test message; the error says what is wrong with the key. */
export async function probeKey(
  connection: TokenConnection,
  key: KeyIdentity,
  publicKey: PublicKey,
  contextPin: string | undefined,
): Promise<void> {
  const message = concatBytes(utf8(PURPOSE), randomBytes(16));
  const signed = tokenInput(key.algorithm, message, false);
  const request = { key, input: signed.input, ...(contextPin !== undefined && { contextPin }) };
  await verifiedSignature(publicKey, signed, await connection.sign(request));
}
