// The calls that a child has yet to answer, and which of them are late. Time is counted in ticks of a timer, 20 to the
// time-out, so that the time during which this process itself stood still (suspended, stopped in a debugger, busy) does
// not count against the child.

import type { Method } from './calls.js';

const TICKS = 20;

export interface Call {
  /** `boot`: the child's program is running; `load`: the module is loaded and initialized. */
  readonly method: Method | 'boot' | 'load';
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

interface Entry {
  call: Call;
  /** The tick at which the call is late. */
  lateAt: number;
}

export class CallsInFlight {
  readonly #entries = new Map<number, Entry>();
  readonly #timeoutMs: number;
  readonly #onLate: (late: readonly Call[]) => void;
  readonly #onBusy: (isBusy: boolean) => void;
  #tick = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `onLate` is told of calls that outlived their time; `onBusy` when the first one comes and the last one goes. */
  constructor(timeoutMs: number, onLate: (late: readonly Call[]) => void, onBusy: (isBusy: boolean) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onLate = onLate;
    this.#onBusy = onBusy;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** `patience`: how many times the time-out the call may take. */
  add(id: number, call: Call, patience = 1): void {
    if (this.#entries.size === 0) this.#onBusy(true);
    // The running tick has begun already.
    this.#entries.set(id, { call, lateAt: this.#tick + patience * TICKS + 1 });
    this.#timer ??= setInterval(() => this.#next(), this.#timeoutMs / TICKS).unref();
  }

  /** Takes out the call with this id. */
  take(id: number): Call | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    if (this.#entries.size === 0) this.#onBusy(false);
    return entry.call;
  }

  /** Takes out all calls, oldest first. */
  takeAll(): Call[] {
    const calls = [...this.#entries.values()].map(({ call }) => call);
    this.#entries.clear();
    if (calls.length > 0) this.#onBusy(false);
    this.#stop();
    return calls;
  }

  #next(): void {
    this.#tick++;
    if (this.#entries.size === 0) this.#stop();
    const late = [...this.#entries.values()].filter(({ lateAt }) => lateAt <= this.#tick);
    if (late.length > 0) this.#onLate(late.map(({ call }) => call));
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
