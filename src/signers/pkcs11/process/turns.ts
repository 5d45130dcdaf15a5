// When a module's process signs and when it sends. Signatures that block the event loop are made in turns, between which
// answers leave and other calls come in. Answers leave together where the next ones are soon ready: a write costs both ends
// a good part of a signature, and the host verifies a group for less than its members. One that is slow holds up nobody.

/** How long signatures are started before the event loop runs. */
const TURN_MS = 3;
/** How long an answer may lie while others are made. */
const MAX_HOLD_MS = 3;
/** Started work is forgotten in lots of this many. */
const FORGET_AT = 256;

export class Turns {
  readonly #flush: () => void;
  readonly #waiting: (() => void)[] = [];
  #next = 0;
  #isRunning = false;
  /** When the oldest answer that has not been sent was ready. */
  #heldSince: number | undefined;
  #lastTookMs = Number.POSITIVE_INFINITY;

  constructor(flush: () => void) {
    this.#flush = flush;
  }

  /** Starts `work` in this turn or a later one, in order. */
  take(work: () => void): void {
    this.#waiting.push(work);
    if (this.#isRunning) return;
    this.#isRunning = true;
    process.nextTick(this.#run);
  }

  /** An answer is the first to lie. */
  flushSoon(): void {
    this.#heldSince = performance.now();
    setImmediate(this.#flushUnlessMore);
  }

  readonly #run = (): void => {
    const until = performance.now() + TURN_MS;
    let now = performance.now();
    while (this.#next < this.#waiting.length) {
      if (now > until) {
        setImmediate(this.#run);
        if (this.#next >= FORGET_AT) this.#forget();
        return;
      }
      if (this.#wouldHoldTooLong(now)) this.#send();
      this.#waiting[this.#next++]!();
      const after = performance.now();
      this.#lastTookMs = after - now;
      now = after;
    }
    this.#forget();
    this.#isRunning = false;
  };

  readonly #flushUnlessMore = (): void => {
    if (!this.#isRunning || this.#wouldHoldTooLong(performance.now())) this.#send();
    else if (this.#heldSince !== undefined) setImmediate(this.#flushUnlessMore);
  };

  #wouldHoldTooLong(now: number): boolean {
    return this.#heldSince !== undefined && now + this.#lastTookMs - this.#heldSince > MAX_HOLD_MS;
  }

  #send(): void {
    this.#heldSince = undefined;
    this.#flush();
  }

  #forget(): void {
    this.#waiting.splice(0, this.#next);
    this.#next = 0;
  }
}
