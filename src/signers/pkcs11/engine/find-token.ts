// Finds a token again after its module was started or initialized anew: by serial number and label, since its slot may be
// another by then.

import { setTimeout as delay } from 'node:timers/promises';
import { Pkcs11Error } from '../../../errors.js';
import type { TokenName, TokenSummary } from './hosted-module.js';
import type { SupervisedModule } from './supervised-module.js';

/** Pauses between looks: while another process logs in, SoftHSM shows no token; a card reader needs a moment as well. */
const PAUSES_MS = [50, 100, 200, 400];

/** Finds `known` again. Between looks the module is initialized: some notice only then what was plugged in. */
export async function findToken(module: SupervisedModule, known: TokenSummary): Promise<TokenSummary> {
  let found = await look(module, known);
  for (const pauseMs of PAUSES_MS) {
    if (found !== undefined) return found;
    await delay(pauseMs);
    await module.reinitialize(module.version);
    found = await look(module, known);
  }
  if (found !== undefined) return found;
  throw new Pkcs11Error(
    'token-not-found',
    `Token "${known.label}" (serial ${known.serial || 'none'}) is gone: insert it, and see that its daemon runs (pcscd for ` +
      'smart cards). It is looked for again at the next signature',
  );
}

/** The label decides only between tokens of one serial: OpenSC takes it from a certificate, which may be renewed. */
async function look(module: SupervisedModule, known: TokenSummary): Promise<TokenSummary | undefined> {
  const tokens = await (await module.running()).tokens();
  const same = tokens.filter((token) => token.initialized && isSameDevice(token, known));
  const sameLabel = same.filter(({ label }) => label === known.label);
  if (sameLabel.length > 0) {
    return sameLabel.find(({ slotHandle }) => slotHandle === known.slotHandle) ?? sameLabel[0];
  }
  return same.length === 1 && known.serial !== '' ? same[0] : undefined;
}

const isSameDevice = (a: TokenName, b: TokenName): boolean =>
  a.serial === b.serial && a.model === b.model && a.manufacturer === b.manufacturer;
