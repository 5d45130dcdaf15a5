// A module that does not come back, in each function that a signer reaches. The deadline ends its process: ours is never held
// up, and what was asked for is answered by the next one.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { childProcesses, createFaultRig, eventually, expectToSign, type FaultRig, failureOf } from './rig.js';

/** Long enough for each call of a start on a busy machine. */
const TIMEOUT_MS = 2_000;

let rig: FaultRig;
beforeAll(async () => {
  rig = await createFaultRig();
  rig.config = { ...rig.config, timeoutMs: TIMEOUT_MS };
});
beforeEach(() => rig.reset());
afterEach(async () => {
  await eventually(() => childProcesses().length === 0, 'no process of a module is left');
});
afterAll(() => rig.close());

const reached = [
  'C_GetFunctionList',
  'C_Initialize',
  'C_GetSlotList',
  'C_GetTokenInfo',
  'C_OpenSession',
  'C_Login',
  'C_FindObjectsInit',
  'C_FindObjects',
  'C_GetAttributeValue',
  'C_SignInit',
  'C_Sign',
] as const;

describe('a call that hangs', () => {
  it.each(reached)('in %s, once: the signer opens, or says so and opens the next time', async (fn) => {
    const hang = rig.fault.inject({ fn, action: 'hang', times: 1 });
    await using signer = await Pkcs11Signer.open(rig.config).catch((error) => {
      expect(error).toMatchObject({ code: 'timeout' });
      return Pkcs11Signer.open(rig.config);
    });
    await expectToSign(signer);
    expect(hang.fired()).toBe(1);
  });

  it.each(reached)('in %s, each time: opening fails clearly', async (fn) => {
    rig.fault.inject({ fn, action: 'hang' });
    expect((await failureOf(Pkcs11Signer.open(rig.config))).code).toBe('timeout');
  });

  it('in C_Sign of an open signer, once: every request is answered, and the host is not held up', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    const hang = rig.fault.inject({ fn: 'C_Sign', action: 'hang', times: 1 });
    const signing = Promise.all(Array.from({ length: 20 }, () => expectToSign(signer)));
    await eventually(() => hang.fired() === 1, 'C_Sign hangs');
    // Held up, this process would see the first of these turns when the module's process is gone.
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(childProcesses()).toHaveLength(1);
    await signing;
    expect(hang.fired()).toBe(1);
  });

  it('in C_Sign each time fails every request, and the signer works again when that is over', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    const hang = rig.fault.inject({ fn: 'C_Sign', action: 'hang' });
    const failures = await Promise.all(Array.from({ length: 6 }, () => failureOf(expectToSign(signer))));
    for (const { code } of failures) expect(['timeout', 'module-crashed']).toContain(code);
    expect(failures.map(({ code }) => code)).toContain('timeout');
    hang.remove();
    await expectToSign(signer);
  });

  it('can be left by its caller at once', async () => {
    await using signer = await Pkcs11Signer.open({ ...rig.config, timeoutMs: 10 * 60_000 });
    const hang = rig.fault.inject({ fn: 'C_Sign', action: 'hang', times: 1 });
    const work = signer.sign(Uint8Array.of(1), { signal: AbortSignal.timeout(50) });
    await expect(work).rejects.toMatchObject({ name: 'TimeoutError' });
    hang.remove();
    await expectToSign(signer);
  });

  it('in C_Finalize does not keep the signer from closing', async () => {
    const signer = await Pkcs11Signer.open(rig.config);
    rig.fault.inject({ fn: 'C_Finalize', action: 'hang' });
    await signer.close();
  });
});
