// Where the PIN comes from, as far as it can be seen without running a command or presenting anything: the file is there,
// private, and holds one line.

import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { shellQuoted } from '../shell-quote.js';
import { hasTerminal } from '../terminal.js';
import { check } from './check.js';
import type { Facts } from './facts.js';
import { type Finding, failed, ok, warning } from './finding.js';

const MAX_PIN_FILE_BYTES = 4096;

export const pinSource = check(
  'pin.source',
  { needs: ['selection', 'token'], gives: ['pinIsGiven'] },
  ({ selection, token, env, tryPin }) => {
    const { pin } = selection;
    if (!token.loginRequired) return ok('no PIN is needed', { pinIsGiven: true });
    if (pin.file !== undefined) return examineFile(pin.file);
    if (pin.credential !== undefined) return examineCredential(pin.credential, env);
    if (pin.command !== undefined)
      return ok('a command gives it; it is run with --try-pin only', { pinIsGiven: true });
    if (pin.value !== undefined)
      return ok('it is in a variable, which child processes of this shell see too', { pinIsGiven: true });
    if (tryPin && hasTerminal()) return ok('it is asked for at this terminal', { pinIsGiven: true });
    return failed('No PIN is configured, and the token wants one', writePinLine('~/.erst-pin', true));
  },
);

/** Asks for the PIN and writes it to a file of this user alone; in bash and zsh. */
function writePinLine(path: string, isNew = false): string {
  const write = `(umask 077; read -rsp 'PIN: ' pin && printf %s "$pin" > ${path})`;
  return isNew ? `${write} && export ERST_PKCS11_PIN_FILE=${path}` : write;
}

async function examineFile(path: string): Promise<Finding> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    return cannotRead(path, (error as NodeJS.ErrnoException).code ?? 'unreadable');
  }
  try {
    return await examineOpened(path, file);
  } finally {
    await file.close();
  }
}

function cannotRead(path: string, code: string): Finding {
  const quoted = shellQuoted(path);
  if (code === 'ENOENT') return failed(`The PIN's file ${path} is not there`, writePinLine(quoted));
  return failed(
    `The PIN's file ${path} cannot be read (${code})`,
    `sudo chown "$USER" ${quoted} && chmod 600 ${quoted}`,
  );
}

async function examineOpened(path: string, file: FileHandle): Promise<Finding> {
  const stats = await file.stat();
  const quoted = shellQuoted(path);
  if (stats.isDirectory())
    return failed(`${path} is a directory, not the PIN's file`, writePinLine(`${quoted}/pin`, true));
  if (!stats.isFile())
    return ok(`${path}, which is no plain file; it is read with --try-pin only`, { pinIsGiven: true });
  const problem = await contentProblem(file);
  if (problem !== undefined) return failed(`The PIN's file ${path} ${problem}`, writePinLine(quoted));
  const others = process.platform === 'win32' ? 0 : stats.mode & 0o077;
  if (others & 0o002)
    return failed(`Everyone can write the PIN's file ${path}: it is not used`, `chmod 600 ${quoted}`);
  if (others)
    return warning(`Others can read the PIN's file ${path}`, `chmod 600 ${quoted}`, { pinIsGiven: true });
  return ok(`the file ${path}, which only its owner can read`, { pinIsGiven: true });
}

/** The bytes are looked at where they are, and wiped; the PIN never becomes a string here. */
async function contentProblem(file: FileHandle): Promise<string | undefined> {
  const buffer = Buffer.alloc(MAX_PIN_FILE_BYTES + 1);
  try {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    const content = buffer.subarray(0, bytesRead);
    const lineEnd = content.indexOf(0x0a);
    if (bytesRead === 0 || lineEnd === 0) return 'is empty, or starts with an empty line';
    if (bytesRead > MAX_PIN_FILE_BYTES) return 'is too long for a PIN';
    if (lineEnd >= 0 && lineEnd < bytesRead - 1) return 'has more than one line; it must hold only the PIN';
    const last = content[lineEnd < 0 ? bytesRead - 1 : lineEnd - 1];
    if (content[0] === 0x20 || last === 0x20)
      return 'starts or ends with a space, which counts as part of the PIN';
    return undefined;
  } finally {
    buffer.fill(0);
  }
}

function examineCredential(name: string, env: Facts['env']): Finding | Promise<Finding> {
  const directory = env.CREDENTIALS_DIRECTORY;
  if (directory !== undefined) return examineFileOfSystemd(join(directory, name), name);
  return failed(
    `The PIN is systemd's credential ${name}, but no credentials are passed here (CREDENTIALS_DIRECTORY is not set)`,
    `systemd-run --pipe -p LoadCredential=${shellQuoted(name)}:/path/to/pin --setenv=ERST_PKCS11_PIN_CREDENTIAL=${shellQuoted(name)} erst-hsm doctor`,
  );
}

/** systemd guards the folder; the file's mode says nothing. */
async function examineFileOfSystemd(path: string, name: string): Promise<Finding> {
  const { status, finding, fix, found } = await examineFile(path);
  if (status === 'warning') return ok(`systemd's credential ${name}`, found);
  return {
    status,
    finding,
    ...(fix && { fix: `# LoadCredential=${name}:/path/to/pin in the unit's [Service]` }),
    ...(found && { found }),
  };
}
