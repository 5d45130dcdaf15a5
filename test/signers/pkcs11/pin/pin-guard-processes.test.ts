// The same wrong PIN from several processes: real logins to SoftHSM, each C_Login noted in a file before it is made.

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSoftHsmToken, type SoftHsmToken } from '../../../fixtures/softhsm.js';
import type { Order } from './pin-child.js';
import { type PinProcesses, pinProcesses } from './pin-processes.js';

let token: SoftHsmToken;
let processes: PinProcesses;
beforeAll(async () => {
  token = await createSoftHsmToken({ pin: '271828' });
  processes = await pinProcesses();
});
afterAll(async () => {
  await processes.remove();
  await token.remove();
});

let directory: string;
let tries: string;
let round = 0;
beforeEach(async () => {
  directory = join(processes.directory, `pins-${round}`);
  tries = join(processes.directory, `tries-${round++}`);
  await writeFile(tries, '');
});

const triesOf = async () => (await readFile(tries, 'utf8')).split('\n').slice(0, -1);

function loginOrder(pin: string, more: Partial<Order> = {}): Order {
  const { modulePath, tokenLabel: label } = token;
  return { do: 'login', modulePath, label, pin, tries, directory, ...more } as Order;
}

async function login(pin: string): Promise<Record<string, unknown>> {
  const { line, ended } = processes.start(loginOrder(pin));
  const result = await line;
  await ended;
  return result;
}

/** A process that is killed after the token has judged the PIN, and before the process knows. */
async function killedLogin(pin: string): Promise<void> {
  const { child, line, ended } = processes.start(loginOrder(pin, { hang: true }));
  expect(await line).toEqual({ presented: true });
  child.kill('SIGKILL');
  await ended;
}

describe('the same wrong PIN', () => {
  it('from processes at the same moment is tried once', async () => {
    const all = Array.from({ length: 4 }, () => processes.start(loginOrder('314159')));
    const said = await Promise.all(all.map(({ line }) => line));
    await Promise.all(all.map(({ ended }) => ended));
    expect(said.map(({ code }) => code)).toEqual(Array(4).fill('pin-incorrect'));
    expect(said.filter(({ ckrCode }) => ckrCode === 0xa0)).toHaveLength(1);
    expect(await triesOf()).toEqual(['314159']);
    expect((await readdir(directory)).map((name) => name.replace(/^\w+/, ''))).toEqual(['.json']);
  });

  it('from one process after another is tried once', async () => {
    expect(await login('314159')).toMatchObject({ code: 'pin-incorrect', ckrCode: 0xa0 });
    expect((await login('314159')).message).toContain('not tried again');
    expect(await login('271828')).toEqual({ loggedIn: true });
    expect((await login('314159')).message).toContain('not tried again');
    expect(await triesOf()).toEqual(['314159', '271828']);
  });
});

describe('a process killed in the middle of a login', () => {
  it('leaves a mark: one more try where the token shows none spent, and no third', async () => {
    await killedLogin('314159');
    await killedLogin('314159');
    expect(await login('314159')).toMatchObject({
      code: 'pin-incorrect',
      message: expect.stringContaining('before the answer'),
    });
    expect(await triesOf()).toEqual(['314159', '314159']);
  });

  it('does not keep the others from logging in', async () => {
    await killedLogin('271828');
    const all = Array.from({ length: 3 }, () => processes.start(loginOrder('271828')));
    for (const { line } of all) expect(await line).toEqual({ loggedIn: true });
    await Promise.all(all.map(({ ended }) => ended));
    expect(await readdir(directory)).toEqual([]);
  });
});
