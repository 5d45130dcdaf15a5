import { link, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LockHeldError, withFileLock } from '../../../../src/signers/pkcs11/pin/file-lock.js';
import { ownIdentity } from '../../../../src/signers/pkcs11/pin/process-identity.js';
import { type PinProcesses, pinProcesses } from './pin-processes.js';

let processes: PinProcesses;
beforeAll(async () => {
  processes = await pinProcesses();
});
afterAll(() => processes.remove());

let lock: string;
let round = 10; // of two digits: no lock's name is the beginning of another's
beforeEach(() => {
  lock = join(processes.directory, `lock-${round++}`);
});
const leftovers = async () =>
  (await readdir(processes.directory)).filter((name) => name.startsWith(basename(lock)));

async function lockOf(holder: object, nonce = '0123456789abcdef'): Promise<void> {
  await writeFile(lock, JSON.stringify({ nonce, holder: { ...(await ownIdentity()), ...holder } }));
}

const taken = () => withFileLock(lock, 0, async () => true);

describe('withFileLock', () => {
  it('lets one process in at a time, and leaves nothing behind', async () => {
    const counter = join(processes.directory, 'counter');
    await writeFile(counter, '0');
    const all = Array.from({ length: 5 }, () => processes.start({ do: 'count', lock, counter, times: 20 }));
    for (const { line } of all) expect(await line).toEqual({ counted: 20 });
    await Promise.all(all.map(({ ended }) => ended));
    expect(await readFile(counter, 'utf8')).toBe('100');
    expect(await leftovers()).toEqual([]);
  });

  it('lets one of many that wait take over from a killed one', async () => {
    const counter = join(processes.directory, 'counter');
    await writeFile(counter, '0');
    const holder = processes.start({ do: 'hold', lock });
    await holder.line;
    const all = Array.from({ length: 5 }, () => processes.start({ do: 'count', lock, counter, times: 5 }));
    const waiting = async () => (await leftovers()).filter((name) => name.endsWith('.claim'));
    await vi.waitFor(async () => expect(await waiting()).toHaveLength(6), 50_000);
    holder.child.kill('SIGKILL');
    await holder.ended;
    for (const { line } of all) expect(await line).toEqual({ counted: 5 });
    await Promise.all(all.map(({ ended }) => ended));
    expect(await readFile(counter, 'utf8')).toBe('25');
    expect(await leftovers()).toEqual([]);
  });

  it('lets one in at a time in this process, also after a dead one', async () => {
    let inside = 0;
    for (let i = 0; i < 20; i++) {
      await lockOf({ bootId: 'before' }, `${i}`.padStart(16, '0'));
      const work = async () => {
        expect(++inside).toBe(1);
        await new Promise(setImmediate);
        inside--;
      };
      await Promise.all(Array.from({ length: 3 }, () => withFileLock(lock, 60_000, work)));
    }
    expect(await leftovers()).toEqual([]);
  });

  it('passes on what the work gives, and goes on after it has failed', async () => {
    const failing = withFileLock(lock, 0, async () => {
      throw new RangeError('mine');
    });
    await expect(failing).rejects.toThrow('mine');
    expect(await withFileLock(lock, 0, async () => 5)).toBe(5);
  });

  it('waits for a living holder no longer than it is to', async () => {
    const { child, line, ended } = processes.start({ do: 'hold', lock });
    await line;
    const error = await taken().catch((thrown) => thrown);
    expect(error).toBeInstanceOf(LockHeldError);
    expect(error).toMatchObject({ path: lock, pid: child.pid });
    child.kill('SIGKILL');
    await ended;
    expect(await taken()).toBe(true);
  });

  it.each([
    ['a process that is no more, though its id is in use again', { startTime: '1' }],
    ['a process from before the machine was started', { bootId: 'before' }],
  ])('takes over from %s', async (_, holder) => {
    await lockOf({ pid: process.ppid, ...holder });
    expect(await taken()).toBe(true);
    expect(await leftovers()).toEqual([]);
  });

  it.each([
    ['this process', {}],
    ['another host', { host: 'elsewhere', bootId: 'other' }],
    ['another container', { pidNamespace: 'pid:[1]', pid: 999_999_999 }],
  ])('waits for %s, until the lock is too old', async (_, holder) => {
    await lockOf(holder);
    await expect(taken()).rejects.toThrow(LockHeldError);
    await utimes(lock, Date.now() / 1000, Date.now() / 1000 - 1000);
    expect(await taken()).toBe(true);
    expect(await leftovers()).toEqual([]);
  });

  it('waits for a lock that says nothing, until it is too old', async () => {
    await writeFile(lock, 'nonsense');
    await expect(taken()).rejects.toThrow(LockHeldError);
    await utimes(lock, 0, 0);
    expect(await taken()).toBe(true);
  });

  it('is released also by a process that can open no more files', async () => {
    const { child, line, ended } = processes.start({ do: 'exhaust', lock }, 100);
    expect(await line).toEqual({ code: 'EMFILE', isHeld: false });
    expect(await leftovers()).toEqual([]);
    child.kill('SIGKILL');
    await ended;
  });

  it('is left to one who is taking it over', async () => {
    let text = '';
    await withFileLock(lock, 0, async () => {
      text = await readFile(lock, 'utf8');
      const { nonce, holder } = JSON.parse(text);
      const other = JSON.stringify({ nonce: 'b'.repeat(16), holder });
      await writeFile(`${lock}.${nonce}`, other);
    });
    expect(await readFile(lock, 'utf8')).toBe(text);
    expect(await leftovers()).toHaveLength(2);
  });

  it('is young for as long as somebody waits for it, and when it is released', async () => {
    await lockOf({});
    const waiting = withFileLock(lock, 60_000, async () => stat(lock));
    const claims = async () => (await leftovers()).filter((name) => name.endsWith('.claim'));
    await vi.waitFor(async () => expect(await claims()).toHaveLength(1), 50_000);
    const [claim] = await claims();
    await utimes(join(processes.directory, claim!), 0, 0); // the machine was asleep
    await rm(lock);
    expect((await waiting).mtimeMs).toBeGreaterThan(Date.now() - 10 * 60_000);
  });

  it('clears up after those who were killed while they waited or took over', async () => {
    await lockOf({ bootId: 'before' });
    // The guard and the next lock of one that died between link and rename, and the claim of one that only waited.
    await link(lock, `${lock}.0123456789abcdef`);
    await link(lock, `${lock}.0123456789abcdef.next`);
    await link(lock, `${lock}.aaaaaaaaaaaaaaaa.claim`);
    expect(await taken()).toBe(true);
    expect(await leftovers()).toEqual([]);
  });
});
