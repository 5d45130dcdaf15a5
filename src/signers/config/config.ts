// A signer's configuration: from environment variables, or from an object with the same meaning. One table drives both,
// and every refusal names the variable (or field) and shows a line that would do.
//
// - White space around a variable's value is ignored, except in a PIN or passphrase, where it counts.
// - A variable that is set but empty is an error, never "unset": an empty ERST_PKCS11_PUBLIC_KEY_PEM would otherwise
//   quietly switch its check off.
// - In a variable, a PEM may have its line feeds written as `\n`, as .env files have them.
// - Settings of a signer type that is not chosen are not looked at, so that ERST_SIGNER_TYPE alone switches.
// - Unknown names in these families, and near misses of any known name, are errors; other ERST_ variables are not ours.

import { checkSection } from './sections.js';
import { check, wrong } from './setting-errors.js';
import {
  fieldNames,
  isObject,
  type Setting,
  type SettingNames,
  settings,
  signerTypes,
  variableNames,
} from './settings.js';
import type { CheckedConfig, Environment, SignerType } from './signer-config.js';
import { refuseForgottenType, refuseUnknownFields, refuseUnknownVariable } from './unknown-names.js';

export { expectAddress, urisOf } from './sections.js';
export { missing, wrong } from './setting-errors.js';
export type * from './signer-config.js';

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

function readVariable(env: Environment, setting: Setting): unknown {
  const { field, variable, kind, secret } = setting;
  const value = variable === undefined ? undefined : env[variable];
  if (value === undefined) return undefined;
  if (field.endsWith('Pem')) return unescapePem(value.trim());
  if (kind === 'number' && /^\s*\d+\s*$/.test(value)) return Number(value);
  if (kind === 'flag') return readFlag(field, value.trim());
  return secret ? value : value.trim();
}

function readFlag(field: string, value: string): boolean | '' {
  if (value === 'yes' || value === 'no') return value === 'yes';
  if (value === '') return ''; // is refused as empty
  throw wrong(field, 'yes or no', variableNames);
}

const unescapePem = (pem: string) => (pem.includes('\n') ? pem : pem.replace(/(?:\\r)?\\n/g, '\n'));
