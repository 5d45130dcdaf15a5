// Whether a PIN may be presented to a token. Invariant: a PIN that a token has refused is not presented to it again, not
// by another signer, child process or start of the program, until its user says so by deleting the record; and no try
// is spent where it is the last.
// A PIN is marked on disk before it is presented, and the mark goes when the answer comes. A mark that is found later is of
// a login that was cut off: it counts as a refusal where the token shows that a try was spent; else the PIN may be
// presented once more. What a context login (PKCS #11 §5.6.8, CKU_CONTEXT_SPECIFIC) presents, the token has taken at a
// login already, so it is not marked before.
// A guard of SO PINs has records of its own, and presents one without an answer not even once more: what it locks cannot
// be unlocked.

import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Pkcs11Error } from '../../../errors.js';
import { CKR } from '../constants.js';
import type { TokenName, TokenStatus } from '../engine/hosted-module.js';
import { isUnreadable } from '../engine/unreadable-token.js';
import { isPinRefusal } from '../errors.js';
import * as userPinErrors from './pin-errors.js';
import { pinFingerprint, sameFingerprint } from './pin-hash.js';
import { PinRecord, type PinUser } from './pin-record.js';
import { soPinErrors } from './so-pin-errors.js';

export { pinFingerprint, sameFingerprint } from './pin-hash.js';

export interface PinGuardOptions {
  /** Where the memory of refused PINs lives; by default under XDG_STATE_HOME. */
  directory?: string | undefined;
  /** Whose PINs are presented; default `user`. */
  user?: PinUser | undefined;
}

/** The token's state; as a function it is read when it is this process's turn, after others have spent tries. */
export type StatusSource = TokenStatus | (() => Promise<TokenStatus>);

/** The call failed on the way; whether the token has counted a try is not known. */
const UNKNOWN: ReadonlySet<number | undefined> = new Set([
  undefined, // the module's process died, or the deadline passed
  CKR.CKR_HOST_MEMORY,
  CKR.CKR_GENERAL_ERROR,
  CKR.CKR_FUNCTION_FAILED,
  CKR.CKR_DEVICE_ERROR,
  CKR.CKR_DEVICE_MEMORY,
  CKR.CKR_DEVICE_REMOVED,
]);

/** How often a PIN without an answer is presented. */
const PRESENTED_AT_MOST: Readonly<Record<PinUser, number>> = { user: 2, so: 1 };

export class PinGuard {
  readonly #chosenDirectory: string | undefined;
  readonly #user: PinUser;
  readonly #errors: typeof soPinErrors;
  /** Fingerprints, by record, of refused PINs that could not be written there. */
  readonly #unwritten = new Map<string, Uint8Array[]>();

  constructor(options: PinGuardOptions = {}) {
    this.#chosenDirectory = options.directory;
    this.#user = options.user ?? 'user';
    this.#errors = this.#user === 'so' ? soPinErrors : userPinErrors;
  }

  /**
   * Runs `present`, which is one C_Login with `pin`, or a C_InitToken with an SO PIN, unless the token has refused that PIN
   * before or has no try to spare by `status`. Its refusal is remembered, also across processes.
   *
   * Rejects as `present` does, or with a Pkcs11Error `pin-missing`, `pin-incorrect`, `pin-locked`, `token-error` or
   * `timeout`, or with a ConfigError where refusals cannot be remembered; then `present` has not run.
   */
  async login(
    token: TokenName,
    pin: string | undefined,
    status: StatusSource,
    present: () => Promise<void>,
  ): Promise<void> {
    const fresh = typeof status === 'function' ? status : async () => status;
    if ((await fresh()).ownKeypad) throw this.#errors.ownKeypad(nameOf(token));
    if (pin === undefined) throw this.#errors.pinMissing(nameOf(token));
    const record = this.#recordOf(token);
    // What `present` throws is carried out of the lock as a value, so that `kept` does not take it for a failure of the record.
    const failure = await kept(record, token, () =>
      record.locked(() => failureOf(() => this.#presentIfAllowed(token, record, pin, fresh, present))),
    );
    if (failure !== undefined) throw failure.error;
  }

  /** Runs `work`, a signature that presents `pin` to the token, under the same memory. */
  async contextLogin<T>(token: TokenName, pin: string, work: () => Promise<T>): Promise<T> {
    const record = this.#recordOf(token);
    const { refused } = await this.#lookUp(token, record, pin);
    if (refused) throw this.#errors.pinRefusedBefore(nameOf(token), record.path);
    try {
      return await work();
    } catch (error) {
      if (outcomeOf(token, error) === 'refused') {
        await this.#writeRefusal(token, pin, record, () => record.locked(() => record.markRefused(pin)));
      }
      throw error;
    }
  }

  /** Forgets what is known of `token`, e.g. because it was initialized and has another PIN. */
  async clear(token: TokenName): Promise<void> {
    const record = this.#recordOf(token);
    this.#unwritten.delete(record.path);
    await kept(record, token, () => record.locked(() => record.clear()));
  }

  async #presentIfAllowed(
    token: TokenName,
    record: PinRecord,
    pin: string,
    status: () => Promise<TokenStatus>,
    present: () => Promise<void>,
  ): Promise<void> {
    const name = nameOf(token);
    const { pin: state } = await status();
    const before = await this.#lookUp(token, record, pin);
    if (before.refused) throw this.#errors.pinRefusedBefore(name, record.path);
    if (state === 'locked') throw this.#errors.pinLocked(name);
    if (state === 'final-try') throw this.#errors.finalTry(name);
    if (before.pending >= PRESENTED_AT_MOST[this.#user] || (before.pending > 0 && state !== 'ok')) {
      throw this.#errors.pinUnanswered(name, record.path);
    }
    await kept(record, token, () => record.markPending(pin));
    await this.#present(token, record, pin, present);
  }

  /** The mark is on disk. Where the outcome cannot be written, it stays, which is the safe side. */
  async #present(
    token: TokenName,
    record: PinRecord,
    pin: string,
    present: () => Promise<void>,
  ): Promise<void> {
    const failure = await failureOf(present);
    const outcome = failure === undefined ? 'accepted' : outcomeOf(token, failure.error);
    if (outcome === 'refused') await this.#writeRefusal(token, pin, record, () => record.markRefused(pin));
    else if (outcome !== 'unknown') await record.unmark(pin).catch(() => {});
    if (failure !== undefined) throw failure.error;
  }

  async #lookUp(
    token: TokenName,
    record: PinRecord,
    pin: string,
  ): Promise<{ refused: boolean; pending: number }> {
    const fingerprint = pinFingerprint(token, pin);
    const unwritten = this.#unwritten.get(record.path) ?? [];
    if (unwritten.some((one) => sameFingerprint(one, fingerprint))) return { refused: true, pending: 0 };
    return kept(record, token, () => record.lookUp(pin));
  }

  /** A refusal that cannot be written is kept in memory: the caller is to see the token's error, not the file's. */
  async #writeRefusal(
    token: TokenName,
    pin: string,
    record: PinRecord,
    write: () => Promise<void>,
  ): Promise<void> {
    if ((await failureOf(write)) === undefined) return;
    const known = this.#unwritten.get(record.path) ?? [];
    this.#unwritten.set(record.path, [...known, pinFingerprint(token, pin)]);
  }

  #recordOf(token: TokenName): PinRecord {
    return new PinRecord(this.#chosenDirectory ?? defaultDirectory(), token, this.#user);
  }
}

const nameOf = (token: TokenName) => `token "${token.label}"`;

/** What `use` of the record gives. Its failures become errors that say what they mean for the PIN. */
async function kept<T>(record: PinRecord, token: TokenName, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (cause) {
    throw userPinErrors.memoryUnusable(nameOf(token), record.path, cause);
  }
}

async function failureOf(work: () => Promise<void>): Promise<{ error: unknown } | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** Read at each login: XDG Base Directory specification, where a relative path is ignored. */
function defaultDirectory(): string {
  const xdg = process.env.XDG_STATE_HOME;
  const state = xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'state');
  return join(state, 'erst-hsm', 'pins');
}

function outcomeOf(token: TokenName, error: unknown): 'refused' | 'not-judged' | 'unknown' {
  if (error instanceof TypeError || error instanceof RangeError) return 'not-judged'; // a bug found before any call
  if (isPinRefusal(error)) return 'refused';
  if (isUnreadable(token, error)) return 'not-judged';
  const code = error instanceof Pkcs11Error ? error.ckrCode : undefined;
  return UNKNOWN.has(code) ? 'unknown' : 'not-judged';
}
