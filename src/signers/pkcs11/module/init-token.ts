// A token made anew: C_InitToken erases it and sets its label and SO PIN, then the SO sets the user PIN.
// Source: PKCS #11 v3.1 §5.5.7 (C_InitToken), §5.5.8 (C_InitPIN).

import { Pkcs11Error } from '../../../errors.js';
import { CKU } from '../constants.js';
import type { TokenInitialization } from '../engine/hosted-module.js';
import { isPinRefusal } from '../errors.js';
import type { Handle } from './ck-types.js';
import type { Cryptoki } from './cryptoki.js';
import { closeQuietly } from './session-pool.js';

export function initToken(cryptoki: Cryptoki, slot: Handle, init: TokenInitialization): void {
  withSoPin(() => cryptoki.initToken(slot, init.soPin, init.label));
  const session = cryptoki.openSession(slot, { readWrite: true });
  try {
    withSoPin(() => cryptoki.login(session, CKU.SO, init.soPin));
    cryptoki.initPin(session, init.userPin);
    cryptoki.logout(session);
  } finally {
    closeQuietly(cryptoki, session);
  }
}

/** The advice for a user PIN does not fit the SO PIN, whose tries are counted as well. */
function withSoPin(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof Pkcs11Error) || !isPinRefusal(error)) throw error;
    const { ckr, ckrCode, functionName } = error;
    throw new Pkcs11Error(
      error.code,
      `${functionName} failed with ${ckr}: the token refused the SO PIN. Find out which it is before you try again: ` +
        'after a few wrong ones the token may be lost for good',
      { cause: error, ckr: ckr!, ckrCode: ckrCode!, functionName: functionName! },
    );
  }
}
