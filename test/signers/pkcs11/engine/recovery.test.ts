// A session that dies, a login that ends, a key that goes: what the next signature does.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pkcs11js from 'pkcs11js';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Pkcs11Config } from '../../../../src/signers/config/config.js';
import { CKR } from '../../../../src/signers/pkcs11/constants.js';
import { returned } from '../../../../src/signers/pkcs11/errors.js';
import { Cryptoki } from '../../../../src/signers/pkcs11/module/cryptoki.js';
import { Pkcs11Signer } from '../../../../src/signers/pkcs11/pkcs11-signer.js';
import { expectToSign, failureOf } from '../../../fixtures/outcomes.js';
import { createSoftHsmToken, SOFTHSM_MODULE, type SoftHsmToken } from '../../../fixtures/softhsm.js';

let token: SoftHsmToken;
let fromFile: Pkcs11Config;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: ['ed25519', 'secp256k1', 'p256'], inProcess: true });
  const pinFile = join(token.directory, 'pin');
  await writeFile(pinFile, token.pin, { mode: 0o600 });
  const { pin: _, ...config } = token.config();
  fromFile = { ...config, pinFile };
});
afterAll(() => token.remove());

const login = vi.spyOn(Cryptoki.prototype, 'login');
afterEach(() => {
  login.mockClear();
});

/** Other code in this process that closes every session on the token, ours included. */
function closeAllSessions(): void {
  const lib = new pkcs11js.PKCS11();
  lib.load(SOFTHSM_MODULE);
  const slots = lib.C_GetSlotList(true);
  const slot = slots.find((one) => lib.C_GetTokenInfo(one).label.trim() === token.tokenLabel)!;
  lib.C_CloseAllSessions(slot);
}

describe('sessions closed behind our back', () => {
  it('are opened again, with the PIN read again from its file', async () => {
    await using signer = await Pkcs11Signer.open({ ...fromFile, keyLabel: 'ed25519' });
    for (let i = 0; i < 3; i++) {
      closeAllSessions();
      await expectToSign(signer);
      await expectToSign(signer);
    }
    expect(login).toHaveBeenCalledTimes(4);
  });

  it('serve all signers on the token again, with one login', async () => {
    await using a = await Pkcs11Signer.open({ ...fromFile, keyLabel: 'ed25519' });
    await using b = await Pkcs11Signer.open({ ...fromFile, keyLabel: 'p256' });
    login.mockClear();
    closeAllSessions();
    await Promise.all([expectToSign(a), expectToSign(b), expectToSign(a), expectToSign(b)]);
    expect(login).toHaveBeenCalledTimes(1);
  });

  it('have the PIN read once, however many signatures wait for it', async () => {
    const reads = join(token.directory, 'reads');
    const { pinFile, ...config } = fromFile;
    const pinCommand = `echo read >> ${reads}; cat ${pinFile}`;
    await using signer = await Pkcs11Signer.open({ ...config, pinCommand, keyLabel: 'ed25519' });
    closeAllSessions();
    login.mockClear();
    await Promise.all(Array.from({ length: 50 }, () => expectToSign(signer)));
    expect(await readFile(reads, 'utf8')).toBe('read\nread\n');
    expect(login).toHaveBeenCalledTimes(1);
  });

  it('are opened again with a PIN that was given by value', async () => {
    await using signer = await Pkcs11Signer.open(token.config('ed25519'));
    closeAllSessions();
    login.mockClear();
    await expectToSign(signer);
    expect(login).toHaveBeenCalledTimes(1);
  });

  it('do not spend a second try where the PIN has changed since', async () => {
    const pinFile = join(token.directory, 'changed-pin');
    await writeFile(pinFile, token.pin, { mode: 0o600 });
    await using signer = await Pkcs11Signer.open({ ...fromFile, pinFile, keyLabel: 'ed25519' });
    await writeFile(pinFile, 'wrong-pin', { mode: 0o600 });
    closeAllSessions();
    login.mockClear();
    for (let i = 0; i < 3; i++) {
      expect((await failureOf(signer.sign(Uint8Array.of(1)))).code).toBe('pin-incorrect');
    }
    expect(login).toHaveBeenCalledTimes(1);
  });
});

describe('a session is given up after any error in a signature', () => {
  const openSession = vi.spyOn(Cryptoki.prototype, 'openSession');

  it.each(['signInit', 'signAsync'] as const)('of %s, and the login stays', async (method) => {
    await using signer = await Pkcs11Signer.open(token.config('secp256k1'));
    openSession.mockClear();
    login.mockClear();
    const fault = vi.spyOn(Cryptoki.prototype, method).mockImplementationOnce(() => {
      throw returned('C_Sign', CKR.CKR_DATA_LEN_RANGE);
    });
    const error = await failureOf(signer.sign(Uint8Array.of(1)));
    expect(error).toMatchObject({ code: 'token-error', ckr: 'CKR_DATA_LEN_RANGE', functionName: 'C_Sign' });
    expect(fault).toHaveBeenCalledTimes(1);
    openSession.mockClear();
    await expectToSign(signer);
    expect(openSession).toHaveBeenCalledTimes(1);
    expect(login).not.toHaveBeenCalled();
    fault.mockRestore();
  });

  it.each([
    CKR.CKR_SESSION_HANDLE_INVALID,
    CKR.CKR_SESSION_CLOSED,
    CKR.CKR_OPERATION_ACTIVE,
    CKR.CKR_KEY_HANDLE_INVALID,
    CKR.CKR_OBJECT_HANDLE_INVALID,
  ])('and 0x%i is cured within the same call, once', async (code) => {
    await using signer = await Pkcs11Signer.open(token.config('p256'));
    const fault = vi.spyOn(Cryptoki.prototype, 'signInit').mockImplementationOnce(() => {
      throw returned('C_SignInit', code);
    });
    await expectToSign(signer);
    fault.mockImplementation(() => {
      throw returned('C_SignInit', code);
    });
    fault.mockClear();
    expect((await failureOf(signer.sign(Uint8Array.of(1)))).ckrCode).toBe(code);
    expect(fault).toHaveBeenCalledTimes(4); // with a fresh session, and both once more after C_Initialize
    fault.mockRestore();
    await expectToSign(signer);
  });

  it('and an operation left active on it hurts nobody', async () => {
    await using signer = await Pkcs11Signer.open(token.config('ed25519'));
    const original = Cryptoki.prototype.signInit;
    const twice = vi.spyOn(Cryptoki.prototype, 'signInit').mockImplementationOnce(function (
      this: Cryptoki,
      ...args
    ) {
      original.apply(this, args);
      original.apply(this, args);
    });
    await expectToSign(signer);
    twice.mockRestore();
    await expectToSign(signer);
  });
});

describe('a key that another program deletes', () => {
  it('is reported, and the signer goes on when it is back under another handle', async () => {
    await token.addKey({ algorithm: 'p256', label: 'fleeting', idHex: '77' });
    await using signer = await Pkcs11Signer.open(token.config('fleeting'));
    await expectToSign(signer);
    await token.pkcs11Tool('--delete-object', '--type', 'privkey', '--id', '77');
    await token.pkcs11Tool('--delete-object', '--type', 'pubkey', '--id', '77');
    expect((await failureOf(signer.sign(Uint8Array.of(1)))).code).toBe('key-not-found');
    await token.addKey({ algorithm: 'p256', label: 'fleeting', idHex: '77' });
    // The same name, another key: its signature does not verify against the pinned public key.
    expect((await failureOf(signer.sign(Uint8Array.of(1)))).code).toBe('key-mismatch');
  });
});
