// `erst-hsm hsm keys`

import { Command } from 'commander';
import { bytesToHex } from '../../bytes.js';
import type { TokenConnection } from '../../signers/pkcs11/engine/engine.js';
import type { KeyIdentity, KeySummary } from '../../signers/pkcs11/engine/hosted-module.js';
import { PublicKey } from '../../signers/public-key.js';
import type { Algorithm } from '../../signers/types.js';
import { withExamples } from '../help.js';
import { note, oneLine, printJson, printTable } from '../output.js';
import { withConnection } from './connection.js';
import { forEachToken, headingOf, type TokenTurn } from './each-token.js';
import { SOFTHSM, selectionFrom, type TokenOptions, withToken } from './token-options.js';

export function keysCommand(): Command {
  const command = withToken(new Command('keys').description('list the keys on a token'));
  return withExamples(command.action(keys), [
    [
      'keys of one token',
      `ERST_PKCS11_MODULE=${SOFTHSM} ERST_PKCS11_PIN_FILE=pin erst-hsm hsm keys --token-label mytoken`,
    ],
  ]);
}

async function keys(options: TokenOptions): Promise<void> {
  const shown = await forEachToken(options, process.env, (turn) =>
    withConnection(selectionFrom(options, turn.env), 'if-given', async (connection, loggedIn) => {
      const found = await describeKeys(connection);
      if (turn.count > 1) note(headingOf(turn, connection.token));
      if (!loggedIn) note('Without a PIN, public keys only: set ERST_PKCS11_PIN_FILE to see private keys.');
      if (!options.json) printKeys(found, turn);
      const { label, serial } = connection.token;
      const token = { number: turn.number, label, serial };
      return turn.count > 1 ? found.map((key) => ({ ...key, token })) : found;
    }),
  );
  if (options.json) printJson(shown.flat());
}

/** A script that reads the keys of several tokens has the token's number in the first column. */
function printKeys(shown: readonly ShownKey[], { number, count }: TokenTurn): void {
  const isNumbered = count > 1 && !process.stdout.isTTY;
  printTable(
    ['LABEL', 'ID', 'ALGORITHM', 'SIGNS', 'PUBLIC KEY', 'ORIGIN', 'LEAVES'],
    shown.map(({ label, id, algorithm, signs, origin, leaves, publicKey }) => {
      const cells = [label, id, algorithm, signs, publicKey, origin, leaves].map(oneLine);
      return isNumbered ? [String(number), ...cells] : cells;
    }),
  );
}

interface ShownKey {
  label: string;
  id: string;
  algorithm: Algorithm | 'other';
  /** `pin-each-time`: CKA_ALWAYS_AUTHENTICATE. `no`: a public key without its private key, or one that may not sign. */
  signs: 'yes' | 'pin-each-time' | 'no';
  /** CKA_LOCAL of the private key: `imported` keys were outside once. */
  origin: 'token' | 'imported' | 'unknown';
  /** CKA_NEVER_EXTRACTABLE and CKA_ALWAYS_SENSITIVE; `no` is a key that could leave once, but cannot any more. */
  leaves: 'never' | 'no' | 'yes' | 'unknown';
  /** Raw, in hex; empty where the token does not hold it. */
  publicKey: string;
}

async function describeKeys(connection: TokenConnection): Promise<ShownKey[]> {
  const privateKeys = await connection.keys('private');
  const names = new Set(privateKeys.map(nameOf));
  const publicOnly = (await connection.keys('public')).filter((key) => !names.has(nameOf(key)));
  const shown: ShownKey[] = [];
  for (const key of privateKeys) shown.push(await describeKey(connection, key));
  for (const key of publicOnly) {
    shown.push({ ...(await describeKey(connection, key)), origin: 'unknown', leaves: 'unknown' });
  }
  // Tokens list their objects in no order.
  return shown.sort(
    (a, b) => compare(a.label, b.label) || compare(a.id, b.id) || compare(a.algorithm, b.algorithm),
  );
}

async function describeKey(connection: TokenConnection, key: KeySummary): Promise<ShownKey> {
  return {
    label: key.label,
    id: key.idHex,
    algorithm: key.algorithm ?? 'other',
    signs: !key.canSign || !key.algorithm ? 'no' : key.alwaysAuthenticate ? 'pin-each-time' : 'yes',
    origin: key.local === undefined ? 'unknown' : key.local ? 'token' : 'imported',
    leaves: leavesOf(key),
    publicKey: key.algorithm ? await publicHex(connection, { ...key, algorithm: key.algorithm }) : '',
  };
}

function leavesOf({ extractable, neverExtractable, alwaysSensitive }: KeySummary): ShownKey['leaves'] {
  if (extractable === undefined) return neverExtractable && alwaysSensitive ? 'never' : 'unknown';
  if (extractable) return 'yes';
  return neverExtractable && alwaysSensitive ? 'never' : 'no';
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const nameOf = ({ idHex, algorithm, label }: KeySummary) => JSON.stringify([idHex || label, algorithm]);

/** Raw public key in hex; empty where the token does not hold it. */
export async function publicHex(connection: TokenConnection, key: KeyIdentity): Promise<string> {
  const point = await connection.publicPoint(key);
  return point ? bytesToHex(PublicKey.fromRaw(key.algorithm, point).raw) : '';
}
