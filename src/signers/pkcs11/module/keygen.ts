// Key pairs made on the token: the private key is sensitive, cannot be extracted and never leaves it.

import type { Template } from 'pkcs11js';
import { fromHex } from '../../../bytes.js';
import { Pkcs11Error } from '../../../errors.js';
import { CKA, CKM, CKO, CKR } from '../constants.js';
import type { KeyIdentity } from '../engine/hosted-module.js';
import type { Handle } from './ck-types.js';
import type { Cryptoki } from './cryptoki.js';
import { paramsToTry } from './ec-encoding.js';
import { listKeys } from './objects.js';

/** What a module that does not know an encoding of EC_PARAMS answers. */
export const PARAMS_REFUSED: ReadonlySet<number | undefined> = new Set([
  CKR.CKR_ATTRIBUTE_VALUE_INVALID,
  CKR.CKR_DOMAIN_PARAMS_INVALID,
  CKR.CKR_CURVE_NOT_SUPPORTED,
  CKR.CKR_TEMPLATE_INCONSISTENT,
]);

/** Generates `key` in a read-write, logged-in session; an error where its label or id is taken. */
export async function generateKeyPair(cryptoki: Cryptoki, session: Handle, key: KeyIdentity): Promise<void> {
  refuseExisting(cryptoki, session, key);
  const mechanism = key.algorithm === 'ed25519' ? CKM.EC_EDWARDS_KEY_PAIR_GEN : CKM.EC_KEY_PAIR_GEN;
  let refusal: unknown;
  for (const params of paramsToTry(key.algorithm)) {
    try {
      await cryptoki.generateKeyPair(session, mechanism, publicTemplate(key, params), privateTemplate(key));
      return;
    } catch (error) {
      if (!(error instanceof Pkcs11Error && PARAMS_REFUSED.has(error.ckrCode))) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

/** `key-ambiguous` where the label or the id of a new key is taken. */
export function refuseExisting(cryptoki: Cryptoki, session: Handle, { label, idHex }: KeyIdentity): void {
  for (const keyClass of [CKO.PRIVATE_KEY, CKO.PUBLIC_KEY] as const) {
    for (const filter of [{ label }, { idHex }]) {
      if (Object.values(filter).includes('')) continue; // would find every key
      const [found] = listKeys(cryptoki, session, keyClass, filter);
      if (found === undefined) continue;
      throw new Pkcs11Error(
        'key-ambiguous',
        `The token has a key with label "${found.label}" and id "${found.idHex}" already: choose another label and id`,
      );
    }
  }
}

function publicTemplate({ label, idHex }: KeyIdentity, ecParams: Uint8Array): Template {
  return [
    { type: CKA.CLASS, value: CKO.PUBLIC_KEY },
    { type: CKA.TOKEN, value: true },
    { type: CKA.PRIVATE, value: false },
    { type: CKA.VERIFY, value: true },
    { type: CKA.EC_PARAMS, value: Buffer.from(ecParams) },
    { type: CKA.LABEL, value: label },
    { type: CKA.ID, value: Buffer.from(fromHex(idHex)) },
  ];
}

function privateTemplate({ label, idHex }: KeyIdentity): Template {
  return [
    { type: CKA.CLASS, value: CKO.PRIVATE_KEY },
    { type: CKA.TOKEN, value: true },
    { type: CKA.PRIVATE, value: true },
    { type: CKA.SENSITIVE, value: true },
    { type: CKA.EXTRACTABLE, value: false },
    { type: CKA.SIGN, value: true },
    { type: CKA.LABEL, value: label },
    { type: CKA.ID, value: Buffer.from(fromHex(idHex)) },
  ];
}
