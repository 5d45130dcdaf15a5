// Deletes a key pair: the private key first, because that is what must be gone. Nothing that does not belong to it is
// touched; where that cannot be told, nothing is deleted.

import { Pkcs11Error } from '../../../errors.js';
import { CKO } from '../constants.js';
import type { KeyIdentity } from '../engine/hosted-module.js';
import type { Handle } from './ck-types.js';
import type { Cryptoki } from './cryptoki.js';
import { findKeyObjects, findPrivateKey } from './objects.js';

/** Deletes `key` in a read-write, logged-in session; how many objects that were. */
export function deleteKeyPair(cryptoki: Cryptoki, session: Handle, key: KeyIdentity): number {
  const privateKey = findPrivateKey(cryptoki, session, key);
  const publicKey = findPublicKey(cryptoki, session, key);
  cryptoki.destroyObject(session, privateKey);
  if (publicKey === undefined) return 1;
  cryptoki.destroyObject(session, publicKey);
  return 2;
}

/** The public key of the pair: same algorithm, id and label. */
function findPublicKey(cryptoki: Cryptoki, session: Handle, key: KeyIdentity): Handle | undefined {
  const [publicKey, second] = findKeyObjects(cryptoki, session, CKO.PUBLIC_KEY, key);
  if (second === undefined) return publicKey;
  throw new Pkcs11Error(
    'key-ambiguous',
    `The token has several ${key.algorithm} public keys with label "${key.label}" and id "${key.idHex}", and nothing was ` +
      "deleted. Delete them with the vendor's tool",
  );
}
