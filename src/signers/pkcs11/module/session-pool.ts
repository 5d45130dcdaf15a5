// The sessions of one token. One of them, the anchor, holds the login, which lives as long as any session does, and does
// nothing else. The others are lent, each to one caller at a time, because a session holds at most one operation and one
// that has failed may be left with it. They are opened when wanted, up to a limit.
// Where the token has no further session (CKR_SESSION_COUNT), callers wait for those that there are, and a token with a
// single session lends its anchor.

import { Pkcs11Error } from '../../../errors.js';
import { CKR } from '../constants.js';
import { isSessionDead } from '../errors.js';
import type { Handle } from './ck-types.js';
import type { Cryptoki } from './cryptoki.js';
import { LentSession } from './lent-session.js';

/** How long a token that had no further session is not asked for one: other programs may have closed theirs by then. */
const FULL_FOR_MS = 1000;

interface Waiting {
  lend: (session: LentSession) => void;
  fail: (error: unknown) => void;
}

export class SessionPool {
  readonly #cryptoki: Cryptoki;
  readonly #slot: Handle;
  readonly #free: LentSession[] = [];
  readonly #waiting: Waiting[] = [];
  #limit: number;
  #anchor: Handle;
  /** Lent or free. */
  #open = 0;
  #fullUntilMs = Number.NEGATIVE_INFINITY;

  /** Opens the anchor session. */
  constructor(cryptoki: Cryptoki, slot: Handle, limit: number) {
    this.#cryptoki = cryptoki;
    this.#slot = slot;
    this.#limit = limit;
    this.#anchor = this.#openSession();
  }

  /** The anchor session; a fresh one, without a login, where the old one has died. */
  anchor(): Handle {
    try {
      this.#cryptoki.isUserLoggedIn(this.#anchor);
    } catch (error) {
      if (!isSessionDead(error)) throw error;
      this.closeFree();
      this.#anchor = this.#openSession();
    }
    return this.#anchor;
  }

  setLimit(limit: number): void {
    this.#limit = limit;
    this.#fullUntilMs = Number.NEGATIVE_INFINITY;
    while (this.#open > limit && this.#free.length > 0) this.#drop(this.#free.pop()!);
    this.#serveWaiting();
  }

  /**
   * Runs `work` with a session for it alone: at once where one is free or may be opened. Work that does not wait has given
   * its session back when this returns. After an error the session is given up.
   */
  use<T>(work: (session: LentSession) => T | Promise<T>): T | Promise<T> {
    const lent = this.#lend();
    return lent instanceof Promise ? lent.then((session) => this.#run(session, work)) : this.#run(lent, work);
  }

  /** Runs `work` with a read-write session. Where the token has no further session, those that nobody uses make room. */
  async useWritable<T>(work: (session: Handle) => T | Promise<T>): Promise<T> {
    const session = this.#openWritable();
    try {
      return await work(session);
    } finally {
      closeQuietly(this.#cryptoki, session);
    }
  }

  /** Closes the sessions that nobody uses, but for the anchor. */
  closeFree(): void {
    for (const session of this.#free.splice(0)) this.#drop(session);
  }

  /** Closes everything; nothing is lent. */
  close(): void {
    this.closeFree();
    closeQuietly(this.#cryptoki, this.#anchor);
  }

  #run<T>(session: LentSession, work: (session: LentSession) => T | Promise<T>): T | Promise<T> {
    const giveUp = (error: unknown): never => {
      this.#giveUp(session, error);
      throw error;
    };
    const giveBack = (result: T): T => {
      this.#giveBack(session);
      return result;
    };
    let result: T | Promise<T>;
    try {
      result = work(session);
    } catch (error) {
      return giveUp(error);
    }
    return result instanceof Promise ? result.then(giveBack, giveUp) : giveBack(result);
  }

  #lend(): LentSession | Promise<LentSession> {
    const session = this.#free.pop() ?? this.#openAnother();
    if (session !== undefined) return session;
    return new Promise((lend, fail) => void this.#waiting.push({ lend, fail }));
  }

  /** Takes back a session that is as good as new. */
  #giveBack(session: LentSession): void {
    if (this.#open > this.#limit) this.#drop(session);
    else {
      const next = this.#waiting.shift();
      if (next !== undefined) next.lend(session);
      else this.#free.push(session);
    }
  }

  /**
   * Closes a session after `error`. A dead one is not closed, for its number may be another's by now; those that are free
   * have died with it, and are closed before any is opened.
   */
  #giveUp(session: LentSession, error: unknown): void {
    this.#fullUntilMs = Number.NEGATIVE_INFINITY;
    this.#open--;
    const isDead = isSessionDead(error);
    if (isDead) this.closeFree();
    if (session.handle === this.#anchor) this.#replaceAnchor();
    else if (!isDead) closeQuietly(this.#cryptoki, session.handle);
    this.#serveWaiting();
  }

  /** Where no session can be opened, those who wait are told; they would wait for ever. */
  #serveWaiting(): void {
    while (this.#waiting.length > 0) {
      try {
        const session = this.#openAnother();
        if (session === undefined) return;
        this.#waiting.shift()!.lend(session);
      } catch (error) {
        this.#waiting.shift()!.fail(error);
      }
    }
  }

  #openAnother(): LentSession | undefined {
    const isFull = this.#open > 0 && performance.now() < this.#fullUntilMs;
    if (this.#open >= this.#limit || isFull) return undefined;
    try {
      return this.#counted(this.#openSession());
    } catch (error) {
      if (!hasNoFurtherSession(error)) throw error;
      this.#fullUntilMs = performance.now() + FULL_FOR_MS;
      return this.#open === 0 ? this.#counted(this.#anchor) : undefined;
    }
  }

  #counted(handle: Handle): LentSession {
    this.#open++;
    return new LentSession(handle);
  }

  /** The anchor is not closed with the others, though it may be lent like them. */
  #drop(session: LentSession): void {
    this.#open--;
    if (session.handle !== this.#anchor) closeQuietly(this.#cryptoki, session.handle);
  }

  /** The login goes with the anchor where it is the token's only session. */
  #replaceAnchor(): void {
    closeQuietly(this.#cryptoki, this.#anchor);
    try {
      this.#anchor = this.#openSession();
    } catch {
      // The next use of the anchor finds it dead, and says why no other can be opened.
    }
  }

  #openSession(): Handle {
    return this.#cryptoki.openSession(this.#slot, { readWrite: false });
  }

  #openWritable(): Handle {
    try {
      return this.#cryptoki.openSession(this.#slot, { readWrite: true });
    } catch (error) {
      if (!hasNoFurtherSession(error)) throw error;
      this.closeFree();
      return this.#cryptoki.openSession(this.#slot, { readWrite: true });
    }
  }
}

const hasNoFurtherSession = (error: unknown): boolean =>
  error instanceof Pkcs11Error && error.ckrCode === CKR.CKR_SESSION_COUNT;

/** A session that is already dead cannot be closed; that is no failure of whoever gives it up. */
export function closeQuietly(cryptoki: Cryptoki, session: Handle): void {
  try {
    cryptoki.closeSession(session);
  } catch {
    // gone with its token
  }
}
