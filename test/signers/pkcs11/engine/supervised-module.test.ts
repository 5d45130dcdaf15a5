// A module that is closed while it is being started: no process is left, and whoever waits for it is told.

import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import {
  type RunningModule,
  SupervisedModule,
} from '../../../../src/signers/pkcs11/engine/supervised-module.js';

function slowModule() {
  let started = 0;
  let closed = 0;
  const module = new SupervisedModule(async () => {
    await delay(20);
    started++;
    return { close: async () => void closed++ } as Partial<RunningModule> as RunningModule;
  });
  return { module, counts: () => ({ started, closed }) };
}

it('that is closed while it starts is closed once it has', async () => {
  const { module, counts } = slowModule();
  const running = module.running();
  await delay(5);
  const refused = expect(running).rejects.toMatchObject({ code: 'signer-closed' });
  await module.close();
  await refused;
  expect(counts()).toEqual({ started: 1, closed: 1 });
});

it('that has been closed is not started again', async () => {
  const { module, counts } = slowModule();
  await module.running();
  await module.close();
  await expect(module.running()).rejects.toMatchObject({ code: 'signer-closed' });
  expect(counts()).toEqual({ started: 1, closed: 1 });
});

it('that keeps dying is started after growing pauses, the first time at once', async () => {
  const startedAt: number[] = [];
  const module = new SupervisedModule(async () => {
    startedAt.push(performance.now());
    return {
      ended: Promise.resolve({ reason: 'died' }),
      close: async () => {},
    } as Partial<RunningModule> as RunningModule;
  });
  for (let i = 0; i < 5; i++) {
    await module.running();
    await new Promise(setImmediate); // its end is noticed
    expect(module.version).toBe(i + 1);
  }
  const pausesMs = startedAt.slice(1).map((at, i) => at - startedAt[i]!);
  expect(pausesMs[1]).toBeGreaterThanOrEqual(95);
  expect(pausesMs[2]).toBeGreaterThanOrEqual(195);
  expect(pausesMs[3]).toBeGreaterThanOrEqual(395);
});
