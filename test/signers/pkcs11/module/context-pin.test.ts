// A key with CKA_ALWAYS_AUTHENTICATE, as PIV slot 9c: its PIN comes between C_SignInit and C_Sign, and nothing else does.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectToSign, failureOf, keyOf, type OpenedModule, openModule } from './opened-module.js';

const CKR_SESSION_HANDLE_INVALID = 0xb3;
const CKR_OPERATION_ACTIVE = 0x90;
const CKR_DEVICE_ERROR = 0x30;
const CKR_USER_NOT_LOGGED_IN = 0x101;

const careful = { algorithm: 'p256', label: 'careful', idHex: '09' } as const;
const input = new Uint8Array(32).fill(1);

let opened: OpenedModule;
beforeAll(async () => {
  opened = await openModule([{ ...careful, alwaysAuthenticate: true }]);
});
beforeEach(async () => {
  await opened.open();
  opened.fault.forget();
});
afterEach(() => opened.fault.clear());
afterAll(() => opened.close());

const sign = (contextPin?: string) => opened.module.sign(opened.slot, { key: careful, input, contextPin });
const contextLogins = () => opened.fault.logins().filter(({ user }) => user === 'context');

describe('a signature that takes the PIN', () => {
  it.each([false, true])('has the token to itself, blocking: %s', async (blocking) => {
    const { fault, module, slot, token } = opened;
    await opened.open({ blocking });
    fault.forget();
    fault.inject({ fn: 'C_Login', action: 'delay', ms: 2 });
    fault.inject({ fn: 'C_Sign', action: 'delay', ms: 3 });
    const others = [
      () => expectToSign(opened, keyOf('p256')),
      () => expectToSign(opened, keyOf('ed25519')),
      () => module.keys(slot, 'private'),
      () => module.tokenStatus(slot),
      () => module.tokens(),
      () => module.certificates(slot),
      () => module.openToken(slot, { sessions: 2, blocking }),
      () => module.describe(),
    ];
    const work = Array.from({ length: 6 }, () => [
      expectToSign(opened, careful, token.pin),
      ...others.map((other) => other()),
    ]);
    await Promise.all(work.flat());
    expect(fault.violations()).toEqual([]);
    expect(contextLogins().map(({ code }) => code)).toEqual(Array(6).fill(0));
    expect(fault.calls('C_Login')).toBe(6);
  });

  it('lets nobody look at the token meanwhile', async () => {
    const { fault, module, slot, token } = opened;
    await sign(token.pin);
    fault.inject({ fn: 'C_Sign', action: 'delay', ms: 30 });
    const order: string[] = [];
    const note = (name: string) => () => void order.push(name);
    await Promise.all([
      sign(token.pin).then(note('sign')),
      module.tokens().then(note('tokens')),
      module.tokenStatus(slot).then(note('status')),
    ]);
    expect(order[0]).toBe('sign');
  });

  it('is refused by the token without it', async () => {
    expect((await failureOf(sign())).code).toBe('token-error');
    await expectToSign(opened, careful, opened.token.pin);
  });

  it('presents a wrong PIN once, and leaves nothing behind', async () => {
    const { fault, token } = opened;
    expect(await failureOf(sign('87654321'))).toMatchObject({
      code: 'pin-incorrect',
      ckr: 'CKR_PIN_INCORRECT',
      functionName: 'C_Login',
    });
    expect(fault.calls('C_Login')).toBe(1);
    await expectToSign(opened, careful, token.pin);
    await expectToSign(opened, keyOf('p256'));
  });

  it('presents no PIN where nobody is logged in', async () => {
    const { fault, token } = opened;
    await sign(token.pin);
    fault.forget();
    fault.logOut();
    fault.inject({ fn: 'C_SignInit', action: 'return', code: 0 }); // as OpenSC's, which begins all the same
    expect(await failureOf(sign(token.pin))).toMatchObject({ ckrCode: CKR_USER_NOT_LOGGED_IN });
    expect(fault.calls('C_Login')).toBe(0);
  });

  it('does not spend the last try', async () => {
    const { fault, module, slot, token } = opened;
    fault.shape({ pinTries: 3 });
    await failureOf(sign('wrong 1'));
    expect(await module.tokenStatus(slot)).toMatchObject({ pin: 'count-low' });
    await failureOf(sign('wrong 2'));
    expect(await module.tokenStatus(slot)).toMatchObject({ pin: 'final-try' });
    fault.forget();
    expect((await failureOf(sign(token.pin))).code).toBe('pin-locked');
    expect((await failureOf(sign('wrong 3'))).code).toBe('pin-locked');
    expect([fault.calls('C_SignInit'), fault.calls('C_Login')]).toEqual([0, 0]);
    expect(fault.pinTriesLeft()).toBe(1);
  });

  it('is tried again in a fresh session before the PIN was presented, and not after', async () => {
    const { fault, token } = opened;
    await sign(token.pin);
    fault.forget();
    fault.inject({ fn: 'C_SignInit', action: 'return', code: CKR_OPERATION_ACTIVE, times: 1 });
    await expectToSign(opened, careful, token.pin);
    expect(fault.calls('C_Login')).toBe(1);
    fault.inject({ fn: 'C_Login', action: 'return', code: CKR_SESSION_HANDLE_INVALID, times: 1 });
    expect((await failureOf(sign(token.pin))).functionName).toBe('C_Login');
    expect(fault.calls('C_Login')).toBe(2);
    fault.inject({ fn: 'C_Sign', action: 'return', code: CKR_DEVICE_ERROR, times: 1 });
    expect((await failureOf(sign(token.pin))).functionName).toBe('C_Sign');
    expect(fault.calls('C_Login')).toBe(3);
    await expectToSign(opened, careful, token.pin);
  });
});
