// Verification in small pieces: what came in during a turn of the event loop is verified in the next ones, each of which
// spends about TURN_MS on it, so that other work of this process is not held up.

const TURN_MS = 1;
/** Bytes that are hashed for a group; more takes a group of its own. */
const GROUP_BYTES = 65_536;

/** A signature that waits for its verification. */
export interface Unverified<T> {
  message: Uint8Array;
  signature: Uint8Array;
  settle(result: T): void;
  fail(error: unknown): void;
}

/** Verifies a group and settles each of it. */
export type VerifyGroup<T> = (group: readonly Unverified<T>[]) => void;

interface Lane {
  hasWork(): boolean;
  step(): void;
}

/** Keys whose signatures wait, in the order of their turns. */
const waiting: Lane[] = [];
let scheduled = false;

/** The signatures of one key that wait. */
export class VerificationLane<T> implements Lane {
  readonly #groupSize: number;
  readonly #verifyGroup: VerifyGroup<T>;
  #queue: Unverified<T>[] = [];
  #taken = 0;

  /** @param groupSize - how many are verified before the clock is looked at: about half a millisecond */
  constructor(groupSize: number, verifyGroup: VerifyGroup<T>) {
    this.#groupSize = groupSize;
    this.#verifyGroup = verifyGroup;
  }

  add(message: Uint8Array, signature: Uint8Array): Promise<T> {
    return new Promise((settle, fail) => {
      if (!this.hasWork()) waiting.push(this);
      this.#queue.push({ message, signature, settle, fail });
      schedule();
    });
  }

  hasWork(): boolean {
    return this.#taken < this.#queue.length;
  }

  step(): void {
    const group = this.#take();
    try {
      this.#verifyGroup(group);
    } catch (error) {
      for (const { fail } of group) fail(error); // of no effect on those that were settled
    }
  }

  #take(): readonly Unverified<T>[] {
    const start = this.#taken;
    let bytes = 0;
    while (this.hasWork() && this.#taken - start < this.#groupSize) {
      bytes += this.#queue[this.#taken]!.message.length;
      if (bytes > GROUP_BYTES && this.#taken > start) break;
      this.#taken++;
    }
    const group = this.#queue.slice(start, this.#taken);
    if (!this.hasWork()) {
      this.#queue = [];
      this.#taken = 0;
    }
    return group;
  }
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(turn);
}

function turn(): void {
  const endMs = performance.now() + TURN_MS;
  do {
    const lane = waiting.shift()!;
    lane.step();
    if (lane.hasWork()) waiting.push(lane);
  } while (waiting.length > 0 && performance.now() < endMs);
  scheduled = false;
  if (waiting.length > 0) schedule();
}
