// A browser's X25519 identity. Where the browser has X25519 in WebCrypto, the private key is non-extractable: scripts of
// this page can use it, none can read it, and IndexedDB keeps it so. Elsewhere its bytes lie in the page's storage, and
// `protection` says so. Sources: RFC 7748, Secure Curves in the Web Cryptography API.

import { DH_LENGTH, type DhKeyPair, x25519KeyPair } from '../../protocol/dh.js';

/** What the browser is known by. A plain object that structured clone copies; it has no JSON form. */
export type BrowserIdentity =
  | {
      /** The private key never exists outside the browser's cryptographic code. */
      readonly protection: 'non-extractable';
      readonly publicKey: CryptoKey;
      readonly privateKey: CryptoKey;
    }
  | {
      /** The browser has no X25519 in WebCrypto: whoever runs script in this page can read the key. */
      readonly protection: 'readable';
      /** 32 bytes. */
      readonly secretKey: Uint8Array;
    };

const X25519 = 'X25519';

/** A new identity, non-extractable wherever the browser can make it so. */
export async function generateBrowserIdentity(): Promise<BrowserIdentity> {
  const pair = await generateInWebCrypto();
  if (pair === undefined) {
    return { protection: 'readable', secretKey: crypto.getRandomValues(new Uint8Array(DH_LENGTH)) };
  }
  return { protection: 'non-extractable', publicKey: pair.publicKey, privateKey: pair.privateKey };
}

/** The Diffie-Hellman of `identity`, as the handshake wants it. */
export async function browserKeyPair(identity: BrowserIdentity): Promise<DhKeyPair> {
  if (identity.protection === 'readable') return x25519KeyPair(identity.secretKey);
  const { publicKey, privateKey } = identity;
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
  return { publicKey: raw, dh: (remote) => deriveShared(privateKey, remote) };
}

/** Whether `value` is an identity, and not, say, what JSON made of one. */
export function isBrowserIdentity(value: unknown): value is BrowserIdentity {
  const identity = value as Partial<Record<string, unknown>> | null | undefined;
  if (identity?.protection === 'readable') {
    return identity.secretKey instanceof Uint8Array && identity.secretKey.length === DH_LENGTH;
  }
  return (
    identity?.protection === 'non-extractable' &&
    identity.publicKey instanceof CryptoKey &&
    identity.privateKey instanceof CryptoKey
  );
}

/** `undefined` where WebCrypto is absent (an insecure context) or has no X25519. */
async function generateInWebCrypto(): Promise<CryptoKeyPair | undefined> {
  if (globalThis.crypto?.subtle === undefined) return undefined;
  try {
    return (await crypto.subtle.generateKey(X25519, false, ['deriveBits'])) as CryptoKeyPair;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotSupportedError') return undefined;
    throw error;
  }
}

/** WebCrypto rejects an all-zero result with an `OperationError`, as RFC 7748 §6.1 wants it. */
async function deriveShared(privateKey: CryptoKey, remotePublicKey: Uint8Array): Promise<Uint8Array> {
  const point = Uint8Array.from(remotePublicKey);
  const peer = await crypto.subtle.importKey('raw', point, X25519, false, []);
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: X25519, public: peer }, privateKey, 8 * DH_LENGTH),
  );
}
