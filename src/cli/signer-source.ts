// The key that a command uses: the file of --key, or what the ERST_ variables say.

import { KeyError } from '../errors.js';
import { SignerFactory } from '../signers/factory.node.js';
import { PublicKey } from '../signers/public-key.js';
import { SoftwareSigner } from '../signers/software.node.js';
import type { Signer } from '../signers/types.js';
import { askingForPin } from './hsm/pin.js';
import { readNamedFile } from './input.js';
import { askPassphrase, PASSPHRASE, passphraseFromEnvironment } from './passphrase.js';

/** Lends the signer to `use` and closes it afterwards. */
export async function withSigner<T>(
  keyPath: string | undefined,
  use: (signer: Signer) => Promise<T>,
): Promise<T> {
  const signer = keyPath === undefined ? await signerFromEnvironment() : await signerFromFile(keyPath);
  try {
    return await use(signer);
  } finally {
    await signer.close();
  }
}

/** The public key of the file at `keyPath` (private or public PEM), or of the signer of the ERST_ variables. */
export async function publicKeyFrom(keyPath: string | undefined): Promise<PublicKey> {
  if (keyPath !== undefined) {
    const pem = await readPem(keyPath);
    if (pem.includes('-----BEGIN PUBLIC KEY-----')) return PublicKey.fromPem(pem);
  }
  return withSigner(keyPath, (signer) => signer.publicKey());
}

async function signerFromFile(path: string): Promise<Signer> {
  const given = await passphraseFromEnvironment();
  return openAskingFor(given, path, (passphrase) =>
    SoftwareSigner.fromFile(path, passphrase === undefined ? {} : { passphrase }),
  );
}

function signerFromEnvironment(): Promise<Signer> {
  return askingForPin(process.env, (env) => {
    const given = env[PASSPHRASE.value] ?? env[PASSPHRASE.file] ?? env[PASSPHRASE.command];
    return openAskingFor(given, 'the key', (passphrase) =>
      SignerFactory.createFromEnv(
        given === undefined && passphrase !== undefined ? { ...env, [PASSPHRASE.value]: passphrase } : env,
      ),
    );
  });
}

/** What `open` gives; where that needs a passphrase and none was given, the one that is asked for. */
async function openAskingFor(
  given: string | undefined,
  what: string,
  open: (passphrase: string | undefined) => Promise<Signer>,
): Promise<Signer> {
  try {
    return await open(given);
  } catch (error) {
    const isMissing = error instanceof KeyError && error.code === 'wrong-passphrase' && given === undefined;
    if (!isMissing) throw error;
  }
  return open(await askPassphrase(what));
}

const readPem = async (path: string) => Buffer.from(await readNamedFile(path, 'the key')).toString('utf8');
