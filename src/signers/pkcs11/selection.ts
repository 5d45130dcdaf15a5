// What a configuration selects: the URI and the other fields in one form, checked and without contradictions.

import { fromHex } from '../../bytes.js';
import { ConfigError } from '../../errors.js';
import type { Pkcs11Config } from '../config/config.js';
import type { SecretSource } from '../secrets/secret-source.node.js';
import type { Algorithm } from '../types.js';
import type { KeyFilter } from './engine.js';
import { pivSlotToIdHex } from './piv.js';
import { type Pkcs11Uri, parsePkcs11Uri, type TokenAttributes } from './uri.js';

/** A checked configuration; a URI and the other fields in one form. */
export interface Selection {
  modulePath: string;
  pin: SecretSource;
  token: TokenFilter;
  key: KeyFilter;
  algorithm: Algorithm | undefined;
  publicKeyPem: string | undefined;
}

export interface TokenFilter extends TokenAttributes {
  slotIndex?: number | undefined;
}

/** Checks `config` before any work. @throws TypeError - wrong types; ConfigError - wrong or conflicting values */
export function selectionOf(config: Pkcs11Config): Selection {
  checkTypes(config);
  const uri = parsePkcs11Uri(config.uri ?? 'pkcs11:');
  const modulePath = agreed('ERST_PKCS11_MODULE', config.modulePath, uri.modulePath);
  if (!modulePath) {
    throw new ConfigError(
      'ERST_PKCS11_MODULE',
      'ERST_PKCS11_MODULE is not set: give the path of the PKCS#11 module. Example: ERST_PKCS11_MODULE=/usr/lib/softhsm/libsofthsm2.so',
    );
  }
  return {
    modulePath,
    pin: pinOf(config, uri),
    token: tokenFilterOf(config, uri),
    key: keyFilterOf(config, uri),
    algorithm: config.algorithm,
    publicKeyPem: config.publicKeyPem,
  };
}

function checkTypes(config: Pkcs11Config): void {
  if (typeof config !== 'object' || config === null) throw new TypeError('config must be an object');
  const { slotIndex, algorithm, ...texts } = config;
  for (const [name, value] of Object.entries(texts)) {
    if (value !== undefined && typeof value !== 'string') throw new TypeError(`${name} must be a string`);
  }
  if (slotIndex !== undefined && !(Number.isSafeInteger(slotIndex) && slotIndex >= 0)) {
    throw new RangeError('slotIndex must be a position in the list of slots with a token: 0, 1, …');
  }
  if (algorithm !== undefined && !['ed25519', 'secp256k1', 'p256'].includes(algorithm)) {
    throw new TypeError('algorithm must be ed25519, secp256k1 or p256');
  }
}

function pinOf(config: Pkcs11Config, uri: Pkcs11Uri): SecretSource {
  const own = { value: config.pin, file: config.pinFile, command: config.pinCommand };
  const given = (source: SecretSource) => Object.values(source).some((value) => value !== undefined);
  if (given(own) && given(uri.pin)) {
    throw new ConfigError(
      'ERST_PKCS11_URI',
      'The PIN is given in ERST_PKCS11_URI and by ERST_PKCS11_PIN…: keep one of them',
    );
  }
  return given(own) ? own : uri.pin;
}

function tokenFilterOf(config: Pkcs11Config, uri: Pkcs11Uri): TokenFilter {
  const token = agreed('ERST_PKCS11_TOKEN_LABEL', config.tokenLabel, uri.token.token);
  return { ...uri.token, ...(token !== undefined && { token }), slotIndex: config.slotIndex };
}

function keyFilterOf(config: Pkcs11Config, uri: Pkcs11Uri): KeyFilter {
  const byHex = config.keyIdHex === undefined ? undefined : keyIdOf(config.keyIdHex);
  const bySlot = config.pivSlot === undefined ? undefined : pivSlotToIdHex(config.pivSlot);
  return {
    label: agreed('ERST_PKCS11_KEY_LABEL', config.keyLabel, uri.key.label),
    idHex: agreed('ERST_PKCS11_KEY_ID', agreed('ERST_PKCS11_PIV_SLOT', bySlot, byHex), uri.key.idHex),
  };
}

function keyIdOf(hex: string): string {
  const digits = hex.toLowerCase().replace(/^0x/, '').replaceAll(':', '');
  try {
    if (fromHex(digits).length > 0) return digits;
  } catch {
    // the error below says how
  }
  throw new ConfigError(
    'ERST_PKCS11_KEY_ID',
    'ERST_PKCS11_KEY_ID must be the CKA_ID in hex, two digits a byte. Example: ERST_PKCS11_KEY_ID=01',
  );
}

/** The one value given, or the one that both are. */
function agreed(setting: string, own: string | undefined, other: string | undefined): string | undefined {
  if (own !== undefined && other !== undefined && own !== other) {
    throw new ConfigError(
      setting,
      `${setting} is ${JSON.stringify(own)}, but another setting (ERST_PKCS11_URI or ERST_PKCS11_KEY_ID) says ` +
        `${JSON.stringify(other)}: keep one of them`,
    );
  }
  return own ?? other;
}
