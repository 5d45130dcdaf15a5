// A token that cannot be read for a moment. SoftHSM 2 reads the file of a token anew at each call, and a process that logs in
// empties that file before it writes it, and unlocks it in between (ObjectFile::storeAttributes of 2.6.1, whose output is
// buffered). What others ask of the token then gives CKR_GENERAL_ERROR: C_Login too, before it looks at the PIN.

import { setTimeout as delay } from 'node:timers/promises';
import { Pkcs11Error } from '../../../errors.js';
import { CKR } from '../constants.js';
import type { TokenName } from './hosted-module.js';

/** The file is empty for some microseconds, or for as long as its writer waits for a processor. */
const PAUSES_MS = [5, 10, 20, 40, 80, 160, 320];

/** Whether `error` says that `token` could not be read, and nothing of a PIN. */
export const isUnreadable = ({ manufacturer, model }: TokenName, error: unknown): boolean =>
  /softhsm/i.test(`${manufacturer} ${model}`) &&
  error instanceof Pkcs11Error &&
  error.ckrCode === CKR.CKR_GENERAL_ERROR;

/** What `work` gives, done again while it fails because `token` cannot be read. */
export async function whileUnreadable<T>(token: TokenName, work: () => Promise<T>): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await work();
    } catch (error) {
      if (!isUnreadable(token, error)) throw error;
      await delay(pauseMs);
    }
  }
  return work();
}
