// The tokens of a module, once they can be read.

import { setTimeout as delay } from 'node:timers/promises';
import type { Pkcs11Engine } from '../../signers/pkcs11/engine/engine.js';
import type { TokenSummary } from '../../signers/pkcs11/engine/hosted-module.js';
import { PASSING_PAUSES_MS, whilePassing } from '../../signers/pkcs11/engine/passing-state.js';

/** The tokens, once they can be read; what is there after a while otherwise. */
export async function readableTokens(engine: Pkcs11Engine): Promise<TokenSummary[]> {
  for (const pauseMs of PASSING_PAUSES_MS) {
    const tokens = await whilePassing(engine, () => engine.listTokens());
    if (tokens.some(({ initialized }) => initialized) && tokens.every(isReadable)) return tokens;
    await delay(pauseMs);
    await engine.restart();
  }
  return engine.listTokens();
}

/** `false` also for a token with keys: it must not be taken for an empty one. */
export const isReadable = ({ model }: TokenSummary): boolean => model !== 'unreadable';
