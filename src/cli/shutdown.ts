// Ends a server on a signal: gracefully at the first one, at once at the second.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `npm start` delivers one Ctrl-C twice, from the terminal and from npm; what comes so close together is one. */
const SAME_PRESS_MS = 300;

/** Resolves at the first signal; a further one ends the process with 128 + the signal's number. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    for (const [i, signal] of SIGNALS.entries()) {
      process.on(signal, () => {
        const now = performance.now();
        if (firstAt === undefined) {
          firstAt = now;
          resolve(signal);
        } else if (now - firstAt > SAME_PRESS_MS) {
          process.exit(128 + [2, 15, 1][i]!);
        }
      });
    }
  });
}

/** How long what is left to do at the end may take. */
const HELD_MS = 2_000;

/**
 * Ends a process that is held up once there is nothing left to do: by a PKCS#11 module that runs in it and does not come
 * back. process.exit() would wait for the thread of that call.
 */
export function endThoughHeld(): void {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), HELD_MS).unref();
}
