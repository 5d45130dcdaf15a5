// A login that is made again while its last user leaves.

import { expect, it } from 'vitest';
import type { HostedModule, TokenSummary } from '../../../../src/signers/pkcs11/engine/hosted-module.js';
import { TokenLogin } from '../../../../src/signers/pkcs11/engine/token-login.js';
import { PinGuard } from '../../../../src/signers/pkcs11/pin/pin-guard.js';

it('of a signer that was closed meanwhile presents nothing, and says so', async () => {
  const token = { label: 'mine', slotHandle: '00'.repeat(8), loginRequired: true } as TokenSummary;
  let presented = 0;
  const module = {
    tokenStatus: async () => ({ pin: 'ok', ownKeypad: false, loggedIn: false }),
    login: async () => void presented++,
  } as Partial<HostedModule> as HostedModule;
  const login = new TokenLogin(new PinGuard());
  await expect(login.into(module, token)).rejects.toMatchObject({ code: 'signer-closed' });
  expect(presented).toBe(0);
});
