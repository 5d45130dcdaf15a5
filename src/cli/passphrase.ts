// The passphrase of a key file: from ERST_SOFTWARE_PASSPHRASE, …_FILE or …_COMMAND, else asked for at the terminal.

import { openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { KeyError } from '../errors.js';
import { readSecret, secretVariables } from '../signers/secrets/secret-source.node.js';
import { CliError } from './failure.js';

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
  if (!process.stderr.isTTY) {
    throw new KeyError(
      'wrong-passphrase',
      `a passphrase is needed. Set ${PASSPHRASE.file}=/path/to/file (or ${PASSPHRASE.value}, ${PASSPHRASE.command}), ` +
        'or run this in a terminal to be asked',
    );
  }
  const terminal = openTerminal();
  terminal.setRawMode(true); // no echo
  try {
    process.stderr.write(question);
    return await readLine(terminal);
  } finally {
    process.stderr.write('\n');
    terminal.setRawMode(false);
    terminal.destroy();
  }
}

/** The terminal itself, since standard input may be the data to sign. */
function openTerminal(): ReadStream {
  const device = process.platform === 'win32' ? '\\\\.\\CONIN$' : '/dev/tty';
  return new ReadStream(openSync(device, 'r'));
}

const ENTER = /[\r\n]/;
const BACKSPACE = /[\b\x7f]/;
const CTRL_C = '\x03';
const CTRL_D = '\x04';

/** What is typed up to Enter. In raw mode the terminal leaves editing and Ctrl-C to us. */
function readLine(terminal: ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = '';
    const take = (char: string): void => {
      if (ENTER.test(char) || char === CTRL_D) resolve(line);
      else if (char === CTRL_C) reject(new CliError('interrupted', 'interrupted', { exitCode: 130 }));
      else if (BACKSPACE.test(char)) line = [...line].slice(0, -1).join('');
      else line += char;
    };
    terminal.setEncoding('utf8');
    terminal.on('data', (typed: string | Buffer) => {
      for (const char of typed.toString()) take(char);
    });
    terminal.once('error', reject);
    terminal.once('end', () => resolve(line));
  });
}
