// `erst-hsm hsm import`: for moving a key that exists. Whoever had the file can still sign.

import { Command } from 'commander';
import { KeyError } from '../../errors.js';
import { readPrivateFile } from '../../signers/secrets/private-file.node.js';
import { withExamples } from '../help.js';
import { readInput, STDIN } from '../input.js';
import { note } from '../output.js';
import { askPassphrase, passphraseFromEnvironment } from '../passphrase.js';
import { withConnection } from './connection.js';
import { printNewKey, putChecked, randomId } from './new-key.js';
import { type KeyMaterial, readKeyMaterial } from './private-key-file.js';
import { selectionFrom, type TokenOptions, withNewKey } from './token-options.js';

interface ImportOptions extends TokenOptions {
  label: string;
  id?: string;
}

const STAYS_EXPOSED =
  'A key that was ever in a file stays exposed: whoever has a copy of the file can sign as well, whatever the token ' +
  'does. Delete the file and its copies, and plan to move on to a key made on the token (erst-hsm hsm keygen).';

export function importCommand(): Command {
  const command = withNewKey(
    new Command('import')
      .description('put a private key from a file (PEM) on a token, to move it there')
      .argument('<file>', 'PKCS#8, also encrypted, or SEC1; - is standard input'),
  );
  command.addHelpText(
    'after',
    '\nA key that was ever in a file stays exposed, also once it is on a token: prefer `erst-hsm hsm keygen`.\n' +
      'The passphrase is that of ERST_SOFTWARE_PASSPHRASE_FILE (or …), or asked for at the terminal.',
  );
  return withExamples(command.action(importKey), [
    [
      'the key of a software signer',
      'ERST_PKCS11_PIN_FILE=pin erst-hsm hsm import key.pem --token-label mytoken --label treasury > public.pem',
    ],
    [
      'without a file on the way',
      'pass show treasury.pem | erst-hsm hsm import - --token-label mytoken --label treasury',
    ],
  ]);
}

async function importKey(file: string, { label, id, ...options }: ImportOptions): Promise<void> {
  const selection = selectionFrom(options);
  const material = await readKey(file);
  const key = { ...material, label, idHex: id ?? randomId() };
  try {
    await withConnection(selection, 'needed', async (connection) => {
      const publicKey = await putChecked(connection, key, () => connection.importKeyPair(key));
      printNewKey(key, publicKey, `put on token "${connection.token.label}"`, options.json);
    });
  } finally {
    material.privateKey.fill(0);
  }
  note(STAYS_EXPOSED);
}

async function readKey(file: string): Promise<KeyMaterial> {
  const pem =
    file === STDIN
      ? Buffer.from(await readInput(STDIN, 'the private key')).toString('latin1')
      : await readPrivateFile(file, 'the private key');
  const given = await passphraseFromEnvironment();
  try {
    return await readKeyMaterial(pem, given);
  } catch (error) {
    const isMissing = error instanceof KeyError && error.code === 'wrong-passphrase' && given === undefined;
    if (!isMissing) throw error;
  }
  return readKeyMaterial(pem, await askPassphrase(file === STDIN ? 'the key' : file));
}
