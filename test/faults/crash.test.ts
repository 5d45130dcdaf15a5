// A module that crashes, in each function that a signer reaches. It runs in a process of its own: ours goes on, and so does
// the signer.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { functionNames } from '../fixtures/fault-module/control.js';
import { childProcesses, createFaultRig, eventually, expectToSign, type FaultRig, failureOf } from './rig.js';

const whenLoading = ['C_GetFunctionList', 'C_Initialize'] as const;
const whenOpening = [
  'C_GetSlotList',
  'C_GetSlotInfo',
  'C_GetTokenInfo',
  'C_GetMechanismList',
  'C_GetInfo',
  'C_OpenSession',
  'C_GetSessionInfo',
  'C_Login',
  'C_FindObjectsInit',
  'C_FindObjects',
  'C_FindObjectsFinal',
  'C_GetAttributeValue',
] as const;
const whenSigning = ['C_SignInit', 'C_Sign'] as const;
const whenClosing = ['C_CloseSession', 'C_Logout', 'C_Finalize'] as const;

let rig: FaultRig;
beforeAll(async () => {
  rig = await createFaultRig();
});
beforeEach(() => rig.reset());
afterEach(async () => {
  await eventually(() => childProcesses().length === 0, 'no process of a module is left');
});
afterAll(() => rig.close());

it('the table has every function that a signer calls', async () => {
  {
    await using signer = await Pkcs11Signer.open(rig.config);
    await expectToSign(signer);
  }
  const called = functionNames.filter((name) => rig.fault.calls(name as `C_${string}`) > 0);
  const listed: string[] = [...whenLoading, ...whenOpening, ...whenSigning, ...whenClosing];
  expect(called.filter((name) => !listed.includes(name))).toEqual([]);
  expect(rig.fault.violations()).toEqual([]);
});

describe('a crash', () => {
  it.each([...whenLoading, ...whenOpening, ...whenSigning])('in %s, once: the signer opens', async (fn) => {
    const crash = rig.fault.inject({ fn, action: 'crash', times: 1 });
    await using signer = await Pkcs11Signer.open(rig.config);
    await expectToSign(signer);
    expect(crash.fired()).toBe(1);
    expect(rig.fault.violations()).toEqual([]);
  });

  it.each(whenSigning)('in %s of an open signer, once: every request is answered', async (fn) => {
    await using signer = await Pkcs11Signer.open(rig.config);
    const crash = rig.fault.inject({ fn, action: 'crash', skip: 5, times: 1 });
    await Promise.all(Array.from({ length: 40 }, () => expectToSign(signer)));
    expect(crash.fired()).toBe(1);
  });

  it.each(['SIGABRT', 'exit'] as const)('by %s is like one by SIGSEGV', async (how) => {
    await using signer = await Pkcs11Signer.open(rig.config);
    const crash = rig.fault.inject({ fn: 'C_Sign', action: 'crash', how, times: 1 });
    await expectToSign(signer);
    expect(crash.fired()).toBe(1);
  });

  it.each(whenOpening)(
    'in %s while recovering from another: each request is answered, or fails clearly',
    async (fn) => {
      await using signer = await Pkcs11Signer.open(rig.config);
      rig.fault.inject({ fn: 'C_Sign', action: 'crash', times: 1 });
      rig.fault.inject({ fn, action: 'crash', times: 1 });
      const results = await Promise.allSettled(Array.from({ length: 10 }, () => expectToSign(signer)));
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'module-crashed' });
      }
      await expectToSign(signer);
    },
  );

  it.each([...whenLoading, ...whenOpening, ...whenSigning])(
    'in %s, each time: opening fails clearly',
    async (fn) => {
      rig.fault.inject({ fn, action: 'crash' });
      const error = await failureOf(Pkcs11Signer.open(rig.config));
      // A PIN without an answer is presented twice at most; after that it is not the crash that stops us.
      if (fn === 'C_Login' && error.code === 'pin-incorrect') return;
      expect(error.code).toBe('module-crashed');
      expect(error.message).toContain('SIGSEGV');
    },
  );

  it('in C_Sign each time fails every request, and the signer works again when that is over', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    const crash = rig.fault.inject({ fn: 'C_Sign', action: 'crash' });
    const failures = await Promise.all(Array.from({ length: 10 }, () => failureOf(expectToSign(signer))));
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['module-crashed']));
    crash.remove();
    await expectToSign(signer);
  });

  it.each(whenClosing)('in %s does not keep the signer from closing', async (fn) => {
    const signer = await Pkcs11Signer.open(rig.config);
    await expectToSign(signer);
    rig.fault.inject({ fn, action: 'crash' });
    await signer.close();
  });

  it('after the work was done, before the answer: the request is still answered once', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    const crash = rig.fault.inject({ fn: 'C_Sign', action: 'crash', when: 'after', times: 1 });
    await expectToSign(signer);
    expect(crash.fired()).toBe(1);
  });

  it('of one signer is survived by the other signers of the same module', async () => {
    await using first = await Pkcs11Signer.open(rig.config);
    await using second = await Pkcs11Signer.open(rig.config);
    rig.fault.inject({ fn: 'C_Sign', action: 'crash', skip: 3, times: 1 });
    await Promise.all(Array.from({ length: 20 }, (_, i) => expectToSign(i % 2 ? first : second)));
  });
});
