// The login of the user on one token, for every process that holds it open.
// PKCS#11 keeps one login for a process and token, and a second C_Login gives CKR_USER_ALREADY_LOGGED_IN whatever its PIN,
// which is no check of it. So whoever comes second must present the PIN that was accepted (compared by fingerprint).
// Which PIN may be tried at all is PinGuard's to say.

import { Pkcs11Error, SignerError } from '../../../errors.js';
import { CKR } from '../constants.js';
import { type PinGuard, pinFingerprint, sameFingerprint } from '../pin/pin-guard.js';
import type { PinReader } from './engine.js';
import type { HostedModule, TokenStatus, TokenSummary } from './hosted-module.js';
import { isSoftware } from './lane-plan.js';
import { whileUnreadable } from './unreadable-token.js';

export class TokenLogin {
  readonly #guard: PinGuard;
  readonly #readers = new Set<PinReader>();
  #fingerprint: Uint8Array | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(guard: PinGuard) {
    this.#guard = guard;
  }

  /** Whether anybody wants the token logged in. */
  get isWanted(): boolean {
    return this.#readers.size > 0;
  }

  /**
   * Adds a user of the login, whose PIN is asked for from now on. It must be the PIN that was accepted, where the token is
   * logged in; else `open` logs in with it.
   */
  add(token: TokenSummary, reader: PinReader, open: () => Promise<unknown>): Promise<void> {
    const added = this.#turn.then(() => this.#add(token, reader, open));
    this.#turn = added.catch(() => {});
    return added;
  }

  remove(reader: PinReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#fingerprint = undefined;
  }

  /** Takes one away from a token that others use without a login; `logOut` where nobody is left who wants one. */
  leave(reader: PinReader, logOut: () => Promise<void>): Promise<void> {
    const left = this.#turn.then(async () => {
      const wasWanted = this.isWanted;
      this.remove(reader);
      if (wasWanted && !this.isWanted) await logOut();
    });
    this.#turn = left.catch(() => {});
    return left;
  }

  /** Logs in through `module`, where nobody has; the token is open there. */
  async into(module: HostedModule, token: TokenSummary): Promise<void> {
    if (token.loginRequired) await whileUnreadable(token, () => this.#into(module, token));
  }

  async #into(module: HostedModule, token: TokenSummary): Promise<void> {
    const status = await module.tokenStatus(token.slotHandle);
    if (status.loggedIn) {
      if (this.#fingerprint === undefined) throw loggedInByOthers(token);
      return;
    }
    if (!this.isWanted)
      throw new SignerError('signer-closed', 'The signer was closed while its login was made again');
    const pin = await this.#read();
    const freshStatus = async () => {
      const fresh = await module.tokenStatus(token.slotHandle);
      this.#refuseSpent(token, pin, fresh);
      return fresh;
    };
    await this.#guard.login(token, pin, freshStatus, () => module.login(token.slotHandle, pin!));
    this.#fingerprint = pinFingerprint(token, pin!);
  }

  /** Runs `work`, which presents `pin` for one signature. */
  forSignature<T>(token: TokenSummary, pin: string, work: () => Promise<T>): Promise<T> {
    return this.#guard.contextLogin(token, pin, work);
  }

  /**
   * Some modules keep the PIN and present it themselves when they find the card reset. If it was changed elsewhere, that
   * has spent a try of it already: the token counts a wrong PIN since ours was accepted, so ours is not presented again.
   */
  #refuseSpent(token: TokenSummary, pin: string | undefined, status: TokenStatus): void {
    if (pin === undefined || this.#fingerprint === undefined || status.pin === 'ok' || isSoftware(token))
      return;
    if (!sameFingerprint(this.#fingerprint, pinFingerprint(token, pin))) return;
    throw new Pkcs11Error(
      'pin-incorrect',
      `The token "${token.label}" has been given a wrong PIN since it accepted ours, which may not be right any more and is ` +
        "not tried again. See that it is right, then verify it once with the vendor's tool, or open the signer again",
    );
  }

  async #add(token: TokenSummary, reader: PinReader, open: () => Promise<unknown>): Promise<void> {
    if (this.#fingerprint !== undefined) await this.#compare(token, reader, this.#fingerprint);
    this.#readers.add(reader);
    try {
      await open();
    } catch (error) {
      this.remove(reader);
      throw error;
    }
  }

  async #compare(token: TokenSummary, reader: PinReader, accepted: Uint8Array): Promise<void> {
    const pin = await reader.read();
    if (pin !== undefined && sameFingerprint(accepted, pinFingerprint(token, pin))) return;
    throw new Pkcs11Error(
      pin === undefined ? 'pin-missing' : 'pin-incorrect',
      `This process is logged in to the token "${token.label}" with another PIN: give the same one. No try was spent`,
    );
  }

  async #read(): Promise<string | undefined> {
    for (const reader of this.#readers) {
      const pin = await reader.read();
      if (pin !== undefined) return pin;
    }
    return undefined;
  }
}

function loggedInByOthers(token: TokenSummary): Pkcs11Error {
  return new Pkcs11Error(
    'token-error',
    `Other code in this process has logged in to the token "${token.label}", so the PIN given here cannot be checked. ` +
      'Let the module run in a process of its own (without ERST_PKCS11_IN_PROCESS), or use no other PKCS#11 code here',
    { ckr: 'CKR_USER_ALREADY_LOGGED_IN', ckrCode: CKR.CKR_USER_ALREADY_LOGGED_IN, functionName: 'C_Login' },
  );
}
