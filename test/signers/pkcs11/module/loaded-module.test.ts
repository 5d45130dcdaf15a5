// LoadedModule with a real token: what it shows, who is logged in, its life, and that a crash is no way to say no.

import { describe, expect, it } from 'vitest';
import type { KeyIdentity } from '../../../../src/signers/pkcs11/engine/hosted-module.js';
import { LoadedModule } from '../../../../src/signers/pkcs11/module/loaded-module.js';
import { pinStateOf } from '../../../../src/signers/pkcs11/module/token-summary.js';
import { ALGORITHMS, expectToSign, failureOf, keyOf, slotOf, useOpenedModule } from './opened-module.js';

const CKR_SESSION_HANDLE_INVALID = 0xb3;
const CKR_USER_NOT_LOGGED_IN = 0x101;
const CKR_USER_ALREADY_LOGGED_IN = 0x100;
const CKR_CRYPTOKI_NOT_INITIALIZED = 0x190;
const CKR_GENERAL_ERROR = 0x5;
const CKR_FUNCTION_FAILED = 0x6;

const opened = useOpenedModule();

const input = new Uint8Array(32).fill(1);
const sign = (key: KeyIdentity = keyOf('p256')) => opened.module.sign(opened.slot, { key, input });

describe('what it shows', () => {
  it('of the module', async () => {
    expect(await opened.module.describe()).toMatchObject({
      manufacturer: 'SoftHSM',
      version: expect.stringMatching(/^2\.\d+$/),
      cryptokiVersion: expect.stringMatching(/^2\.\d+$/),
      slotCount: 2,
    });
  });

  it('of tokens', async () => {
    const { module, fault, token, slot } = opened;
    fault.shape({ maxSessions: 7, removable: true, hardware: true, pinTries: 3 });
    const tokens = await module.tokens();
    expect(tokens).toHaveLength(2);
    expect(tokens.map(({ slotIndex }) => slotIndex)).toEqual([0, 1]);
    const summary = tokens.find(({ slotHandle }) => slotHandle === slot)!;
    expect(summary).toMatchObject({
      label: token.tokenLabel,
      manufacturer: 'SoftHSM project',
      model: 'SoftHSM v2',
      serial: expect.stringMatching(/^[0-9a-f]{16}$/),
      initialized: true,
      loginRequired: true,
      writeProtected: false,
      ownKeypad: false,
      removable: true,
      hardware: true,
      pin: 'ok',
      maxSessions: 7,
      mechanisms: ['EDDSA', 'ECDSA'],
      firmwareVersion: expect.stringMatching(/^\d+\.\d+$/),
    });
    expect(summary.mechanismNumbers).toContain(0x1057);
    const other = tokens.find(({ slotHandle }) => slotHandle !== slot)!;
    expect(other).toMatchObject({ initialized: false, pin: 'uninitialized' });
    fault.clear();
    expect((await module.tokens())[0]).toMatchObject({ maxSessions: undefined, hardware: false });
  });

  it('of a token that cannot be read: its place in the list', async () => {
    opened.fault.inject({ fn: 'C_GetTokenInfo', action: 'return', code: 0x30, times: 1 });
    const [first, second] = await opened.module.tokens();
    expect(first).toMatchObject({ slotIndex: 0, model: 'unreadable', initialized: false, mechanisms: [] });
    expect(second!.model).toBe('SoftHSM v2');
  });

  it('of the PIN', async () => {
    const { module, fault, slot } = opened;
    await module.logout(slot);
    fault.shape({ pinTries: 3 });
    for (const pin of ['count-low', 'final-try', 'locked']) {
      expect((await failureOf(module.login(slot, pin))).code).toBe('pin-incorrect');
      expect(await module.tokenStatus(slot)).toMatchObject({ pin, loggedIn: false });
    }
    expect((await failureOf(module.login(slot, 'again'))).code).toBe('pin-locked');
    expect(pinStateOf(0x70008)).toBe('locked');
    expect(pinStateOf(0x0)).toBe('uninitialized');
  });

  it('of keys', async () => {
    const { module, slot } = opened;
    const keys = await module.keys(slot, 'private');
    expect(keys.map(({ algorithm }) => algorithm).sort()).toEqual([...ALGORITHMS].sort());
    expect(await module.keys(slot, 'private', { label: 'p256' })).toEqual([
      {
        ...keyOf('p256'),
        canSign: true,
        needsLogin: true,
        alwaysAuthenticate: false,
        local: true,
        alwaysSensitive: true,
        neverExtractable: true,
        extractable: false,
      },
    ]);
    expect(await module.keys(slot, 'public', { idHex: '01' })).toMatchObject([
      { ...keyOf('ed25519'), canSign: false, local: true, extractable: undefined },
    ]);
    expect(await module.keys(slot, 'private', { label: 'p256', idHex: '01' })).toEqual([]);
    expect(await module.publicPoint(slot, { ...keyOf('p256'), idHex: '66' })).toBeUndefined();
    await expect(module.keys(slot, 'secret' as never)).rejects.toThrow(TypeError);
  });
});

describe('a key that the module cannot describe', () => {
  it('is of no algorithm, and does not hide the others', async () => {
    const { module, slot, fault } = opened;
    fault.inject({ fn: 'C_GetAttributeValue', action: 'return', code: CKR_FUNCTION_FAILED, times: 1 });
    const keys = await module.keys(slot, 'private');
    expect(keys.map(({ algorithm }) => algorithm !== undefined)).toEqual([false, true, true]);
    fault.inject({ fn: 'C_GetAttributeValue', action: 'return', code: CKR_FUNCTION_FAILED });
    expect((await failureOf(module.keys(slot, 'private'))).ckrCode).toBe(CKR_FUNCTION_FAILED);
    expect((await failureOf(sign())).ckrCode).toBe(CKR_FUNCTION_FAILED); // the token fails, the key is not gone
  });
});

describe('login', () => {
  it('is one for the token, and its end hides the keys', async () => {
    const { module, slot, token } = opened;
    await sign();
    expect(await failureOf(module.login(slot, token.pin))).toMatchObject({
      ckrCode: CKR_USER_ALREADY_LOGGED_IN,
    });
    await module.logout(slot);
    expect(await module.keys(slot, 'private')).toEqual([]);
    expect(await failureOf(sign())).toMatchObject({ ckrCode: CKR_USER_NOT_LOGGED_IN });
    await module.logout(slot);
    await module.login(slot, token.pin);
    await Promise.all(ALGORITHMS.map((algorithm) => expectToSign(opened, keyOf(algorithm))));
  });

  it('waits for the signatures in flight, and those that come later wait for it', async () => {
    const { module, slot, token, fault } = opened;
    fault.inject({ fn: 'C_Sign', action: 'delay', ms: 10 });
    const early = Array.from({ length: 8 }, () => sign());
    const again = [module.logout(slot), module.login(slot, token.pin)];
    const late = Array.from({ length: 8 }, () => sign());
    await Promise.all([...early, ...again, ...late]);
  });

  it('does not make a key that is not there a matter of the login', async () => {
    const error = await failureOf(sign({ ...keyOf('p256'), label: 'nobody', idHex: '55' }));
    expect(error.code).toBe('key-not-found');
  });
});

describe('signatures', () => {
  it.each([false, true])('by all algorithms at once, blocking: %s', async (blocking) => {
    await opened.open({ blocking });
    await Promise.all(Array.from({ length: 60 }, (_, i) => expectToSign(opened, keyOf(ALGORITHMS[i % 3]!))));
  });

  it.each([false, true])('of messages of any length by Ed25519, blocking: %s', async (blocking) => {
    const { module, slot } = opened;
    await opened.open({ blocking });
    const key = keyOf('ed25519');
    const lengths = [0, 1, 1023, 1024, 1025, 100_000];
    const signAll = () =>
      Promise.all(lengths.map((n) => module.sign(slot, { key, input: new Uint8Array(n).fill(n) })));
    const signatures = await signAll();
    expect(new Set(signatures.map((one) => Buffer.from(one).toString('hex'))).size).toBe(lengths.length);
    expect(await signAll()).toEqual(signatures); // Ed25519 is deterministic: what was signed before left nothing
  });

  it('of a length that no such key makes are not passed on', async () => {
    opened.fault.inject({ fn: 'C_Sign', action: 'shorten', times: 1 });
    expect((await failureOf(sign())).code).toBe('signature-invalid');
    await expectToSign(opened, keyOf('p256'));
  });

  it('find a key once', async () => {
    await sign();
    opened.fault.forget();
    await Promise.all(Array.from({ length: 20 }, () => sign()));
    expect(opened.fault.calls('C_FindObjectsInit')).toBe(0);
  });
});

describe('a token', () => {
  it('that is not open is said to be so', async () => {
    const { module, slot, token } = opened;
    const early = sign();
    const closing = module.closeToken(slot);
    const late = failureOf(sign());
    expect(await early).toHaveLength(64);
    await closing;
    expect(await late).toMatchObject({ ckrCode: CKR_SESSION_HANDLE_INVALID });
    const calls = [
      () => module.tokenStatus(slot),
      () => module.login(slot, token.pin),
      () => module.logout(slot),
      () => module.keys(slot, 'private'),
      () => module.generateKeyPair(slot, keyOf('p256')),
    ];
    for (const call of calls) {
      expect(await failureOf(call())).toMatchObject({ ckrCode: CKR_SESSION_HANDLE_INVALID });
    }
    await module.closeToken(slot);
    await expect(module.openToken('ff'.repeat(8), { sessions: 1, blocking: false })).rejects.toMatchObject({
      ckr: 'CKR_SLOT_ID_INVALID',
    });
  });

  it('closed and opened is logged out', async () => {
    const { module, slot } = opened;
    await sign();
    await module.closeToken(slot);
    await module.openToken(slot, { sessions: 2, blocking: false });
    expect(await module.tokenStatus(slot)).toMatchObject({ loggedIn: false });
  });
});

describe('reinitialize', () => {
  it('lets the calls in flight end, and leaves nothing open', async () => {
    const { module, slot, token, fault } = opened;
    fault.inject({ fn: 'C_Sign', action: 'delay', ms: 5 });
    const early = Array.from({ length: 20 }, () => sign());
    const again = module.reinitialize();
    const late = Promise.allSettled(Array.from({ length: 20 }, () => sign()));
    await Promise.all([...early, again]);
    for (const result of await late) {
      expect(result).toMatchObject({ reason: { ckrCode: CKR_SESSION_HANDLE_INVALID } });
    }
    fault.clear();
    expect(await slotOf(module, token.tokenLabel)).toBe(slot);
    await module.openToken(slot, { sessions: 2, blocking: false });
    await module.login(slot, token.pin);
    await expectToSign(opened, keyOf('p256'));
  });

  it('that fails leaves a module that nothing reaches, until it succeeds', async () => {
    const { module, slot, fault, token } = opened;
    fault.inject({ fn: 'C_Initialize', action: 'return', code: CKR_GENERAL_ERROR, times: 2 });
    expect(await failureOf(module.reinitialize())).toMatchObject({ functionName: 'C_Initialize' });
    fault.forget();
    const calls = [
      () => module.tokens(),
      () => module.describe(),
      () => module.openToken(slot, { sessions: 1, blocking: true }),
    ];
    for (const call of calls) {
      expect(await failureOf(call())).toMatchObject({ ckrCode: CKR_CRYPTOKI_NOT_INITIALIZED });
    }
    expect([fault.calls('C_GetInfo'), fault.calls('C_OpenSession')]).toEqual([0, 0]);
    expect(await failureOf(module.reinitialize())).toMatchObject({ functionName: 'C_Initialize' });
    await module.reinitialize();
    await opened.open();
    await module.logout(slot);
    await module.login(slot, token.pin);
    await expectToSign(opened, keyOf('p256'));
  });

  it('goes on where C_Finalize fails', async () => {
    opened.fault.inject({
      fn: 'C_Finalize',
      action: 'return',
      code: CKR_GENERAL_ERROR,
      times: 1,
      when: 'after',
    });
    await opened.open();
    await expectToSign(opened, keyOf('p256'));
  });

  it('forgets its sessions and no more where other code has initialized the module', async () => {
    const { module, slot, token, fault } = opened;
    const second = await LoadedModule.load(fault.modulePath);
    await second.openToken(slot, { sessions: 1, blocking: true });
    await second.reinitialize();
    expect(await failureOf(second.tokenStatus(slot))).toMatchObject({ ckrCode: CKR_SESSION_HANDLE_INVALID });
    await second.close();
    expect(fault.calls('C_Finalize')).toBe(0);
    await expectToSign(opened, keyOf('p256'));
    expect(await module.tokenStatus(slot)).toMatchObject({ loggedIn: true });
    expect(token.pin).toBeTruthy();
  });
});
