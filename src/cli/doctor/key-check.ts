// The key: found, one, of a curve that is supported and that was asked for, and allowed to sign. Before a login most tokens
// show only public objects; then its public key stands for it, as far as that goes.

import { Pkcs11Error } from '../../errors.js';
import { nearestName } from '../../signers/config/nearest-name.js';
import type { TokenConnection } from '../../signers/pkcs11/engine/engine.js';
import type { KeySummary, TokenSummary } from '../../signers/pkcs11/engine/hosted-module.js';
import { pivSlotToIdHex } from '../../signers/pkcs11/selection/piv.js';
import { type SelectedKey, selectKey } from '../../signers/pkcs11/selection/select-key.js';
import type { Selection } from '../../signers/pkcs11/selection/selection.js';
import { shellQuoted } from '../shell-quote.js';
import { check } from './check.js';
import type { Facts } from './facts.js';
import { type Finding, failed, ok, warning } from './finding.js';
import { choiceLine, exportLine } from './fix.js';
import { isPiv } from './known-modules.js';
import { wouldTry } from './login-check.js';
import { lackingMechanism } from './mechanism-check.js';

/** Those for keys that one makes oneself. */
const PIV_SLOTS = ['9a', '9c', '9d', '9e', ...Array.from({ length: 20 }, (_, i) => (0x82 + i).toString(16))];
const WITH_PIN = 'erst-hsm doctor --try-pin';

interface Candidates {
  matching: readonly KeySummary[];
  all: readonly KeySummary[];
  /** They are private keys; else public ones, seen without a login. */
  arePrivate: boolean;
}

export const key = check(
  'key',
  { needs: ['modulePath', 'selection', 'token', 'connection', 'hasSession'], gives: ['key'] },
  async (facts): Promise<Finding> => {
    const candidates = await candidatesOf(facts.connection, facts.selection, facts.loggedIn === true);
    try {
      const { selection } = facts;
      const chosen = selectKey(candidates.matching, candidates.all, selection.key, selection.algorithm);
      return lackingMechanism(facts.token, chosen.algorithm) ?? found(chosen, candidates.arePrivate, facts);
    } catch (error) {
      if (!(error instanceof Pkcs11Error)) throw error;
      return notFound(error, candidates, facts);
    }
  },
);

async function candidatesOf(
  connection: TokenConnection,
  { key: filter }: Selection,
  loggedIn: boolean,
): Promise<Candidates> {
  const matching = await connection.keys('private', filter);
  if (matching.length > 0 || loggedIn) {
    return {
      matching,
      all: matching.length > 0 ? matching : await connection.keys('private'),
      arePrivate: true,
    };
  }
  // A public key's own CKA_SIGN is always false.
  const asSigning = (keys: KeySummary[]) => keys.map((summary) => ({ ...summary, canSign: true }));
  return {
    matching: asSigning(await connection.keys('public', filter)),
    all: asSigning(await connection.keys('public')),
    arePrivate: false,
  };
}

function found(chosen: SelectedKey, isPrivate: boolean, facts: KeyFacts): Finding {
  const named = `"${chosen.label}" (id ${chosen.idHex || 'none'}), ${chosen.algorithm}`;
  if (!isPrivate)
    return ok(`the public key of ${named}; its private key shows after a login`, { key: chosen });
  const each = chosen.alwaysAuthenticate ? ', which wants the PIN at every signature' : '';
  return ok(`${named}${each}${withoutPinNote(chosen, facts)}${othersNote(facts)}`, { key: chosen });
}

/** SP 800-73-4 part 1 §3.1.3: the key of slot 9e is for doors, and signs for whoever has the card. */
const withoutPinNote = ({ idHex }: SelectedKey, { modulePath, token }: KeyFacts) =>
  isPiv(modulePath, token) && pivSlotOf(idHex) === '9e'
    ? ', in PIV slot 9e, whose key the card uses without a PIN, for whoever has the card'
    : '';

/** Most tokens hide private keys before a login, and the choice is made again among all of them. */
const othersNote = ({ loggedIn, token, selection }: KeyFacts) =>
  !loggedIn && token.loginRequired && selection.key.label === undefined && selection.key.idHex === undefined
    ? '; no key is named, and a login may show more'
    : '';

function notFound(error: Pkcs11Error, { all, arePrivate }: Candidates, facts: KeyFacts): Finding {
  if (error.code === 'key-not-found' && !arePrivate) {
    const seen = all.map(({ label, idHex }) => `"${label}" (id ${idHex || 'none'})`).join('; ');
    const shown = seen ? `To be seen are: ${seen}` : 'No key is to be seen';
    const next = wouldTry(facts) ? WITH_PIN : `# mend what the checks above found, then: ${WITH_PIN}`;
    return warning(`No key that matches is to be seen without the PIN. ${shown}`, next);
  }
  return failed(error.message, otherKeyLine(error, all, facts));
}

type KeyFacts = Facts & Required<Pick<Facts, 'modulePath' | 'selection' | 'token'>>;

function otherKeyLine({ code }: Pkcs11Error, all: readonly KeySummary[], facts: KeyFacts): string {
  const { selection, token, modulePath, env } = facts;
  const usable = all.filter(({ algorithm, canSign }) => algorithm !== undefined && canSign);
  const [first] = usable;
  if (code === 'key-mismatch' && first?.algorithm)
    return exportLine('ERST_SIGNER_ALGORITHM', first.algorithm);
  if (code === 'key-ambiguous') {
    const slot = isPiv(modulePath, token) ? pivSlotOf(first?.idHex) : undefined;
    if (slot !== undefined) return choiceLine(env, 'ERST_PKCS11_PIV_SLOT', slot);
    return choiceLine(env, 'ERST_PKCS11_KEY_ID', first?.idHex ?? '');
  }
  const near =
    selection.key.label !== undefined &&
    nearestName(
      selection.key.label,
      usable.map(({ label }) => label),
    );
  if (near) return choiceLine(env, 'ERST_PKCS11_KEY_LABEL', near);
  return generateLine(token, modulePath, selection);
}

/** The slot whose key has this CKA_ID in libykcs11. */
const pivSlotOf = (idHex: string | undefined) =>
  PIV_SLOTS.find((slot) => idHex !== undefined && pivSlotToIdHex(slot) === idHex);

function generateLine(token: TokenSummary, modulePath: string, { key, algorithm }: Selection): string {
  if (isPiv(modulePath, token))
    return `yubico-piv-tool -a generate -s ${pivSlotOf(key.idHex) ?? '9a'} -A ECCP256 -o public.pem`;
  if (token.writeProtected) return `erst-hsm hsm keys --token-label ${shellQuoted(token.label)}`;
  const wanted = algorithm ?? (token.mechanisms.includes('EDDSA') ? 'ed25519' : 'p256');
  const id = key.idHex === undefined ? '' : ` --id ${key.idHex}`;
  const label = shellQuoted(key.label ?? 'mykey');
  return `erst-hsm hsm keygen --token-label ${shellQuoted(token.label)} --algorithm ${wanted} --label ${label}${id}`;
}
