import pkcs11js from 'pkcs11js';
import { describe, expect, it } from 'vitest';
import { CKR, ckrName } from '../../../src/signers/pkcs11/constants.js';
import { callFailed, curedByNewSession, isLoginLost, returned } from '../../../src/signers/pkcs11/errors.js';

describe('ckrName', () => {
  it('names codes, those of v3.0 included, and shows the rest as numbers', () => {
    expect(ckrName(0xa0)).toBe('CKR_PIN_INCORRECT');
    expect(ckrName(0x140)).toBe('CKR_CURVE_NOT_SUPPORTED');
    expect(ckrName(0x80000042)).toBe('CKR_VENDOR_DEFINED+0x42');
    expect(ckrName(0x7777)).toBe('CKR_0x7777');
  });

  it('agrees with pkcs11js where that has the name', () => {
    const theirs = pkcs11js as unknown as Record<string, number | undefined>;
    const known = Object.entries(CKR).filter(([name]) => theirs[name] !== undefined);
    expect(known.length).toBeGreaterThan(60);
    for (const [name, code] of known) expect([name, theirs[name]]).toEqual([name, code]);
  });
});

describe('callFailed', () => {
  it('reads an error with a numeric code', () => {
    const thrown = new pkcs11js.Pkcs11Error('CKR_PIN_INCORRECT', 160, 'C_Login');
    expect(callFailed('C_Login', thrown)).toMatchObject({
      code: 'pin-incorrect',
      ckr: 'CKR_PIN_INCORRECT',
      ckrCode: 0xa0,
      functionName: 'C_Login',
      cause: thrown,
    });
  });

  it('reads a plain error with the number in its message', () => {
    const error = callFailed('C_FindObjects', new Error('CKR_SESSION_HANDLE_INVALID:179'));
    expect(error).toMatchObject({ code: 'token-error', ckr: 'CKR_SESSION_HANDLE_INVALID', ckrCode: 0xb3 });
    expect(error.message).toContain('C_FindObjects failed with CKR_SESSION_HANDLE_INVALID (0xb3)');
  });

  it('gives a code that pkcs11js does not know its own name', () => {
    const error = callFailed('C_GenerateKeyPair', new pkcs11js.Pkcs11Error('CKR_VENDOR_DEFINED', 0x140, ''));
    expect(error).toMatchObject({ code: 'mechanism-unsupported', ckr: 'CKR_CURVE_NOT_SUPPORTED' });
    expect(callFailed('C_Sign', new Error('CKR_VENDOR_DEFINED:2147483650')).ckr).toBe(
      'CKR_VENDOR_DEFINED+0x2',
    );
  });

  it('keeps a refused argument apart from a return code', () => {
    const error = callFailed('C_Sign', new TypeError('Argument 0 has wrong type. Should be a Buffer'));
    expect(error).toMatchObject({ code: 'token-error', functionName: 'C_Sign' });
    expect(error.ckr).toBeUndefined();
  });

  it.each([
    [CKR.CKR_PIN_INCORRECT, 'pin-incorrect'],
    [CKR.CKR_PIN_INVALID, 'pin-incorrect'],
    [CKR.CKR_PIN_LEN_RANGE, 'pin-incorrect'],
    [CKR.CKR_PIN_EXPIRED, 'pin-incorrect'],
    [CKR.CKR_PIN_LOCKED, 'pin-locked'],
    [CKR.CKR_USER_PIN_NOT_INITIALIZED, 'pin-missing'],
    [CKR.CKR_MECHANISM_INVALID, 'mechanism-unsupported'],
    [CKR.CKR_DEVICE_REMOVED, 'token-error'],
    [0x7777, 'token-error'],
  ])('0x%i is %s, with something to do', (code, signerCode) => {
    const error = returned('C_Any', code);
    expect(error.code).toBe(signerCode);
    expect(error.message.length).toBeGreaterThan(60);
  });

  it('tells what a new session cures', () => {
    expect(curedByNewSession(returned('C_Sign', CKR.CKR_SESSION_HANDLE_INVALID))).toBe(true);
    expect(curedByNewSession(returned('C_Sign', CKR.CKR_PIN_INCORRECT))).toBe(false);
    expect(curedByNewSession(new Error('CKR_SESSION_CLOSED:176'))).toBe(false);
    expect(isLoginLost(returned('C_Sign', CKR.CKR_USER_NOT_LOGGED_IN))).toBe(true);
  });
});
