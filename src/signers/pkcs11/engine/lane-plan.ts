// How many signatures a token is asked for at once, and how. A smart card does one thing at a time, and more sessions only
// wait in the module. Software computes in its process: one session in calls that block that process costs least, and more
// processes are what makes it quicker. What is behind a network is bound by its latency, and wants many sessions.

import type { EngineOptions } from './engine.js';
import type { TokenOptions, TokenSummary } from './hosted-module.js';

const NETWORK_SESSIONS = 32;
/** Sessions of the token that are left to the anchor session and to the command line beside us. */
const SPARED_SESSIONS = 2;

/** What `token` is opened with: the settings where they say something, else what suits its kind. */
export function lanePlan(token: TokenSummary, { maxSessions, inProcess }: EngineOptions): TokenOptions {
  const wanted = maxSessions ?? sessionsByKind(token);
  const limit = token.maxSessions === undefined ? wanted : Math.max(1, token.maxSessions - SPARED_SESSIONS);
  const sessions = Math.min(wanted, limit);
  return { sessions, blocking: sessions === 1 && !inProcess };
}

function sessionsByKind(token: TokenSummary): number {
  return isSmartCard(token) || isSoftware(token) ? 1 : NETWORK_SESSIONS;
}

const isSmartCard = ({ removable, libraryDescription, model, manufacturer }: TokenSummary): boolean => {
  const names = `${libraryDescription} ${model} ${manufacturer}`;
  return (
    removable || (/smart ?card|PIV|PKCS#15|YubiKey|OpenSC|Nitrokey/i.test(names) && !/NetHSM/i.test(names))
  );
};

/** Keys in files or in memory; such a token counts wrong PINs without ever locking. */
export const isSoftware = ({ model, manufacturer }: TokenSummary): boolean =>
  /softhsm|softokn|NSS/i.test(`${model} ${manufacturer}`);
