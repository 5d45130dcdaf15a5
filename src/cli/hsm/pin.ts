// PINs for a command: from the settings of the signer, from ERST_PKCS11_SO_PIN…, else typed at the terminal. Never from
// the command line.

import { utf8 } from '../../bytes.js';
import { Pkcs11Error } from '../../errors.js';
import type { Environment } from '../../signers/config/config.js';
import type { TokenSummary } from '../../signers/pkcs11/engine/hosted-module.js';
import { readSecret, type SecretSource, secretVariables } from '../../signers/secrets/secret-source.node.js';
import { CliError } from '../failure.js';
import { oneLine } from '../output.js';
import { askHidden, hasTerminal } from '../terminal.js';

const PIN = secretVariables('ERST_PKCS11_PIN');
const SO_PIN = secretVariables('ERST_PKCS11_SO_PIN');

/** Whether `source` names a place for the PIN. */
export const hasSource = (source: SecretSource): boolean =>
  Object.values(source).some((value) => value !== undefined);

/** The PIN that a person types; `undefined` where nobody is asked, or Enter alone is the answer. */
export async function askPin(
  { label, pin }: TokenSummary,
  login: 'needed' | 'if-given',
): Promise<string | undefined> {
  if (!hasTerminal()) return undefined;
  const few = pin === 'count-low' ? ' (one was wrong lately)' : '';
  const without = login === 'if-given' ? ' (Enter: public keys only)' : '';
  return (await askHidden(`PIN of token "${oneLine(label)}"${few}${without}: `)) || undefined;
}

/** What `open` gives for `env`; where that lacks a PIN and somebody is there, with the one that is typed. */
export async function askingForPin<T>(env: Environment, open: (env: Environment) => Promise<T>): Promise<T> {
  try {
    return await open(env);
  } catch (error) {
    if (!(error instanceof Pkcs11Error && error.code === 'pin-missing' && hasTerminal())) throw error;
  }
  return open({ ...env, [PIN.value]: await askOnce('PIN of the token', PIN.file) });
}

/** The PIN that users of a token will give; one that it would not take is refused while it still has its old one. */
export async function newUserPin(source: SecretSource, { pinBytes }: TokenSummary): Promise<string> {
  const pin = (await readSecret(source, PIN)) ?? (await askTwice('New PIN', PIN.file));
  const { length } = utf8(pin);
  if (pinBytes === undefined || (length >= pinBytes.min && length <= pinBytes.max)) return pin;
  throw new CliError(
    'pin-length',
    `this token takes a PIN of ${pinBytes.min} to ${pinBytes.max} bytes: choose another; nothing was done`,
  );
}

/** The security officer's PIN: the present one of a token that is initialized, a new one otherwise. */
export async function securityOfficerPin({ initialized, label, soPin }: TokenSummary): Promise<string> {
  const given = await readSecret(soPinSource(process.env), SO_PIN);
  if (given !== undefined) return given;
  if (!initialized) return askTwice('New SO PIN', SO_PIN.file);
  const few = soPin === 'count-low' ? ' (one was wrong lately)' : '';
  return askOnce(`SO PIN of token "${oneLine(label)}"${few}`, SO_PIN.file);
}

function soPinSource(env: NodeJS.ProcessEnv): SecretSource {
  const entries = Object.entries(SO_PIN).map(([field, variable]) => [field, env[variable]]);
  return Object.fromEntries(entries) as SecretSource;
}

async function askTwice(what: string, setting: string): Promise<string> {
  const first = await askOnce(what, setting);
  if ((await askOnce('Again', setting)) === first) return first;
  throw new CliError('pin-mismatch', 'the two PINs differ; nothing was done');
}

async function askOnce(what: string, setting: string): Promise<string> {
  if (!hasTerminal()) {
    throw new CliError(
      'pin-missing',
      `${what}: set ${setting}=/path/to/file, or run this in a terminal to be asked`,
    );
  }
  const typed = await askHidden(`${what}: `);
  if (typed === '') throw new CliError('pin-empty', 'an empty PIN protects nothing; nothing was done');
  return typed;
}
