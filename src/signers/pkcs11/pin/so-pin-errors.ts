// Why an SO PIN is not presented to a token. A token whose SO PIN is locked can never be initialized again, so the advice is
// another than for a user PIN. No message holds a PIN; each says what to do.

import { Pkcs11Error } from '../../../errors.js';
import { ownKeypad } from './pin-errors.js';

const SET_PIN =
  'Set ERST_PKCS11_SO_PIN_FILE (or ERST_PKCS11_SO_PIN_COMMAND, ERST_PKCS11_SO_PIN_CREDENTIAL, ERST_PKCS11_SO_PIN)';

/** The functions of pin-errors.ts, for the SO PIN. */
export const soPinErrors = {
  ownKeypad,

  pinMissing: (name: string) => new Pkcs11Error('pin-missing', `The ${name} wants its SO PIN. ${SET_PIN}`),

  pinRefusedBefore: (name: string, path: string) =>
    new Pkcs11Error(
      'pin-incorrect',
      `The ${name} has refused this SO PIN already, and it was not tried again, so that the token is not lost. ` +
        `${SET_PIN} to the right one; if the token's SO PIN was changed to this one meanwhile: rm ${path}`,
    ),

  pinUnanswered: (name: string, path: string) =>
    new Pkcs11Error(
      'pin-incorrect',
      `The ${name} was given this SO PIN before, and failed or was gone before it said whether it is right; so it may be ` +
        `wrong, and was not tried again. If you know that it is right: rm ${path}`,
    ),

  pinLocked: (name: string) =>
    new Pkcs11Error(
      'pin-locked',
      `The SO PIN of the ${name} is locked, so it cannot be initialized from here: if its vendor's tool can reset the ` +
        'device to what it was when new, that is the way left',
    ),

  finalTry: (name: string) =>
    new Pkcs11Error(
      'pin-locked',
      `The SO PIN of the ${name} has one try left, which is not spent here, because the token may be lost with it: ` +
        "verify the SO PIN with the vendor's tool",
    ),
};
