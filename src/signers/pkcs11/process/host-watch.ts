// Ends this process when the host is gone, even by kill -9 and even while the main thread is in a C_ call that never
// returns: a thread with an event loop of its own waits for the end of a pipe whose other end only the host has.

import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { LIFELINE_FD } from './descriptors.js';

/** Resolves once the thread, which runs `program`, is watching. */
export async function startHostWatch(program: URL): Promise<void> {
  const worker = new Worker(program, { resourceLimits: { maxOldGenerationSizeMb: 16 } });
  worker.on('exit', endNow);
  await new Promise((resolve, reject) => worker.once('online', resolve).once('error', reject));
  worker.unref();
}

/** The thread's part. */
export function endWithHost(): void {
  new Socket({ fd: LIFELINE_FD, readable: true })
    .on('error', () => {})
    .on('close', endNow)
    .resume();
}

/** Without destructors and exit handlers of the module. */
export const endNow = (): void => void process.kill(process.pid, 'SIGKILL');
