// Which step may cure a failure. The ladder, from the cheapest step to the dearest:
//   login         C_Logout, C_Login: the login is gone, or another program has taken the card's applet
//   reinitialize  C_Finalize, C_Initialize, look for the token again, login
//   process       a new process for the module, and all of that
//   next process  the same once more, where the first one died of it: a second crash may be of the recovery
// A request climbs each step at most once. A dead session is not seen here: LoadedModule replaces it. What names a wrong
// or missing PIN, or a signature, is nobody's to recover: no step follows. Two things that SoftHSM says only because it
// could not read its files are cured when it reads them again: that a key is gone (its directory was away), and that a
// token has no PIN (unreadable-token.ts).

import { Pkcs11Error } from '../../../errors.js';
import { CKR } from '../constants.js';
import { curedByNewSession, curedByRestart, isLoginLost } from '../errors.js';

export type Step = 'login' | 'reinitialize' | 'process' | 'next process';

const LADDER: readonly Step[] = ['login', 'reinitialize', 'process'];

/** The next step for `error` that is not in `tried`; `undefined` where nothing is left, or nothing would help. */
export function nextStep(error: unknown, tried: ReadonlySet<Step>): Step | undefined {
  return stepsFor(error).find((step) => !tried.has(step));
}

function stepsFor(error: unknown): readonly Step[] {
  if (!(error instanceof Pkcs11Error)) return [];
  if (error.code === 'module-crashed') return ['process', 'next process'];
  if (error.code === 'timeout') return ['process'];
  if (isKeyGone(error)) return ['reinitialize'];
  if (isLoginLost(error)) return LADDER;
  if (error.ckrCode === CKR.CKR_USER_PIN_NOT_INITIALIZED) return ['reinitialize'];
  const isDeviceGone = error.code === 'token-not-found' || curedByRestart(error) || curedByNewSession(error);
  return isDeviceGone ? LADDER.slice(1) : [];
}

/** A key that was there when it was opened is not found any more. */
export const isKeyGone = (error: unknown): boolean =>
  error instanceof Pkcs11Error && error.code === 'key-not-found';
