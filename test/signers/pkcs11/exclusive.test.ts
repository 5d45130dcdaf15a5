import { describe, expect, it } from 'vitest';
import { ExclusiveQueue } from '../../../src/signers/pkcs11/exclusive.js';

function deferred() {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('ExclusiveQueue', () => {
  it('runs one at a time, in order, also after failures', async () => {
    const queue = new ExclusiveQueue();
    const events: string[] = [];
    const work = (name: string) => async () => {
      events.push(`${name} starts`);
      await Promise.resolve();
      events.push(`${name} ends`);
      if (name === 'b') throw new Error(name);
      return name;
    };
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => queue.run(work(name))));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(events).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  });

  it('never starts what was aborted while it waited', async () => {
    const queue = new ExclusiveQueue();
    const abort = new AbortController();
    const first = deferred();
    const running = queue.run(() => first.promise);
    let started = false;
    const waiting = queue.run(() => {
      started = true;
    }, abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    first.resolve();
    await running;
    await queue.run(() => {});
    expect(started).toBe(false);
  });

  it('gives up waiting for what is running, and lets it end before the next', async () => {
    const queue = new ExclusiveQueue();
    const abort = new AbortController();
    const events: string[] = [];
    const gate = deferred();
    const running = queue.run(async () => {
      await gate.promise;
      events.push('first ends');
    }, abort.signal);
    const next = queue.run(() => void events.push('second'));
    await Promise.resolve();
    abort.abort();
    await expect(running).rejects.toThrow('abort');
    gate.resolve();
    await next;
    expect(events).toEqual(['first ends', 'second']);
  });
});
