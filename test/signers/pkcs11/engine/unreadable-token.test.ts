import { expect, it } from 'vitest';
import { CKR } from '../../../../src/signers/pkcs11/constants.js';
import { whileUnreadable } from '../../../../src/signers/pkcs11/engine/unreadable-token.js';
import { returned } from '../../../../src/signers/pkcs11/errors.js';

const softHsm = { manufacturer: 'SoftHSM project', model: 'SoftHSM v2', serial: '1', label: 'mine' };
const card = { manufacturer: 'Yubico', model: 'YubiKey YK5', serial: '1', label: 'mine' };

/** Work that fails with `code` the first `times`. */
function failing(times: number, code: number = CKR.CKR_GENERAL_ERROR) {
  let calls = 0;
  const work = async () => {
    if (++calls <= times) throw returned('C_Login', code);
    return calls;
  };
  return { work, calls: () => calls };
}

it('work on a token of SoftHSM is done again while the token cannot be read', async () => {
  expect(await whileUnreadable(softHsm, failing(4).work)).toBe(5);
});

it('that stays unreadable is given up', async () => {
  await expect(whileUnreadable(softHsm, failing(1000).work)).rejects.toMatchObject({
    ckr: 'CKR_GENERAL_ERROR',
  });
});

it.each([
  ['another error', softHsm, CKR.CKR_PIN_INCORRECT],
  ['another token, which may have judged the PIN', card, CKR.CKR_GENERAL_ERROR],
] as const)('work is not done again after %s', async (_, token, code) => {
  const { work, calls } = failing(1, code);
  await expect(whileUnreadable(token, work)).rejects.toMatchObject({ ckrCode: code });
  expect(calls()).toBe(1);
});
