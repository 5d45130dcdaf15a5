// Starts the process that holds a module, with two pipes beside the usual three: one for frames, and one that carries
// nothing and whose end tells the child that this process is gone.
// Invariant: none of it keeps the event loop alive but what `child.ref()` says.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { childEnvironment, type Environment } from './child-environment.js';
import { crashed } from './child-exit.js';
import { childFile } from './child-file.js';
import { FRAMES_FD, LIFELINE_FD } from './descriptors.js';

export interface SpawnOptions {
  env: Environment;
  /** C_Sign calls that may block at once. */
  signingThreads: number;
  /** Takes the lines that the module prints on stderr; without it they are shown with ERST_LOG=debug only. */
  log: ((line: string) => void) | undefined;
  /** What Node.js runs there; by default the child's program of this package. */
  program?: string;
}

export interface SpawnedChild {
  child: ChildProcess;
  frames: Socket;
}

export function spawnModuleChild(modulePath: string, options: SpawnOptions): SpawnedChild {
  const { env, signingThreads, log, program = childFile() } = options;
  const stderr = log ? 'pipe' : process.env.ERST_LOG === 'debug' ? 'inherit' : 'ignore';
  const child = spawn(process.execPath, [program, modulePath], {
    stdio: ['ignore', 'ignore', stderr, 'pipe', 'pipe'],
    env: childEnvironment(env, signingThreads),
    windowsHide: true,
  });
  throwIfWithoutPipes(child, modulePath);
  const frames = child.stdio[FRAMES_FD] as Socket;
  const lifeline = child.stdio[LIFELINE_FD] as Socket;
  // A pipe to a process that has died gives errors; its `exit` tells what happened.
  for (const pipe of [frames, lifeline]) pipe.on('error', () => {}).unref();
  lifeline.resume();
  if (log && child.stderr) {
    createInterface(child.stderr.on('error', () => {})).on('line', log);
    (child.stderr as Socket).unref();
  }
  child.unref();
  return { child, frames };
}

/** Where no descriptor is left (EMFILE, ENFILE), Node gives a child without pipes, and says why in an event. */
function throwIfWithoutPipes(child: ChildProcess, modulePath: string): void {
  if (child.stdio !== undefined) return;
  child.on('error', () => {});
  throw crashed(
    modulePath,
    'it could not be started: too many files are open, see ulimit -n or LimitNOFILE of its service',
  );
}
