// A token made anew: C_InitToken erases it and sets its label and SO PIN, then the SO sets the user PIN.
// Source: PKCS #11 v3.1 §5.5.7 (C_InitToken), §5.5.8 (C_InitPIN).

import { Pkcs11Error } from '../../../errors.js';
import { CKR, CKU } from '../constants.js';
import type { TokenInitialization } from '../engine/hosted-module.js';
import { isPinRefusal } from '../errors.js';
import type { Handle } from './ck-types.js';
import type { Cryptoki } from './cryptoki.js';
import { closeQuietly } from './session-pool.js';

export function initToken(cryptoki: Cryptoki, slot: Handle, init: TokenInitialization): void {
  supported(() => withSoPin(() => cryptoki.initToken(slot, init.soPin, init.label)));
  afterErasing(init.label, () => setUserPin(cryptoki, slot, init));
}

function setUserPin(cryptoki: Cryptoki, slot: Handle, { soPin, userPin }: TokenInitialization): void {
  const session = cryptoki.openSession(slot, { readWrite: true });
  try {
    withSoPin(() => cryptoki.login(session, CKU.SO, soPin));
    cryptoki.initPin(session, userPin);
    cryptoki.logout(session);
  } finally {
    closeQuietly(cryptoki, session);
  }
}

/** OpenSC with most cards; a YubiKey's PIV application is not initialized by way of PKCS#11 either. */
function supported(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof Pkcs11Error) || error.ckrCode !== CKR.CKR_FUNCTION_NOT_SUPPORTED) throw error;
    throw reworded(
      error,
      `C_InitToken failed with ${error.ckr}: this module does not initialize this token, and nothing was done. Use the ` +
        "vendor's tool, e.g. ykman piv reset for a YubiKey",
    );
  }
}

/** Whoever reads it must know that the token is another by now. */
function afterErasing(label: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Pkcs11Error)) throw error;
    throw reworded(
      error,
      `The token is initialized as "${label}", but has no PIN yet: ${error.message}. Initialize it again, with --erase`,
    );
  }
}

/** The advice for a user PIN does not fit the SO PIN, whose tries are counted as well. */
function withSoPin(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof Pkcs11Error) || !isPinRefusal(error)) throw error;
    throw reworded(error, `${error.functionName} failed with ${error.ckr}: ${adviceFor(error)}`);
  }
}

function adviceFor({ ckrCode }: Pkcs11Error): string {
  if (ckrCode === CKR.CKR_PIN_LOCKED) {
    return "the SO PIN is locked. If the vendor's tool can reset the device to what it was when new, that is the way left";
  }
  const problem =
    ckrCode === CKR.CKR_PIN_INCORRECT
      ? 'the SO PIN is wrong'
      : 'the token takes no SO PIN of that length, or with such characters';
  return (
    `${problem}; it is not tried again. Find out which one is right before you try another: after a few wrong ones the ` +
    'token may be lost for good'
  );
}

function reworded(error: Pkcs11Error, message: string): Pkcs11Error {
  const { code, ckr, ckrCode, functionName } = error;
  return new Pkcs11Error(code, message, {
    cause: error,
    ...(ckr !== undefined && { ckr }),
    ...(ckrCode !== undefined && { ckrCode }),
    ...(functionName !== undefined && { functionName }),
  });
}
