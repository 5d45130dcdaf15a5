// A signer's configuration: from environment variables, or from an object with the same meaning. One table drives both,
// and every refusal names the variable (or field) and shows a line that would do.
//
// - White space around a variable's value is ignored, except in a PIN or passphrase, where it counts.
// - A variable that is set but empty is an error, never "unset": an empty ERST_PKCS11_PUBLIC_KEY_PEM would otherwise
//   quietly switch its check off.
// - In a variable, a PEM may have its line feeds written as `\n`, as .env files have them.
// - Settings of a signer type that is not chosen are not looked at, so that ERST_SIGNER_TYPE alone switches.
// - Unknown names in these families, and near misses of any known name, are errors; other ERST_ variables are not ours.

import { ConfigError } from '../../errors.js';
import type { Algorithm } from '../types.js';
import { nearestName } from './nearest-name.js';
import {
  fieldNames,
  type Setting,
  type SettingNames,
  settingOf,
  settings,
  signerTypes,
  variableNames,
} from './settings.js';

export type SignerType = 'software' | 'pkcs11' | 'remote';

/** What `SignerFactory.createFromConfig` takes. */
export interface SignerConfig {
  /** Default: `software`. */
  signerType?: SignerType;
  /** Unset: the key's own. Set: the key must be of this algorithm, or creation fails with `key-mismatch`. */
  algorithm?: Algorithm;
  software?: SoftwareConfig;
  pkcs11?: Omit<Pkcs11Config, 'algorithm'>;
  remote?: RemoteConfig;
}

/** A key in a file or a string: exactly one of the two. */
export interface SoftwareConfig {
  /** Path of a PEM file. Node only. */
  privateKeyPath?: string;
  /** The PEM text itself. */
  privateKeyPem?: string;
  /** Opens an encrypted key; not used where the key is not encrypted. At most one of the three. */
  passphrase?: string;
  /** File that holds the passphrase. Node only. */
  passphraseFile?: string;
  /** Shell command that prints the passphrase. Node only. */
  passphraseCommand?: string;
}

/** A key on a PKCS#11 token. Node only. */
export interface Pkcs11Config {
  /** Path of the PKCS#11 module; needed unless `uri` names it. */
  modulePath?: string;
  /** At most one of `pin`, `pinFile`, `pinCommand`. */
  pin?: string;
  /** File that holds the PIN. */
  pinFile?: string;
  /** Shell command that prints the PIN. */
  pinCommand?: string;
  /** Token by its label; at most one of `tokenLabel`, `slotIndex`. */
  tokenLabel?: string;
  /** Token by its position in `C_GetSlotList(tokenPresent = true)`, from 0; not a slot id. */
  slotIndex?: number;
  /** Key by its label; at most one of `keyLabel`, `keyIdHex`, `pivSlot`. */
  keyLabel?: string;
  /** Key by its CKA_ID in hex. */
  keyIdHex?: string;
  /** Key by its PIV slot: 9a, 9c, 9d, 9e, 82 to 95, f9. */
  pivSlot?: string;
  /** The public key that the token's key must have, SPKI PEM; a mismatch is an error. */
  publicKeyPem?: string;
  /** RFC 7512 URI in place of the fields that choose token and key. */
  uri?: string;
  /** The key must be of this algorithm. The factory sets it from `SignerConfig.algorithm`. */
  algorithm?: Algorithm;
}

/** A key behind a bridge. */
export interface RemoteConfig {
  /** `wss://` or `ws://` address of the bridge. Needed unless the file at `identityPath` has it. */
  url?: string;
  /** X25519 public key of the bridge, 32 bytes in base64url. Needed unless the file at `identityPath` has it. */
  bridgeKey?: string;
  /** File with this client's identity as pairing gave it, or with the JSON of all its credentials. Node only. */
  identityPath?: string;
  /** The identity itself, in place of `identityPath`. There is no variable for it. */
  identity?: unknown;
  /** Name of the key on the bridge. */
  key?: string;
  /** As pairing gave it: the public keys that the bridge showed then, which are pinned. */
  keys?: Record<string, { algorithm: Algorithm; spki: string }>;
  /** As pairing gave it: the name that the bridge knows this client by. */
  client?: string;
  /** Lets `ws://` go to another machine: the channel protects itself, but others see when you sign. */
  allowPlainWs?: boolean;
}

/** A configuration that has been checked; its signer type is settled. */
export type CheckedConfig = SignerConfig & { signerType: SignerType };

/** Such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of this package that configure something other than a signer. */
const otherVariables = ['ERST_LOG'];
const families = /^ERST_(?:SIGNER|SOFTWARE|PKCS11|REMOTE)_/;

const byVariable = new Map(settings.flatMap((s) => (s.variable ? [[s.variable, s] as const] : [])));

/**
 * The configuration that `env` describes.
 *
 * @throws ConfigError - naming the variable that is missing, empty, wrong, unknown or in conflict with another
 */
export function configFromEnv(env: Environment): CheckedConfig {
  for (const name of Object.keys(env)) if (env[name] !== undefined) refuseUnknownVariable(name);
  const given = env.ERST_SIGNER_TYPE?.trim();
  if (given === undefined) refuseForgottenType(env);
  const chosen = signerTypes.includes(given ?? '') ? given : 'software';
  const config: Record<string, unknown> = {};
  for (const setting of settings) {
    const [section, key] = setting.field.split('.') as [string, string?];
    if (key && section !== chosen) continue;
    const value = readVariable(env, setting);
    if (value === undefined) continue;
    if (!key) config[section] = value;
    else config[section] = { ...(config[section] as object), [key]: value };
  }
  return checkConfig(config, variableNames);
}

/**
 * A copy of `config`, once it is complete and free of conflicts for its signer type.
 *
 * @throws ConfigError - naming the field (or what `names` calls it)
 * @throws TypeError - not an object
 */
export function checkConfig(config: unknown, names: SettingNames = fieldNames): CheckedConfig {
  if (!isObject(config)) throw new TypeError('config must be an object');
  refuseUnknownFields(config);
  const signerType = (config.signerType ?? 'software') as SignerType;
  check('signerType', signerType, names);
  if (config.algorithm !== undefined) check('algorithm', config.algorithm, names);
  const section = { ...(config[signerType] as Record<string, unknown>) };
  for (const [key, value] of Object.entries(section)) {
    if (value !== undefined) check(`${signerType}.${key}`, value, names);
  }
  checkSection[signerType](section, names);
  return { ...config, signerType, [signerType]: section };
}

/** The error for a setting that is not there; `alternative` would do as well. */
export function missing(field: string, names: SettingNames, alternative?: string): ConfigError {
  const { meaning } = settingOf(field);
  const name = names.name(field);
  const either = alternative ? `${name} (or ${names.name(alternative)})` : name;
  return new ConfigError(name, `${either} is missing: ${meaning}. Example: ${names.example(field)}`);
}

/** The error for a setting that holds something else than it must; `requirement` completes "must be ". */
export function wrong(field: string, requirement: string, names: SettingNames, cause?: unknown): ConfigError {
  const name = names.name(field);
  const named = requirement.replace(/\{(\w+)\}/g, (_, key: string) =>
    names.name(`${field.split('.')[0]}.${key}`),
  );
  return new ConfigError(name, `${name} must be ${named}. Example: ${names.example(field)}`, { cause });
}

type SectionCheck = (section: Record<string, unknown>, names: SettingNames) => void;

const checkSection: Readonly<Record<SignerType, SectionCheck>> = {
  software(section, names) {
    atMostOne('software', ['privateKeyPath', 'privateKeyPem'], section, names);
    atMostOne('software', ['passphrase', 'passphraseFile', 'passphraseCommand'], section, names);
    if (section.privateKeyPath === undefined && section.privateKeyPem === undefined) {
      throw missing('software.privateKeyPath', names, 'software.privateKeyPem');
    }
  },
  pkcs11(section, names) {
    atMostOne('pkcs11', ['pin', 'pinFile', 'pinCommand'], section, names);
    atMostOne('pkcs11', ['tokenLabel', 'slotIndex', 'uri'], section, names);
    atMostOne('pkcs11', ['keyLabel', 'keyIdHex', 'pivSlot', 'uri'], section, names);
    const uriNamesModule = typeof section.uri === 'string' && /[?&]module-(?:path|name)=/.test(section.uri);
    if (section.modulePath === undefined && !uriNamesModule) throw missing('pkcs11.modulePath', names);
  },
  remote(section, names) {
    atMostOne('remote', ['identityPath', 'identity'], section, names);
    if (section.identityPath === undefined && section.identity === undefined) {
      throw missing('remote.identityPath', names);
    }
    if (section.key === undefined) throw missing('remote.key', names);
    // A file may hold url and bridgeKey too; whether it does is seen when it is read.
    if (section.identityPath === undefined) expectAddress(section, names);
  },
};

/** Whether `remote` says where the bridge is and how to know it; a `ConfigError` otherwise. */
export function expectAddress(
  remote: RemoteConfig,
  names: SettingNames,
): asserts remote is RemoteConfig & { url: string; bridgeKey: string } {
  if (remote.url === undefined) throw missing('remote.url', names);
  if (remote.bridgeKey === undefined) throw missing('remote.bridgeKey', names);
}

function atMostOne(
  type: SignerType,
  keys: readonly string[],
  section: Record<string, unknown>,
  names: SettingNames,
): void {
  const [first, second] = keys.filter((key) => section[key] !== undefined).map((key) => `${type}.${key}`);
  if (!first || !second) return;
  const name = names.name(second);
  throw new ConfigError(
    name,
    `${names.name(first)} and ${name} are both set. Keep one of them. Example: ${names.example(first)}`,
  );
}

function check(field: string, value: unknown, names: SettingNames): void {
  const { notText, check: requirementOf } = settingOf(field);
  if (!notText && typeof value !== 'string') throw wrong(field, 'a string', names);
  if (value === '') throw wrong(field, 'set to something, or not set at all: it is empty', names);
  const requirement = requirementOf?.(value);
  if (requirement) throw wrong(field, requirement, names);
}

function readVariable(env: Environment, setting: Setting): unknown {
  const { field, variable, secret } = setting;
  const value = variable === undefined ? undefined : env[variable];
  if (value === undefined) return undefined;
  if (field.endsWith('Pem')) return unescapePem(value.trim());
  if (field === 'pkcs11.slotIndex' && /^\s*\d+\s*$/.test(value)) return Number(value);
  return secret ? value : value.trim();
}

const unescapePem = (pem: string) => (pem.includes('\n') ? pem : pem.replace(/(?:\\r)?\\n/g, '\n'));

function refuseUnknownVariable(name: string): void {
  if (!name.startsWith('ERST_') || byVariable.has(name) || otherVariables.includes(name)) return;
  const known = [...byVariable.keys(), ...otherVariables];
  const near = nearestName(name, known);
  if (!near && !families.test(name)) return;
  const advice = near
    ? `Did you mean ${near}? ${byVariable.has(near) ? `Example: ${variableNames.example(byVariable.get(near)!.field)}` : ''}`
    : `Known are: ${known.join(', ')}`;
  throw new ConfigError(name, `${name} is not a known variable. ${advice}`.trim());
}

/** Without a type the default is software; settings of another type alone say that the type was forgotten. */
function refuseForgottenType(env: Environment): void {
  const isSet = (type: string) =>
    [...byVariable].find(([name, { field }]) => field.startsWith(`${type}.`) && env[name] !== undefined)?.[0];
  if (isSet('software')) return;
  for (const type of ['pkcs11', 'remote']) {
    const variable = isSet(type);
    if (!variable) continue;
    throw new ConfigError(
      'ERST_SIGNER_TYPE',
      `${variable} is set, but ERST_SIGNER_TYPE is missing. Example: export ERST_SIGNER_TYPE=${type}`,
    );
  }
}

function refuseUnknownFields(config: Record<string, unknown>): void {
  for (const name of Object.keys(config)) {
    if (signerTypes.includes(name)) refuseUnknownFieldsOf(name, config[name]);
    else if (!topFields.includes(name)) throw unknownField(name, [...topFields, ...signerTypes]);
  }
}

function refuseUnknownFieldsOf(type: string, section: unknown): void {
  if (section === undefined) return;
  if (!isObject(section))
    throw new ConfigError(type, `${type} must be an object. Example: ${sectionExample(type)}`);
  const known = settings.map(({ field }) => field).filter((field) => field.startsWith(`${type}.`));
  for (const name of Object.keys(section)) {
    if (!known.includes(`${type}.${name}`)) throw unknownField(`${type}.${name}`, known);
  }
}

const topFields = ['signerType', 'algorithm'];
const sectionExample = (type: string) =>
  fieldNames.example(settings.find(({ field }) => field.startsWith(`${type}.`))!.field);

function unknownField(name: string, known: readonly string[]): ConfigError {
  const near = nearestName(name, known);
  return new ConfigError(
    name,
    `${name} is not a known field. ${near ? `Did you mean ${near}?` : `Known are: ${known.join(', ')}`}`,
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
