// Puts a key pair that was made elsewhere on a token: from then on it is sensitive and cannot be extracted. The binding's
// own copy of the private key is freed without being wiped; what is ours is.

import type { Template } from 'pkcs11js';
import { fromHex } from '../../../bytes.js';
import { Pkcs11Error } from '../../../errors.js';
import { CKA, CKK, CKO } from '../constants.js';
import type { ImportedKey } from '../engine/hosted-module.js';
import type { Handle } from './ck-types.js';
import type { Cryptoki } from './cryptoki.js';
import { paramsToTry } from './ec-encoding.js';
import { PARAMS_REFUSED, refuseExisting } from './keygen.js';

/** Imports `key` in a read-write, logged-in session: both halves, or none. */
export function importKeyPair(cryptoki: Cryptoki, session: Handle, key: ImportedKey): void {
  refuseExisting(cryptoki, session, key);
  let refusal: unknown;
  for (const params of paramsToTry(key.algorithm)) {
    try {
      importWith(cryptoki, session, key, params);
      return;
    } catch (error) {
      if (!(error instanceof Pkcs11Error && PARAMS_REFUSED.has(error.ckrCode))) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

function importWith(cryptoki: Cryptoki, session: Handle, key: ImportedKey, ecParams: Uint8Array): void {
  const value = Buffer.from(key.privateKey);
  try {
    const publicKey = cryptoki.createObject(session, publicTemplate(key, ecParams));
    try {
      cryptoki.createObject(session, privateTemplate(key, ecParams, value));
    } catch (error) {
      cryptoki.destroyObject(session, publicKey);
      throw error;
    }
  } finally {
    value.fill(0);
  }
}

const keyTypeOf = (key: ImportedKey): number => (key.algorithm === 'ed25519' ? CKK.EC_EDWARDS : CKK.EC);

function publicTemplate(key: ImportedKey, ecParams: Uint8Array): Template {
  const { label, idHex, publicPoint } = key;
  return [
    { type: CKA.CLASS, value: CKO.PUBLIC_KEY },
    { type: CKA.KEY_TYPE, value: keyTypeOf(key) },
    { type: CKA.TOKEN, value: true },
    { type: CKA.PRIVATE, value: false },
    { type: CKA.VERIFY, value: true },
    { type: CKA.EC_PARAMS, value: Buffer.from(ecParams) },
    { type: CKA.EC_POINT, value: Buffer.from([0x04, publicPoint.length, ...publicPoint]) }, // OCTET STRING
    { type: CKA.LABEL, value: label },
    { type: CKA.ID, value: Buffer.from(fromHex(idHex)) },
  ];
}

function privateTemplate(key: ImportedKey, ecParams: Uint8Array, value: Buffer): Template {
  return [
    { type: CKA.CLASS, value: CKO.PRIVATE_KEY },
    { type: CKA.KEY_TYPE, value: keyTypeOf(key) },
    { type: CKA.TOKEN, value: true },
    { type: CKA.PRIVATE, value: true },
    { type: CKA.SENSITIVE, value: true },
    { type: CKA.EXTRACTABLE, value: false },
    { type: CKA.SIGN, value: true },
    { type: CKA.EC_PARAMS, value: Buffer.from(ecParams) },
    { type: CKA.VALUE, value },
    { type: CKA.LABEL, value: key.label },
    { type: CKA.ID, value: Buffer.from(fromHex(key.idHex)) },
  ];
}
