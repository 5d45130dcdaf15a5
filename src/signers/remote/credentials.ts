// What pairing gives and connecting takes: where the bridge is, how it proves itself, who this client is, and the public
// keys that it has seen. Checked on the way in, because it was stored somewhere in between.

import { fromBase64Url, toBase64Url } from '../../bytes.js';
import { ConfigError, KeyError } from '../../errors.js';
import { DH_LENGTH } from '../../protocol/dh.js';
import type { KeyInfo } from '../../protocol/messages.js';
import { ProtocolError } from '../../protocol/protocol-error.js';
import { PublicKey } from '../public-key.js';
import type { Algorithm } from '../types.js';
import { bridgeUrl } from './bridge-url.js';

/** A public key as it was when this client paired: a bridge that has another one later is refused. */
export interface PinnedKey {
  algorithm: Algorithm;
  /** SubjectPublicKeyInfo DER, base64url. */
  spki: string;
}

/**
 * What pairing gives. Secret, because of `identity`. In Node it is JSON-serialisable; in a browser `identity` holds a
 * key that is not, and IndexedDB keeps the whole.
 */
export interface CredentialsOf<Identity> {
  /** The bridge's address, `ws(s)://host[:port]/`. */
  url: string;
  /** The bridge's X25519 public key, 32 bytes, base64url. */
  bridgeKey: string;
  /** This client's own key. */
  identity: Identity;
  /** The name that the bridge gave this client. */
  client?: string;
  /** Keys that the bridge showed when this client paired. */
  keys?: Record<string, PinnedKey>;
}

/** A key that a client may use, as the bridge describes it. */
export interface RemoteKey {
  name: string;
  algorithm: Algorithm;
  /** Absent where this client may not read it. */
  publicKey: PublicKey | undefined;
  /** What is known of the key's place; empty where this client may not read it. */
  info: Record<string, string>;
}

/** The checked form of all but the identity. */
export interface BridgeReference {
  url: string;
  bridgeKey: Uint8Array;
  pins: ReadonlyMap<string, PublicKey>;
}

/** Checks credentials that were stored; a `ConfigError` names the field that is wrong, and never repeats it. */
export function readCredentials(
  credentials: Partial<CredentialsOf<unknown>>,
  options: { allowPlainWs?: boolean | undefined } = {},
): BridgeReference {
  if (typeof credentials !== 'object' || credentials === null) {
    throw new TypeError('credentials must be the object that RemoteSigner.pair gave');
  }
  const { url, bridgeKey, keys = {} } = credentials;
  return {
    url: bridgeUrl(url, { ...options, setting: 'url' }),
    bridgeKey: readBridgeKey(bridgeKey),
    pins: readPins(keys),
  };
}

function readBridgeKey(text: unknown): Uint8Array {
  try {
    const bytes = fromBase64Url(text as string);
    if (bytes.length === DH_LENGTH) return bytes;
  } catch {
    // the error below says it better
  }
  throw new ConfigError(
    'bridgeKey',
    `bridgeKey must be the bridge's public key, 43 characters of base64url; \`erst-hsm bridge\` prints it when it starts, and pairing puts it into the credentials`,
  );
}

function readPins(keys: unknown): Map<string, PublicKey> {
  const wrong = (name: string, cause?: unknown) =>
    new ConfigError('keys', `keys.${name} of the credentials is no pinned key; pair again`, { cause });
  if (typeof keys !== 'object' || keys === null) throw wrong('*');
  const pins = new Map<string, PublicKey>();
  for (const [name, pin] of Object.entries(keys as Record<string, Partial<PinnedKey> | null>)) {
    let publicKey: PublicKey;
    try {
      publicKey = PublicKey.fromSpki(fromBase64Url(pin!.spki!));
    } catch (cause) {
      throw wrong(name, cause);
    }
    if (publicKey.algorithm !== pin!.algorithm) throw wrong(name);
    pins.set(name, publicKey);
  }
  return pins;
}

/** A key as the bridge described it; `ProtocolError` where its public key is none, or of another algorithm. */
export function readKeyInfo({ name, algorithm, spki, info }: KeyInfo): RemoteKey {
  if (spki === undefined) return { name, algorithm, publicKey: undefined, info };
  try {
    const publicKey = PublicKey.fromSpki(spki);
    if (publicKey.algorithm === algorithm) return { name, algorithm, publicKey, info };
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    throw new ProtocolError('the bridge sent a public key that is none', { cause });
  }
  throw new ProtocolError('the bridge sent a public key of another algorithm than it named');
}

/** What to keep of the keys that a bridge showed. */
export function pinsOf(keys: readonly KeyInfo[]): Record<string, PinnedKey> {
  const pins = keys
    .map(readKeyInfo)
    .flatMap(({ name, publicKey }): [string, PinnedKey][] =>
      publicKey ? [[name, { algorithm: publicKey.algorithm, spki: toBase64Url(publicKey.spki) }]] : [],
    );
  return Object.fromEntries(pins);
}
