// Sessions of a token: how many are open, who has them, and what becomes of them when something fails.

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS, expectToSign, failureOf, keyOf, useOpenedModule } from './opened-module.js';

const CKR_DEVICE_ERROR = 0x30;
const CKR_GENERAL_ERROR = 0x5;
const CKR_OPERATION_ACTIVE = 0x90;
const CKR_USER_NOT_LOGGED_IN = 0x101;
const CKR_SESSION_HANDLE_INVALID = 0xb3;
const CKR_SESSION_COUNT = 0xb1;

const opened = useOpenedModule();

const key = keyOf('p256');
const input = new Uint8Array(32).fill(1);
const sign = () => opened.module.sign(opened.slot, { key, input });
const signMany = (count: number) => Promise.all(Array.from({ length: count }, sign));

/** Signs in as many sessions as the token is opened for. */
async function fillPool(sessions: number): Promise<void> {
  const slow = opened.fault.inject({ fn: 'C_Sign', action: 'delay', ms: 20 });
  await signMany(sessions);
  slow.remove();
  opened.fault.forget();
}

describe('the pool', () => {
  it.each([1, 3])('lends up to %i sessions at once, and keeps them', async (sessions) => {
    const { fault } = opened;
    await opened.open({ sessions });
    fault.forget();
    fault.inject({ fn: 'C_Sign', action: 'delay', ms: 40 });
    await signMany(20);
    expect(fault.mostAtOnce('C_Sign')).toBe(sessions);
    expect(fault.calls('C_OpenSession')).toBe(sessions);
    expect(fault.calls('C_CloseSession')).toBe(0);
    await signMany(20);
    expect(fault.calls('C_OpenSession')).toBe(sessions);
  });

  it('signs on this thread with one session where the call may block', async () => {
    await opened.open({ sessions: 4, blocking: true });
    opened.fault.forget();
    await Promise.all(
      ALGORITHMS.flatMap((one) => [keyOf(one), keyOf(one)]).map((one) => expectToSign(opened, one)),
    );
    expect(opened.fault.mostAtOnce('C_Sign')).toBe(1);
  });

  it('has signed when the call returns, where the call may block', async () => {
    const { fault } = opened;
    await opened.open({ sessions: 1, blocking: true });
    await sign();
    fault.forget();
    const work = [sign(), sign(), sign()];
    expect(fault.calls('C_Sign')).toBe(3);
    await Promise.all(work);
  });

  it('grows and shrinks with new options', async () => {
    const { module, slot, fault } = opened;
    await fillPool(4);
    await module.openToken(slot, { sessions: 1, blocking: false });
    expect(fault.calls('C_CloseSession')).toBe(3);
    await signMany(10);
    expect(fault.mostAtOnce('C_Sign')).toBe(1);
    fault.inject({ fn: 'C_Sign', action: 'delay', ms: 60 });
    const work = signMany(10);
    await module.openToken(slot, { sessions: 3, blocking: false });
    await work;
    expect(fault.mostAtOnce('C_Sign')).toBe(3);
  });

  it('shrinks as sessions come back', async () => {
    const { module, slot, fault } = opened;
    await opened.open({ sessions: 3 });
    await fillPool(3);
    fault.inject({ fn: 'C_Sign', action: 'delay', ms: 20 });
    const work = signMany(3);
    await module.openToken(slot, { sessions: 1, blocking: false });
    expect(fault.calls('C_CloseSession')).toBe(0);
    await work;
    expect(fault.calls('C_CloseSession')).toBe(2);
  });

  it.each([1, 2, 3])('makes do with the %i sessions that a token has', async (maxSessions) => {
    const { fault } = opened;
    fault.shape({ maxSessions });
    await opened.open({ sessions: 8 });
    fault.forget();
    fault.inject({ fn: 'C_Sign', action: 'delay', ms: 20 });
    await signMany(20);
    expect(fault.mostAtOnce('C_Sign')).toBe(Math.max(1, maxSessions - 1));
    expect(fault.calls('C_OpenSession')).toBeLessThan(maxSessions + 2); // one refusal, and no more for a while
    expect(await opened.module.tokenStatus(opened.slot)).toMatchObject({ loggedIn: true });
    await expectToSign(opened, key);
  });

  it('asks again for a session once the token may have one', async () => {
    const { fault } = opened;
    await opened.open({ sessions: 2 });
    fault.shape({ maxSessions: 2 });
    await signMany(4);
    fault.shape({});
    fault.forget();
    await delay(1100);
    await fillPool(2);
    await signMany(4);
    fault.inject({ fn: 'C_Sign', action: 'delay', ms: 20 });
    await signMany(4);
    expect(fault.mostAtOnce('C_Sign')).toBe(2);
  });

  it('makes room for the read-write session of a new key', async () => {
    const { fault, module, slot } = opened;
    fault.shape({ maxSessions: 3 });
    await opened.open({ sessions: 8 });
    await fillPool(2);
    const fresh = { algorithm: 'p256', label: 'fresh', idHex: '70' } as const;
    await module.generateKeyPair(slot, fresh);
    await expectToSign(opened, fresh);
    expect(await module.deleteKeyPair(slot, fresh)).toBe(2);
  });

  it('tells everybody who waits that no session can be opened', async () => {
    const { fault } = opened;
    await opened.open({ sessions: 1 });
    fault.inject({ fn: 'C_Sign', action: 'return', code: CKR_DEVICE_ERROR });
    fault.inject({ fn: 'C_OpenSession', action: 'return', code: CKR_GENERAL_ERROR, skip: 1 });
    const results = await Promise.allSettled(Array.from({ length: 10 }, sign));
    const codes = results.map((result) => result.status === 'rejected' && result.reason.ckrCode);
    expect(codes).toEqual([CKR_DEVICE_ERROR, ...Array(9).fill(CKR_GENERAL_ERROR)]);
    fault.clear();
    await expectToSign(opened, key);
  });
});

describe('a session', () => {
  it('is given up after an error in a signature, and only that one', async () => {
    const { fault } = opened;
    await opened.open({ sessions: 3 });
    await fillPool(3);
    fault.inject({ fn: 'C_Sign', action: 'return', code: CKR_DEVICE_ERROR, times: 1 });
    expect(await failureOf(sign())).toMatchObject({ ckrCode: CKR_DEVICE_ERROR, functionName: 'C_Sign' });
    expect(fault.calls('C_CloseSession')).toBe(1);
    expect(fault.calls('C_Sign')).toBe(1); // not tried again: that is not what a session is to blame for
    await signMany(5);
    expect(fault.calls('C_OpenSession')).toBeLessThanOrEqual(1);
  });

  it.each(['C_SignInit', 'C_Sign'] as const)('whose %s finds it busy is replaced, once', async (fn) => {
    const { fault } = opened;
    await sign();
    fault.forget();
    const busy = fault.inject({ fn, action: 'return', code: CKR_OPERATION_ACTIVE, times: 1 });
    await expectToSign(opened, key);
    expect(busy.fired()).toBe(1);
    expect([fault.calls('C_OpenSession'), fault.calls('C_CloseSession')]).toEqual([1, 1]);
    const always = fault.inject({ fn, action: 'return', code: CKR_OPERATION_ACTIVE });
    expect(await failureOf(sign())).toMatchObject({ ckrCode: CKR_OPERATION_ACTIVE, functionName: fn });
    expect(always.fired()).toBe(2);
  });

  it('that is dead takes the free ones with it, and its number is not closed', async () => {
    const { fault } = opened;
    await fillPool(3);
    fault.inject({ fn: 'C_SignInit', action: 'return', code: CKR_SESSION_HANDLE_INVALID, times: 1 });
    await expectToSign(opened, key);
    expect(fault.calls('C_CloseSession')).toBe(2);
    expect(fault.calls('C_OpenSession')).toBe(1);
  });

  it('is given up after a failed search as well', async () => {
    const { fault, module, slot } = opened;
    await module.keys(slot, 'private');
    fault.forget();
    fault.inject({ fn: 'C_FindObjects', action: 'return', code: CKR_DEVICE_ERROR, times: 1 });
    expect(await failureOf(module.keys(slot, 'private'))).toMatchObject({ functionName: 'C_FindObjects' });
    expect(fault.calls('C_CloseSession')).toBe(1);
    expect(await module.keys(slot, 'private')).toHaveLength(3);
  });
});

describe('sessions that all die', () => {
  it.each([false, true])(
    'take the login with them, which a new one cures; blocking: %s',
    async (blocking) => {
      const { fault, module, slot } = opened;
      await opened.open({ blocking });
      await signMany(10);
      fault.closeAllSessions();
      const results = await Promise.allSettled(Array.from({ length: 10 }, sign));
      for (const result of results) {
        expect(result).toMatchObject({ status: 'rejected', reason: { ckrCode: CKR_USER_NOT_LOGGED_IN } });
      }
      expect(await module.tokenStatus(slot)).toMatchObject({ loggedIn: false });
      await module.login(slot, opened.token.pin);
      await signMany(10);
      expect(fault.logins().filter(({ code }) => code !== 0)).toEqual([]);
    },
  );

  it('do not keep anybody from logging in or out', async () => {
    const { fault, module, slot } = opened;
    await sign();
    fault.closeAllSessions();
    await module.logout(slot);
    fault.closeAllSessions();
    await module.login(slot, opened.token.pin);
    await expectToSign(opened, key);
  });
});

describe('a login that has ended behind our back', () => {
  it('is said so, and not that the key is gone', async () => {
    const { fault, module, slot } = opened;
    await sign();
    fault.logOut();
    expect(await failureOf(sign())).toMatchObject({ ckrCode: CKR_USER_NOT_LOGGED_IN });
    await module.logout(slot); // nobody is logged in: no error
    await module.login(slot, opened.token.pin);
    await expectToSign(opened, key);
  });

  it('is a matter of one C_Login, which is never repeated here', async () => {
    const { fault, module, slot } = opened;
    await module.logout(slot);
    fault.forget();
    fault.inject({ fn: 'C_Login', action: 'return', code: CKR_SESSION_HANDLE_INVALID });
    expect(await failureOf(module.login(slot, opened.token.pin))).toMatchObject({ functionName: 'C_Login' });
    expect(fault.calls('C_Login')).toBe(1);
    fault.clear();
    expect((await failureOf(module.login(slot, 'wrong pin'))).code).toBe('pin-incorrect');
    expect(fault.calls('C_Login')).toBe(2);
    await module.login(slot, opened.token.pin);
  });
});

describe('the anchor session', () => {
  it('holds the login while every lent session comes and goes', async () => {
    const { fault, module, slot } = opened;
    fault.inject({ fn: 'C_Sign', action: 'return', code: CKR_OPERATION_ACTIVE, probability: 0.3 });
    const results = await Promise.allSettled(Array.from({ length: 200 }, sign));
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    fault.clear();
    expect(await module.tokenStatus(slot)).toMatchObject({ loggedIn: true });
    await expectToSign(opened, key);
    expect(fault.calls('C_Login')).toBe(0);
  });

  it('that a token of one session lends is replaced when it is given up', async () => {
    const { fault, module, slot } = opened;
    fault.shape({ maxSessions: 1 });
    await opened.open({ sessions: 4 });
    fault.inject({ fn: 'C_Sign', action: 'return', code: CKR_DEVICE_ERROR, times: 1 });
    expect((await failureOf(sign())).ckrCode).toBe(CKR_DEVICE_ERROR);
    expect((await failureOf(sign())).ckrCode).toBe(CKR_USER_NOT_LOGGED_IN);
    await module.login(slot, opened.token.pin);
    await Promise.all([sign(), sign(), module.keys(slot, 'private'), sign()]);
    expect((await failureOf(module.generateKeyPair(slot, { ...key, label: 'x', idHex: '71' }))).ckrCode).toBe(
      CKR_SESSION_COUNT,
    );
    await Promise.all([sign(), sign()]);
    expect(await module.tokenStatus(slot)).toMatchObject({ loggedIn: true });
  });
});
