// When a module's process signs and when it sends. Signatures that block the event loop are made in turns, between which
// answers leave and other calls come in. The answers of a turn leave together: a write costs both ends a good part of a
// signature, and the host verifies a group for less than its members. A turn ends at half of what waits, so that the host
// has done its part for one half when the other is made.

/** How long signatures are started before the event loop runs: a slow one has a turn of its own. */
const TURN_MS = 8;
/** Started work is forgotten in lots of this many. */
const FORGET_AT = 256;

export class Turns {
  readonly #flush: () => void;
  readonly #waiting: (() => void)[] = [];
  #next = 0;
  #isRunning = false;

  constructor(flush: () => void) {
    this.#flush = flush;
  }

  /** Starts `work` in this turn or a later one, in order. */
  take(work: () => void): void {
    this.#waiting.push(work);
    if (this.#isRunning) return;
    this.#isRunning = true;
    process.nextTick(this.#turn);
  }

  /** An answer is the first to lie. */
  flushSoon(): void {
    if (!this.#isRunning) setImmediate(this.#flush);
  }

  readonly #turn = (): void => {
    this.#flush(); // what the last turn has made
    const untilMs = performance.now() + TURN_MS;
    const last = this.#next + Math.ceil((this.#waiting.length - this.#next) / 2);
    do {
      this.#waiting[this.#next++]!();
    } while (this.#next < last && performance.now() < untilMs);
    this.#isRunning = this.#next < this.#waiting.length;
    if (this.#isRunning) setImmediate(this.#turn);
    if (!this.#isRunning || this.#next >= FORGET_AT) this.#forget();
  };

  #forget(): void {
    this.#waiting.splice(0, this.#next);
    this.#next = 0;
  }
}
