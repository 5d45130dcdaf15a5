// `erst-hsm hsm attest`: whether a device vouches that a key was made on it.

import { Command } from 'commander';
import { bytesToHex } from '../../bytes.js';
import { Pkcs11Error } from '../../errors.js';
import type { TokenConnection } from '../../signers/pkcs11/engine/engine.js';
import { type Attestation, attestationOf } from '../../signers/pkcs11/key/attestation.js';
import { selectKey } from '../../signers/pkcs11/selection/select-key.js';
import type { Selection } from '../../signers/pkcs11/selection/selection.js';
import { PublicKey } from '../../signers/public-key.js';
import { CliError, EXIT } from '../failure.js';
import { withExamples } from '../help.js';
import { readNamedFile } from '../input.js';
import { note, oneLine, printJson, printRaw } from '../output.js';
import { withConnection } from './connection.js';
import { environmentsOf, forEachToken, headingOf } from './each-token.js';
import { type KeyOptions, parseId, selectionFrom, withToken } from './token-options.js';

interface AttestOptions extends KeyOptions {
  root?: string;
}

export function attestCommand(): Command {
  const command = withToken(
    new Command('attest').description('show the proof that a key was made on its device (YubiKey)'),
  )
    .option('-l, --label <label>', 'key by its CKA_LABEL (default: ERST_PKCS11_KEY_LABEL)')
    .option('--id <hex>', 'key by its CKA_ID (default: ERST_PKCS11_KEY_ID)', parseId)
    .option('--piv-slot <slot>', 'key by its PIV slot, e.g. 9c (default: ERST_PKCS11_PIV_SLOT)')
    .option(
      '--root <file>',
      "the vendor's root certificates (PEM; default: ERST_PKCS11_ATTESTATION_ROOT_PEM)",
    );
  command.addHelpText(
    'after',
    '\nPrints the certificates as PEM, from that of the key up. Exit code 1 where there is no proof, or it is not the\n' +
      "vendor's; without --root it is shown and not checked.",
  );
  return withExamples(command.action(attest), [
    [
      'a YubiKey; its roots are at developers.yubico.com/PKI',
      'ERST_PKCS11_MODULE=/usr/lib/x86_64-linux-gnu/libykcs11.so ERST_PKCS11_PIN_FILE=pin \\\n' +
        '    erst-hsm hsm attest --piv-slot 9c --root yubico-roots.pem > chain.pem',
    ],
  ]);
}

async function attest({ root, ...options }: AttestOptions): Promise<void> {
  const givenRootPem =
    root === undefined
      ? undefined
      : Buffer.from(await readNamedFile(root, 'the root certificate')).toString('latin1');
  const shown = await forEachToken(options, process.env, (turn) => {
    const selection = selectionFrom(options, turn.env);
    return withConnection(selection, 'needed', async (connection) => {
      const { key, publicKey } = await chooseKey(connection, selection);
      const rootPem = givenRootPem ?? selection.attestationRootPem;
      const attestation = await attestationOf(connection, key, publicKey, rootPem);
      if (turn.count > 1) note(headingOf(turn, connection.token));
      if (attestation === undefined) throw nothingToShow(key.label);
      if (!options.json) print(attestation);
      if (attestation.verdict === 'failed') process.exitCode = EXIT.failure;
      const { algorithm, label, idHex: id } = key;
      const { label: tokenLabel, serial } = connection.token;
      const token = turn.count > 1 ? { token: { number: turn.number, label: tokenLabel, serial } } : {};
      return { algorithm, label, id, publicKey: bytesToHex(publicKey.raw), ...attestation, ...token };
    });
  });
  if (options.json) printJson(environmentsOf(options, process.env).length > 1 ? shown : shown[0]);
}

async function chooseKey(connection: TokenConnection, { key: filter, algorithm }: Selection) {
  const candidates = await connection.keys('private', filter);
  const all = candidates.length === 0 ? await connection.keys('private') : candidates;
  const key = selectKey(candidates, all, filter, algorithm);
  const point = await connection.publicPoint(key);
  if (point === undefined) {
    throw new Pkcs11Error('key-not-found', `The token shows no public key for key "${key.label}"`);
  }
  return { key, publicKey: PublicKey.fromRaw(key.algorithm, point) };
}

function nothingToShow(label: string): CliError {
  return new CliError(
    'not-attested',
    `the token shows no attestation of key "${oneLine(label)}": it was imported, or neither device nor module attest. ` +
      'YubiKeys do so from firmware 4.3 on, through libykcs11',
  );
}

function print({ verdict, reason, chain, device }: Attestation): void {
  note(`${verdict}: ${oneLine(reason)}`);
  for (const [name, value] of Object.entries(device)) note(`${name} ${value}`);
  printRaw(chain.join(''));
}
