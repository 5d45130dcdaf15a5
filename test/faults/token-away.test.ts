// The token taken out and put back, its directory gone and back, a device that fails until the module is initialized again, or
// until its process is another, and a daemon that is restarted.

import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { createP11KitServer, type P11KitServer } from '../fixtures/p11-kit.js';
import { SOFTHSM_MODULE } from '../fixtures/softhsm.js';
import { createFaultRig, eventually, expectToSign, type FaultRig, failureOf } from './rig.js';

let rig: FaultRig;
beforeAll(async () => {
  rig = await createFaultRig();
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

describe('a token', () => {
  it.each([
    ['CKR_DEVICE_REMOVED', 0x32],
    ['CKR_DEVICE_ERROR', 0x30],
    ['CKR_TOKEN_NOT_PRESENT', 0xe0],
    ['CKR_SESSION_HANDLE_INVALID', 0xb3],
  ])('that is taken out (%s) is reported, and used again once it is back', async (_, code) => {
    await using signer = await Pkcs11Signer.open(rig.config);
    for (let round = 0; round < 2; round++) {
      rig.fault.removeToken(rig.token.tokenLabel, code);
      const error = await failureOf(expectToSign(signer));
      expect(['token-not-found', 'token-error']).toContain(error.code);
      rig.fault.insertToken();
      await Promise.all(Array.from({ length: 10 }, () => expectToSign(signer)));
    }
    expect(rig.fault.logins().every(({ code }) => code === 0)).toBe(true);
  });

  it('that is back before anything was asked of it is used as if nothing had been', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    rig.fault.removeToken(rig.token.tokenLabel);
    rig.fault.insertToken();
    await expectToSign(signer);
  });

  it('that is taken out while signatures wait fails them all, and none hangs', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    const hang = rig.fault.inject({ fn: 'C_Sign', action: 'hang', skip: 3 });
    const signing = Array.from({ length: 50 }, () => expectToSign(signer));
    await eventually(() => hang.fired() > 0, 'the fourth signature is under way');
    rig.fault.removeToken(rig.token.tokenLabel);
    hang.remove();
    const results = await Promise.allSettled(signing);
    const failures = results.filter((result) => result.status === 'rejected');
    expect(failures.length).toBeGreaterThan(0);
    for (const { reason } of failures) expect(['token-not-found', 'token-error']).toContain(reason.code);
    rig.fault.insertToken();
    await expectToSign(signer);
  });

  it('is found again when it is there at the next start of the signer', async () => {
    rig.fault.removeToken(rig.token.tokenLabel);
    expect((await failureOf(Pkcs11Signer.open(rig.config))).code).toBe('token-not-found');
    rig.fault.insertToken();
    await using signer = await Pkcs11Signer.open(rig.config);
    await expectToSign(signer);
  });
});

describe('the directory of the token', () => {
  const away = () => rename(join(rig.token.directory, 'tokens'), join(rig.token.directory, 'away'));
  const back = () => rename(join(rig.token.directory, 'away'), join(rig.token.directory, 'tokens'));

  it.each([
    ['with its sessions', () => rig.fault.closeAllSessions()],
    ['from under its sessions', () => {}],
  ])('goes %s and comes back', async (_, sessions) => {
    await using signer = await Pkcs11Signer.open(rig.config);
    await expectToSign(signer);
    await away();
    sessions();
    const error = await failureOf(expectToSign(signer));
    expect(['token-not-found', 'token-error']).toContain(error.code);
    await back();
    await expectToSign(signer);
  });
});

describe('a device that fails', () => {
  it.each([
    ['CKR_DEVICE_ERROR', 0x30],
    ['CKR_GENERAL_ERROR', 0x5],
    ['CKR_FUNCTION_FAILED', 0x6],
    ['CKR_DEVICE_MEMORY', 0x31],
    ['CKR_TOKEN_NOT_RECOGNIZED', 0xe1],
  ])('with %s in every call until C_Initialize is brought back', async (_, code) => {
    await using signer = await Pkcs11Signer.open(rig.config);
    rig.fault.forget();
    const injected = rig.fault.inject({ fn: '*', action: 'return', code, until: 'initialize' });
    await Promise.all(Array.from({ length: 20 }, () => expectToSign(signer)));
    expect(injected.fired()).toBeGreaterThan(0);
    expect(rig.fault.calls('C_Initialize'), 'once, however many suffered').toBe(1);
    expect(rig.fault.violations()).toEqual([]);
  });

  it('until its process is another is brought back as well', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    const injected = rig.fault.inject({ fn: '*', action: 'return', code: 0x30, until: 'next-process' });
    await Promise.all(Array.from({ length: 20 }, () => expectToSign(signer)));
    expect(injected.fired()).toBeGreaterThan(0);
  });

  it('for good is reported, in one pass', async () => {
    await using signer = await Pkcs11Signer.open(rig.config);
    rig.fault.forget();
    const injected = rig.fault.inject({ fn: 'C_Sign', action: 'return', code: 0x30 });
    const error = await failureOf(expectToSign(signer));
    expect(error).toMatchObject({ code: 'token-error', ckr: 'CKR_DEVICE_ERROR', functionName: 'C_Sign' });
    expect(injected.fired()).toBeLessThanOrEqual(3);
    expect(rig.fault.calls('C_Initialize')).toBeLessThanOrEqual(2);
    injected.remove();
    await expectToSign(signer);
  });
});

describe('a daemon behind the module (p11-kit server)', () => {
  let server: P11KitServer;
  beforeAll(async () => {
    server = await createP11KitServer(SOFTHSM_MODULE);
  });
  afterAll(() => server.close());
  afterEach(() => server.start());

  const config = () => ({ ...rig.config, modulePath: server.modulePath });

  it('that is restarted is used again at once', async () => {
    await using signer = await Pkcs11Signer.open(config());
    await expectToSign(signer);
    await server.start();
    await Promise.all(Array.from({ length: 10 }, () => expectToSign(signer)));
  });

  it('that is gone is reported, and used again once it is back', async () => {
    await using signer = await Pkcs11Signer.open(config());
    await server.kill();
    const error = await failureOf(expectToSign(signer));
    expect(['token-not-found', 'token-error']).toContain(error.code);
    await server.start();
    await expectToSign(signer);
  });

  it('that is not running yet is no token, and its start is noticed', async () => {
    await server.kill();
    expect((await failureOf(Pkcs11Signer.open(config()))).code).toBe('token-not-found');
    await server.start();
    await using signer = await Pkcs11Signer.open(config());
    await expectToSign(signer);
  });
});
