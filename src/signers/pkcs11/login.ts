// Login of the user on one token: once for the process, and never twice with the same wrong PIN.
// PKCS#11 keeps one login for a process and token. A second C_Login gives CKR_USER_ALREADY_LOGGED_IN whatever its PIN,
// which is no check of it; so whoever comes second must present the PIN that is logged in (compared by fingerprint).

import { Pkcs11Error } from '../../errors.js';
import { CKF_TOKEN, CKR, CKU } from './constants.js';
import type { Cryptoki, Handle } from './cryptoki.js';
import { pinFingerprint, recordRefusal, sameFingerprint, wasRefused } from './pin-ledger.js';

const REFUSALS: ReadonlySet<number | undefined> = new Set([
  CKR.CKR_PIN_INCORRECT,
  CKR.CKR_PIN_INVALID,
  CKR.CKR_PIN_LEN_RANGE,
  CKR.CKR_PIN_LOCKED,
]);

const SET_PIN = 'Set ERST_PKCS11_PIN_FILE (or ERST_PKCS11_PIN, ERST_PKCS11_PIN_COMMAND)';

export class TokenLogin {
  readonly #slot: Handle;
  readonly #tokenKey: string;
  readonly #name: string;
  #fingerprint: Uint8Array | undefined;

  /** `tokenKey` tells tokens apart in the ledger, `name` is for messages. */
  constructor(slot: Handle, tokenKey: string, name: string) {
    this.#slot = slot;
    this.#tokenKey = tokenKey;
    this.#name = name;
  }

  get done(): boolean {
    return this.#fingerprint !== undefined;
  }

  /** The token has logged this process out. */
  forget(): void {
    this.#fingerprint = undefined;
  }

  /** Logs in through `session`, or checks that `pin` is the one that is logged in. */
  login(cryptoki: Cryptoki, session: Handle, pin: string | undefined): void {
    if (!cryptoki.isUserLoggedIn(session)) {
      this.checkBeforeTry(cryptoki, pin);
      this.#try(pin, () => cryptoki.login(session, CKU.USER, pin));
      this.#fingerprint = pinFingerprint(this.#tokenKey, pin);
      return;
    }
    if (this.#fingerprint === undefined) throw this.#loggedInByOthers();
    if (pin === undefined) throw this.#pinMissing();
    if (!sameFingerprint(this.#fingerprint, pinFingerprint(this.#tokenKey, pin))) {
      throw new Pkcs11Error(
        'pin-incorrect',
        `This process is logged in to the ${this.#name} with another PIN: give the same one. No try was spent`,
      );
    }
  }

  /**
   * The login for one signature by a CKA_ALWAYS_AUTHENTICATE key, between its C_SignInit and its C_Sign, with no other
   * call in between; so `checkBeforeTry` comes before both.
   */
  loginForSignature(cryptoki: Cryptoki, session: Handle, pin: string): void {
    this.#try(pin, () => cryptoki.login(session, CKU.CONTEXT_SPECIFIC, pin));
  }

  /** Fails unless a try with `pin` may be spent now. */
  checkBeforeTry(cryptoki: Cryptoki, pin: string | undefined): asserts pin is string {
    const { flags } = cryptoki.tokenInfo(this.#slot);
    if (flags & CKF_TOKEN.PROTECTED_AUTHENTICATION_PATH) throw this.#ownKeypad();
    if (pin === undefined) throw this.#pinMissing();
    if (wasRefused(this.#tokenKey, pin)) {
      throw new Pkcs11Error(
        'pin-incorrect',
        `The ${this.#name} has refused this PIN already, and it was not tried again, so that the token does not lock. ` +
          `${SET_PIN} right; if the token's PIN was changed to this one meanwhile, restart the process`,
      );
    }
    if (flags & CKF_TOKEN.USER_PIN_LOCKED) throw this.#locked('is locked: unblock it with the PUK or SO PIN');
    if (flags & CKF_TOKEN.USER_PIN_FINAL_TRY) {
      throw this.#locked('has one try left, which is not spent here: verify the PIN');
    }
  }

  #try(pin: string, present: () => void): void {
    try {
      present();
    } catch (error) {
      if (error instanceof Pkcs11Error && REFUSALS.has(error.ckrCode)) recordRefusal(this.#tokenKey, pin);
      throw error;
    }
  }

  #pinMissing(): Pkcs11Error {
    return new Pkcs11Error('pin-missing', `The ${this.#name} wants a PIN. ${SET_PIN}`);
  }

  #locked(state: string): Pkcs11Error {
    return new Pkcs11Error('pin-locked', `The PIN of the ${this.#name} ${state} with the vendor's tool`);
  }

  #ownKeypad(): Pkcs11Error {
    return new Pkcs11Error(
      'token-error',
      `The ${this.#name} takes its PIN on its own keypad or screen (CKF_PROTECTED_AUTHENTICATION_PATH), which is not ` +
        'supported. Use a token that takes the PIN from the computer, or turn the keypad off in its settings',
    );
  }

  #loggedInByOthers(): Pkcs11Error {
    return new Pkcs11Error(
      'token-error',
      `Other code in this process has logged in to the ${this.#name}, so the PIN given here cannot be checked. Use one ` +
        'copy of erst-hsm, and no other PKCS#11 code, for a module in a process',
      { ckr: 'CKR_USER_ALREADY_LOGGED_IN', ckrCode: CKR.CKR_USER_ALREADY_LOGGED_IN, functionName: 'C_Login' },
    );
  }
}
