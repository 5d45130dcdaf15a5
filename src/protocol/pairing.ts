// Pairing links, and what both sides derive from their secret (docs/PROTOCOL.md §2). The secret is in the fragment, which
// browsers do not send; no error of this file repeats any of it.

import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { expectBytes, fromBase64Url, toBase64Url, utf8 } from '../bytes.js';
import { ConfigError } from '../errors.js';
import { DH_LENGTH } from './dh.js';
import { PSK_LENGTH } from './noise.js';
import { PROTOCOL_PATH } from './subprotocols.js';

/** Bytes of a link's secret. */
export const PAIRING_SECRET_LENGTH = 16;
/** Bytes of the id that the first message carries, by which the bridge finds the secret. */
export const PAIRING_ID_LENGTH = 8;

export interface PairingLink {
  /** `http(s)://host[:port]`, as `URL.origin` writes it. */
  origin: string;
  /** The bridge's X25519 public key, 32 bytes. */
  bridgeKey: Uint8Array;
  /** 16 bytes, secret, for one use. */
  secret: Uint8Array;
}

/** What the first message of a pairing carries: 8 bytes. */
export const pairingId = (secret: Uint8Array): Uint8Array =>
  derive(secret, 'erst-hsm pairing id', PAIRING_ID_LENGTH);

/** The pre-shared key of XKpsk3: 32 bytes, secret. */
export const pairingPsk = (secret: Uint8Array): Uint8Array =>
  derive(secret, 'erst-hsm pairing psk', PSK_LENGTH);

function derive(secret: Uint8Array, info: string, length: number): Uint8Array {
  return hkdf(
    sha256,
    expectBytes(secret, 'pairing secret', PAIRING_SECRET_LENGTH),
    undefined,
    utf8(info),
    length,
  );
}

/** Where the WebSocket of the bridge at `origin` (`http(s)://host[:port]`) is: same host and port, path `/`. */
export const webSocketUrl = (origin: string): string => `${origin.replace(/^http/, 'ws')}${PROTOCOL_PATH}`;

/** The link for a bridge at `origin`, which must be what `URL.origin` gives of an http or https address. */
export function formatPairingLink({ origin, bridgeKey, secret }: PairingLink): string {
  const url = parseUrl(origin);
  if (url === undefined || url.origin !== origin) throw new TypeError('origin must be http(s)://host[:port]');
  const key = toBase64Url(expectBytes(bridgeKey, 'bridgeKey', DH_LENGTH));
  return `${origin}/#pair=1.${key}.${toBase64Url(expectBytes(secret, 'secret', PAIRING_SECRET_LENGTH))}`;
}

/** Reads a pairing link; spaces around it are ignored. `ConfigError` where it is none. */
export function parsePairingLink(link: string): PairingLink {
  if (typeof link !== 'string') throw new TypeError('a pairing link is a string');
  const url = parseUrl(link.trim());
  if (
    url === undefined ||
    url.pathname !== '/' ||
    url.search !== '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw notALink();
  }
  const match = /^#pair=([0-9]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/.exec(url.hash);
  if (match === null) throw notALink();
  const [, version, key, secret] = match;
  if (version !== '1') {
    throw new ConfigError('link', `this pairing link is of version ${version}; update erst-hsm on this side`);
  }
  return {
    origin: url.origin,
    bridgeKey: exactly(key!, DH_LENGTH),
    secret: exactly(secret!, PAIRING_SECRET_LENGTH),
  };
}

function parseUrl(text: string): URL | undefined {
  try {
    const url = new URL(text);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
  } catch {
    return undefined;
  }
}

function exactly(text: string, length: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = fromBase64Url(text);
  } catch {
    throw notALink();
  }
  if (bytes.length !== length) throw notALink();
  return bytes;
}

const notALink = () =>
  new ConfigError(
    'link',
    'this is not a complete pairing link; copy the whole line that `erst-hsm pair` printed, like http://localhost:27183/#pair=1.<key>.<secret>',
  );
