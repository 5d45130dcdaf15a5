// Runs in the browser: the suite that every Signer must pass, on a key in the page and on keys behind a bridge.

import { CredentialStore, RemoteSigner, SoftwareSigner } from '../../../src/index.browser.js';
import type { Signer } from '../../../src/signers/types.js';
import { type ConformanceTarget, signerConformance } from '../../../src/testing/index.js';

const targets = new Map<string, ConformanceTarget>();

export async function addSoftware(name: string, algorithm: 'ed25519' | 'secp256k1'): Promise<void> {
  const { signer, privateKeyPem } = await SoftwareSigner.generate(algorithm);
  await signer.close();
  targets.set(name, {
    algorithm,
    create: () => SoftwareSigner.fromPem(privateKeyPem),
    deterministic: true,
    secrets: privateKeyPem.split('\n').filter((line) => line.length > 20 && !line.startsWith('-')),
  });
}

/** Pairs once and keeps the credentials as a page would; every signer is then connected with what the store gives. */
export async function addRemote(
  link: string,
  keys: readonly (Pick<ConformanceTarget, 'algorithm' | 'deterministic' | 'batchSize'> & {
    name: string;
    key: string;
  })[],
): Promise<void> {
  const store = await CredentialStore.open();
  const { url } = await RemoteSigner.pair(link, { name: 'conformance' }).then(async (credentials) => {
    await store.save(credentials);
    return credentials;
  });
  for (const { name, key, ...target } of keys) {
    const create = async (): Promise<Signer> => RemoteSigner.connect({ ...(await store.load(url))!, key });
    const signer = await create();
    const maxDataBytes = Number(signer.signerInfo().metadata.maxDataBytes);
    await signer.close();
    targets.set(name, { ...target, create, maxDataBytes });
  }
}

/** Runs one case; the error's text where it fails. */
export async function run(target: string, caseName: string): Promise<string | undefined> {
  const found = signerConformance(targets.get(target)!).find(({ name }) => name === caseName);
  if (found === undefined) return 'there is no such case';
  try {
    await found.run();
    return undefined;
  } catch (error) {
    return String((error as Error).stack ?? error);
  }
}

export const caseNames = (target: string): string[] =>
  signerConformance(targets.get(target)!).map(({ name }) => name);
