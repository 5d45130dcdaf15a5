// What the token says of its user PIN (flags of C_GetTokenInfo). Reading it spends no try.

import type { PinState, TokenSummary } from '../../signers/pkcs11/engine/hosted-module.js';
import { check } from './check.js';
import { type Finding, failed, ok, warning } from './finding.js';
import { PinTool } from './pin-tool.js';

export const pinState = check(
  'pin.state',
  { needs: ['modulePath', 'token', 'connection'], gives: ['hasSession', 'pinStatus'] },
  async ({ modulePath, token, connection }) => {
    const status = await connection.status();
    const hasSession = { hasSession: true } as const;
    if (!token.loginRequired) return ok('the token wants no PIN', hasSession);
    if (status.ownKeypad) return { ...ownKeypad(token), found: hasSession };
    const finding = findings[status.pin](new PinTool(modulePath, token));
    return { ...finding, found: { ...hasSession, pinStatus: status } };
  },
);

const findings: Readonly<Record<PinState, (tool: PinTool) => Finding>> = {
  ok: () => ok('the PIN is set, and no wrong one was counted since the last right one'),
  'count-low': (tool) => warning('a wrong PIN was presented since the last right one', tool.verifyLine()),
  'final-try': (tool) => failed('one try of the PIN is left; erst-hsm does not spend it', tool.verifyLine()),
  locked: (tool) => failed('the PIN is locked: too many wrong ones were presented', tool.unblockLine()),
  uninitialized: (tool) => failed('the token has no user PIN yet', tool.setLine()),
};

function ownKeypad({ label }: TokenSummary): Finding {
  return failed(
    `Token "${label}" takes its PIN on its own keypad or screen, which is not supported`,
    "# turn the keypad off in the token's settings, or use a token that takes the PIN from the computer",
  );
}
