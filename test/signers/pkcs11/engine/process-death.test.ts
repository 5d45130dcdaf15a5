// The process of a module dies or stands still: what was asked is answered, by the next process or another one.

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Pkcs11Config } from '../../../../src/signers/config/config.js';
import { Pkcs11Signer } from '../../../../src/signers/pkcs11/pkcs11-signer.js';
import { verifySignature } from '../../../../src/signers/verify.js';
import { moduleProcesses, untilModuleProcesses } from '../../../fixtures/module-processes.js';
import { createSoftHsmToken, type SoftHsmToken } from '../../../fixtures/softhsm.js';

let token: SoftHsmToken;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: ['ed25519', 'secp256k1', 'p256'] });
});
afterAll(() => token.remove());
afterEach(() => expect(moduleProcesses()).toEqual([]));

const open = (config: Partial<Pkcs11Config> = {}) =>
  Pkcs11Signer.open({ ...token.config('ed25519'), ...config });

async function signMany(signer: Pkcs11Signer, count: number): Promise<boolean[]> {
  const key = await signer.publicKey();
  const messages = Array.from({ length: count }, () => randomBytes(40));
  return Promise.all(
    messages.map(async (message) => verifySignature(key, message, await signer.sign(message))),
  );
}

const allOf = (count: number) => Array(count).fill(true);

describe('a process that dies', () => {
  it.each(['SIGKILL', 'SIGSEGV'] as const)(
    'by %s is replaced, and what was in flight is signed',
    async (signal) => {
      await using signer = await open();
      const [first] = moduleProcesses();
      const signed = signMany(signer, 300);
      await delay(5);
      process.kill(first!, signal);
      expect(await signed).toEqual(allOf(300));
      const [second] = moduleProcesses();
      expect(second).not.toBe(first);
      expect(await signMany(signer, 20)).toEqual(allOf(20));
      expect(moduleProcesses()).toEqual([second]);
    },
  );

  it('between two signatures is replaced as well', async () => {
    await using signer = await open({ ...token.config('p256') });
    for (let i = 0; i < 3; i++) {
      process.kill(moduleProcesses()[0]!, 'SIGKILL');
      await untilModuleProcesses(0);
      expect(await signMany(signer, 1)).toEqual([true]);
    }
  });

  it('leaves its work to another one', async () => {
    await using signer = await open({ processes: 2 });
    expect(await signMany(signer, 200)).toEqual(allOf(200));
    const [one, other] = await untilModuleProcesses(2);
    const signed = signMany(signer, 500);
    await delay(5);
    process.kill(one!, 'SIGKILL');
    expect(await signed).toEqual(allOf(500));
    expect(moduleProcesses()).toContain(other);
  });

  it('takes all signers of the module along, and they all come back', async () => {
    await using a = await open();
    await using b = await open({ ...token.config('secp256k1') });
    expect(moduleProcesses()).toHaveLength(1);
    const signed = Promise.all([signMany(a, 50), signMany(b, 50)]);
    process.kill(moduleProcesses()[0]!, 'SIGKILL');
    expect((await signed).flat()).toEqual(allOf(100));
  });
});

describe('a process that stands still', () => {
  it('is ended when a call is late, and what was in flight is signed by the next', async () => {
    await using signer = await open({ timeoutMs: 4_000 });
    const [first] = moduleProcesses();
    process.kill(first!, 'SIGSTOP');
    expect(await signMany(signer, 100)).toEqual(allOf(100));
    expect(moduleProcesses()).not.toContain(first);
  });

  it('does not hold up who no longer wants the signature', async () => {
    await using signer = await open({ timeoutMs: 4_000 });
    process.kill(moduleProcesses()[0]!, 'SIGSTOP');
    const late = signer.sign(Uint8Array.of(1));
    await expect(signer.sign(Uint8Array.of(2), { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    await late;
  });

  it('lets only so many wait, and says so to the others', async () => {
    await using signer = await open({ timeoutMs: 4_000, maxQueue: 10, maxSessions: 1 });
    process.kill(moduleProcesses()[0]!, 'SIGSTOP');
    const results = await Promise.allSettled(
      Array.from({ length: 150 }, () => signer.sign(Uint8Array.of(1))),
    );
    const codes = results.map((result) => (result.status === 'fulfilled' ? 'signed' : result.reason.code));
    const busy = codes.filter((code) => code === 'signer-busy').length;
    expect(new Set(codes)).toEqual(new Set(['signed', 'signer-busy']));
    expect(busy).toBeGreaterThanOrEqual(150 - 10 - 97); // beside those that wait in the process already
    expect(await signMany(signer, 5)).toEqual(allOf(5));
  });
});

describe('processes', () => {
  it('are one for all signers with the same settings, and end with the last of them', async () => {
    const signers = await Promise.all([open(), open(), open(token.config('p256'))]);
    expect(moduleProcesses()).toHaveLength(1);
    await signers[0]!.close();
    await signers[1]!.close();
    expect(moduleProcesses()).toHaveLength(1);
    await signers[2]!.close();
    expect(moduleProcesses()).toHaveLength(0);
  });

  it('differ by what they were started with', async () => {
    await using _one = await open();
    await using _other = await open({ timeoutMs: 5_000 });
    expect(moduleProcesses()).toHaveLength(2);
    process.env.SOMETHING_ELSE = 'yes';
    await using _third = await open();
    delete process.env.SOMETHING_ELSE;
    expect(moduleProcesses()).toHaveLength(3);
  });

  it('are started only when there is work for them', async () => {
    await using signer = await open({ processes: 4 });
    for (let i = 0; i < 5; i++) await signer.sign(Uint8Array.of(i));
    expect(moduleProcesses()).toHaveLength(1);
    await signMany(signer, 1000);
    expect(moduleProcesses().length).toBeGreaterThan(1);
  });

  it('leave none behind where opening fails', async () => {
    await expect(open({ pin: 'wrong pin' })).rejects.toMatchObject({ code: 'pin-incorrect' });
    await expect(open({ keyLabel: 'no such key' })).rejects.toMatchObject({ code: 'key-not-found' });
    await expect(open({ tokenLabel: 'no such token' })).rejects.toMatchObject({ code: 'token-not-found' });
    expect(moduleProcesses()).toEqual([]);
  });

  it('are none where the configuration says so', async () => {
    await using signer = await open({ inProcess: true });
    expect(await signMany(signer, 20)).toEqual(allOf(20));
    expect(moduleProcesses()).toEqual([]);
  });
});
