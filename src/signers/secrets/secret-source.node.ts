// Where a PIN or passphrase comes from: its value in a variable, a file, the output of a command, or a credential that
// systemd passes (systemd.exec(5), LoadCredential=). At most one of them.
// The secret is never in an error: messages name the setting, and what the command printed is not repeated.
// A secret ends before one trailing line break. It is a JavaScript string and so cannot be wiped; buffers on the way are.

import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { utf8Decode } from '../../bytes.js';
import { ConfigError } from '../../errors.js';
import { readSmallFile, warnIfOthersCanRead } from './private-file.node.js';
import { runCommand } from './secret-command.node.js';

const MAX_SECRET_BYTES = 64 * 1024;

/** `undefined` everywhere means that no secret was given. */
export interface SecretSource {
  /** The secret itself. */
  value?: string | undefined;
  /** Path of a file that holds it. */
  file?: string | undefined;
  /** Shell command that prints it, e.g. `pass show erst/pin`; its standard error stays visible. */
  command?: string | undefined;
  /** Name of the systemd credential that holds it: a file in `$CREDENTIALS_DIRECTORY`. */
  credential?: string | undefined;
}

/** What each field of a `SecretSource` is called where the user set it, e.g. `ERST_PKCS11_PIN_FILE`. */
export interface SecretSettings {
  readonly value: string;
  readonly file: string;
  readonly command: string;
  readonly credential?: string;
}

/** The names `ERST_X`, `ERST_X_FILE`, `ERST_X_COMMAND` and `ERST_X_CREDENTIAL` for a variable `ERST_X`. */
export function secretVariables(variable: string): Required<SecretSettings> {
  return {
    value: variable,
    file: `${variable}_FILE`,
    command: `${variable}_COMMAND`,
    credential: `${variable}_CREDENTIAL`,
  };
}

/**
 * The secret from the one field of `source` that is set; `undefined` where none is.
 * A `ConfigError` naming the setting where several are set, where it cannot be read, or where it is empty.
 */
export async function readSecret(
  source: SecretSource,
  settings: SecretSettings,
): Promise<string | undefined> {
  const given = sourceFields.filter((field) => source[field] !== undefined);
  const [field, second] = given;
  if (field === undefined) return undefined;
  const setting = nameOf(settings, field);
  if (second !== undefined) {
    throw new ConfigError(
      setting,
      `${setting} and ${nameOf(settings, second)} are both set: keep one of them`,
    );
  }
  const secret = await readers[field](source[field]!, setting);
  if (secret === '') throw new ConfigError(setting, `${setting} gives an empty secret`);
  return secret;
}

const sourceFields = ['value', 'file', 'command', 'credential'] as const;
const nameOf = (settings: SecretSettings, field: keyof SecretSource) => settings[field] ?? field;

const readers = {
  value: async (value: string) => value,
  file: secretFromFile,
  command: secretFromCommand,
  credential: secretFromCredential,
};

async function secretFromFile(path: string, setting: string): Promise<string> {
  const { bytes, stats } = await readFileOf(
    setting,
    path,
    'Give the path of a file that holds only the secret, mode 0600',
  );
  try {
    refuseIfOthersCanWrite(stats, path, setting);
  } catch (error) {
    bytes.fill(0);
    throw error;
  }
  warnIfOthersCanRead(stats, path, `the secret of ${setting}`);
  return decodeSecret(bytes, setting);
}

/** systemd keeps credentials in a directory of the unit's user; the ACL there shows as group bits, so modes say nothing. */
async function secretFromCredential(name: string, setting: string): Promise<string> {
  if (name.includes('/') || name === '.' || name === '..') {
    throw new ConfigError(setting, `${setting} must be the name of a systemd credential, not a path`);
  }
  const directory = process.env.CREDENTIALS_DIRECTORY;
  const advice = `Put LoadCredential=${name}:/path/to/file (or LoadCredentialEncrypted=) into the [Service] of its unit`;
  if (!directory) {
    throw new ConfigError(
      setting,
      `${setting}: systemd passes no credentials to this process (CREDENTIALS_DIRECTORY is not set). ${advice}`,
    );
  }
  const { bytes } = await readFileOf(setting, join(directory, name), advice);
  return decodeSecret(bytes, setting);
}

async function readFileOf(setting: string, path: string, advice: string) {
  try {
    return await readSmallFile(path, MAX_SECRET_BYTES);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError(setting, `${setting}: cannot read ${path} (${reason}). ${advice}`, { cause });
  }
}

/** Whoever can write the file can make this process present a wrong PIN, which spends a try, or any passphrase. */
function refuseIfOthersCanWrite(stats: Stats, path: string, setting: string): void {
  if (!stats.isFile() || process.platform === 'win32' || (stats.mode & 0o002) === 0) return;
  throw new ConfigError(
    setting,
    `${setting}: everybody can write ${path}, so it is not trusted. Run: chmod 600 ${path}`,
  );
}

async function secretFromCommand(command: string, setting: string): Promise<string> {
  const { output, failure } = await runCommand(command, MAX_SECRET_BYTES);
  if (failure === undefined) return decodeSecret(output, setting);
  output.fill(0);
  throw new ConfigError(
    setting,
    `${setting}: its command failed (${failure}). Run it in a shell: it must print the secret and exit with 0`,
  );
}

function decodeSecret(bytes: Uint8Array, setting: string): string {
  try {
    if (bytes.length > MAX_SECRET_BYTES) throw new RangeError('too long');
    return utf8Decode(bytes).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new ConfigError(setting, `${setting}: not UTF-8 text of at most ${MAX_SECRET_BYTES} bytes`, {
      cause: cause instanceof RangeError ? cause : undefined,
    });
  } finally {
    bytes.fill(0);
  }
}
