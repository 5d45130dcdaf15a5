// Calls that may run beside each other, and calls that must run alone: first come, first served, so that neither kind
// starves the other. Whoever holds a lock never waits for the same lock again.

interface Waiting {
  alone: boolean;
  start: () => void;
}

export class SharedLock {
  #sharing = 0;
  #excluding = false;
  readonly #waiting: Waiting[] = [];

  /** Runs `work` beside others that share; at once if nobody excludes it or waits to. */
  async share<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#excluding || this.#waiting.length > 0) await this.#turn(false);
    else this.#sharing++;
    try {
      return await work();
    } finally {
      this.#sharing--;
      this.#startNext();
    }
  }

  /** Runs `work` while nothing else runs under this lock. */
  async exclude<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#excluding || this.#sharing > 0 || this.#waiting.length > 0) await this.#turn(true);
    else this.#excluding = true;
    try {
      return await work();
    } finally {
      this.#excluding = false;
      this.#startNext();
    }
  }

  #turn(alone: boolean): Promise<void> {
    return new Promise((start) => void this.#waiting.push({ alone, start }));
  }

  #startNext(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || this.#excluding || (next.alone && this.#sharing > 0)) return;
      this.#waiting.shift();
      if (next.alone) this.#excluding = true;
      else this.#sharing++;
      next.start();
    }
  }
}
