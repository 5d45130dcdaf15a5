// One token as all its users in this process share it: a queue in front, and behind it a seat in each process that holds
// the module. A signature goes to the seat that has least to do; after a fault it goes back to the head of the queue and
// to whichever seat is ready first.
//
//   users ──▶ SignQueue ──▶ TokenSeat ──▶ HostedModule   anchor session (login) + lent sessions
//                      └──▶ TokenSeat ──▶ HostedModule   the same in another process
//
// Invariant: at most `sessions` signatures are in a module at once, and some more wait there where the token is so quick
// that the way through the pipe would otherwise leave it idle.

import { Pkcs11Error } from '../../../errors.js';
import type { EngineOptions } from './engine.js';
import type { SignRequest, TokenSummary } from './hosted-module.js';
import { isKeyGone, nextStep, type Step } from './recovery.js';
import { type QueuedSignature, type QueueLimits, SignQueue } from './sign-queue.js';
import type { SupervisedModule } from './supervised-module.js';
import type { TokenLogin } from './token-login.js';
import { type Attempt, type OpenedToken, TokenSeat } from './token-seat.js';

/** A signature that takes less is quicker than the pipe can be relied on to be. */
const QUICK_MS = 5;
const WAITING_IN_MODULE = 96;
/** Of slow ones, so many fewer: who waits there cannot be called back. */
const SESSIONS_TO_ONE_WAITING = 8;
/** How much one measurement counts in the running mean. */
const WEIGHT = 0.1;
/** A key that was deleted costs the other keys of its token a C_Finalize, but not at each signature. */
const KEY_GONE_PAUSE_MS = 5_000;

interface Lane {
  seat: TokenSeat;
  inFlight: number;
}

export class SharedToken {
  readonly #lanes: Lane[];
  readonly #queue: SignQueue;
  readonly #login: TokenLogin;
  readonly #canReplace: boolean;
  #meanMs = QUICK_MS;
  /** When a module was last initialized anew for a key that was gone, and under which attempt it was. */
  #keyGone: { attempt: Attempt; sinceMs: number } | undefined;
  users = 0;

  constructor(
    modules: readonly SupervisedModule[],
    token: TokenSummary,
    login: TokenLogin,
    options: EngineOptions & QueueLimits,
  ) {
    this.#login = login;
    this.#canReplace = !options.inProcess;
    this.#queue = new SignQueue(options);
    this.#lanes = modules.map((module) => ({
      seat: new TokenSeat(module, token, login, options),
      inFlight: 0,
    }));
  }

  get token(): TokenSummary {
    return this.#first.token;
  }

  get login(): TokenLogin {
    return this.#login;
  }

  /** Opens the token in the first process, and logs in. */
  open(): Promise<void> {
    return this.call(({ module, token }) => this.#login.into(module, token));
  }

  sign(request: SignRequest, signal: AbortSignal | undefined): Promise<Uint8Array> {
    try {
      const queued = this.#queue.add(request, signal);
      this.#pump();
      return queued.result;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Makes a call that may be repeated, with recovery between. */
  async call<T>(work: (opened: OpenedToken) => Promise<T>): Promise<T> {
    const tried = new Set<Step>();
    let crash: unknown;
    for (;;) {
      const attempt = this.#first.attempt();
      try {
        return await work(await attempt.opened);
      } catch (error) {
        const step = this.#nextStep(error, tried, attempt);
        // A PIN whose fate a crash has left open is refused in the end; the crash says more.
        if (step === undefined) throw isRefusedUntried(error) ? (crash ?? error) : error;
        if (step.endsWith('process')) crash = error;
        tried.add(step);
        this.#first.recover(step, attempt);
      }
    }
  }

  /** Makes a call that changes the token, once. */
  async callOnce<T>(work: (opened: OpenedToken) => Promise<T>): Promise<T> {
    return work(await this.#first.attempt().opened);
  }

  async close(reason: unknown): Promise<void> {
    this.#queue.rejectAll(reason);
    await Promise.all(this.#lanes.map(({ seat }) => seat.close()));
  }

  get #first(): TokenSeat {
    return this.#lanes[0]!.seat;
  }

  #pump(): void {
    for (;;) {
      if (this.#queue.isEmpty) return;
      const lane = this.#freeLane();
      if (lane === undefined) return;
      const queued = this.#queue.take();
      if (queued !== undefined) void this.#run(lane, queued);
    }
  }

  /**
   * The ready seat with least to do. Where all are busy, one more is opened, one at a time: modules that are loaded in
   * several processes at once can fail to log in.
   */
  #freeLane(): Lane | undefined {
    let best: Lane | undefined;
    let isOpening = false;
    let unopened: Lane | undefined;
    for (const lane of this.#lanes) {
      const { ready } = lane.seat;
      if (ready === undefined) {
        if (lane.inFlight > 0) isOpening = true;
        else unopened ??= lane;
      } else if (
        lane.inFlight < this.#capacity(ready) &&
        (best === undefined || lane.inFlight < best.inFlight)
      ) {
        best = lane;
      }
    }
    const isBusy = best === undefined || best.inFlight >= best.seat.ready!.sessions;
    return isBusy && !isOpening && unopened ? unopened : (best ?? this.#doorOfOpening());
  }

  /** Where no seat is ready, a few wait for the one that opens. */
  #doorOfOpening(): Lane | undefined {
    if (this.#lanes.some(({ seat }) => seat.ready)) return undefined;
    return this.#lanes.find(({ inFlight }) => inFlight > 0 && inFlight < WAITING_IN_MODULE);
  }

  #capacity({ sessions }: OpenedToken): number {
    const waiting =
      this.#meanMs < QUICK_MS ? WAITING_IN_MODULE : Math.floor(sessions / SESSIONS_TO_ONE_WAITING);
    return sessions + waiting;
  }

  async #run(lane: Lane, queued: QueuedSignature): Promise<void> {
    const attempt = lane.seat.attempt();
    lane.inFlight++;
    try {
      const opened = attempt.ready ?? (await attempt.opened);
      const started = performance.now();
      const signature = await lane.seat.sign(opened, queued.request);
      this.#noteTime((performance.now() - started) / Math.max(1, lane.inFlight / opened.sessions));
      lane.seat.noteSuccess();
      queued.resolve(signature);
    } catch (error) {
      this.#failed(lane.seat, attempt, queued, error);
    }
    lane.inFlight--;
    this.#pump();
  }

  #failed(seat: TokenSeat, attempt: Attempt, queued: QueuedSignature, error: unknown): void {
    const step = queued.settled ? undefined : this.#nextStep(error, queued.tried, attempt);
    if (step !== undefined) {
      queued.tried = new Set([...queued.tried, step]);
      seat.recover(step, attempt);
      this.#queue.putBack(queued);
      return;
    }
    queued.reject(error);
    // Those that wait would find the same: what failed is the token, not the signature.
    if (attempt.failed && !this.#lanes.some((lane) => lane.seat.ready)) this.#queue.rejectAll(error);
  }

  #nextStep(error: unknown, tried: ReadonlySet<Step>, attempt: Attempt): Step | undefined {
    const step = nextStep(error, tried);
    if (step?.endsWith('process') && !this.#canReplace) return undefined;
    return step !== undefined && isKeyGone(error) && !this.#mayLookAnew(attempt) ? undefined : step;
  }

  #mayLookAnew(attempt: Attempt): boolean {
    const now = performance.now();
    const last = this.#keyGone;
    if (last?.attempt === attempt) return true; // the others that suffered: one pass for all
    if (last !== undefined && now - last.sinceMs < KEY_GONE_PAUSE_MS) return false;
    this.#keyGone = { attempt, sinceMs: now };
    return true;
  }

  #noteTime(ms: number): void {
    this.#meanMs += (ms - this.#meanMs) * WEIGHT;
  }
}

/** PinGuard has refused it; the token was not asked. */
const isRefusedUntried = (error: unknown): boolean =>
  error instanceof Pkcs11Error && error.code === 'pin-incorrect' && error.ckrCode === undefined;
