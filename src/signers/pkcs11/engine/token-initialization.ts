// A token initialized, under the same memory as a login: C_InitToken checks the SO PIN of a token that is initialized
// already, so it is a try of it. On one that is not, it sets the SO PIN, and there is none to try (PKCS #11 v3.1 §5.5.7).
// Invariant: what is erased is the token that was chosen; a PIN may have been typed since, and another token inserted.

import { Pkcs11Error } from '../../../errors.js';
import { isPinRefusal } from '../errors.js';
import { PinGuard } from '../pin/pin-guard.js';
import type { HostedModule, TokenInitialization, TokenStatus, TokenSummary } from './hosted-module.js';

const officers = new PinGuard({ user: 'so' });

/** Initializes `token` through `module`; `users` forgets the user PINs that it has refused, which are gone. */
export async function initializeToken(
  module: HostedModule,
  token: TokenSummary,
  init: TokenInitialization,
  users: PinGuard,
): Promise<void> {
  let failure: unknown;
  const present = async () => {
    failure = await failureAfterErasing(module.initToken(token.slotHandle, init));
  };
  if (token.initialized) await officers.login(token, init.soPin, () => soPinStatus(module, token), present);
  else await sameToken(module, token).then(present);
  // A record that stays errs on the safe side, and says itself how it is removed.
  await users.clear(token).catch(() => {});
  if (!token.initialized) await officers.clear(token).catch(() => {});
  if (failure !== undefined) throw failure;
}

/** What went wrong once C_InitToken had taken the SO PIN; rejects with what went wrong before. */
async function failureAfterErasing(initializing: Promise<void>): Promise<unknown> {
  try {
    await initializing;
    return undefined;
  } catch (error) {
    const isAfter =
      error instanceof Pkcs11Error && error.ckrCode !== undefined && error.functionName !== 'C_InitToken';
    if (isAfter && !(error.functionName === 'C_Login' && isPinRefusal(error))) return error;
    throw error;
  }
}

async function soPinStatus(module: HostedModule, token: TokenSummary): Promise<TokenStatus> {
  const { soPin, ownKeypad } = await sameToken(module, token);
  return { pin: soPin, ownKeypad, loggedIn: false };
}

async function sameToken(module: HostedModule, token: TokenSummary): Promise<TokenSummary> {
  const now = (await module.tokens()).find(({ slotHandle }) => slotHandle === token.slotHandle);
  const isSame =
    now !== undefined &&
    (['manufacturer', 'model', 'serial', 'label', 'initialized'] as const).every(
      (name) => now[name] === token[name],
    );
  if (isSame) return now;
  throw new Pkcs11Error(
    'token-not-found',
    `The token at position ${token.slotIndex} is not the one that was chosen any more: nothing was done. See erst-hsm ` +
      'hsm slots, and try again',
  );
}
