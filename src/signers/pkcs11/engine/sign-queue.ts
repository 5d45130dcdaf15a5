// Signatures that wait for a lane: first come, first served, with a bound on how many and a deadline for each. One that
// recovers from a fault comes back to the head, beyond the bound.
// Invariant: each is settled once: by whoever took it, by its deadline while it waits, or by its signal at any time.

import { Pkcs11Error } from '../../../errors.js';
import type { SignRequest } from './hosted-module.js';
import { onAbort } from './on-abort.js';
import type { Step } from './recovery.js';

export interface QueueLimits {
  maxQueue: number;
  queueTimeoutMs: number;
}

const NO_STEPS: ReadonlySet<Step> = new Set();

export class QueuedSignature {
  readonly request: SignRequest;
  readonly result: Promise<Uint8Array>;
  readonly since = performance.now();
  /** The steps of recovery that it has had. */
  tried: ReadonlySet<Step> = NO_STEPS;
  #settled = false;
  #resolve!: (signature: Uint8Array) => void;
  #reject!: (reason: unknown) => void;
  #forgetSignal: (() => void) | undefined;

  constructor(request: SignRequest, signal: AbortSignal | undefined) {
    this.request = request;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal) this.#forgetSignal = onAbort(signal, () => this.reject(signal.reason));
  }

  get settled(): boolean {
    return this.#settled;
  }

  resolve(signature: Uint8Array): void {
    if (this.#settle()) this.#resolve(signature);
  }

  reject(reason: unknown): void {
    if (this.#settle()) this.#reject(reason);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#forgetSignal?.();
    return true;
  }
}

export class SignQueue {
  readonly #limits: QueueLimits;
  #waiting: QueuedSignature[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    this.#dropSettled();
    return this.#waiting.length === 0;
  }

  /** `signer-busy` where too many are waiting; the signal's reason where it is aborted. */
  add(request: SignRequest, signal: AbortSignal | undefined): QueuedSignature {
    signal?.throwIfAborted();
    if (this.#waiting.length >= this.#limits.maxQueue) this.#refuseWhenFull();
    const queued = new QueuedSignature(request, signal);
    this.#waiting.push(queued);
    this.#watch();
    return queued;
  }

  /** The next one that still wants its signature. */
  take(): QueuedSignature | undefined {
    this.#dropSettled();
    return this.#waiting.shift();
  }

  putBack(queued: QueuedSignature): void {
    this.#waiting.unshift(queued);
    this.#watch();
  }

  rejectAll(reason: unknown): void {
    for (const queued of this.#waiting.splice(0)) queued.reject(reason);
  }

  #refuseWhenFull(): void {
    this.#waiting = this.#waiting.filter((queued) => !queued.settled);
    const { maxQueue } = this.#limits;
    if (this.#waiting.length < maxQueue) return;
    throw new Pkcs11Error(
      'signer-busy',
      `${maxQueue} signatures are waiting for the token already: wait for some of them, or raise ERST_PKCS11_QUEUE`,
    );
  }

  #dropSettled(): void {
    while (this.#waiting[0]?.settled) this.#waiting.shift();
  }

  /** One timer for all: they are in the order of their deadlines. */
  #watch(): void {
    this.#timer ??= setTimeout(() => this.#expire(), this.#msLeft()).unref(); // what is signed keeps the process alive
  }

  #msLeft(): number {
    const head = this.#waiting[0];
    return head === undefined ? 0 : Math.max(1, head.since + this.#limits.queueTimeoutMs - performance.now());
  }

  #expire(): void {
    this.#timer = undefined;
    const { queueTimeoutMs } = this.#limits;
    const oldest = performance.now() - queueTimeoutMs;
    while (this.#waiting[0] !== undefined && (this.#waiting[0].settled || this.#waiting[0].since <= oldest)) {
      this.#waiting.shift()!.reject(tooLate(queueTimeoutMs));
    }
    if (this.#waiting.length > 0) this.#watch();
  }
}

function tooLate(queueTimeoutMs: number): Pkcs11Error {
  return new Pkcs11Error(
    'timeout',
    `The token did not get to this signature within ${queueTimeoutMs / 1000} s: ask for fewer at once, or see ` +
      'erst-hsm doctor for what holds it up',
  );
}
