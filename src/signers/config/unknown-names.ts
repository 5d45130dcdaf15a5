// Names that no setting has: a typing mistake, a field in the wrong place. And the signer type that was forgotten.

import { ConfigError } from '../../errors.js';
import { nearestName } from './nearest-name.js';
import { unknownField } from './setting-errors.js';
import { fieldNames, isObject, settings, signerTypes, variableNames } from './settings.js';
import type { Environment } from './signer-config.js';

/** Variables of this package that configure something other than a signer. */
const otherVariables = [
  'ERST_LOG',
  // PIN of the security officer, for `erst-hsm hsm init-token`
  'ERST_PKCS11_SO_PIN',
  'ERST_PKCS11_SO_PIN_FILE',
  'ERST_PKCS11_SO_PIN_COMMAND',
  'ERST_PKCS11_SO_PIN_CREDENTIAL',
];
const families = /^ERST_(?:SIGNER|SOFTWARE|PKCS11|REMOTE)_/;

const byVariable = new Map(settings.flatMap((s) => (s.variable ? [[s.variable, s] as const] : [])));

/** The error for a variable that looks like one of ours and is none. */
export function refuseUnknownVariable(name: string): void {
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
export function refuseForgottenType(env: Environment): void {
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

/** The error for a field that is none, also in sections that are not chosen. */
export function refuseUnknownFields(config: Record<string, unknown>): void {
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
