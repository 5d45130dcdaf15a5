// Which requests may wait, and which run: bounds per connection, in total and in bytes; a few messages at a time for each
// key (key-slots.ts); a deadline for each.

import { KeySlots } from './key-slots.js';
import type { BridgeLimits } from './limits.js';
import { WireError } from './wire-error.js';

/** What a request holds while it is in the bridge. */
export interface Admission {
  /** Aborts at the request's deadline, when its connection ends, and when the bridge gives up its work; the reason is a `WireError`. */
  readonly signal: AbortSignal;
  abort(reason: WireError): void;
  done(): void;
}

/** What a request wants of a key. */
export interface Run {
  key: string;
  /** Who takes turns with others at the key. */
  client: string;
  messages: number;
  signal: AbortSignal;
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
    const timer = setTimeout(() => controller.abort(timedOut()), requestTimeoutMs);
    this.#admitted.add(controller);
    this.#bytes += bytes;
    return {
      signal: controller.signal,
      abort: (reason) => controller.abort(reason),
      done: () => {
        clearTimeout(timer);
        if (!this.#admitted.delete(controller)) return;
        this.#bytes -= bytes;
        if (this.#admitted.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
      },
    };
  }

  /**
   * Runs `work`, which has the key sign `messages` for `client`, when the key has room for them. Rejects with the signal's
   * reason when that is aborted, also where `work` does not heed it; its slots are then taken until it ends all the same.
   */
  async run<T>({ key, client, messages, signal }: Run, work: () => Promise<T>): Promise<T> {
    const giveBack = await this.#slotsOf(key).take(client, messages, signal);
    const running = (async () => work())().finally(giveBack);
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
    for (const controller of this.#admitted) controller.abort(timedOut());
  }

  #slotsOf(key: string): KeySlots {
    const slots = this.#keys.get(key) ?? new KeySlots(this.#limits.maxRunningPerKey);
    this.#keys.set(key, slots);
    return slots;
  }
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    work
      .then(resolve, (error) => reject(signal.aborted ? signal.reason : error))
      .finally(() => {
        signal.removeEventListener('abort', abort);
      });
  });
}

const timedOut = () => new WireError('timeout', 'the request was not done in time; try again');
