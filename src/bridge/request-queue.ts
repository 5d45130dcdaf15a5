// Which requests may wait, and which run: bounds per connection, in total and in bytes; a few at a time for each key, in
// order of arrival; a deadline for each.

import type { BridgeLimits } from './limits.js';
import { WireError } from './wire-error.js';

/** What a request holds while it is in the bridge. */
export interface Admission {
  /** Aborts at the request's deadline, and when the bridge gives up its work. */
  readonly signal: AbortSignal;
  done(): void;
}

export class RequestQueue {
  readonly #limits: BridgeLimits;
  readonly #keys = new Map<string, KeySlots>();
  readonly #admitted = new Set<AbortController>();
  #bytes = 0;
  #closing = false;
  #whenIdle: (() => void)[] = [];

  constructor(limits: BridgeLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#admitted.size;
  }

  /** Lets a request of `bytes` in, beside `ofConnection` others of its connection; `WireError` bridge-busy where it is too much. */
  admit(ofConnection: number, bytes: number): Admission {
    if (this.#closing) throw new WireError('bridge-busy', 'the bridge is shutting down; connect again later');
    const { maxRequestsPerConnection, maxRequests, maxRequestsBytes, requestTimeoutMs } = this.#limits;
    if (
      ofConnection >= maxRequestsPerConnection ||
      this.#admitted.size >= maxRequests ||
      this.#bytes + bytes > maxRequestsBytes
    ) {
      throw new WireError('bridge-busy', 'too many requests are waiting; try again when some are answered');
    }
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), requestTimeoutMs);
    this.#admitted.add(controller);
    this.#bytes += bytes;
    return {
      signal: controller.signal,
      done: () => {
        clearTimeout(timer);
        if (!this.#admitted.delete(controller)) return;
        this.#bytes -= bytes;
        if (this.#admitted.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
      },
    };
  }

  /**
   * Runs `work` when the key has a slot. Rejects with `WireError` timeout at the deadline, also where `work` does not
   * heed the signal; its slot is then taken until it ends all the same.
   */
  async run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const slots = this.#slotsOf(key);
    await slots.take(signal);
    const running = (async () => work())().finally(() => slots.give());
    return untilAborted(running, signal);
  }

  /** Lets nothing more in. */
  close(): void {
    this.#closing = true;
  }

  /** Resolves once no request is in the bridge, and not before. */
  idle(): Promise<void> {
    if (this.#admitted.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Ends the waiting of every request that is in the bridge. */
  abortAll(): void {
    for (const controller of this.#admitted) controller.abort();
  }

  #slotsOf(key: string): KeySlots {
    const slots = this.#keys.get(key) ?? new KeySlots(this.#limits.maxRunningPerKey);
    this.#keys.set(key, slots);
    return slots;
  }
}

class KeySlots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  async take(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw timedOut();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const granted = () => {
        signal.removeEventListener('abort', gaveUp);
        resolve();
      };
      const gaveUp = () => {
        this.#waiting.delete(granted);
        reject(timedOut());
      };
      this.#waiting.add(granted);
      signal.addEventListener('abort', gaveUp, { once: true });
    });
  }

  give(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(timedOut());
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    work
      .then(resolve, (error) => reject(signal.aborted ? timedOut() : error))
      .finally(() => {
        signal.removeEventListener('abort', abort);
      });
  });
}

const timedOut = () => new WireError('timeout', 'the request was not done in time; try again');
