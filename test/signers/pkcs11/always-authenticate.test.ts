// Keys that want the PIN at every signature, as PIV slot 9c: SignInit, login for this operation, Sign.

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CKF_TOKEN, CKR, CKU } from '../../../src/signers/pkcs11/constants.js';
import { returned } from '../../../src/signers/pkcs11/errors.js';
import { Cryptoki } from '../../../src/signers/pkcs11/module/cryptoki.js';
import { Pkcs11Signer } from '../../../src/signers/pkcs11/pkcs11-signer.js';
import { expectToSign, failureOf } from '../../fixtures/outcomes.js';
import { createSoftHsmToken, type SoftHsmToken } from '../../fixtures/softhsm.js';

let token: SoftHsmToken;
beforeAll(async () => {
  token = await createSoftHsmToken({
    inProcess: true,
    keys: [
      { algorithm: 'p256', label: 'careful', alwaysAuthenticate: true },
      { algorithm: 'ed25519', label: 'plain' },
    ],
  });
});
afterAll(() => token.remove());
afterEach(() => vi.restoreAllMocks());

describe('a key with CKA_ALWAYS_AUTHENTICATE', () => {
  it('signs again and again, beside another key on the token, with nothing between its login and C_Sign', async () => {
    const calls: string[] = [];
    for (const name of [
      'signInit',
      'login',
      'signAsync',
      'tokenInfo',
      'findObjects',
      'attribute',
      'openSession',
    ] as const) {
      const original = Cryptoki.prototype[name] as (...args: unknown[]) => unknown;
      vi.spyOn(Cryptoki.prototype, name).mockImplementation(function (this: Cryptoki, ...args: unknown[]) {
        calls.push(name === 'login' && args[1] === CKU.CONTEXT_SPECIFIC ? 'context login' : name);
        return original.apply(this, args) as never;
      });
    }
    await using careful = await Pkcs11Signer.open(token.config('careful'));
    await using plain = await Pkcs11Signer.open(token.config('plain'));
    const work = Array.from({ length: 10 }, () => [expectToSign(careful), expectToSign(plain)]).flat();
    const other = Pkcs11Signer.open(token.config('plain'));
    await Promise.all(work);
    await (await other).close();
    const logins = calls.flatMap((name, i) => (name === 'context login' ? [i] : []));
    expect(logins).toHaveLength(10);
    for (const i of logins) expect([calls[i - 1], calls[i + 1]]).toEqual(['signInit', 'signAsync']);
    expect(calls.filter((name) => name === 'login')).toHaveLength(1);
  });

  it('is not signed with where the PIN may lock', async () => {
    await using signer = await Pkcs11Signer.open(token.config('careful'));
    const tokenInfo = Cryptoki.prototype.tokenInfo;
    const spy = vi.spyOn(Cryptoki.prototype, 'tokenInfo').mockImplementation(function (this: Cryptoki, slot) {
      const info = tokenInfo.call(this, slot);
      return { ...info, flags: info.flags | CKF_TOKEN.USER_PIN_FINAL_TRY };
    });
    const login = vi.spyOn(Cryptoki.prototype, 'login');
    expect((await failureOf(signer.sign(Uint8Array.of(1)))).code).toBe('pin-locked');
    expect(login).not.toHaveBeenCalled();
    spy.mockRestore();
    await expectToSign(signer);
  });

  it('whose PIN is refused at a signature is not tried with it again', async () => {
    await token.addToken('second', '55555555');
    const second = { label: 'second', pin: '55555555' };
    await token.addKey(
      { algorithm: 'p256', label: 'careful', idHex: '01', alwaysAuthenticate: true },
      second,
    );
    await using signer = await Pkcs11Signer.open({
      ...token.config('careful'),
      tokenLabel: 'second',
      pin: '55555555',
    });
    const login = vi.spyOn(Cryptoki.prototype, 'login').mockImplementationOnce(() => {
      throw returned('C_Login', CKR.CKR_PIN_INCORRECT);
    });
    expect(await failureOf(signer.sign(Uint8Array.of(1)))).toMatchObject({
      code: 'pin-incorrect',
      ckr: 'CKR_PIN_INCORRECT',
    });
    expect((await failureOf(signer.sign(Uint8Array.of(1)))).message).toContain('not tried again');
    expect(login).toHaveBeenCalledTimes(1);
  });

  it('logs in again with the PIN that it keeps, where the login has ended', async () => {
    await using signer = await Pkcs11Signer.open(token.config('careful'));
    vi.spyOn(Cryptoki.prototype, 'signInit').mockImplementationOnce(() => {
      throw returned('C_SignInit', CKR.CKR_USER_NOT_LOGGED_IN);
    });
    await expectToSign(signer);
    await expectToSign(signer);
  });
});
