// One token that is open: its sessions, the handles of its keys, and who may do what beside whom. Most calls share the
// token, each with a session of its own. A login, a logout, and a signature that takes the PIN between its C_SignInit and
// its C_Sign have the token to themselves (PKCS #11 v3.1 §5.6.8, CKU_CONTEXT_SPECIFIC; a call from another session ends it).
// Invariant: no session is closed, and no login ended, while a signature of it is in flight.

import { Pkcs11Error } from '../../../errors.js';
import { CKF_TOKEN, CKM, CKR, CKU } from '../constants.js';
import {
  mechanismOf,
  type SignRequest,
  type TokenOptions,
  type TokenStatus,
} from '../engine/hosted-module.js';
import { curedByNewSession, isLoginLost, returned } from '../errors.js';
import type { Handle } from './ck-types.js';
import type { Cryptoki } from './cryptoki.js';
import { KeyHandles } from './key-handles.js';
import type { LentSession } from './lent-session.js';
import { SessionPool } from './session-pool.js';
import { SharedLock } from './shared-lock.js';
import { hasOwnKeypad, pinStateOf } from './token-summary.js';

export class OpenToken {
  readonly #cryptoki: Cryptoki;
  readonly #slot: Handle;
  readonly #lock = new SharedLock();
  /** Taken before #lock. One key is made at a time, so that a label that was found free stays free until it is used. */
  readonly #writes = new SharedLock();
  readonly #pool: SessionPool;
  readonly #loginRequired: boolean;
  readonly #keys: KeyHandles;
  #blocking: boolean;
  #closed = false;

  /** Opens the anchor session. */
  constructor(cryptoki: Cryptoki, slot: Handle, options: TokenOptions) {
    this.#cryptoki = cryptoki;
    this.#slot = slot;
    this.#blocking = options.blocking;
    this.#loginRequired = (cryptoki.tokenInfo(slot).flags & CKF_TOKEN.LOGIN_REQUIRED) !== 0;
    this.#keys = new KeyHandles(cryptoki, this.#loginRequired);
    this.#pool = new SessionPool(cryptoki, slot, options.sessions);
  }

  setOptions({ sessions, blocking }: TokenOptions): Promise<void> {
    return this.#share('C_OpenSession', () => {
      this.#blocking = blocking;
      this.#pool.setLimit(sessions);
    });
  }

  status(): Promise<TokenStatus> {
    return this.#share('C_GetSessionInfo', () => {
      const { flags } = this.#cryptoki.tokenInfo(this.#slot);
      const loggedIn = this.#cryptoki.isUserLoggedIn(this.#pool.anchor());
      return { pin: pinStateOf(flags), ownKeypad: hasOwnKeypad(flags), loggedIn };
    });
  }

  login(pin: string): Promise<void> {
    return this.#exclude('C_Login', () => {
      const anchor = this.#pool.anchor();
      this.#keys.forget();
      this.#cryptoki.login(anchor, CKU.USER, pin);
    });
  }

  logout(): Promise<void> {
    return this.#exclude('C_Logout', () => {
      this.#keys.forget();
      try {
        this.#cryptoki.logout(this.#pool.anchor());
      } catch (error) {
        if (!isLoginLost(error)) throw error;
      }
    });
  }

  sign(request: SignRequest): Promise<Uint8Array> {
    return request.contextPin === undefined
      ? this.#share('C_Sign', () => this.#sign(request))
      : this.#exclude('C_Sign', () => this.#sign(request));
  }

  /** Runs `work`, which reads objects, with a session that nobody else uses meanwhile. */
  read<T>(work: (session: Handle) => T): Promise<T> {
    return this.#share('C_FindObjects', () => this.#pool.use(({ handle }) => work(handle)));
  }

  /** Runs `work`, which makes objects, with a read-write session. */
  write<T>(work: (session: Handle) => T | Promise<T>): Promise<T> {
    return this.#writes.exclude(() => this.#share('C_OpenSession', () => this.#pool.useWritable(work)));
  }

  /** Runs `work`, which deletes keys, with a read-write session while no signature is in flight. */
  deleteKeys<T>(work: (session: Handle) => T): Promise<T> {
    return this.#writes.exclude(() =>
      this.#exclude('C_DestroyObject', () => {
        this.#keys.forget();
        return this.#pool.useWritable(work);
      }),
    );
  }

  /** Runs `work` while no signature takes the PIN. */
  beside<T>(work: () => T | Promise<T>): Promise<T> {
    return this.#lock.share(work);
  }

  /** Closes the sessions, and with them the login, when the calls in flight have ended. */
  close(): Promise<void> {
    return this.#lock.exclude(() => {
      if (!this.#closed) this.#pool.close();
      this.#closed = true;
      this.#keys.forget();
    });
  }

  #share<T>(functionName: string, work: () => T | Promise<T>): Promise<T> {
    return this.#lock.share(() => {
      if (this.#closed) throw notOpen(functionName);
      return work();
    });
  }

  #exclude<T>(functionName: string, work: () => T | Promise<T>): Promise<T> {
    return this.#lock.exclude(() => {
      if (this.#closed) throw notOpen(functionName);
      return work();
    });
  }

  async #sign(request: SignRequest): Promise<Uint8Array> {
    try {
      return await this.#signOnce(request);
    } catch (error) {
      const curable = curedByNewSession(error);
      if (curable || isLoginLost(error)) this.#keys.forget(); // with the last session go the login and the handles
      if (!curable || isOfLogin(error)) throw error;
    }
    return this.#signOnce(request);
  }

  #signOnce(request: SignRequest): Uint8Array | Promise<Uint8Array> {
    return this.#pool.use((session) => {
      this.#begin(session, request);
      return this.#blocking
        ? session.signBlocking(this.#cryptoki, request.input)
        : session.signAsync(this.#cryptoki, request.input);
    });
  }

  /** C_SignInit and, for a key that wants it, the PIN. */
  #begin({ handle }: LentSession, { key, contextPin }: SignRequest): void {
    const keyHandle = this.#keys.find(handle, key);
    if (contextPin !== undefined) this.#refuseVainTry(handle);
    this.#cryptoki.signInit(handle, CKM[mechanismOf[key.algorithm]], keyHandle);
    if (contextPin !== undefined) this.#cryptoki.login(handle, CKU.CONTEXT_SPECIFIC, contextPin);
  }

  /** A PIN is not presented where the signature would fail all the same, or where the token may lock. */
  #refuseVainTry(session: Handle): void {
    if (this.#loginRequired && !this.#cryptoki.isUserLoggedIn(session)) {
      throw returned('C_SignInit', CKR.CKR_USER_NOT_LOGGED_IN); // OpenSC logs out after a wrong context PIN
    }
    const state = pinStateOf(this.#cryptoki.tokenInfo(this.#slot).flags);
    if (state !== 'final-try' && state !== 'locked') return;
    const reason =
      state === 'locked'
        ? 'is locked: unblock it with the PUK or SO PIN'
        : 'has one try left, which is not spent here: verify the PIN';
    throw new Pkcs11Error('pin-locked', `The token's PIN ${reason} with the vendor's tool`);
  }
}

/** The PIN was presented: whether it may be again is not decided here. */
const isOfLogin = (error: unknown): boolean =>
  error instanceof Pkcs11Error && error.functionName === 'C_Login';

/** The error for a call on a token that is not open, with the code that its closed sessions would give. */
export function notOpen(functionName: string): Pkcs11Error {
  return new Pkcs11Error(
    'token-error',
    `${functionName} was not called: the token is not open. Open it again`,
    {
      ckr: 'CKR_SESSION_HANDLE_INVALID',
      ckrCode: CKR.CKR_SESSION_HANDLE_INVALID,
      functionName,
    },
  );
}
