// Handles of private keys, found once: all sessions of a token share them (PKCS #11 v3.1 §2.6), until the login ends or the
// module says that one is stale.

import { Pkcs11Error } from '../../../errors.js';
import { CKR } from '../constants.js';
import type { KeyIdentity } from '../engine/hosted-module.js';
import { returned } from '../errors.js';
import type { Handle } from './ck-types.js';
import type { Cryptoki } from './cryptoki.js';
import { findPrivateKey } from './objects.js';

export class KeyHandles {
  readonly #cryptoki: Cryptoki;
  readonly #loginRequired: boolean;
  readonly #handles = new Map<string, Handle>();

  constructor(cryptoki: Cryptoki, loginRequired: boolean) {
    this.#cryptoki = cryptoki;
    this.#loginRequired = loginRequired;
  }

  /** The private key that is `key`, looked for in `session` where it is not known. */
  find(session: Handle, key: KeyIdentity): Handle {
    const name = `${key.algorithm} ${key.idHex} ${key.label}`;
    let handle = this.#handles.get(name);
    if (handle === undefined) {
      handle = this.#lookFor(session, key);
      this.#handles.set(name, handle);
    }
    return handle;
  }

  forget(): void {
    this.#handles.clear();
  }

  /** Private keys cannot be seen without a login, so a key that is not found may only say that the login is gone. */
  #lookFor(session: Handle, key: KeyIdentity): Handle {
    try {
      return findPrivateKey(this.#cryptoki, session, key);
    } catch (error) {
      const notFound = error instanceof Pkcs11Error && error.code === 'key-not-found';
      if (notFound && this.#loginRequired && !this.#cryptoki.isUserLoggedIn(session)) {
        throw returned('C_FindObjects', CKR.CKR_USER_NOT_LOGGED_IN, error);
      }
      throw error;
    }
  }
}
