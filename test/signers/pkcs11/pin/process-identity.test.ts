import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  lifeOf,
  ownIdentity,
  type ProcessIdentity,
} from '../../../../src/signers/pkcs11/pin/process-identity.js';

/** Runs before the state of a process is read, which is after the look whether it exists. */
let beforeState: () => Promise<void> = async () => {};
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const readFile = async (...[path, options]: Parameters<typeof real.readFile>) => {
    if (path !== `/proc/${process.pid}/stat` && String(path).endsWith('/stat')) await beforeState();
    return real.readFile(path, options);
  };
  return { ...real, readFile };
});
afterEach(() => {
  beforeState = async () => {};
});

async function started(): Promise<{ child: ChildProcess; holder: ProcessIdentity }> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const stat = await vi
    .importActual<typeof import('node:fs')>('node:fs')
    .then((fs) => fs.readFileSync(`/proc/${child.pid}/stat`, 'utf8'));
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return { child, holder: { ...(await ownIdentity()), pid: child.pid as number, startTime } };
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('lifeOf', () => {
  it('tells this process and a living one from the dead', async () => {
    const { child, holder } = await started();
    expect(await lifeOf(await ownIdentity())).toBe('alive');
    expect(await lifeOf(holder)).toBe('alive');
    await end(child);
    expect(await lifeOf(holder)).toBe('dead');
  });

  it('calls a process dead that goes between the two looks at it', async () => {
    const { child, holder } = await started();
    beforeState = () => end(child);
    expect(await lifeOf(holder)).toBe('dead');
  });

  it('knows nothing of a living process that it cannot look at', async () => {
    const { child, holder } = await started();
    beforeState = () => Promise.reject(Object.assign(new Error('permission denied'), { code: 'EACCES' }));
    expect(await lifeOf(holder)).toBe('unknown');
    await end(child);
  });
});
