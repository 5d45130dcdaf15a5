// First come, first served: one piece of work at a time.

/** Runs work one after the other, in the order of the calls. */
export class ExclusiveQueue {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Runs `work` when everything before it has ended. With an aborted `signal` the promise rejects with the signal's
   * reason: work that is still waiting is never started, work that has started ends before the next begins.
   */
  run<T>(work: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    const result = this.#last.then(() => {
      signal?.throwIfAborted();
      return work();
    });
    this.#last = result.catch(() => {});
    return signal === undefined ? result : untilAborted(result, signal);
  }
}

function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const forget = onAbort(signal, () => reject(signal.reason));
    result.then(resolve, reject).finally(forget);
  });
}

/** One listener for a signal, however much work waits under it: Node warns of a leak at the eleventh. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `callback` when `signal` is aborted, at once if it is already; the result takes it back. */
function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) callback();
  let callbacks = waiting.get(signal);
  if (callbacks === undefined) {
    const added = new Set<() => void>();
    const callAll = () => {
      for (const call of added) call();
    };
    signal.addEventListener('abort', callAll, { once: true });
    waiting.set(signal, added);
    callbacks = added;
  }
  callbacks.add(callback);
  return () => callbacks.delete(callback);
}
