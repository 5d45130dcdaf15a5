import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SignRequest } from '../../../../src/signers/pkcs11/engine/hosted-module.js';
import { SignQueue } from '../../../../src/signers/pkcs11/engine/sign-queue.js';

const request = (n: number): SignRequest => ({
  key: { algorithm: 'ed25519', label: 'a', idHex: '01' },
  input: Uint8Array.of(n),
});
const queueOf = (maxQueue = 4, queueTimeoutMs = 60_000) => new SignQueue({ maxQueue, queueTimeoutMs });
const taken = (queue: SignQueue) => queue.take()?.request.input[0];
const codeOf = (result: Promise<unknown>) =>
  result.then(() => 'resolved').catch((error) => error.code ?? error);

afterEach(() => void vi.useRealTimers());

describe('SignQueue', () => {
  it('gives them out in the order of arrival, those that come back first', () => {
    const queue = queueOf();
    for (const n of [1, 2, 3]) queue.add(request(n), undefined);
    const first = queue.take()!;
    queue.putBack(first);
    expect([taken(queue), taken(queue), taken(queue), taken(queue)]).toEqual([1, 2, 3, undefined]);
    expect(queue.isEmpty).toBe(true);
  });

  it('refuses one more than may wait, and takes it again when one has gone', () => {
    const queue = queueOf(2);
    queue.add(request(1), undefined);
    queue.add(request(2), undefined);
    expect(() => queue.add(request(3), undefined)).toThrow(expect.objectContaining({ code: 'signer-busy' }));
    expect(() => queue.add(request(3), undefined)).toThrow(/ERST_PKCS11_QUEUE/);
    queue.take();
    queue.add(request(3), undefined);
    expect([taken(queue), taken(queue)]).toEqual([2, 3]);
  });

  it('lets one that recovers come back although it is full', () => {
    const queue = queueOf(1);
    queue.add(request(1), undefined);
    const running = queue.take()!;
    queue.add(request(2), undefined);
    queue.putBack(running);
    expect([taken(queue), taken(queue)]).toEqual([1, 2]);
  });

  it('gives up what waits for too long, and nothing that has been taken', async () => {
    vi.useFakeTimers();
    const queue = queueOf(4, 1_000);
    const runs = queue.add(request(1), undefined);
    queue.take();
    const early = queue.add(request(2), undefined);
    await vi.advanceTimersByTimeAsync(600);
    const late = queue.add(request(3), undefined);
    const earlyCode = codeOf(early.result);
    await vi.advanceTimersByTimeAsync(600);
    expect(await earlyCode).toBe('timeout');
    expect([runs.settled, early.settled, late.settled]).toEqual([false, true, false]);
    const lateCode = codeOf(late.result);
    await vi.advanceTimersByTimeAsync(600);
    expect(await lateCode).toBe('timeout');
    expect(runs.settled).toBe(false);
  });

  it('drops what is aborted while it waits, and makes room for another', async () => {
    const queue = queueOf(2);
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const first = queue.add(request(1), controller.signal);
    queue.add(request(2), undefined);
    controller.abort(reason);
    await expect(first.result).rejects.toBe(reason);
    queue.add(request(3), undefined);
    expect([taken(queue), taken(queue), taken(queue)]).toEqual([2, 3, undefined]);
  });

  it('takes nothing under a signal that is aborted already', () => {
    expect(() => queueOf().add(request(1), AbortSignal.abort('gone'))).toThrow('gone');
  });

  it('settles each once', async () => {
    const queue = queueOf();
    const controller = new AbortController();
    const queued = queue.add(request(1), controller.signal);
    queued.resolve(Uint8Array.of(7));
    queued.reject(new Error('late'));
    controller.abort();
    expect(await queued.result).toEqual(Uint8Array.of(7));
  });

  it('hangs any number on one signal without a warning of a leak', async () => {
    const warnings: unknown[] = [];
    const note = (warning: unknown) => warnings.push(warning);
    process.on('warning', note);
    const queue = queueOf(100);
    const controller = new AbortController();
    const results = Array.from({ length: 50 }, (_, n) => queue.add(request(n), controller.signal).result);
    controller.abort('all of them');
    expect(new Set(await Promise.all(results.map(codeOf)))).toEqual(new Set(['all of them']));
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
    expect(queue.isEmpty).toBe(true);
  });
});
