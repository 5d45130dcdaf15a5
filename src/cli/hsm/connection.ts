// A module and a token for the time of one command.

import type { Pkcs11Engine, TokenConnection } from '../../signers/pkcs11/engine/engine.js';
import { acquireEngine } from '../../signers/pkcs11/engine/module-engine.js';
import { whilePassing } from '../../signers/pkcs11/engine/passing-state.js';
import { PinSource } from '../../signers/pkcs11/pin/pin-source.js';
import { selectToken } from '../../signers/pkcs11/selection/select-token.js';
import type { Selection } from '../../signers/pkcs11/selection/selection.js';
import { askPin, hasSource } from './pin.js';

/** Lends the module's engine to `use` and releases it afterwards. */
export async function withEngine<T>(
  { modulePath, engine: options }: Selection,
  use: (engine: Pkcs11Engine) => Promise<T>,
): Promise<T> {
  const engine = await acquireEngine(modulePath, options);
  try {
    return await use(engine);
  } finally {
    await engine.release();
  }
}

/**
 * Lends the selected token to `use`, logged in. With `if-given` it may also be without a login, where no PIN is
 * configured and none is typed.
 */
export function withConnection<T>(
  selection: Selection,
  login: 'needed' | 'if-given',
  use: (connection: TokenConnection, loggedIn: boolean) => Promise<T>,
): Promise<T> {
  return withEngine(selection, async (engine) => {
    const { connection, loggedIn } = await whilePassing(engine, () => open(engine, selection, login));
    try {
      return await use(connection, loggedIn);
    } finally {
      await connection.close();
    }
  });
}

async function open(engine: Pkcs11Engine, selection: Selection, login: 'needed' | 'if-given') {
  const token = selectToken(await engine.listTokens(), selection.token);
  const pin = new PinSource(selection.pin, { ask: () => askPin(token, login) });
  const connection = await engine.connect(token, pin);
  try {
    const hasPin = hasSource(selection.pin) || (token.loginRequired && (await pin.read()) !== undefined);
    if (login === 'needed' || hasPin) await connection.login();
    return { connection, loggedIn: hasPin || !token.loginRequired };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
