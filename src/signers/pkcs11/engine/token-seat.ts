// One token in one place where its module runs: found, opened and logged in, and brought back after a fault.
// An attempt is one try to get there. Whoever uses the token does so under an attempt, and reports a fault of it; the first
// report starts the next attempt, the others find that it has begun. So a fault costs one recovery, however many suffer.

import type { EngineOptions } from './engine.js';
import { findToken } from './find-token.js';
import type { SignRequest, SlotHandle, TokenSummary } from './hosted-module.js';
import { lanePlan } from './lane-plan.js';
import type { Step } from './recovery.js';
import type { RunningModule, SupervisedModule } from './supervised-module.js';
import type { TokenLogin } from './token-login.js';

/** The token, ready: under this handle, in this run of the module. */
export interface OpenedToken {
  module: RunningModule;
  slot: SlotHandle;
  token: TokenSummary;
  sessions: number;
  /** Of the SupervisedModule. */
  version: number;
}

export interface Attempt {
  readonly opened: Promise<OpenedToken>;
  /** Set once it has succeeded. */
  ready?: OpenedToken;
  failed: boolean;
}

export class TokenSeat {
  readonly #module: SupervisedModule;
  readonly #login: TokenLogin;
  readonly #options: EngineOptions;
  #token: TokenSummary;
  #attempt: Attempt | undefined;

  constructor(module: SupervisedModule, token: TokenSummary, login: TokenLogin, options: EngineOptions) {
    this.#module = module;
    this.#token = token;
    this.#login = login;
    this.#options = options;
  }

  /** As it was when it was last looked for. */
  get token(): TokenSummary {
    return this.#token;
  }

  /** The token, if it is ready now. */
  get ready(): OpenedToken | undefined {
    const ready = this.#attempt?.ready;
    return ready?.version === this.#module.version ? ready : undefined;
  }

  /** The attempt that is under way or has succeeded; else a new one. */
  attempt(): Attempt {
    const current = this.#attempt;
    const isUsable =
      current !== undefined && !current.failed && (current.ready === undefined || this.ready !== undefined);
    return isUsable ? current : this.#begin(() => this.#open());
  }

  /** After a fault under `attempt`: `step`, and a new attempt behind it. */
  recover(step: Step, attempt: Attempt): void {
    if (attempt !== this.#attempt) return;
    const version = attempt.ready?.version ?? this.#module.version;
    this.#begin(async () => {
      const { ready } = attempt;
      if (step === 'login') return ready && this.#login.isWanted ? this.#loginAgain(ready) : this.#open();
      if (step === 'reinitialize') await this.#module.reinitialize(version);
      else await this.#module.replace(version);
      return this.#open();
    });
  }

  sign({ module, slot, token }: OpenedToken, request: SignRequest): Promise<Uint8Array> {
    const { contextPin } = request;
    if (contextPin === undefined) return module.sign(slot, request);
    return this.#login.forSignature(token, contextPin, () => module.sign(slot, request));
  }

  noteSuccess(): void {
    this.#module.noteSuccess();
  }

  async close(): Promise<void> {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    try {
      const opened = await attempt?.opened;
      if (opened && opened.version === this.#module.version) await opened.module.closeToken(opened.slot);
    } catch {
      // Never opened, or gone with its token or process: there is nothing left to close.
    }
  }

  #begin(open: () => Promise<OpenedToken>): Attempt {
    const opened = open();
    const attempt: Attempt = { opened, failed: false };
    this.#attempt = attempt;
    opened.then(
      (ready) => {
        attempt.ready = ready;
        this.#token = ready.token;
      },
      () => {
        attempt.failed = true;
      },
    );
    return attempt;
  }

  async #open(): Promise<OpenedToken> {
    const token = await findToken(this.#module, this.#token);
    const { version } = this.#module;
    const module = await this.#module.running();
    const plan = lanePlan(token, this.#options);
    await module.openToken(token.slotHandle, plan);
    if (this.#login.isWanted) await this.#login.into(module, token);
    return { module, slot: token.slotHandle, token, sessions: plan.sessions, version };
  }

  async #loginAgain(opened: OpenedToken): Promise<OpenedToken> {
    await opened.module.logout(opened.slot);
    await this.#login.into(opened.module, opened.token);
    return { ...opened };
  }
}
