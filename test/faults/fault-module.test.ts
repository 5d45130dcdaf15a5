// The fault module itself, in front of SoftHSM: what it passes on, what it makes go wrong, what it counts.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import pkcs11js from 'pkcs11js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createFaultModule, type FaultModule } from '../fixtures/fault-module/fault-module.js';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';

const CKU_USER = 1;
const CKS_RO_PUBLIC_SESSION = 0;
const CKS_RO_USER_FUNCTIONS = 1;
const CKF_TOKEN_PRESENT = 1;
const CKM_ECDSA = 0x1041;

let token: SoftHsmToken;
let fault: FaultModule;
let lib: pkcs11js.PKCS11;
let slot: Buffer;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: ['p256'] });
  fault = await createFaultModule();
  lib = new pkcs11js.PKCS11();
  lib.load(fault.modulePath);
  lib.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK });
  slot = lib.C_GetSlotList(true).find((one) => lib.C_GetTokenInfo(one).label.trim() === token.tokenLabel)!;
});
afterEach(() => {
  fault.clear();
  lib.C_CloseAllSessions(slot);
  fault.forget();
});
afterAll(async () => {
  lib.C_Finalize();
  lib.close();
  await fault.close();
  await token.remove();
});

const open = () => lib.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION);

function loggedIn(): Buffer {
  const session = open();
  lib.C_Login(session, CKU_USER, token.pin);
  return session;
}

function privateKey(session: Buffer): Buffer {
  lib.C_FindObjectsInit(session, [{ type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY }]);
  const [key] = lib.C_FindObjects(session, 1);
  lib.C_FindObjectsFinal(session);
  return key!;
}

function sign(session: Buffer): Buffer {
  lib.C_SignInit(session, { mechanism: CKM_ECDSA }, privateKey(session));
  return lib.C_Sign(session, Buffer.alloc(32, 1), Buffer.alloc(64));
}

function codeOf(call: () => unknown): number {
  try {
    call();
    return 0;
  } catch (error) {
    return (error as { code: number }).code;
  }
}

/** Runs `call`, with the module initialized as `lib`, in a process of its own. */
async function inChild(call: string): Promise<{ code: number | null; signal: string | null }> {
  const script = `
    import pkcs11js from 'pkcs11js';
    const lib = new pkcs11js.PKCS11();
    lib.load(${JSON.stringify(fault.modulePath)});
    lib.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK });
    ${call}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: 'ignore',
    env: token.env,
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return { code, signal };
}

describe('passes on', () => {
  it('what the real module answers, and counts the calls', async () => {
    const session = loggedIn();
    const [publicKey] = await token
      .pkcs11Tool('--list-objects')
      .then((text) => text.match(/04[0-9a-f]{128}/g)!);
    expect(publicKey).toBeDefined();
    expect(sign(session)).toHaveLength(64);
    expect(sign(session)).toHaveLength(64);
    expect(fault.calls('C_Sign')).toBe(2);
    expect(fault.calls('C_Login')).toBe(1);
    expect(fault.mostAtOnce('C_Sign')).toBe(1);
    expect(fault.violations()).toEqual([]);
  });

  it('the functions that it does not watch', () => {
    const session = open();
    expect(lib.C_GenerateRandom(session, Buffer.alloc(32))).not.toEqual(Buffer.alloc(32));
    expect(() => fault.calls('C_GenerateRandom')).toThrow(RangeError);
  });
});

describe('a fault', () => {
  it('returns a code, for as many calls as asked, after as many as asked', () => {
    const injected = fault.inject({ fn: 'C_SignInit', action: 'return', code: 0x30, skip: 1, times: 2 });
    const session = loggedIn();
    expect(Array.from({ length: 5 }, () => codeOf(() => sign(session)))).toEqual([0, 0x30, 0x30, 0, 0]);
    expect(injected.fired()).toBe(2);
  });

  it('loses the answer of a call that was carried out', () => {
    fault.inject({ fn: 'C_Login', action: 'return', code: 0x5, when: 'after', times: 1 });
    const session = open();
    expect(codeOf(() => lib.C_Login(session, CKU_USER, token.pin))).toBe(0x5);
    expect(codeOf(() => lib.C_Login(session, CKU_USER, token.pin))).toBe(0x100);
  });

  it('happens to the share of calls that was asked for, the same ones for the same seed', async () => {
    await using other = await createFaultModule();
    const drawn = (module: FaultModule): number[] => {
      const library = new pkcs11js.PKCS11();
      library.load(module.modulePath);
      module.inject({ fn: 'C_GetSlotInfo', action: 'return', code: 0x6, probability: 0.25 });
      const codes = Array.from({ length: 400 }, () => codeOf(() => library.C_GetSlotInfo(slot)));
      library.close();
      return codes;
    };
    const codes = drawn(fault);
    const share = codes.filter((code) => code === 0x6).length / codes.length;
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.35);
    expect(drawn(other)).toEqual(codes);
  });

  it('of any function leaves a way out: C_Initialize', () => {
    fault.inject({ fn: '*', action: 'return', code: 0x30, until: 'initialize' });
    expect(codeOf(open)).toBe(0x30);
    lib.C_Finalize();
    lib.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK });
    expect(codeOf(open)).toBe(0);
  });

  it('stays, where only another process cures it', async () => {
    fault.inject({ fn: 'C_OpenSession', action: 'return', code: 0x30, until: 'next-process' });
    lib.C_Finalize();
    lib.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK });
    expect(codeOf(open)).toBe(0x30);
    const { code } = await inChild('lib.C_OpenSession(lib.C_GetSlotList(true)[0], 4)');
    expect(code).toBe(0);
  });

  it('spoils a signature', () => {
    const session = loggedIn();
    fault.inject({ fn: 'C_Sign', action: 'shorten', times: 1 });
    expect(sign(session)).toHaveLength(63);
    const corrupt = fault.inject({ fn: 'C_Sign', action: 'corrupt' });
    expect(sign(session)).toHaveLength(64);
    expect(corrupt.fired()).toBe(1);
  });

  it('takes time', async () => {
    const session = loggedIn();
    fault.inject({ fn: 'C_Sign', action: 'delay', ms: 150 });
    const started = performance.now();
    sign(session);
    expect(performance.now() - started).toBeGreaterThan(140);
  });

  it('is removed alone', () => {
    const one = fault.inject({ fn: 'C_GetSlotInfo', action: 'return', code: 0x6 });
    fault.inject({ fn: 'C_OpenSession', action: 'return', code: 0x30 });
    one.remove();
    expect(codeOf(() => lib.C_GetSlotInfo(slot))).toBe(0);
    expect(codeOf(open)).toBe(0x30);
  });

  it('hangs until it is removed, and the others go on', async () => {
    const session = loggedIn();
    const hang = fault.inject({ fn: 'C_Sign', action: 'hang', times: 1 });
    lib.C_SignInit(session, { mechanism: CKM_ECDSA }, privateKey(session));
    let done = false;
    const signed = lib.C_SignAsync(session, Buffer.alloc(32, 1), Buffer.alloc(64)).then(() => {
      done = true;
    });
    while (hang.fired() === 0) await delay(5);
    await delay(20);
    expect(done).toBe(false);
    lib.C_CloseSession(open());
    hang.remove();
    await signed;
  });

  it.each([
    ['SIGSEGV', { code: null, signal: 'SIGSEGV' }],
    ['SIGABRT', { code: null, signal: 'SIGABRT' }],
    ['exit', { code: 3, signal: null }],
  ] as const)('ends the process by %s', async (how, expected) => {
    fault.inject({ fn: 'C_GetSlotList', action: 'crash', how });
    expect(await inChild('lib.C_GetSlotList(true)')).toEqual(expected);
    expect(fault.calls('C_GetSlotList')).toBe(1);
  });
});

describe('behind the back', () => {
  it('closes the sessions, and the login goes with them', () => {
    const session = loggedIn();
    fault.closeAllSessions();
    expect(codeOf(() => lib.C_GetSessionInfo(session))).toBe(0xb3);
    expect(lib.C_GetSessionInfo(open()).state).toBe(CKS_RO_PUBLIC_SESSION);
  });

  it('leaves other tokens alone', () => {
    const session = loggedIn();
    fault.closeAllSessions('another token');
    expect(codeOf(() => lib.C_GetSessionInfo(session))).toBe(0);
  });

  it('logs out, and the session stays', () => {
    const session = loggedIn();
    expect(lib.C_GetSessionInfo(session).state).toBe(CKS_RO_USER_FUNCTIONS);
    fault.logOut();
    expect(lib.C_GetSessionInfo(session).state).toBe(CKS_RO_PUBLIC_SESSION);
  });

  it('takes a token out and puts it back', () => {
    const session = loggedIn();
    const slots = lib.C_GetSlotList(true).length;
    fault.removeToken(token.tokenLabel);
    expect(codeOf(() => lib.C_GetSessionInfo(session))).toBe(0x32);
    expect(codeOf(() => lib.C_GetTokenInfo(slot))).toBe(0xe0);
    expect(codeOf(open)).toBe(0xe0);
    expect(lib.C_GetSlotList(true)).toHaveLength(slots - 1);
    expect(lib.C_GetSlotInfo(slot).flags & CKF_TOKEN_PRESENT).toBe(0);
    fault.insertToken();
    expect(codeOf(() => lib.C_GetSessionInfo(session))).toBe(0xb3);
    expect(lib.C_GetSlotList(true)).toHaveLength(slots);
    expect(lib.C_GetSessionInfo(open()).state).toBe(CKS_RO_PUBLIC_SESSION);
  });
});

describe('the shape of the token', () => {
  it('counts wrong PINs like a card, and locks', () => {
    const flags = () => lib.C_GetTokenInfo(slot).flags & 0x70000;
    const session = open();
    const login = (pin: string) => codeOf(() => lib.C_Login(session, CKU_USER, pin));
    fault.shape({ pinTries: 3 });
    expect(flags()).toBe(0);
    expect([login('0000'), flags()]).toEqual([0xa0, 0x10000]);
    expect([login('0000'), flags()]).toEqual([0xa0, 0x30000]);
    expect([login(token.pin), flags(), fault.pinTriesLeft()]).toEqual([0, 0, 3]);
    lib.C_Logout(session);
    expect([login('0000'), login('1111'), login('2222'), flags()]).toEqual([0xa0, 0xa0, 0xa0, 0x50000]);
    expect([login(token.pin), fault.pinTriesLeft()]).toEqual([0xa4, 0]);
    const tries = fault.logins().map(({ pin, code }) => [pin, code]);
    expect(tries.slice(-2)).toEqual([
      ['2222', 0xa0],
      [token.pin, 0xa4],
    ]);
    expect(fault.logins()[0]).toEqual({ user: 'user', pin: '0000', code: 0xa0, pid: process.pid });
  });

  it('writes down a PIN whose answer never came', async () => {
    fault.inject({ fn: 'C_Login', action: 'crash', when: 'after' });
    const call = `lib.C_Login(lib.C_OpenSession(lib.C_GetSlotList(true)[0], 4), 1, ${JSON.stringify(token.pin)})`;
    expect((await inChild(call)).signal).toBe('SIGSEGV');
    expect(fault.logins()).toMatchObject([{ user: 'user', pin: token.pin, code: 0 }]);
  });

  it('has few sessions', () => {
    fault.shape({ maxSessions: 2 });
    const [first] = [open(), open()];
    expect(codeOf(open)).toBe(0xb1);
    lib.C_CloseSession(first!);
    expect(codeOf(open)).toBe(0);
    expect(lib.C_GetTokenInfo(slot).maxSessionCount).toBe(2);
  });

  it('is in a reader', () => {
    fault.shape({ removable: true, hardware: true });
    expect(lib.C_GetSlotInfo(slot).flags & 6).toBe(6);
  });

  it('does one thing at a time', async () => {
    const sessions = [loggedIn(), open(), open()];
    fault.inject({ fn: 'C_Sign', action: 'delay', ms: 100 });
    const signAll = async () => {
      for (const session of sessions) lib.C_SignInit(session, { mechanism: CKM_ECDSA }, privateKey(session));
      const started = performance.now();
      await Promise.all(
        sessions.map((session) => lib.C_SignAsync(session, Buffer.alloc(32, 1), Buffer.alloc(64))),
      );
      return performance.now() - started;
    };
    fault.shape({ oneAtATime: true });
    expect(await signAll()).toBeGreaterThan(290);
    expect(fault.mostAtOnce('C_Sign')).toBe(3);
  });
});

describe('a caller that breaks the rules', () => {
  it('is noticed when it uses a session twice at once', async () => {
    const session = loggedIn();
    const hang = fault.inject({ fn: 'C_Sign', action: 'hang' });
    lib.C_SignInit(session, { mechanism: CKM_ECDSA }, privateKey(session));
    const signed = lib.C_SignAsync(session, Buffer.alloc(32, 1), Buffer.alloc(64));
    while (hang.fired() === 0) await delay(5);
    lib.C_GetSessionInfo(session);
    hang.remove();
    await signed;
    expect(fault.violations()).toEqual(['session used by two calls at once: C_GetSessionInfo, C_Sign']);
  });

  it('is noticed when it finalizes or closes during a call, or calls before it initializes', async () => {
    const session = loggedIn();
    const hang = fault.inject({ fn: 'C_Sign', action: 'hang' });
    lib.C_SignInit(session, { mechanism: CKM_ECDSA }, privateKey(session));
    const signed = lib.C_SignAsync(session, Buffer.alloc(32, 1), Buffer.alloc(64)).catch(() => {});
    while (hang.fired() === 0) await delay(5);
    lib.C_CloseAllSessions(slot);
    lib.C_Finalize();
    codeOf(() => lib.C_GetSlotList(true));
    hang.remove();
    await signed;
    lib.C_Initialize({ flags: 0 });
    expect(fault.violations()).toEqual([
      'C_CloseAllSessions during a call: C_CloseAllSessions, C_Sign',
      'C_Finalize during a call: C_Finalize, C_Sign',
      'call without C_Initialize: C_GetSlotList, C_GetSlotList',
      'C_Initialize without CKF_OS_LOCKING_OK: C_Initialize, C_Initialize',
    ]);
  });

  it('is noticed when anything comes between C_SignInit, the context PIN and C_Sign', () => {
    const [session, other] = [loggedIn(), open()];
    const key = privateKey(session);
    const contextLogin = () => codeOf(() => lib.C_Login(session, 2, token.pin));
    lib.C_SignInit(session, { mechanism: CKM_ECDSA }, key);
    contextLogin();
    lib.C_Sign(session, Buffer.alloc(32, 1), Buffer.alloc(64));
    expect(fault.violations()).toEqual([]);
    lib.C_SignInit(session, { mechanism: CKM_ECDSA }, key);
    lib.C_GetSessionInfo(other);
    contextLogin();
    expect(fault.violations()).toHaveLength(1);
  });
});

it('leaves nothing behind', async () => {
  const other = await createFaultModule();
  const folders = async () =>
    (await readdir(tmpdir())).filter((name) => other.modulePath.includes(`/${name}/`));
  expect(await folders()).toHaveLength(1);
  await other.close();
  expect(await folders()).toEqual([]);
});
