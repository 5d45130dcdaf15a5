// The bridge's state directory (0700): its identity, the authorized clients, the request log and the control socket,
// each readable by its owner only. Who can write there can sign, so a directory that others can enter is refused.

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fromBase64Url, toBase64Url } from '../bytes.js';
import { ConfigError } from '../errors.js';
import { type DhKeyPair, x25519KeyPair } from '../protocol/dh.js';
import { writeFileDurably } from './durable-file.js';
import { lockState, type StateLock } from './state-lock.js';

export interface StatePaths {
  readonly dir: string;
  readonly identity: string;
  readonly clients: string;
  readonly requestLog: string;
  readonly controlSocket: string;
}

export interface StateDir extends StatePaths {
  readonly lock: StateLock;
}

export function statePaths(stateDir: string): StatePaths {
  const dir = resolve(stateDir);
  return {
    dir,
    identity: join(dir, 'bridge-identity'),
    clients: join(dir, 'authorized_clients'),
    requestLog: join(dir, 'requests.jsonl'),
    controlSocket: join(dir, 'control.sock'),
  };
}

/** Makes the directory where it is missing, checks that it is private, and locks it. `ConfigError` says what to change. */
export async function openStateDir(stateDir: string): Promise<StateDir> {
  const paths = statePaths(stateDir);
  try {
    await mkdir(paths.dir, { recursive: true, mode: 0o700 });
    await checkPrivate(paths.dir);
    return { ...paths, lock: lockState(paths.dir) };
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError('stateDir', `cannot use the state directory ${paths.dir} (${code})`, { cause });
  }
}

async function checkPrivate(dir: string): Promise<void> {
  const { mode, uid } = await stat(dir);
  if (uid !== process.getuid?.()) {
    throw new ConfigError(
      'stateDir',
      `the state directory ${dir} belongs to another user; choose one of your own`,
    );
  }
  if ((mode & 0o077) !== 0) {
    throw new ConfigError(
      'stateDir',
      `the state directory ${dir} is open to other users; run: chmod 700 ${dir}`,
    );
  }
}

/** The bridge's static X25519 key pair, made at the first start. `ConfigError` where the file holds none. */
export async function loadIdentity(paths: StatePaths): Promise<DhKeyPair> {
  const text = (await readIfThere(paths.identity)) ?? (await newIdentity(paths));
  const secret = decodeIdentity(text.trim(), paths);
  try {
    return x25519KeyPair(secret);
  } finally {
    secret.fill(0);
  }
}

async function newIdentity({ identity }: StatePaths): Promise<string> {
  const text = toBase64Url(randomBytes(32));
  await writeFileDurably(identity, `${text}\n`);
  return text;
}

function decodeIdentity(text: string, { identity }: StatePaths): Uint8Array {
  try {
    const secret = fromBase64Url(text);
    if (secret.length === 32) return secret;
  } catch {
    // The decoder's own error could repeat part of the secret.
  }
  throw new ConfigError(
    'stateDir',
    `${identity} does not hold a bridge key; restore it from a backup, or remove it to get a new one (every client must then pair again)`,
  );
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
