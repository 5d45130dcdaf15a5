// The PIN: one login for a process and token, no second try of a wrong PIN, nothing spent where it may lock the token.

import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Pkcs11Error } from '../../../src/errors.js';
import type { Pkcs11Config } from '../../../src/signers/config/config.js';
import { CKF_TOKEN, CKR } from '../../../src/signers/pkcs11/constants.js';
import { Cryptoki } from '../../../src/signers/pkcs11/cryptoki.js';
import { returned } from '../../../src/signers/pkcs11/errors.js';
import { Pkcs11Signer } from '../../../src/signers/pkcs11/pkcs11-signer.js';
import { createSoftHsmToken, type SoftHsmToken } from '../../fixtures/softhsm.js';

let token: SoftHsmToken;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: ['ed25519', 'p256'], pin: '271828' });
});
afterAll(() => token.remove());

const login = vi.spyOn(Cryptoki.prototype, 'login');
afterEach(() => login.mockClear());

function withPin(pin: string | undefined): Pkcs11Config {
  const { pin: _, ...config } = token.config('ed25519');
  return pin === undefined ? config : { ...config, pin };
}

const failure = (config: Pkcs11Config): Promise<Pkcs11Error> =>
  Pkcs11Signer.open(config).then(
    () => expect.unreachable('did not fail'),
    (error) => error,
  );

describe('a wrong PIN', () => {
  it('is tried once, whoever comes with it', async () => {
    const error = await failure(withPin('314159'));
    expect(error).toMatchObject({
      code: 'pin-incorrect',
      ckr: 'CKR_PIN_INCORRECT',
      ckrCode: 0xa0,
      functionName: 'C_Login',
    });
    expect(error.message).not.toContain('314159');
    const again = await Promise.all([
      failure(withPin('314159')),
      failure(withPin('314159')),
      failure({ ...withPin('314159'), keyLabel: 'p256' }),
    ]);
    for (const { code, message } of again) {
      expect(code).toBe('pin-incorrect');
      expect(message).toContain('not tried again');
    }
    expect(login).toHaveBeenCalledTimes(1);
  });

  it('is tried once also where several come at the same time', async () => {
    const errors = await Promise.all(Array.from({ length: 5 }, () => failure(withPin('161803'))));
    expect(errors.map(({ code }) => code)).toEqual(Array(5).fill('pin-incorrect'));
    expect(login).toHaveBeenCalledTimes(1);
  });

  it('does not keep the right one out', async () => {
    await failure(withPin('999999'));
    const signer = await Pkcs11Signer.open(withPin('271828'));
    await signer.sign(Uint8Array.of(1));
    await signer.close();
    expect(login).toHaveBeenCalledTimes(2);
  });

  it('of a length that the token refuses is typed as well', async () => {
    expect((await failure(withPin('1'))).code).toBe('pin-incorrect');
    expect((await failure(withPin('1'))).message).toContain('not tried again');
    expect(login).toHaveBeenCalledTimes(1);
  });
});

describe('a second signer', () => {
  it('with the same PIN shares the login', async () => {
    await using first = await Pkcs11Signer.open(withPin('271828'));
    await using second = await Pkcs11Signer.open({ ...withPin('271828'), keyLabel: 'p256' });
    await Promise.all([first.sign(Uint8Array.of(1)), second.sign(Uint8Array.of(1))]);
    expect(login).toHaveBeenCalledTimes(1);
  });

  it('with another PIN is refused, and no try is spent', async () => {
    await using first = await Pkcs11Signer.open(withPin('271828'));
    const error = await failure(withPin('271829'));
    expect(error.code).toBe('pin-incorrect');
    expect(error.message).toContain('No try was spent');
    expect(error.message).not.toMatch(/27182[89]/);
    expect((await failure(withPin(undefined))).code).toBe('pin-missing');
    expect(login).toHaveBeenCalledTimes(1);
    await first.sign(Uint8Array.of(1));
  });

  it('logs in anew when the first has left', async () => {
    await (await Pkcs11Signer.open(withPin('271828'))).close();
    await (await Pkcs11Signer.open(withPin('271828'))).close();
    expect(login).toHaveBeenCalledTimes(2);
  });
});

describe('no login is tried', () => {
  const tokenInfo = Cryptoki.prototype.tokenInfo;
  const withFlags = (flags: number) =>
    vi.spyOn(Cryptoki.prototype, 'tokenInfo').mockImplementation(function (this: Cryptoki, slot) {
      const info = tokenInfo.call(this, slot);
      return { ...info, flags: info.flags | flags };
    });

  it.each([
    ['has one try left', CKF_TOKEN.USER_PIN_FINAL_TRY, 'pin-locked', 'one try left'],
    ['is locked', CKF_TOKEN.USER_PIN_LOCKED, 'pin-locked', 'PUK'],
    ['takes its PIN on a keypad', CKF_TOKEN.PROTECTED_AUTHENTICATION_PATH, 'token-error', 'keypad'],
  ])('where the token %s', async (_, flag, code, words) => {
    const spy = withFlags(flag);
    const error = await failure(withPin('271828'));
    spy.mockRestore();
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(login).not.toHaveBeenCalled();
  });

  it('without a PIN', async () => {
    const error = await failure(withPin(undefined));
    expect(error.code).toBe('pin-missing');
    expect(error.message).toContain('ERST_PKCS11_PIN_FILE');
    expect(login).not.toHaveBeenCalled();
  });

  it('where other code in this process is logged in already', async () => {
    const { default: pkcs11js } = await import('pkcs11js');
    const lib = new pkcs11js.PKCS11();
    lib.load(token.modulePath);
    lib.C_Initialize({ flags: 2 });
    const slot = lib
      .C_GetSlotList(true)
      .find((one) => lib.C_GetTokenInfo(one).label.trim() === token.tokenLabel)!;
    const session = lib.C_OpenSession(slot, 4);
    lib.C_Login(session, 1, '271828');
    const error = await failure(withPin('000000'));
    expect(error).toMatchObject({ code: 'token-error', ckr: 'CKR_USER_ALREADY_LOGGED_IN' });
    expect(login).not.toHaveBeenCalled();
    // The module was not finalized under the other code's feet.
    expect(lib.C_GetSessionInfo(session).state).toBe(1);
    lib.C_Finalize();
  });
});

describe('while another process logs in', () => {
  it('a token that is not there, or cannot be read, is looked for again', async () => {
    const noToken = vi.spyOn(Cryptoki.prototype, 'slotsWithToken').mockReturnValueOnce([]);
    const tokenInfo = vi.spyOn(Cryptoki.prototype, 'tokenInfo');
    const isUserLoggedIn = Cryptoki.prototype.isUserLoggedIn;
    const unreadable = vi.spyOn(Cryptoki.prototype, 'isUserLoggedIn').mockImplementationOnce(function (
      this: Cryptoki,
      session,
    ) {
      tokenInfo.mockImplementationOnce(() => {
        throw returned('C_GetTokenInfo', CKR.CKR_GENERAL_ERROR);
      });
      return isUserLoggedIn.call(this, session);
    });
    const signer = await Pkcs11Signer.open(withPin('271828'));
    await signer.sign(Uint8Array.of(1));
    await signer.close();
    expect(noToken.mock.calls.length).toBe(3);
    expect(login).toHaveBeenCalledTimes(1);
    for (const spy of [noToken, tokenInfo, unreadable]) spy.mockRestore();
  });

  it('a login that failed for another reason than its PIN is not tried again by itself', async () => {
    login.mockImplementationOnce(() => {
      throw returned('C_Login', CKR.CKR_GENERAL_ERROR);
    });
    expect(await failure(withPin('271828'))).toMatchObject({ code: 'token-error', functionName: 'C_Login' });
    expect(login).toHaveBeenCalledTimes(1);
  });
});

describe('a token without a user PIN', () => {
  it('says so', async () => {
    const slots = await token.softhsm2Util('--show-slots');
    const free = slots.split(/^Slot /m).findIndex((slot) => /Initialized: +no/.test(slot)) - 1;
    const init = ['--init-token', '--slot-index', String(free), '--label', 'no PIN', '--so-pin', '12345678'];
    await promisify(execFile)('pkcs11-tool', ['--module', token.modulePath, ...init], { env: token.env });
    const error = await failure({ ...withPin('1234'), tokenLabel: 'no PIN' });
    expect(error).toMatchObject({
      code: 'pin-missing',
      ckr: 'CKR_USER_PIN_NOT_INITIALIZED',
      functionName: 'C_Login',
    });
  });
});

describe('the PIN comes', () => {
  const pinFile = () => join(token.directory, 'pin');

  it('from a file', async () => {
    await writeFile(pinFile(), '271828\n', { mode: 0o600 });
    await (await Pkcs11Signer.open({ ...withPin(undefined), pinFile: pinFile() })).close();
  });

  it('from a file that others can read, with a warning', async () => {
    await writeFile(pinFile(), '271828\n');
    await chmod(pinFile(), 0o644);
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    await (await Pkcs11Signer.open({ ...withPin(undefined), pinFile: pinFile() })).close();
    const warning = await warned;
    expect(warning.message).toContain('ERST_PKCS11_PIN_FILE');
    expect(warning.message).toContain('chmod 600');
    expect(warning.message).not.toContain('271828');
  });

  it('from a command', async () => {
    await (await Pkcs11Signer.open({ ...withPin(undefined), pinCommand: 'echo 271828' })).close();
  });

  it.each<[string, Partial<Pkcs11Config>]>([
    ['a missing file', { pinFile: '/nowhere/pin' }],
    ['a failing command', { pinCommand: 'echo 271828; exit 3' }],
    ['an empty output', { pinCommand: 'true' }],
    ['an empty value', { pin: '' }],
    ['two sources', { pin: '271828', pinCommand: 'echo 271828' }],
  ])('not from %s', async (_, source) => {
    const error = await failure({ ...withPin(undefined), ...source });
    expect(error.code).toBe('invalid-config');
    expect(error.message).toContain('ERST_PKCS11_PIN');
    expect(error.message).not.toContain('271828');
    expect(login).not.toHaveBeenCalled();
  });
});
