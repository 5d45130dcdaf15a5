// Every setting of a signer: its field, its variable, what it may be, and an example for messages.

import { pkcs11Settings } from './pkcs11-settings.js';
import { remoteSettings } from './remote-settings.js';
import { oneOf, type Setting, type SettingNames } from './setting.js';
import { softwareSettings } from './software-settings.js';

export type { Setting, SettingNames } from './setting.js';

export const signerTypes: readonly string[] = ['software', 'pkcs11', 'remote'];

export const settings: readonly Setting[] = [
  {
    field: 'signerType',
    variable: 'ERST_SIGNER_TYPE',
    meaning: 'where the key is',
    example: 'software',
    check: oneOf(signerTypes),
  },
  {
    field: 'algorithm',
    variable: 'ERST_SIGNER_ALGORITHM',
    meaning: 'algorithm that the key must have',
    example: 'ed25519',
    check: oneOf(['ed25519', 'secp256k1', 'p256']),
  },
  ...softwareSettings,
  ...pkcs11Settings,
  ...remoteSettings,
];

const byField = new Map(settings.map((setting) => [setting.field, setting]));

/** The setting of a field that is known to exist. */
export const settingOf = (field: string): Setting => byField.get(field)!;

/** Names as they are in the environment. */
export const variableNames: SettingNames = {
  name: (field) => settingOf(field).variable ?? field,
  example: (field) => `export ${settingOf(field).variable}=${settingOf(field).example}`,
};

/** Names as they are in a configuration object. */
export const fieldNames: SettingNames = {
  name: (field) => field,
  example: (field) => {
    const { literal, example } = settingOf(field);
    const value = literal ?? `'${example.replace(/"/g, '')}'`;
    const [section, key] = field.split('.');
    return key ? `${section}: { ${key}: ${value} }` : `${section}: ${value}`;
  },
};

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
