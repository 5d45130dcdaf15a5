// The bridge's own keys where it is started without a configuration: one file a key in `<state directory>/keys`, PKCS#8
// PEM of mode 0600, made at the first start. All are encrypted under one passphrase where one is given, or none is.

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, KeyError } from '../errors.js';
import { readSecret, type SecretSource, secretVariables } from '../signers/secrets/secret-source.node.js';
import { SoftwareSigner } from '../signers/software.node.js';
import type { Signer } from '../signers/types.js';
import { CliError } from './failure.js';
import { reasonOf } from './input.js';
import { ensurePrivateDirectory, writePrivateFile } from './private-file.js';

/** A key's name is its algorithm. */
const KEYS = ['ed25519', 'secp256k1'] as const;
type KeyName = (typeof KEYS)[number];

const settings = secretVariables('ERST_KEYSTORE_PASSPHRASE');
const CREDENTIAL = 'erst-hsm.keystore-passphrase';

export interface KeyStore {
  directory: string;
  encrypted: boolean;
  keys: Record<string, Signer>;
}

/** Opens the key store in `stateDir`, making what is missing. */
export async function openKeyStore(stateDir: string): Promise<KeyStore> {
  const directory = join(stateDir, 'keys');
  const passphrase = await keyStorePassphrase();
  await ensurePrivateDirectory(directory);
  const keys: Record<string, Signer> = {};
  for (const name of KEYS) keys[name] = await openKey(join(directory, `${name}.pem`), name, passphrase);
  return { directory, encrypted: passphrase !== undefined, keys };
}

async function keyStorePassphrase(): Promise<string | undefined> {
  const source: SecretSource = {
    value: process.env[settings.value],
    file: process.env[settings.file],
    command: process.env[settings.command],
  };
  const given = await readSecret(source, settings);
  return given ?? readSecret({ file: await systemdCredential() }, { ...settings, file: CREDENTIAL });
}

/** Path of the credential that systemd's `LoadCredential=` or `SetCredentialEncrypted=` passed, if it did. */
async function systemdCredential(): Promise<string | undefined> {
  const directory = process.env.CREDENTIALS_DIRECTORY;
  if (directory === undefined) return undefined;
  const path = join(directory, CREDENTIAL);
  return stat(path).then(
    () => path,
    () => undefined,
  );
}

async function openKey(path: string, algorithm: KeyName, passphrase: string | undefined): Promise<Signer> {
  const pem = await readIfPresent(path);
  if (pem === undefined) return createKey(path, algorithm, passphrase);
  expectEncryption(path, pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----'), passphrase !== undefined);
  return openFile(path, passphrase);
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CliError('cannot-read', `cannot read the key ${path}: ${reasonOf(cause)}`, { cause });
  }
}

async function createKey(path: string, algorithm: KeyName, passphrase: string | undefined): Promise<Signer> {
  await writePrivateFile(path, async () => {
    const { signer, privateKeyPem } = await SoftwareSigner.generate(algorithm, options(passphrase));
    await signer.close();
    return privateKeyPem;
  });
  return openFile(path, passphrase);
}

function expectEncryption(path: string, encrypted: boolean, passphraseGiven: boolean): void {
  if (encrypted && !passphraseGiven) {
    throw new KeyError(
      'wrong-passphrase',
      `the key ${path} is encrypted and no passphrase is given. Set ${settings.file}=/path/to/passphrase ` +
        `(or ${settings.value}, ${settings.command}, or the systemd credential ${CREDENTIAL})`,
    );
  }
  if (!encrypted && passphraseGiven) {
    throw new ConfigError(
      settings.value,
      `a passphrase is given but the key ${path} is not encrypted. Leave the passphrase out, or encrypt the key: ` +
        `openssl pkcs8 -topk8 -v2 aes-256-cbc -in ${path} -out ${path}.new && mv ${path}.new ${path}`,
    );
  }
}

async function openFile(path: string, passphrase: string | undefined): Promise<Signer> {
  try {
    return await SoftwareSigner.fromFile(path, options(passphrase));
  } catch (cause) {
    if (!(cause instanceof KeyError) || cause.code !== 'wrong-passphrase') throw cause;
    throw new KeyError(
      cause.code,
      `the passphrase given does not open the key ${path}. ` +
        `Check ${settings.value}, ${settings.file} or ${settings.command}, whichever is set`,
      { cause },
    );
  }
}

const options = (passphrase: string | undefined) => (passphrase === undefined ? {} : { passphrase });
