// `erst-hsm hsm init-token`. A token that has been initialized may hold keys: it is erased only where --erase says so, it
// is named, and its label is typed.

import { Command, InvalidArgumentError } from 'commander';
import { utf8 } from '../../bytes.js';
import { Pkcs11Error } from '../../errors.js';
import type { Pkcs11Engine } from '../../signers/pkcs11/engine/engine.js';
import type { TokenSummary } from '../../signers/pkcs11/engine/hosted-module.js';
import { selectToken } from '../../signers/pkcs11/selection/select-token.js';
import type { Selection } from '../../signers/pkcs11/selection/selection.js';
import { CliError, UsageError } from '../failure.js';
import { withExamples } from '../help.js';
import { note, printJson } from '../output.js';
import { confirm } from './confirm.js';
import { withEngine } from './connection.js';
import { newUserPin, securityOfficerPin } from './pin.js';
import { isReadable, readableTokens } from './readable-tokens.js';
import { SOFTHSM, selectionFrom, type TokenOptions, withToken } from './token-options.js';

interface InitTokenOptions extends TokenOptions {
  label: string;
  erase?: true;
  allowSameLabel?: true;
  yes?: true;
}

export function initTokenCommand(): Command {
  const command = withToken(
    new Command('init-token').description('initialize a token: label, SO PIN and PIN'),
  )
    .requiredOption('-l, --label <label>', 'name of the token, at most 32 bytes', checkLabel)
    .option('--allow-same-label', 'also a label that another token of the module has')
    .option('--erase', 'also a token that has been initialized: erases it with all its keys')
    .option('--yes', 'do not ask before erasing');
  command.addHelpText(
    'after',
    '\nThe SO PIN is read from ERST_PKCS11_SO_PIN_FILE (or ERST_PKCS11_SO_PIN, …_COMMAND, …_CREDENTIAL), the PIN\n' +
      'from ERST_PKCS11_PIN_FILE (or …); what is not set is asked for at the terminal.',
  );
  return withExamples(command.action(initToken), [
    ['the one empty slot of SoftHSM', `erst-hsm hsm init-token --module ${SOFTHSM} --label mytoken`],
    [
      'in a script',
      'ERST_PKCS11_SO_PIN_FILE=so-pin ERST_PKCS11_PIN_FILE=pin erst-hsm hsm init-token --slot 1 --label mytoken',
    ],
  ]);
}

function checkLabel(text: string): string {
  if (text !== '' && utf8(text).length <= 32) return text;
  throw new InvalidArgumentError('It must have 1 to 32 bytes (C_InitToken).');
}

async function initToken(options: InitTokenOptions): Promise<void> {
  const { label, erase, yes, tokenLabel, json, allowSameLabel } = options;
  if (tokenLabel !== undefined && !erase) {
    throw new UsageError('--token-label names a token that is initialized: erasing it needs --erase');
  }
  const selection = selectionFrom(options);
  await withEngine(selection, async (engine) => {
    const before = await readableTokens(engine);
    const token = erase ? tokenToErase(before, selection) : emptyToken(before, selection.token.slotIndex);
    if (!allowSameLabel) refuseTakenLabel(before, token, label);
    if (token.initialized) {
      await confirm(
        `This erases token "${token.label}" (${token.model}, serial ${token.serial}) with all its keys.`,
        token.label || token.serial,
        yes,
      );
    }
    const soPin = await securityOfficerPin(token);
    const userPin = await newUserPin(selection.pin, token);
    await engine.initToken(token, { soPin, userPin, label });
    const made = await newToken(engine, before, label);
    if (json) return printJson({ label, slotIndex: made?.slotIndex, serial: made?.serial });
    note(`Token "${label}" is ready${made ? `: position ${made.slotIndex}, serial ${made.serial}` : ''}`);
  });
}

/** Two tokens of one label can only be told apart by position or serial number, also by other programs. */
function refuseTakenLabel(tokens: readonly TokenSummary[], chosen: TokenSummary, label: string): void {
  const isOther = ({ slotHandle }: TokenSummary) => slotHandle !== chosen.slotHandle;
  const taken = tokens.find((each) => each.initialized && isOther(each) && each.label === label.trimEnd());
  if (taken === undefined) return;
  throw new CliError(
    'label-taken',
    `the token at position ${taken.slotIndex} (serial ${taken.serial}) has the label "${taken.label}" already, and nothing ` +
      'was done: choose another --label. With --allow-same-label both have it, and whoever means one of them must name ' +
      'its --slot, or its serial in ERST_PKCS11_URI (pkcs11:serial=…)',
  );
}

/** Named by an option, a variable or a URI: the only token of the machine is not erased by default. */
function tokenToErase(tokens: readonly TokenSummary[], { token: filter }: Selection): TokenSummary {
  if (Object.values(filter).every((value) => value === undefined)) {
    throw new UsageError('--erase needs the token that is meant: --token-label or --slot');
  }
  return selectToken(tokens, filter);
}

function emptyToken(tokens: readonly TokenSummary[], slotIndex: number | undefined): TokenSummary {
  const candidates = tokens.filter((token) => slotIndex === undefined || token.slotIndex === slotIndex);
  const empty = candidates.filter((token) => !token.initialized && isReadable(token));
  const [token, second] = empty;
  if (second !== undefined) {
    const positions = empty.map((each) => each.slotIndex).join(', ');
    throw new Pkcs11Error(
      'token-ambiguous',
      `Several slots are empty (${positions}): choose one with --slot`,
    );
  }
  if (token !== undefined) return token;
  throw noEmptyToken(candidates, slotIndex);
}

function noEmptyToken(candidates: readonly TokenSummary[], slotIndex: number | undefined): Error {
  const where = slotIndex === undefined ? 'No token' : `The token at position ${slotIndex}`;
  if (candidates.some((token) => !isReadable(token))) {
    return new Pkcs11Error('token-error', `${where} can be read: see erst-hsm hsm slots, and try again`);
  }
  if (candidates.length === 0) {
    return new Pkcs11Error('token-not-found', `${where} is there: erst-hsm hsm slots lists what is`);
  }
  if (slotIndex === undefined) {
    return new CliError(
      'token-initialized',
      'every token is initialized and may hold keys. To erase one with all its keys: --erase --token-label <label>',
    );
  }
  return new CliError(
    'token-initialized',
    `${where} is initialized ("${candidates[0]!.label}") and may hold keys. To erase it with all its keys: --erase`,
  );
}

/** Where the next process finds it: SoftHSM gives a token that is initialized another serial, and then another slot. */
async function newToken(
  engine: Pkcs11Engine,
  before: readonly TokenSummary[],
  label: string,
): Promise<TokenSummary | undefined> {
  const known = new Set(before.filter(({ initialized }) => initialized).map(nameOf));
  await engine.restart();
  const named = (await readableTokens(engine)).filter((token) => token.initialized && token.label === label);
  return named.find((token) => !known.has(nameOf(token))) ?? (named.length === 1 ? named[0] : undefined);
}

const nameOf = ({ serial, label }: TokenSummary) => JSON.stringify([serial, label]);
