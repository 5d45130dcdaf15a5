// Which settings of a signer type belong together, and which contradict each other.

import { ConfigError } from '../../errors.js';
import { check, missing, unknownField, wrong } from './setting-errors.js';
import { isObject, type SettingNames, settings } from './settings.js';
import type { RemoteConfig, SignerType } from './signer-config.js';

type SectionCheck = (section: Record<string, unknown>, names: SettingNames) => void;

/** The URIs in the text of `uri`, which holds several for replicas of one key. */
export const urisOf = (uri: string): string[] => uri.trim().split(/\s+/);

/** The error for what a section lacks, or has too much of. Its values have been checked one by one. */
export const checkSection: Readonly<Record<SignerType, SectionCheck>> = {
  software(section, names) {
    atMostOne('software', ['privateKeyPath', 'privateKeyPem'], section, names);
    atMostOne('software', ['passphrase', 'passphraseFile', 'passphraseCommand'], section, names);
    if (section.privateKeyPath === undefined && section.privateKeyPem === undefined) {
      throw missing('software.privateKeyPath', names, 'software.privateKeyPem');
    }
  },
  pkcs11(section, names) {
    checkToken(section, names);
    if (section.modulePath === undefined && !everyUriNamesModule(section.uri)) {
      throw missing('pkcs11.modulePath', names);
    }
    for (const [i, replica] of ((section.replicas as unknown[] | undefined) ?? []).entries()) {
      checkReplica(replica, `pkcs11.replicas[${i}]`, names);
    }
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

const everyUriNamesModule = (uri: unknown) =>
  typeof uri === 'string' && urisOf(uri).every((one) => /[?&]module-(?:path|name)=/.test(one));

function checkToken(section: Record<string, unknown>, names: SettingNames): void {
  atMostOne('pkcs11', ['pin', 'pinFile', 'pinCommand', 'pinCredential'], section, names);
  atMostOne('pkcs11', ['tokenLabel', 'slotIndex', 'uri'], section, names);
  atMostOne('pkcs11', ['keyLabel', 'keyIdHex', 'pivSlot', 'uri'], section, names);
  if (section.inProcess === true && section.processes !== undefined) {
    const [inProcess, processes] = [names.name('pkcs11.inProcess'), names.name('pkcs11.processes')];
    throw new ConfigError(
      processes,
      `${inProcess} says that no process is started, and ${processes} how many are. Keep one of them`,
    );
  }
}

const notInReplica: readonly string[] = ['replicas', 'publicKeyPem'];

function checkReplica(replica: unknown, path: string, names: SettingNames): void {
  if (!isObject(replica)) throw wrong('pkcs11.replicas', 'a list of objects', names);
  const known = settings
    .map(({ field }) => field)
    .filter((field) => field.startsWith('pkcs11.') && !notInReplica.includes(field.slice(7)))
    .map((field) => field.replace('pkcs11', path));
  const own: SettingNames = {
    name: (field) => names.name(field).replace('pkcs11', path),
    example: names.example,
  };
  for (const [key, value] of Object.entries(replica)) {
    if (!known.includes(`${path}.${key}`)) throw unknownField(`${path}.${key}`, known);
    if (value !== undefined) check(`pkcs11.${key}`, value, own);
  }
  checkToken(replica, own);
}

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
