// Who holds a lock file, and whether that process still lives. A process id alone does not say: it is given again, and it
// means something else after a restart of the machine, in another container or on another host (a shared home directory).
// Where nothing can be known of a holder, only the age of its lock counts.
// Source: proc(5), /proc/[pid]/stat: (3) state, (22) starttime.

import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  pid: number;
  /** Clock ticks between the machine's start and the process's; empty where the system does not say. */
  startTime: string;
  /** Random id of the machine's start. */
  bootId: string;
  /** In which the process id is valid. */
  pidNamespace: string;
  host: string;
}

export type Life = 'alive' | 'dead' | 'unknown';

let own: Promise<ProcessIdentity> | undefined;

/** This process. */
export function ownIdentity(): Promise<ProcessIdentity> {
  own ??= identify();
  return own;
}

async function identify(): Promise<ProcessIdentity> {
  const { pid } = process;
  const [bootId, pidNamespace, startTime] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim(), nothing),
    readlink('/proc/self/ns/pid').catch(nothing),
    statOf(pid).then((stat) => stat?.startTime ?? ''),
  ]);
  return { pid, startTime, bootId, pidNamespace, host: hostname() };
}

const nothing = () => '';

/** Whether the process that `holder` was still lives. */
export async function lifeOf(holder: ProcessIdentity): Promise<Life> {
  const self = await ownIdentity();
  if (holder.host !== self.host) return 'unknown';
  if (holder.bootId !== self.bootId) return 'dead';
  if (holder.pidNamespace !== self.pidNamespace) return 'unknown';
  if (!processExists(holder.pid)) return 'dead';
  const stat = await statOf(holder.pid);
  // A process that was still a zombie a moment ago may have been waited for since.
  if (stat === undefined) return processExists(holder.pid) ? 'unknown' : 'dead';
  if (holder.startTime === '') return 'unknown';
  return stat.startTime === holder.startTime && !/[ZX]/.test(stat.state) ? 'alive' : 'dead';
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // another user's
  }
}

async function statOf(pid: number): Promise<{ state: string; startTime: string } | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses, which may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startTime: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

export function isProcessIdentity(value: unknown): value is ProcessIdentity {
  const { pid, ...texts } = (value ?? {}) as Record<string, unknown>;
  return (
    Number.isSafeInteger(pid) &&
    (pid as number) > 0 &&
    ['startTime', 'bootId', 'pidNamespace', 'host'].every((name) => typeof texts[name] === 'string')
  );
}
