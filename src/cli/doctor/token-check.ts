// The choice of the token, and whether it can be used from here at all.

import { Pkcs11Error } from '../../errors.js';
import { nearestName } from '../../signers/config/nearest-name.js';
import type { TokenSummary } from '../../signers/pkcs11/engine/hosted-module.js';
import { PinSource } from '../../signers/pkcs11/pin/pin-source.js';
import { selectToken } from '../../signers/pkcs11/selection/select-token.js';
import { askPin } from '../hsm/pin.js';
import { check } from './check.js';
import type { Facts } from './facts.js';
import { failed, ok } from './finding.js';
import { choiceLine } from './fix.js';

export const token = check(
  'token',
  { needs: ['tokens', 'selection', 'engine'], gives: ['token', 'connection', 'pinSource'] },
  async ({ tokens, selection, engine, env }) => {
    let chosen: TokenSummary;
    try {
      chosen = selectToken(tokens, selection.token);
    } catch (error) {
      if (!(error instanceof Pkcs11Error)) throw error;
      return failed(error.message, otherTokenLine(env, tokens, selection.token.token));
    }
    const pinSource = new PinSource(selection.pin, { ask: () => askPin(chosen, 'needed') });
    const connection = await engine.connect(chosen, pinSource);
    return ok(describe(chosen), { token: chosen, connection, pinSource });
  },
);

/** Another label where labels tell the tokens apart, else the position. */
function otherTokenLine(
  env: Facts['env'],
  tokens: readonly TokenSummary[],
  wanted: string | undefined,
): string {
  const usable = tokens.filter(({ initialized }) => initialized);
  const labels = usable.map(({ label }) => label);
  const label = (wanted !== undefined && nearestName(wanted, labels)) || labels[0];
  const isUnique = labels.filter((each) => each === label).length === 1;
  if (label && isUnique) return choiceLine(env, 'ERST_PKCS11_TOKEN_LABEL', label);
  return choiceLine(env, 'ERST_PKCS11_SLOT', String(usable[0]?.slotIndex ?? 0));
}

function describe({ label, manufacturer, model, serial, firmwareVersion, ...rest }: TokenSummary): string {
  const notes = [
    firmwareVersion !== '0.0' && `firmware ${firmwareVersion}`,
    rest.maxSessions !== undefined && `at most ${rest.maxSessions} sessions`,
    rest.writeProtected && 'takes no new objects',
    !rest.loginRequired && 'wants no PIN',
  ].filter(Boolean);
  return [`"${label}": ${model} by ${manufacturer}, serial ${serial}`, ...notes].join(', ');
}
