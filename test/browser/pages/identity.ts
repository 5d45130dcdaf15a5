// Runs in the browser: what the tests of the identity and of the credential store ask for.

import { CredentialStore } from '../../../src/browser/credential-store.js';
import { bytesToHex, fromHex } from '../../../src/bytes.js';
import {
  type BrowserIdentity,
  browserKeyPair,
  generateBrowserIdentity,
} from '../../../src/signers/remote/identity.browser.js';

const credentials = (url: string, identity: BrowserIdentity) => ({
  url,
  bridgeKey: 'A'.repeat(43),
  client: 'test',
  keys: { treasury: { algorithm: 'ed25519' as const, spki: 'AAAA' } },
  identity,
});

const publicKeyHex = async (identity: BrowserIdentity) =>
  bytesToHex((await browserKeyPair(identity)).publicKey);

async function failure(
  work: () => Promise<unknown>,
): Promise<{ name: string; code?: string; message: string }> {
  try {
    await work();
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    return { name, message, ...(code === undefined ? {} : { code }) };
  }
  throw new Error('it did not fail');
}

export async function saveNew(url: string): Promise<string> {
  const store = await CredentialStore.open();
  const identity = await generateBrowserIdentity();
  await store.save(credentials(url, identity));
  store.close();
  return publicKeyHex(identity);
}

export async function loadOne(url: string) {
  const store = await CredentialStore.open();
  const found = await store.load(url);
  store.close();
  if (found === undefined) return undefined;
  const { identity, ...rest } = found;
  return { ...rest, protection: identity.protection, publicKey: await publicKeyHex(identity) };
}

export async function listUrls(): Promise<string[]> {
  const store = await CredentialStore.open();
  const all = await store.list();
  store.close();
  return all.map(({ url }) => url);
}

export async function removeOne(url: string): Promise<void> {
  const store = await CredentialStore.open();
  await store.remove(url);
  store.close();
}

export async function check(): Promise<string[]> {
  const store = await CredentialStore.open();
  await store.check(await generateBrowserIdentity());
  store.close();
  return listUrls();
}

/** Every way to read the private key that WebCrypto has. */
export async function exportAttempts(url: string) {
  const store = await CredentialStore.open();
  const { identity } = (await store.load(url))!;
  store.close();
  if (identity.protection !== 'non-extractable') throw new Error('the identity is readable');
  const formats = ['raw', 'pkcs8', 'jwk'] as const;
  const { privateKey } = identity;
  return {
    extractable: privateKey.extractable,
    usages: privateKey.usages,
    failures: await Promise.all(
      formats.map((format) => failure(() => crypto.subtle.exportKey(format as 'raw', privateKey))),
    ),
    json: JSON.stringify(identity),
  };
}

/** The public key of a fresh identity and its shared secret with `remote`, all hex. */
export async function agree(remote: string) {
  const identity = await generateBrowserIdentity();
  const pair = await browserKeyPair(identity);
  return { publicKey: bytesToHex(pair.publicKey), shared: bytesToHex(await pair.dh(fromHex(remote))) };
}

export const agreeWithZero = () => failure(() => agree('00'.repeat(32)));

/** What is made where WebCrypto has no X25519. */
export async function agreeWithoutWebCrypto(remote: string) {
  const generateKey = crypto.subtle.generateKey;
  crypto.subtle.generateKey = (() =>
    Promise.reject(new DOMException('no such algorithm', 'NotSupportedError'))) as never;
  try {
    const identity = await generateBrowserIdentity();
    const pair = await browserKeyPair(identity);
    return {
      protection: identity.protection,
      publicKey: bytesToHex(pair.publicKey),
      shared: bytesToHex(await pair.dh(fromHex(remote))),
    };
  } finally {
    crypto.subtle.generateKey = generateKey;
  }
}

export async function openWhereBlocked(name: string) {
  const open = indexedDB.open;
  IDBFactory.prototype.open = () => {
    throw new DOMException('no', name);
  };
  try {
    return await failure(() => CredentialStore.open());
  } finally {
    IDBFactory.prototype.open = open;
  }
}

export async function saveWhereFull() {
  const store = await CredentialStore.open();
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = () => {
    throw new DOMException('no', 'QuotaExceededError');
  };
  try {
    return await failure(async () => store.save(credentials('ws://x/', await generateBrowserIdentity())));
  } finally {
    IDBObjectStore.prototype.put = put;
    store.close();
  }
}

export async function saveUncloneable() {
  const store = await CredentialStore.open();
  try {
    return await failure(() => store.save(credentials('ws://x/', { protection: () => 0 } as never)));
  } finally {
    store.close();
  }
}

export async function useAfterClose() {
  const store = await CredentialStore.open();
  store.close();
  return failure(() => store.list());
}
