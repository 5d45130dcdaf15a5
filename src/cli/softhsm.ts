// A SoftHSM token of our own under the state directory, for `bridge --softhsm`: configuration, tokens and a random PIN.
// It is made complete in a directory beside its place and then renamed, so that an interrupted run leaves nothing that
// looks finished, and of two runs at once one wins. SoftHSM reads SOFTHSM2_CONF in the process that the module runs in.

import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { bytesToHex, toBase64Url } from '../bytes.js';
import { Pkcs11Error } from '../errors.js';
import type { SignerConfig } from '../signers/config/config.js';
import type { PinReader, Pkcs11Engine } from '../signers/pkcs11/engine/engine.js';
import { acquireEngine } from '../signers/pkcs11/engine/module-engine.js';
import type { Algorithm } from '../signers/types.js';
import { ensurePrivateDirectory } from './private-file.js';

const TOKEN_LABEL = 'erst-hsm';
const KEYS: readonly Algorithm[] = ['ed25519', 'secp256k1', 'p256'];
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

/** Where distributions put the module: Debian, Fedora, Arch and Alpine, Homebrew, FreeBSD. */
const usualPlaces = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/lib64/libsofthsm2.so',
  '/usr/lib/pkcs11/libsofthsm2.so',
  '/usr/lib/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
];

export interface SoftHsm {
  /** Holds `softhsm2.conf`, `tokens`, `pin` and `so-pin`; readable by its owner alone. */
  directory: string;
  /** A signer for each key, by name: `ed25519`, `secp256k1`, `p256`. */
  configs: Record<string, SignerConfig>;
}

/**
 * The token under `stateDir`, made if there is none, and this process's SOFTHSM2_CONF set to it.
 * `module-load-failed` where SoftHSM is not installed; the message says how to install it.
 */
export async function provisionSoftHsm(stateDir: string): Promise<SoftHsm> {
  const modulePath = await findSoftHsm();
  const directory = join(stateDir, 'softhsm');
  await ensurePrivateDirectory(stateDir);
  await removeAbandoned(stateDir);
  if (!(await isMade(directory))) await makeToken(stateDir, directory, modulePath);
  // Written at every start: the directory may have been moved.
  process.env.SOFTHSM2_CONF = await writeConfiguration(directory, join(directory, 'tokens'));
  return {
    directory,
    configs: Object.fromEntries(KEYS.map((key) => [key, configOf(key, modulePath, directory)])),
  };
}

function configOf(algorithm: Algorithm, modulePath: string, directory: string): SignerConfig {
  const pinFile = join(directory, 'pin');
  return {
    signerType: 'pkcs11',
    algorithm,
    pkcs11: { modulePath, tokenLabel: TOKEN_LABEL, keyLabel: algorithm, pinFile },
  };
}

/** Path of libsofthsm2.so: `places` in their order, after ERST_PKCS11_MODULE if that names it. */
export async function findSoftHsm(places: readonly string[] = usualPlaces): Promise<string> {
  const configured = process.env.ERST_PKCS11_MODULE;
  const isSoftHsm = configured !== undefined && basename(configured).startsWith('libsofthsm2');
  for (const place of isSoftHsm ? [configured, ...places] : places) {
    if (await exists(place)) return place;
  }
  throw new Pkcs11Error(
    'module-load-failed',
    'SoftHSM is not installed: libsofthsm2.so is in none of its usual places. Install it (Debian, Ubuntu: sudo apt ' +
      'install softhsm2; Fedora: sudo dnf install softhsm; Arch: sudo pacman -S softhsm; macOS: brew install softhsm), ' +
      'or set ERST_PKCS11_MODULE to the path of libsofthsm2.so',
  );
}

async function makeToken(stateDir: string, directory: string, modulePath: string): Promise<void> {
  const work = await mkdtemp(join(stateDir, 'softhsm.new-'));
  try {
    const userPin = await writeRandomPin(join(work, 'pin'));
    const soPin = await writeRandomPin(join(work, 'so-pin'));
    await mkdir(join(work, 'tokens'), { mode: 0o700 });
    const SOFTHSM2_CONF = await writeConfiguration(work, join(work, 'tokens'));
    const engine = await acquireEngine(modulePath, { env: { ...process.env, SOFTHSM2_CONF } });
    try {
      await fillToken(engine, userPin, soPin);
    } finally {
      await engine.release();
    }
    await moveIntoPlace(work, directory);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fillToken(engine: Pkcs11Engine, userPin: string, soPin: string): Promise<void> {
  const free = (await engine.listTokens()).find(({ initialized }) => !initialized);
  if (free === undefined) throw new Pkcs11Error('token-not-found', 'SoftHSM shows no slot for a new token');
  await engine.initToken(free, { soPin, userPin, label: TOKEN_LABEL });
  const token = (await engine.listTokens()).find(({ label }) => label === TOKEN_LABEL);
  if (token === undefined) throw new Pkcs11Error('token-not-found', 'SoftHSM does not show the new token');
  const pin: PinReader = { read: async () => userPin };
  const connection = await engine.connect(token, pin);
  try {
    await connection.login();
    for (const [i, algorithm] of KEYS.entries()) {
      const idHex = bytesToHex(Uint8Array.of(i + 1));
      await connection.generateKeyPair({ algorithm, label: algorithm, idHex });
    }
  } finally {
    await connection.close();
  }
}

/** A directory cannot replace one that has files in it: whoever comes second uses the first one's token. */
async function moveIntoPlace(work: string, directory: string): Promise<void> {
  try {
    await rename(work, directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    if (await isMade(directory)) return;
    throw new Pkcs11Error(
      'token-error',
      `${directory} has files in it, but no token that erst-hsm made: move it away, and run this again`,
      { cause: error },
    );
  }
}

async function writeRandomPin(path: string): Promise<string> {
  const pin = toBase64Url(randomBytes(16));
  await writeFile(path, `${pin}\n`, { mode: 0o600, flag: 'wx' });
  return pin;
}

async function writeConfiguration(directory: string, tokens: string): Promise<string> {
  const path = join(directory, 'softhsm2.conf');
  const unfinished = `${path}.${process.pid}.new`;
  await writeFile(
    unfinished,
    `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  await rename(unfinished, path);
  return path;
}

/** What an interrupted run left behind; it was never used. */
async function removeAbandoned(stateDir: string): Promise<void> {
  for (const name of await readdir(stateDir)) {
    if (!name.startsWith('softhsm.new-')) continue;
    const path = join(stateDir, name);
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}

const isMade = (directory: string): Promise<boolean> => exists(join(directory, 'pin'));

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
