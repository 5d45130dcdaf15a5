// The whole examination: the variables, then, for each token that they name, from the module's file to a signature.

import type { Environment } from '../../signers/config/config.js';
import { cardService } from './card-service-check.js';
import { cardUsers } from './card-users-check.js';
import { type Check, type CheckResult, runChecks } from './check.js';
import type { Facts } from './facts.js';
import { key } from './key-check.js';
import { login } from './login-check.js';
import { mechanism } from './mechanism-check.js';
import { moduleFile } from './module-file-check.js';
import { moduleLoad } from './module-load-check.js';
import { pinSource } from './pin-source-check.js';
import { pinState } from './pin-state-check.js';
import { publicKey } from './public-key-check.js';
import { checkSettings } from './settings-check.js';
import { signature } from './signature-check.js';
import { slots, tokens } from './slots-check.js';
import { softHsmConfiguration } from './softhsm-check.js';
import { token } from './token-check.js';

/** In the order in which one relies on another. */
const checks: readonly Check[] = [
  moduleFile,
  softHsmConfiguration,
  moduleLoad,
  cardService,
  cardUsers,
  slots,
  tokens,
  token,
  mechanism,
  pinState,
  pinSource,
  login,
  key,
  publicKey,
  signature,
];

/** A result, and which of several replicas it is of, from 1. */
export interface ExaminedCheck extends CheckResult {
  replica?: number;
}

export async function examine(env: Environment, tryPin: boolean): Promise<ExaminedCheck[]> {
  const { results, selections, areSound } = await checkSettings(env);
  const examined: ExaminedCheck[] = [...results];
  for (const [i, selection] of selections.entries()) {
    const { modulePath } = selection;
    const facts: Facts = { env, tryPin, modulePath, ...(areSound && { selection }) };
    const of = selections.length > 1 ? { replica: i + 1 } : {};
    examined.push(...(await examineToken(facts)).map((result) => ({ ...result, ...of })));
  }
  return examined;
}

async function examineToken(facts: Facts): Promise<CheckResult[]> {
  try {
    return await runChecks(checks, facts);
  } finally {
    facts.pinSource?.forget();
    await facts.connection?.close();
    await facts.engine?.release();
  }
}
