// A configuration in one form, whether its author wrote a URI or fields; and how a replica takes from the first what it does
// not say itself.

import { fromHex } from '../../../bytes.js';
import { ConfigError } from '../../../errors.js';
import type { Pkcs11Replica } from '../../config/config.js';
import type { SecretSource } from '../../secrets/secret-source.node.js';
import type { EngineOptions } from '../engine/engine.js';
import type { KeyFilter } from '../engine/hosted-module.js';
import { pivSlotToIdHex } from './piv.js';
import { type Pkcs11Uri, parsePkcs11Uri, type TokenAttributes } from './uri.js';

export interface TokenFilter extends TokenAttributes {
  slotIndex?: number | undefined;
}

/** What may differ between tokens that hold the same key; what was not given is `undefined` or empty. */
export interface TokenFields {
  modulePath: string | undefined;
  pin: SecretSource;
  token: TokenFilter;
  key: KeyFilter;
  engine: EngineOptions;
  attestationRootPem: string | undefined;
  probe: boolean | undefined;
}

/** The fields of `config`, whose types have been checked and whose `uri` is at most one. */
export function fieldsOf(config: Pkcs11Replica): TokenFields {
  const uri = parsePkcs11Uri(config.uri ?? 'pkcs11:');
  return {
    modulePath: agreed('ERST_PKCS11_MODULE', config.modulePath, uri.modulePath),
    pin: pinOf(config, uri),
    token: tokenFilterOf(config, uri),
    key: keyFilterOf(config, uri),
    engine: engineOptionsOf(config),
    attestationRootPem: config.attestationRootPem,
    probe: config.probe,
  };
}

/** `own`, with what it does not say as in `shared`. A token, a key and a PIN are each taken whole from one of them. */
export function mergedFields(own: TokenFields, shared: TokenFields): TokenFields {
  const either = <T extends object>(mine: T, theirs: T) => (isGiven(mine) ? mine : theirs);
  return {
    modulePath: own.modulePath ?? shared.modulePath,
    pin: either(own.pin, shared.pin),
    token: either(own.token, shared.token),
    key: either(own.key, shared.key),
    engine: { ...shared.engine, ...own.engine },
    attestationRootPem: own.attestationRootPem ?? shared.attestationRootPem,
    probe: own.probe ?? shared.probe,
  };
}

const isGiven = (fields: object) => Object.values(fields).some((value) => value !== undefined);

function pinOf(config: Pkcs11Replica, uri: Pkcs11Uri): SecretSource {
  const { pin: value, pinFile: file, pinCommand: command, pinCredential: credential } = config;
  const own = { value, file, command, credential };
  if (!isGiven(own)) return uri.pin;
  if (!isGiven(uri.pin)) return own;
  throw new ConfigError(
    'ERST_PKCS11_URI',
    'The PIN is given in ERST_PKCS11_URI and by ERST_PKCS11_PIN…: keep one of them',
  );
}

function tokenFilterOf(config: Pkcs11Replica, uri: Pkcs11Uri): TokenFilter {
  const token = agreed('ERST_PKCS11_TOKEN_LABEL', config.tokenLabel, uri.token.token);
  return { ...uri.token, ...(token !== undefined && { token }), slotIndex: config.slotIndex };
}

function keyFilterOf(config: Pkcs11Replica, uri: Pkcs11Uri): KeyFilter {
  const byHex = config.keyIdHex === undefined ? undefined : keyIdOf(config.keyIdHex);
  const bySlot = config.pivSlot === undefined ? undefined : pivSlotToIdHex(config.pivSlot);
  return {
    label: agreed('ERST_PKCS11_KEY_LABEL', config.keyLabel, uri.key.label),
    idHex: agreed('ERST_PKCS11_KEY_ID', agreed('ERST_PKCS11_PIV_SLOT', bySlot, byHex), uri.key.idHex),
  };
}

/** Only what is given, so that it can be laid over what another object gives. */
function engineOptionsOf(config: Pkcs11Replica): EngineOptions {
  const { inProcess, processes, maxSessions, timeoutMs, maxQueue } = config;
  const given = Object.entries({ inProcess, processes, maxSessions, timeoutMs, maxQueue });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
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
