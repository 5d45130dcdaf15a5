// One C_Login(CKU_USER), where --try-pin allows it. Where one try is left it is refused whatever was asked for; a PIN that
// the token has refused before is not presented again (PinGuard).

import { ConfigError, Pkcs11Error } from '../../errors.js';
import { CKR } from '../../signers/pkcs11/constants.js';
import type { PinState } from '../../signers/pkcs11/engine/hosted-module.js';
import { shellQuoted } from '../shell-quote.js';
import { check } from './check.js';
import type { Facts } from './facts.js';
import { type Finding, failed, ok, postponed, skipped } from './finding.js';
import { fixOf } from './fix.js';
import { PinTool } from './pin-tool.js';

/** States in which a wrong PIN would not be the last. */
const MAY_TRY: ReadonlySet<PinState> = new Set(['ok', 'count-low']);

/** Whether --try-pin, which was not given, would come to a login. */
export const wouldTry = ({ tryPin, pinIsGiven, pinStatus }: Facts): boolean =>
  !tryPin && pinIsGiven === true && pinStatus !== undefined && MAY_TRY.has(pinStatus.pin);

export const login = check(
  'login',
  { needs: ['modulePath', 'selection', 'token', 'connection'], gives: ['loggedIn'] },
  async (facts): Promise<Finding> => {
    const { token, pinStatus, tryPin, pinIsGiven } = facts;
    if (!token.loginRequired) return ok('no login is needed', { loggedIn: true });
    if (!pinStatus || !pinIsGiven) return skipped('not reached: no PIN that could be tried');
    if (!MAY_TRY.has(pinStatus.pin)) return skipped('no try of the PIN is spent in the state that it is in');
    if (!tryPin) return postponed('no try of the PIN is spent unless asked for', 'erst-hsm doctor --try-pin');
    return tryLogin(facts as TokenFacts);
  },
);

type TokenFacts = Facts & Required<Pick<Facts, 'modulePath' | 'selection' | 'token' | 'connection'>>;

async function tryLogin(facts: TokenFacts): Promise<Finding> {
  try {
    await facts.connection.login();
    return ok('the token took the PIN', { loggedIn: true });
  } catch (error) {
    if (error instanceof ConfigError) return failed(error.message, settingFix(error.setting));
    if (!(error instanceof Pkcs11Error)) throw error;
    return failed(error.message, loginFix(error, facts));
  }
}

function loginFix(error: Pkcs11Error, facts: TokenFacts): string {
  const tool = new PinTool(facts.modulePath, facts.token);
  if (error.ckrCode === CKR.CKR_PIN_EXPIRED) return tool.changeLine();
  if (error.ckrCode === CKR.CKR_USER_PIN_NOT_INITIALIZED) return tool.setLine();
  if (error.code === 'pin-locked')
    return error.ckrCode === undefined ? tool.verifyLine() : tool.unblockLine();
  if (error.code !== 'pin-incorrect' && error.code !== 'pin-missing') return fixOf(error, facts);
  // It was not presented now: an earlier try of it has no answer, or the token has refused it.
  if (error.ckrCode === undefined && error.code === 'pin-incorrect') {
    return tool.verifyLine();
  }
  const { file } = facts.selection.pin;
  if (file !== undefined) return `"\${EDITOR:-vi}" ${shellQuoted(file)}`;
  return "read -rsp 'PIN: ' ERST_PKCS11_PIN && export ERST_PKCS11_PIN";
}

/** A setting that looked right until it was used. */
function settingFix(setting: string): string {
  if (setting === 'XDG_STATE_HOME')
    return 'mkdir -p -m 700 ~/.local/state && export XDG_STATE_HOME=~/.local/state';
  if (setting === 'ERST_PKCS11_PIN_COMMAND')
    return 'sh -c "$ERST_PKCS11_PIN_COMMAND" > /dev/null # must print the PIN and exit with 0';
  return `# correct what ${setting} names, then: erst-hsm doctor --try-pin`;
}
