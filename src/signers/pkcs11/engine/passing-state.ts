// Patience with tokens in a passing state: while one process logs in, SoftHSM shows others no token, or none that it can
// read, and a smart card that was just inserted takes a moment.

import { setTimeout as delay } from 'node:timers/promises';
import { Pkcs11Error } from '../../../errors.js';
import { CKR } from '../constants.js';
import type { Pkcs11Engine } from './engine.js';

export const PASSING_PAUSES_MS: readonly number[] = [50, 100, 200, 400];

/** What `work` gives, tried again while its failure may pass. Never after a login whose PIN the token may have judged. */
export async function whilePassing<T>(engine: Pkcs11Engine, work: () => Promise<T>): Promise<T> {
  for (const pauseMs of PASSING_PAUSES_MS) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
      await delay(pauseMs);
      await engine.restart();
    }
  }
  return work();
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof Pkcs11Error)) return false;
  if (error.code === 'token-not-found') return true;
  if (error.ckrCode === CKR.CKR_USER_PIN_NOT_INITIALIZED) return true; // SoftHSM could not read that it is
  return error.ckrCode === CKR.CKR_GENERAL_ERROR && error.functionName !== 'C_Login';
}
