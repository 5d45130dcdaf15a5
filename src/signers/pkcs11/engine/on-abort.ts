// One listener for a signal, however much waits under it: Node warns of a leak at the eleventh.

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `callback` when `signal`, which is not aborted yet, is aborted. The function it gives takes `callback` off again. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let callbacks = waiting.get(signal);
  if (callbacks === undefined) {
    const added = new Set<() => void>();
    const callAll = () => {
      for (const call of [...added]) call();
    };
    signal.addEventListener('abort', callAll, { once: true });
    waiting.set(signal, added);
    callbacks = added;
  }
  callbacks.add(callback);
  return () => callbacks.delete(callback);
}
