// The passphrase of a key file: from ERST_SOFTWARE_PASSPHRASE, …_FILE or …_COMMAND, else asked for at the terminal.

import { KeyError } from '../errors.js';
import { readSecret, secretVariables } from '../signers/secrets/secret-source.node.js';
import { CliError } from './failure.js';
import { askHidden, hasTerminal } from './terminal.js';

/** The variables that give a passphrase. */
export const PASSPHRASE = secretVariables('ERST_SOFTWARE_PASSPHRASE');

/** The passphrase that the environment gives, if any. */
export function passphraseFromEnvironment(): Promise<string | undefined> {
  return readSecret(
    {
      value: process.env[PASSPHRASE.value],
      file: process.env[PASSPHRASE.file],
      command: process.env[PASSPHRASE.command],
    },
    PASSPHRASE,
  );
}

/** The passphrase of an existing key, asked for at the terminal. `what` names the key. */
export const askPassphrase = (what: string): Promise<string> => ask(`Passphrase of ${what}: `);

/** A passphrase for a new key; asked for twice where a person types it. */
export async function newPassphrase(): Promise<string> {
  const given = await passphraseFromEnvironment();
  if (given !== undefined) return given;
  const first = await ask('New passphrase: ');
  if (first === '') throw new CliError('passphrase-empty', 'an empty passphrase protects nothing');
  if ((await ask('Again: ')) !== first) {
    throw new CliError('passphrase-mismatch', 'the two passphrases differ; nothing was written');
  }
  return first;
}

async function ask(question: string): Promise<string> {
  if (hasTerminal()) return askHidden(question);
  throw new KeyError(
    'wrong-passphrase',
    `a passphrase is needed. Set ${PASSPHRASE.file}=/path/to/file (or ${PASSPHRASE.value}, ${PASSPHRASE.command}), ` +
      'or run this in a terminal to be asked',
  );
}
