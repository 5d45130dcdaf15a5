// The moment between a look at a dead holder and the step that follows: another process may act in between. It does here
// when the holder's life is asked for, or before a link is made; all else is real.

import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LockHeldError, withFileLock } from '../../../../src/signers/pkcs11/pin/file-lock.js';
import { ownIdentity } from '../../../../src/signers/pkcs11/pin/process-identity.js';

let inBetween: () => Promise<void> = async () => {};
vi.mock('../../../../src/signers/pkcs11/pin/process-identity.js', async (original) => {
  const real = await original<typeof import('../../../../src/signers/pkcs11/pin/process-identity.js')>();
  const lifeOf: typeof real.lifeOf = async (holder) => {
    const life = await real.lifeOf(holder);
    await inBetween();
    return life;
  };
  return { ...real, lifeOf };
});

/** Before a link is made. */
let beforeLink: (to: string) => Promise<void> = async () => {};
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const link: typeof real.link = async (from, to) => {
    await beforeLink(String(to));
    return real.link(from, to);
  };
  return { ...real, link };
});

const DEAD = '1111111111111111';
const LIVING = '2222222222222222';

let directory: string;
let lock: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'erst-hsm-lock-'));
  lock = join(directory, 'lock');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function claimOf(nonce: string): Promise<string> {
  const own = await ownIdentity();
  return JSON.stringify({ nonce, holder: nonce === DEAD ? { ...own, bootId: 'before' } : own });
}
const tryIt = () => withFileLock(lock, 0, async () => true).catch((error) => error);

describe('withFileLock, on a dead holder', () => {
  it('does not remove the lock of one who has taken over meanwhile', async () => {
    await writeFile(lock, await claimOf(DEAD));
    inBetween = async () => {
      inBetween = async () => {};
      await rm(lock);
      await writeFile(lock, await claimOf(LIVING));
    };
    expect(await tryIt()).toBeInstanceOf(LockHeldError);
    expect(await readFile(lock, 'utf8')).toBe(await claimOf(LIVING));
  });

  it('waits for one who is taking over', async () => {
    await writeFile(lock, await claimOf(DEAD));
    const guard = `${lock}.${DEAD}`;
    await writeFile(guard, await claimOf(LIVING));
    expect(await tryIt()).toBeInstanceOf(LockHeldError);
    expect(await readFile(lock, 'utf8')).toBe(await claimOf(DEAD));
    expect(await readFile(guard, 'utf8')).toBe(await claimOf(LIVING));
    await rm(guard);
    expect(await tryIt()).toBe(true);
  });

  it('does not take an old one that said nothing for there when it is gone, and another has come', async () => {
    await writeFile(lock, 'nonsense');
    await utimes(lock, 0, 0);
    beforeLink = async (to) => {
      if (to === `${lock}.unreadable`) await rm(lock);
      if (to === `${lock}.unreadable.next`) await writeFile(lock, await claimOf(LIVING));
    };
    expect(await tryIt()).toBeInstanceOf(LockHeldError);
    beforeLink = async () => {};
    expect(await tryIt()).toBe(true);
  });
});
