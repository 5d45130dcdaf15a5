// Sessions that die, logins that end, sessions that run out: the signer notices at the next signature and goes on, with no
// more logins than there were faults.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { createFaultRig, expectToSign, type FaultRig, failureOf } from './rig.js';

let rig: FaultRig;
beforeAll(async () => {
  rig = await createFaultRig();
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

const sessionCodes = [
  ['CKR_SESSION_HANDLE_INVALID', 0xb3],
  ['CKR_SESSION_CLOSED', 0xb0],
  ['CKR_OPERATION_ACTIVE', 0x90],
  ['CKR_OPERATION_NOT_INITIALIZED', 0x91],
  ['CKR_OBJECT_HANDLE_INVALID', 0x82],
  ['CKR_KEY_HANDLE_INVALID', 0x60],
] as const;

describe('a session that is worth nothing any more', () => {
  it.each(sessionCodes)('%s of C_SignInit is cured within the request', async (_, code) => {
    await using signer = await Pkcs11Signer.open(rig.config);
    rig.fault.forget();
    const injected = rig.fault.inject({ fn: 'C_SignInit', action: 'return', code, times: 1 });
    await expectToSign(signer);
    expect(injected.fired()).toBe(1);
    expect(rig.fault.calls('C_Login'), 'the anchor session kept the login').toBe(0);
  });

  it.each(sessionCodes)('%s of C_Sign, after the token signed, too', async (_, code) => {
    await using signer = await Pkcs11Signer.open(rig.config);
    const injected = rig.fault.inject({ fn: 'C_Sign', action: 'return', code, when: 'after', times: 1 });
    await expectToSign(signer);
    expect(injected.fired()).toBe(1);
  });

  it('each time fails the request after one pass of recovery, with the code and the function', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    const injected = rig.fault.inject({ fn: 'C_SignInit', action: 'return', code: 0xb3 });
    const error = await failureOf(expectToSign(signer));
    expect(error).toMatchObject({ ckr: 'CKR_SESSION_HANDLE_INVALID', functionName: 'C_SignInit' });
    expect(injected.fired()).toBeLessThan(10);
    injected.remove();
    await expectToSign(signer);
  });
});

describe('behind our back', () => {
  it('all sessions are closed: the next signature logs in again, once for all that wait', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    for (let round = 0; round < 3; round++) {
      rig.fault.forget();
      rig.fault.closeAllSessions();
      await Promise.all(Array.from({ length: 30 }, () => expectToSign(signer)));
      expect(rig.fault.logins()).toMatchObject([{ pin: rig.token.pin, code: 0 }]);
      expect(rig.fault.violations()).toEqual([]);
    }
  });

  it('the user is logged out: the next signature logs in again, once for all that wait', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    for (let round = 0; round < 3; round++) {
      rig.fault.forget();
      rig.fault.logOut();
      await Promise.all(Array.from({ length: 30 }, () => expectToSign(signer)));
      expect(rig.fault.logins()).toMatchObject([{ pin: rig.token.pin, code: 0 }]);
    }
  });

  it('both happen while signatures are made: each is answered', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    for (let round = 0; round < 10; round++) {
      const signing = Promise.all(Array.from({ length: 20 }, () => expectToSign(signer)));
      if (round % 2) rig.fault.closeAllSessions();
      else rig.fault.logOut();
      await signing;
    }
    expect(rig.fault.violations()).toEqual([]);
  });

  it('in each of several processes', async () => {
    await using signer = await Pkcs11Signer.open({ ...rig.config, processes: 2 });
    await Promise.all(Array.from({ length: 60 }, () => expectToSign(signer)));
    const processes = new Set(rig.fault.logins().map(({ pid }) => pid)).size;
    rig.fault.closeAllSessions();
    await Promise.all(Array.from({ length: 60 }, () => expectToSign(signer)));
    expect(rig.fault.logins().length).toBeLessThanOrEqual(2 * processes);
    expect(rig.fault.logins().every(({ code }) => code === 0)).toBe(true);
  });
});

describe('a token with few sessions', () => {
  it.each([2, 3, 16])('of %i is never asked for more', async (maxSessions) => {
    rig.fault.shape({ maxSessions });
    const refused = () => rig.fault.calls('C_OpenSession');
    await using signer = await Pkcs11Signer.open({ ...rig.config, maxSessions: 32 });
    rig.fault.inject({ fn: 'C_Sign', action: 'delay', ms: 5 });
    await Promise.all(Array.from({ length: 60 }, () => expectToSign(signer)));
    expect(rig.fault.mostAtOnce('C_Sign')).toBeLessThan(maxSessions);
    expect(refused()).toBeLessThan(200);
  });

  it('whose limit is not told: CKR_SESSION_COUNT makes do with fewer', async () => {
    await using signer = await Pkcs11Signer.open({ ...rig.config, maxSessions: 8 });
    rig.fault.inject({ fn: 'C_Sign', action: 'delay', ms: 5 });
    const injected = rig.fault.inject({ fn: 'C_OpenSession', action: 'return', code: 0xb1 });
    await Promise.all(Array.from({ length: 40 }, () => expectToSign(signer)));
    injected.remove();
    await expectToSign(signer);
  });
});

describe('a signature that the token got wrong', () => {
  it.each(['corrupt', 'shorten'] as const)('(%s) is not released, and the next is good', async (action) => {
    await using signer = await Pkcs11Signer.open(rig.config);
    const injected = rig.fault.inject({ fn: 'C_Sign', action, times: 1 });
    const error = await failureOf(signer.sign(Uint8Array.of(1)));
    expect(['signature-invalid', 'token-error']).toContain(error.code);
    expect(injected.fired()).toBe(1);
    await expectToSign(signer);
  });

  it('among many fails alone', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    rig.fault.inject({ fn: 'C_Sign', action: 'corrupt', skip: 7, times: 2 });
    const results = await Promise.allSettled(Array.from({ length: 30 }, () => expectToSign(signer)));
    const failures = results.filter((result) => result.status === 'rejected');
    expect(failures.map(({ reason }) => reason.code)).toEqual(['signature-invalid', 'signature-invalid']);
  });
});
