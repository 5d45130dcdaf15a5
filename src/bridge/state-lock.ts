// One bridge a state directory: `bridge.lock` holds the pid of the bridge that has it, and when that process started (so
// that a pid used again is not mistaken for it).
//
// Invariant: a lock of a living process is removed by nobody but its owner, and a dead one's only by who holds
// `bridge.lock.takeover`, which exists for the few system calls of a takeover.

import { randomBytes } from 'node:crypto';
import { closeSync, linkSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ConfigError } from '../errors.js';

export interface StateLock {
  release(): void;
}

/** Takes the lock of `stateDir`, also over from a process that is gone. `ConfigError` where another bridge has it. */
export function lockState(stateDir: string): StateLock {
  const path = join(stateDir, 'bridge.lock');
  const content = JSON.stringify({ pid: process.pid, started: processStart(process.pid), id: randomId() });
  if (!linkNew(path, content) && !takeOver(path, content, stateDir)) throw inUse(stateDir, ownerPid(path));
  return {
    release() {
      if (readIfThere(path) === content) rmSync(path, { force: true });
    },
  };
}

// link(2) fails where the name exists, and shows the file only with its content.
function linkNew(path: string, content: string): boolean {
  const temporary = `${path}.${process.pid}.${randomId()}.tmp`;
  writeFileSync(temporary, content, { flag: 'wx', mode: 0o600 });
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function takeOver(path: string, content: string, stateDir: string): boolean {
  const takeover = `${path}.takeover`;
  try {
    closeSync(openSync(takeover, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new ConfigError(
      'stateDir',
      `another bridge is starting on ${stateDir}; if none is, remove ${takeover} and start again`,
    );
  }
  try {
    if (ownerIsAlive(path)) return false;
    rmSync(path, { force: true });
    return linkNew(path, content);
  } finally {
    rmSync(takeover, { force: true });
  }
}

function ownerIsAlive(path: string): boolean {
  const owner = readOwner(path);
  if (!owner) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return owner.started === processStart(owner.pid);
}

function readOwner(path: string): { pid: number; started: string } | undefined {
  try {
    const { pid, started } = JSON.parse(readIfThere(path) ?? '');
    return Number.isSafeInteger(pid) && pid > 0 ? { pid, started: String(started) } : undefined;
  } catch {
    return undefined; // an empty or torn file: its writer crashed with the machine
  }
}

const ownerPid = (path: string) => readOwner(path)?.pid;

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Boot and start time of a process where /proc tells them (proc(5), field 22 of stat); elsewhere empty. `ended` for one that
 * only waits for its parent to take note of its end, as in a container whose first process never does.
 */
function processStart(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return /[ZX]/.test(afterName[0]!) ? 'ended' : `${boot} ${afterName[19]}`;
  } catch {
    return '';
  }
}

const randomId = () => randomBytes(6).toString('hex');

function inUse(stateDir: string, pid: number | undefined): ConfigError {
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return new ConfigError(
    'stateDir',
    `a bridge already runs on ${stateDir} (${who}); stop it, or give this one a state directory of its own`,
  );
}
