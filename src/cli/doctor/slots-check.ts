// The module's slots, and the tokens in them.

import { basename } from 'node:path';
import { Pkcs11Error } from '../../errors.js';
import type { Pkcs11Engine } from '../../signers/pkcs11/engine/engine.js';
import type { TokenSummary } from '../../signers/pkcs11/engine/hosted-module.js';
import { whilePassing } from '../../signers/pkcs11/engine/passing-state.js';
import { shellQuoted } from '../shell-quote.js';
import { check } from './check.js';
import { type Finding, failed, ok, warning } from './finding.js';
import { isSoftHsm, knownModule } from './known-modules.js';

export const slots = check(
  'slots',
  { needs: ['modulePath', 'engine', 'serviceAnswers'], gives: ['hasSlots'] },
  ({ modulePath, description }) => {
    const name = basename(modulePath);
    if (description === undefined) {
      return failed(`${name} cannot list its slots (C_GetSlotList failed)`, lookLine(modulePath));
    }
    const { slotCount } = description;
    const found = { hasSlots: true } as const;
    if (slotCount > 0) return ok(`${slotCount} ${slotCount === 1 ? 'slot' : 'slots'}`, found);
    return failed(`${name} has no slots: ${whyNone(modulePath)}`, lookLine(modulePath));
  },
);

/** Polkit lets only users at the machine itself use pcscd, unless a rule says otherwise. */
const whyNone = (modulePath: string) =>
  knownModule(modulePath)?.usesPcsc
    ? 'no reader or card is there, or this user may not use pcscd (polkit, as over SSH)'
    : 'no device or server that it could show';

export const tokens = check(
  'tokens',
  { needs: ['modulePath', 'engine', 'hasSlots'], gives: ['tokens'] },
  async (facts) => examineTokens(await settledTokens(facts.engine), facts.modulePath),
);

/** The tokens once there is one: while another process logs in, SoftHSM shows none for a moment. */
async function settledTokens(engine: Pkcs11Engine): Promise<readonly TokenSummary[]> {
  let seen: readonly TokenSummary[] = [];
  const list = async () => {
    seen = await engine.listTokens();
    if (!seen.some(({ initialized }) => initialized)) throw new Pkcs11Error('token-not-found', 'No token');
  };
  await whilePassing(engine, list).catch((error: unknown) => {
    if (!(error instanceof Pkcs11Error && error.code === 'token-not-found')) throw error;
  });
  return seen;
}

function examineTokens(all: readonly TokenSummary[], modulePath: string): Finding {
  const usable = all.filter(({ initialized }) => initialized);
  const shown = all.map(show).join('; ');
  if (all.length === 0) return failed('No slot holds a token', lookLine(modulePath));
  if (usable.length === 0)
    return failed(`No token is initialized. There is: ${shown}`, initializeLine(modulePath));
  const unreadable = all.filter(isUnreadable);
  const found = { tokens: all };
  if (unreadable.length === 0) return ok(shown, found);
  return warning(`${shown}: a token cannot be read`, lookLine(modulePath), found);
}

/** A token whose C_GetTokenInfo failed. */
const isUnreadable = ({ model }: TokenSummary) => model === 'unreadable';

function show(token: TokenSummary): string {
  const { slotIndex, label, model, serial } = token;
  if (isUnreadable(token)) return `[${slotIndex}] cannot be read`;
  return token.initialized
    ? `[${slotIndex}] "${label}" (${model}, serial ${serial})`
    : `[${slotIndex}] not initialized`;
}

function lookLine(modulePath: string): string {
  const name = basename(modulePath);
  const known = knownModule(modulePath)?.whenEmpty;
  return (
    known ??
    `# see that the HSM is reachable and ${name} is configured (its vendor's guide), then: erst-hsm doctor`
  );
}

const initializeLine = (modulePath: string) =>
  isSoftHsm(modulePath)
    ? lookLine(modulePath)
    : `pkcs11-tool --module ${shellQuoted(modulePath)} --init-token --label mytoken`;
