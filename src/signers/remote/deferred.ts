// Promises that are settled from elsewhere, and waiting that ends.

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** A promise whose rejection nobody needs to await. */
export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

/**
 * What `work` gives, unless `signal` aborts (rejects with its reason) or `timeoutMs` pass (rejects with `timeoutError()`)
 * before. `work` itself goes on.
 */
export async function waitFor<T>(
  work: Promise<T>,
  options: { signal?: AbortSignal | undefined; timeoutMs?: number; timeoutError?: () => Error },
): Promise<T> {
  const { signal, timeoutMs, timeoutError } = options;
  work.catch(() => {}); // nobody hears of it any more once it is given up
  signal?.throwIfAborted();
  const givenUp = deferred<never>();
  const onAbort = () => givenUp.reject(signal!.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer =
    timeoutMs === undefined ? undefined : setTimeout(() => givenUp.reject(timeoutError?.()), timeoutMs);
  try {
    return await Promise.race([work, givenUp.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
