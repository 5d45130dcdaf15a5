// Where a PIN or passphrase comes from: its value in a variable, a file, or the output of a command. At most one of them.
// The secret is never in an error: messages name the setting, and what the command printed is not repeated.
// A secret ends before one trailing line break. It is a JavaScript string and so cannot be wiped; buffers on the way are.

import { spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { concatBytes, utf8Decode } from '../../bytes.js';
import { ConfigError } from '../../errors.js';
import { warnIfOthersCanRead } from './private-file.node.js';

const MAX_SECRET_BYTES = 64 * 1024;
const COMMAND_TIMEOUT_MS = 60_000;

/** `undefined` everywhere means that no secret was given. */
export interface SecretSource {
  /** The secret itself. */
  value?: string | undefined;
  /** Path of a file that holds it. */
  file?: string | undefined;
  /** Shell command that prints it, e.g. `pass show erst/pin`; its standard error stays visible. */
  command?: string | undefined;
}

/** What each field of a `SecretSource` is called where the user set it, e.g. `ERST_PKCS11_PIN_FILE`. */
export type SecretSettings = { readonly [K in keyof Required<SecretSource>]: string };

/** The names `ERST_X`, `ERST_X_FILE` and `ERST_X_COMMAND` for a variable `ERST_X`. */
export function secretVariables(variable: string): SecretSettings {
  return { value: variable, file: `${variable}_FILE`, command: `${variable}_COMMAND` };
}

/**
 * The secret from the one field of `source` that is set; `undefined` where none is.
 * A `ConfigError` naming the setting where several are set, where it cannot be read, or where it is empty.
 */
export async function readSecret(
  source: SecretSource,
  settings: SecretSettings,
): Promise<string | undefined> {
  const given = (['value', 'file', 'command'] as const).filter((field) => source[field] !== undefined);
  const [field, second] = given;
  if (field === undefined) return undefined;
  if (second !== undefined) {
    throw new ConfigError(
      settings[field],
      `${settings[field]} and ${settings[second]} are both set: keep one of them`,
    );
  }
  const secret = await readers[field](source[field]!, settings[field]);
  if (secret === '') throw new ConfigError(settings[field], `${settings[field]} gives an empty secret`);
  return secret;
}

const readers = {
  value: async (value: string) => value,
  file: secretFromFile,
  command: secretFromCommand,
};

async function secretFromFile(path: string, setting: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
    warnIfOthersCanRead(await stat(path), path, `the secret of ${setting}`);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError(
      setting,
      `${setting}: cannot read ${path} (${reason}). Give the path of a file that holds only the secret, mode 0600`,
      { cause },
    );
  }
  return decodeSecret(bytes, setting);
}

async function secretFromCommand(command: string, setting: string): Promise<string> {
  const { output, failure } = await runCommand(command);
  if (failure === undefined) return decodeSecret(output, setting);
  output.fill(0);
  throw new ConfigError(
    setting,
    `${setting}: its command failed (${failure}). Run it in a shell: it must print the secret and exit with 0`,
  );
}

/** The command's output, and why it is none where it failed. */
async function runCommand(command: string): Promise<{ output: Uint8Array; failure: string | undefined }> {
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'inherit'], windowsHide: true });
  const chunks: Uint8Array[] = [];
  let failure: string | undefined;
  // Closing the pipe as well, because what the shell started may outlive the shell.
  const stop = (reason: string) => {
    failure ??= reason;
    child.stdout.destroy();
    child.kill();
  };
  const timer = setTimeout(stop, COMMAND_TIMEOUT_MS, `no end after ${COMMAND_TIMEOUT_MS / 1000} s`);
  let size = 0;
  child.stdout.on('data', (chunk: Uint8Array) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_SECRET_BYTES) stop(`more than ${MAX_SECRET_BYTES} bytes`);
  });
  await new Promise<void>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      failure ??= error.code ?? 'cannot start';
      resolve();
    });
    child.once('close', (code, signal) => {
      if (code !== 0) failure ??= `exit ${code ?? signal}`;
      resolve();
    });
  });
  clearTimeout(timer);
  const output = concatBytes(...chunks);
  for (const chunk of chunks) chunk.fill(0);
  return { output, failure };
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
