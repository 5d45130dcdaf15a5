// A key that has just come to a token, made there or imported: checked with a signature before it is called done.

import { randomBytes } from 'node:crypto';
import { bytesToHex, utf8 } from '../../bytes.js';
import { Pkcs11Error } from '../../errors.js';
import type { TokenConnection } from '../../signers/pkcs11/engine/engine.js';
import type { KeyIdentity } from '../../signers/pkcs11/engine/hosted-module.js';
import { tokenInput, verifiedSignature } from '../../signers/pkcs11/key/token-signature.js';
import { PublicKey } from '../../signers/public-key.js';
import { note, printJson, printRaw } from '../output.js';

export const randomId = (): string => bytesToHex(randomBytes(8));

/**
 * Lets `put` put `key` on the token and gives its public key. A list of mechanisms cannot show curves: only a signature
 * shows that the key works. One that does not is deleted again.
 */
export async function putChecked(
  connection: TokenConnection,
  key: KeyIdentity,
  put: () => Promise<void>,
): Promise<PublicKey> {
  await put();
  try {
    return await checkedPublicKey(connection, key);
  } catch (error) {
    await connection.deleteKeyPair(key).catch(() => {
      note(
        `Key "${key.label}" (id ${key.idHex}) failed its check and may still be there: see erst-hsm hsm keys`,
      );
    });
    throw error;
  }
}

async function checkedPublicKey(connection: TokenConnection, key: KeyIdentity): Promise<PublicKey> {
  const point = await connection.publicPoint(key);
  if (point === undefined) {
    throw new Pkcs11Error('key-not-found', `The token shows no public key for its new key "${key.label}"`);
  }
  const publicKey = PublicKey.fromRaw(key.algorithm, point);
  const signed = tokenInput(key.algorithm, utf8('erst-hsm hsm: check of a new key'), false);
  await verifiedSignature(publicKey, signed, await connection.sign({ key, input: signed.input }));
  return publicKey;
}

/** The public key as the command's result; `what` happened, for people. */
export function printNewKey(key: KeyIdentity, publicKey: PublicKey, what: string, json?: true): void {
  const { algorithm, label, idHex: id } = key;
  const publicKeyPem = publicKey.toPem();
  if (json) {
    printJson({ algorithm, label, id, publicKey: bytesToHex(publicKey.raw), publicKeyPem });
  } else {
    note(`${algorithm} key "${label}" (id ${id}) ${what}; its public key:`);
    printRaw(publicKeyPem);
  }
}
