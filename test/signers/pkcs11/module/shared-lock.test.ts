import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SharedLock } from '../../../../src/signers/pkcs11/module/shared-lock.js';

/** Work under a lock that notes when it begins and ends, and ends when it is told to. */
function recorder() {
  const events: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => async () => {
    events.push(`${name} begins`);
    await new Promise<void>((end) => ends.set(name, end));
    events.push(`${name} ends`);
    return name;
  };
  const end = async (name: string) => {
    ends.get(name)!();
    await turn();
  };
  return { events, work, end };
}

describe('SharedLock', () => {
  it('begins at once where nothing stands against it', () => {
    const lock = new SharedLock();
    let begun = 0;
    void lock.share(() => void begun++);
    void lock.share(() => void begun++);
    expect(begun).toBe(2);
    void new SharedLock().exclude(() => void begun++);
    expect(begun).toBe(3);
  });

  it('shares, excludes, and keeps the order of those who came', async () => {
    const lock = new SharedLock();
    const { events, work, end } = recorder();
    const all = [
      lock.share(work('a')),
      lock.share(work('b')),
      lock.exclude(work('alone')),
      lock.share(work('late')),
      lock.share(work('later')),
      lock.exclude(work('last')),
    ];
    await turn();
    expect(events).toEqual(['a begins', 'b begins']);
    await end('b');
    expect(events).not.toContain('alone begins');
    await end('a');
    expect(events.splice(0)).toEqual(['a begins', 'b begins', 'b ends', 'a ends', 'alone begins']);
    await end('alone');
    expect(events.splice(0)).toEqual(['alone ends', 'late begins', 'later begins']);
    await end('late');
    await end('later');
    await end('last');
    expect(events).toEqual(['late ends', 'later ends', 'last begins', 'last ends']);
    expect(await Promise.all(all)).toEqual(['a', 'b', 'alone', 'late', 'later', 'last']);
  });

  it('goes on after work that failed', async () => {
    const lock = new SharedLock();
    const fail = () => {
      throw new Error('failed');
    };
    const results = await Promise.allSettled([
      lock.share(fail),
      lock.exclude(fail),
      lock.share(() => 1),
      lock.exclude(() => 2),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled']);
  });
});
