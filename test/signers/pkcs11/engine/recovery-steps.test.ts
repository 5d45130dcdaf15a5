// The ladder: which step follows which failure.

import { describe, expect, it } from 'vitest';
import { Pkcs11Error, SignerError } from '../../../../src/errors.js';
import { CKR } from '../../../../src/signers/pkcs11/constants.js';
import { nextStep, type Step } from '../../../../src/signers/pkcs11/engine/recovery.js';
import { returned } from '../../../../src/signers/pkcs11/errors.js';

/** The steps that a request climbs which fails with `error` again and again. */
function climb(error: unknown): Step[] {
  const tried = new Set<Step>();
  for (let step = nextStep(error, tried); step; step = nextStep(error, tried)) tried.add(step);
  return [...tried];
}

const afterReturn = (code: number) => climb(returned('C_Sign', code));
const afterCode = (code: ConstructorParameters<typeof Pkcs11Error>[0]) => climb(new Pkcs11Error(code, 'x'));

describe('recovery', () => {
  it('logs in again where the login is gone, then goes on', () => {
    expect(afterReturn(CKR.CKR_USER_NOT_LOGGED_IN)).toEqual(['login', 'reinitialize', 'process']);
  });

  it.each([
    0xb3, 0xb0, 0x90, 0x91, 0x150, 0x82, 0x60, 0x30, 0x31, 0x32, 0xe0, 0xe1, 0x2, 0x3, 0x5, 0x6, 0x190,
  ])('initializes anew after 0x%i, then takes a new process', (code) =>
    expect(afterReturn(code)).toEqual(['reinitialize', 'process']),
  );

  it('takes a new process after a crash or a hang, and another where that crashes as well', () => {
    expect(afterCode('module-crashed')).toEqual(['process', 'next process']);
    expect(afterCode('timeout')).toEqual(['process']);
  });

  it('reads the token anew for a key that is gone, and no more', () => {
    expect(afterCode('key-not-found')).toEqual(['reinitialize']);
  });

  it('looks for a token that is gone', () => {
    expect(afterCode('token-not-found')).toEqual(['reinitialize', 'process']);
  });

  it.each([CKR.CKR_PIN_INCORRECT, CKR.CKR_PIN_LEN_RANGE, CKR.CKR_PIN_LOCKED, CKR.CKR_PIN_EXPIRED])(
    'never follows a PIN that was refused (0x%i)',
    (code) => expect(afterReturn(code)).toEqual([]),
  );

  it('initializes anew where the token says that it has no PIN, which SoftHSM may not have been able to read', () => {
    expect(climb(returned('C_Login', CKR.CKR_USER_PIN_NOT_INITIALIZED))).toEqual(['reinitialize']);
  });

  it.each(['pin-incorrect', 'pin-locked', 'pin-missing', 'signature-invalid', 'key-mismatch'] as const)(
    'never follows %s',
    (code) => expect(afterCode(code)).toEqual([]),
  );

  it('does not follow what is no failure of the token', () => {
    expect(climb(new TypeError('x'))).toEqual([]);
    expect(climb(new SignerError('signer-closed', 'x'))).toEqual([]);
    expect(climb(returned('C_SignInit', CKR.CKR_MECHANISM_INVALID))).toEqual([]);
  });
});
