// A module that crashes, hangs or cannot be started, in front of the real SoftHSM: what becomes of the calls and the child.

import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Pkcs11Error } from '../../../../src/errors.js';
import type { KeyIdentity } from '../../../../src/signers/pkcs11/engine/hosted-module.js';
import { LoadedModule } from '../../../../src/signers/pkcs11/module/loaded-module.js';
import {
  ModuleProcess,
  type ModuleProcessOptions,
} from '../../../../src/signers/pkcs11/process/module-process.js';
import { createFaultModule, type FaultModule } from '../../../fixtures/fault-module/fault-module.js';
import { createSoftHsmToken, type SoftHsmToken } from '../../../fixtures/softhsm.js';
import { isAlive, until } from './fixtures.js';

const OPENSC_MODULE = '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so';
const key: KeyIdentity = { algorithm: 'ed25519', label: 'ed25519', idHex: '01' };
const request = { key, input: new Uint8Array(32) };

let hsm: SoftHsmToken;
let faults: FaultModule;
const started: ModuleProcess[] = [];

beforeAll(async () => {
  hsm = await createSoftHsmToken({ keys: ['ed25519'] });
  faults = await createFaultModule();
});

afterEach(async () => {
  faults.clear();
  faults.forget();
  await Promise.all(started.splice(0).map((child) => child.kill()));
});

afterAll(async () => {
  await faults?.close();
  await hsm?.remove();
});

/** Logged in, with that many sessions. */
async function openChild(options: ModuleProcessOptions = {}, sessions = 8): Promise<[ModuleProcess, string]> {
  const child = await ModuleProcess.start(faults.modulePath, options);
  started.push(child);
  const slot = (await child.tokens())[0]!.slotHandle;
  await child.openToken(slot, { sessions, blocking: false });
  await child.login(slot, hsm.pin);
  return [child, slot];
}

const failureOf = async (call: Promise<unknown>): Promise<Pkcs11Error> => {
  const error = await call.then(
    () => expect.fail('it did not fail'),
    (e) => e,
  );
  expect(error).toBeInstanceOf(Pkcs11Error);
  return error;
};

describe('a crash', () => {
  test.each(['SIGSEGV', 'SIGABRT'] as const)(
    'by %s rejects every call in flight, and says so',
    async (how) => {
      const [child, slot] = await openChild();
      await child.sign(slot, request);
      faults.inject({ fn: 'C_Sign', action: 'crash', how, skip: 3 });
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => child.sign(slot, request)));
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(lost.length).toBeGreaterThan(0);
      for (const { reason } of lost) {
        expect(reason).toBeInstanceOf(Pkcs11Error);
        expect(reason).toMatchObject({ code: 'module-crashed' });
        expect(reason.message).toContain(how);
      }
      const { reason } = await child.ended;
      expect(reason).toContain(how);
      expect(isAlive(child.pid)).toBe(false);
      expect(child.inFlight).toBe(0);
      expect((await failureOf(child.sign(slot, request))).message).toContain(how);
    },
  );

  test('that is an exit is told by its code', async () => {
    const [child, slot] = await openChild();
    faults.inject({ fn: 'C_GetTokenInfo', action: 'crash', how: 'exit' });
    const failure = await failureOf(child.tokenStatus(slot));
    expect(failure.code).toBe('module-crashed');
    expect(failure.message).toContain('exit code');
    expect((await child.ended).reason).toContain('exit code');
  });

  test('while nothing is in flight is seen as well', async () => {
    const [child] = await openChild();
    process.kill(child.pid, 'SIGSEGV');
    expect((await child.ended).reason).toContain('SIGSEGV');
  });

  test('in C_Initialize is a start that fails', async () => {
    faults.inject({ fn: 'C_Initialize', action: 'crash' });
    const failure = await failureOf(ModuleProcess.start(faults.modulePath));
    expect(failure.code).toBe('module-crashed');
    expect(failure.message).toContain('SIGSEGV');
    expect(failure.message).toContain('C_Initialize');
  });
});

/** Long enough for a start and a login on a busy machine. */
const SHORT_MS = 2_500;

describe('a call that does not return', () => {
  test.each([true, false])('ends the child at its deadline (blocking: %s)', async (blocking) => {
    const [child, slot] = await openChild({ timeoutMs: SHORT_MS });
    await child.openToken(slot, { sessions: blocking ? 1 : 4, blocking });
    await child.sign(slot, request);
    faults.inject({ fn: 'C_Sign', action: 'hang' });
    const first = failureOf(child.sign(slot, request));
    await until(() => faults.calls('C_Sign') >= 2, 'C_Sign is called');
    await new Promise((resolve) => setTimeout(resolve, SHORT_MS / 2));
    const second = failureOf(child.sign(slot, request));
    expect(await first).toMatchObject({ code: 'timeout' });
    expect((await first).message).toContain(`${SHORT_MS} ms`);
    expect(await second).toMatchObject({ code: 'module-crashed' });
    await child.ended;
    expect(isAlive(child.pid)).toBe(false);
  });

  test('is C_Initialize: the start fails', async () => {
    faults.inject({ fn: 'C_Initialize', action: 'hang' });
    const failure = await failureOf(ModuleProcess.start(faults.modulePath, { timeoutMs: SHORT_MS }));
    expect(failure.code).toBe('timeout');
    expect(failure.message).toContain('C_Initialize');
  });

  test('is C_Finalize: the child ends all the same', async () => {
    const [child] = await openChild({ timeoutMs: 120_000 });
    faults.inject({ fn: 'C_Finalize', action: 'hang' });
    await child.close();
    expect(isAlive(child.pid)).toBe(false);
  }, 100_000); // less than the time-out of other calls

  test('is one of a stopped child', async () => {
    const [child, slot] = await openChild({ timeoutMs: SHORT_MS });
    process.kill(child.pid, 'SIGSTOP');
    expect(await failureOf(child.tokenStatus(slot))).toMatchObject({ code: 'timeout' });
    await child.ended;
    expect(isAlive(child.pid)).toBe(false);
  });

  test('has three times as long where it makes a key', async () => {
    const [child, slot] = await openChild({ timeoutMs: SHORT_MS });
    faults.inject({ fn: 'C_GenerateKeyPair', action: 'delay', ms: 1.5 * SHORT_MS, times: 1 });
    const made: KeyIdentity = { algorithm: 'p256', label: 'slow', idHex: 'bb' };
    await child.generateKeyPair(slot, made);
    expect(await child.deleteKeyPair(slot, made)).toBe(2);
  });

  test('is not one that came late because this process stood still', async () => {
    const [child, slot] = await openChild({ timeoutMs: SHORT_MS });
    faults.inject({ fn: 'C_Sign', action: 'delay', ms: 1.6 * SHORT_MS, times: 1 });
    const signature = child.sign(slot, request);
    await until(() => faults.calls('C_Sign') > 0, 'C_Sign is called');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1.5 * SHORT_MS);
    expect(await signature).toHaveLength(64);
  });
});

describe('kill', () => {
  test('ends a child that is busy, and rejects what is in flight', async () => {
    const [child, slot] = await openChild();
    faults.inject({ fn: 'C_Sign', action: 'hang' });
    const failure = failureOf(child.sign(slot, request));
    await until(() => faults.calls('C_Sign') > 0, 'C_Sign is called');
    await Promise.all([child.kill(), child.kill()]);
    expect(isAlive(child.pid)).toBe(false);
    expect(await failure).toMatchObject({ code: 'module-crashed' });
    await child.close();
  });
});

describe('a start', () => {
  test('that fails gives the error that loading in this process gives', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'erst-no-module-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const text = join(directory, 'text.so');
    await writeFile(text, 'no library'.repeat(100));
    for (const path of [
      join(directory, 'missing.so'),
      text,
      directory,
      '/usr/lib/x86_64-linux-gnu/libz.so.1',
    ]) {
      const [there, here] = await Promise.all([
        failureOf(ModuleProcess.start(path)),
        failureOf(LoadedModule.load(path)),
      ]);
      expect([there.code, there.message]).toEqual([here.code, here.message]);
      expect(there.code).toBe('module-load-failed');
    }
  });
});

describe.runIf(process.platform === 'linux')('the child', () => {
  test('has no PIN in its environment or arguments, and no memory in its core dumps', async () => {
    const secrets = { ERST_PKCS11_PIN: 'canary-1', ERST_PKCS11_URI: 'pkcs11:?pin-value=canary-2' };
    const [child] = await openChild({ env: { ...process.env, ...secrets, KEPT: 'kept' } });
    const read = (name: string) => readFileSync(`/proc/${child.pid}/${name}`, 'utf8');
    expect(read('environ')).toContain('KEPT=kept');
    expect(read('environ')).not.toContain('canary');
    expect(read('cmdline')).not.toMatch(new RegExp(`canary|${hsm.pin}`));
    expect(read('cmdline')).toContain(faults.modulePath);
    expect(Number.parseInt(read('coredump_filter'), 16)).toBe(0);
  });

  test('leaves Ctrl-C and the stop of a service to this process', async () => {
    const [child, slot] = await openChild();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(child.pid, signal);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await child.sign(slot, request)).toHaveLength(64);
  });

  test('prints to the log', async () => {
    const lines: string[] = [];
    const env = { ...process.env, OPENSC_DEBUG: '9' };
    const child = await ModuleProcess.start(OPENSC_MODULE, { env, log: (line) => lines.push(line) });
    started.push(child);
    await until(() => lines.some((line) => line.includes('C_Initialize')), 'what OpenSC prints');
  });
});
