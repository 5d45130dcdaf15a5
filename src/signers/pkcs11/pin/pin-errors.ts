// Why a PIN is not presented to a token. No message holds a PIN; each says what to do.

import { ConfigError, Pkcs11Error } from '../../../errors.js';
import { LockHeldError } from './file-lock.js';
import { DamagedRecordError } from './pin-record.js';

const SET_PIN =
  'Set ERST_PKCS11_PIN_FILE (or ERST_PKCS11_PIN_COMMAND, ERST_PKCS11_PIN_CREDENTIAL, ERST_PKCS11_PIN)';

export const pinMissing = (name: string) =>
  new Pkcs11Error('pin-missing', `The ${name} wants a PIN. ${SET_PIN}`);

export const pinRefusedBefore = (name: string, path: string) =>
  new Pkcs11Error(
    'pin-incorrect',
    `The ${name} has refused this PIN already, and it was not tried again, so that the token does not lock. ` +
      `${SET_PIN} to the right one; if the token's PIN was changed to this one meanwhile: rm ${path}`,
  );

export const pinUnanswered = (name: string, path: string) =>
  new Pkcs11Error(
    'pin-incorrect',
    `The ${name} was given this PIN before, and the process or the token was gone before the answer; so it may be ` +
      `wrong, and was not tried again. Verify it with the vendor's tool; if it is right: rm ${path}`,
  );

export const pinLocked = (name: string) =>
  new Pkcs11Error(
    'pin-locked',
    `The PIN of the ${name} is locked: unblock it with the PUK or SO PIN with the vendor's tool`,
  );

export const finalTry = (name: string) =>
  new Pkcs11Error(
    'pin-locked',
    `The PIN of the ${name} has one try left, which is not spent here: verify the PIN with the vendor's tool`,
  );

export const ownKeypad = (name: string) =>
  new Pkcs11Error(
    'token-error',
    `The ${name} takes its PIN on its own keypad or screen (CKF_PROTECTED_AUTHENTICATION_PATH), which is not ` +
      'supported. Use a token that takes the PIN from the computer, or turn the keypad off in its settings',
  );

/** What to throw where the memory of refused PINs cannot be kept: without it, the PIN is not presented. */
export function memoryUnusable(name: string, path: string, cause: unknown): unknown {
  if (cause instanceof LockHeldError) {
    const holder = cause.pid === undefined ? 'Another process' : `The process ${cause.pid}`;
    return new Pkcs11Error(
      'timeout',
      `${holder} has been logging in to the ${name} all the time. If it is gone: rm ${cause.path}`,
      { cause },
    );
  }
  if (cause instanceof DamagedRecordError) {
    return new Pkcs11Error(
      'token-error',
      `The memory of refused PINs ${path} is damaged, so it cannot tell whether the ${name} has refused this PIN. ` +
        `Verify the PIN with the vendor's tool, then: rm ${path}`,
      { cause },
    );
  }
  const reason = (cause as NodeJS.ErrnoException).code;
  if (reason === undefined) return cause; // a bug
  return new ConfigError(
    'XDG_STATE_HOME',
    `Refused PINs cannot be remembered in ${path} (${reason}), so the PIN is not given to the ${name}: a wrong one would ` +
      'be tried at every start until the token locks. Set XDG_STATE_HOME to a directory that this user can write and that ' +
      'stays. Example: export XDG_STATE_HOME=/var/lib/erst-hsm',
    { cause },
  );
}
