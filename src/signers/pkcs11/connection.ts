// One token in this process: a logged-in session that is opened once, kept and reused by every signer on the token.
// After any error in a signature the session is given up, because it may be left with an active operation. The fresh one
// is opened before the old one is closed: the login lives as long as one session does.

import { Pkcs11Error } from '../../errors.js';
import { CKM, CKO, CKR } from './constants.js';
import type { Cryptoki, Handle } from './cryptoki.js';
import {
  type KeyFilter,
  type KeyIdentity,
  type KeySummary,
  mechanismOf,
  type SignRequest,
  type TokenConnection,
  type TokenSummary,
} from './engine.js';
import { curedByNewSession, isLoginLost, returned } from './errors.js';
import { generateKeyPair } from './keygen.js';
import { TokenLogin } from './login.js';
import type { Pkcs11Module } from './module.js';
import { findPrivateKey, findPublicPoint, listKeys } from './objects.js';

export class InProcessConnection implements TokenConnection {
  readonly #module: Pkcs11Module;
  readonly #slot: Handle;
  readonly #login: TokenLogin;
  readonly #needsLogin: boolean;
  readonly #keys = new Map<string, Handle>();
  #session: Handle | undefined;

  constructor(module: Pkcs11Module, token: TokenSummary) {
    const { manufacturer, model, serial, label } = token;
    this.#module = module;
    this.#slot = Buffer.from(token.slotHandle, 'hex');
    this.#needsLogin = token.loginRequired;
    const tokenKey = JSON.stringify([module.path, manufacturer, model, serial, label]);
    this.#login = new TokenLogin(this.#slot, tokenKey, `token "${label}"`);
  }

  login(pin: string | undefined): Promise<void> {
    return this.#module.exclusive((cryptoki) => {
      if (this.#needsLogin) this.#login.login(cryptoki, this.#openSession(cryptoki), pin);
    });
  }

  privateKeys(filter?: KeyFilter): Promise<KeySummary[]> {
    return this.#withSession((cryptoki, session) => listKeys(cryptoki, session, CKO.PRIVATE_KEY, filter));
  }

  publicKeys(filter?: KeyFilter): Promise<KeySummary[]> {
    return this.#withSession((cryptoki, session) => listKeys(cryptoki, session, CKO.PUBLIC_KEY, filter));
  }

  publicPoint(key: KeyIdentity): Promise<Uint8Array | undefined> {
    return this.#withSession((cryptoki, session) => findPublicPoint(cryptoki, session, key));
  }

  sign(request: SignRequest, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#module.exclusive(async (cryptoki) => {
      try {
        return await this.#signOnce(cryptoki, request);
      } catch (error) {
        this.#renewSession(cryptoki, error);
        if (!curedByNewSession(error)) throw error;
      }
      try {
        return await this.#signOnce(cryptoki, request);
      } catch (error) {
        this.#renewSession(cryptoki, error);
        throw error;
      }
    }, signal);
  }

  generateKeyPair(key: KeyIdentity): Promise<void> {
    return this.#module.exclusive(async (cryptoki) => {
      const session = cryptoki.openSession(this.#slot, { readWrite: true });
      try {
        await generateKeyPair(cryptoki, session, key);
      } finally {
        cryptoki.closeSession(session);
      }
    });
  }

  close(): Promise<void> {
    return this.#module.exclusive((cryptoki) => {
      const session = this.#session;
      this.#session = undefined;
      this.#keys.clear();
      this.#login.forget();
      if (session !== undefined) closeQuietly(cryptoki, session);
    });
  }

  async #signOnce(cryptoki: Cryptoki, { key, input, contextPin }: SignRequest): Promise<Uint8Array> {
    const session = this.#openSession(cryptoki);
    if (this.#needsLogin && !this.#login.done) throw returned('C_SignInit', CKR.CKR_USER_NOT_LOGGED_IN);
    const handle = this.#keyHandle(cryptoki, session, key);
    if (contextPin !== undefined) this.#login.checkBeforeTry(cryptoki, contextPin);
    cryptoki.signInit(session, CKM[mechanismOf[key.algorithm]], handle);
    if (contextPin !== undefined) this.#login.loginForSignature(cryptoki, session, contextPin);
    return cryptoki.sign(session, input);
  }

  #withSession<T>(work: (cryptoki: Cryptoki, session: Handle) => T): Promise<T> {
    return this.#module.exclusive((cryptoki) => {
      try {
        return work(cryptoki, this.#openSession(cryptoki));
      } catch (error) {
        if (error instanceof Pkcs11Error && error.ckrCode !== undefined) this.#renewSession(cryptoki, error);
        throw error;
      }
    });
  }

  #openSession(cryptoki: Cryptoki): Handle {
    if (this.#session === undefined) {
      this.#session = cryptoki.openSession(this.#slot, { readWrite: false });
      if (this.#login.done && !cryptoki.isUserLoggedIn(this.#session)) this.#login.forget();
    }
    return this.#session;
  }

  /** Gives up the session after `error`; the next call, or this one, has a fresh one. */
  #renewSession(cryptoki: Cryptoki, error: unknown): void {
    const old = this.#session;
    this.#session = undefined;
    this.#keys.clear();
    try {
      this.#openSession(cryptoki);
      if (isLoginLost(error) && this.#login.done) {
        this.#login.forget();
        cryptoki.logout(this.#session!);
      }
    } catch {
      // The token is gone or failing: the next call opens the session, or says why it cannot.
    }
    if (old !== undefined) closeQuietly(cryptoki, old);
  }

  #keyHandle(cryptoki: Cryptoki, session: Handle, key: KeyIdentity): Handle {
    const name = JSON.stringify([key.algorithm, key.label, key.idHex]);
    let handle = this.#keys.get(name);
    if (handle === undefined) {
      handle = findPrivateKey(cryptoki, session, key);
      this.#keys.set(name, handle);
    }
    return handle;
  }
}

/** A session that is already dead cannot be closed; that is no failure of whoever gives it up. */
function closeQuietly(cryptoki: Cryptoki, session: Handle): void {
  try {
    cryptoki.closeSession(session);
  } catch {
    // gone with its token
  }
}
