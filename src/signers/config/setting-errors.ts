// The errors for a setting that is missing, wrong or unknown, in the names that the user wrote.

import { ConfigError } from '../../errors.js';
import { nearestName } from './nearest-name.js';
import { type SettingNames, settingOf } from './settings.js';

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

/** The error unless `value` may stand in `field`. */
export function check(field: string, value: unknown, names: SettingNames): void {
  const { kind, check: requirementOf } = settingOf(field);
  if (kind === undefined && typeof value !== 'string') throw wrong(field, 'a string', names);
  if (value === '') throw wrong(field, 'set to something, or not set at all: it is empty', names);
  const requirement = requirementOf?.(value);
  if (requirement) throw wrong(field, requirement, names);
}

/** The error for a field that is none of `known`. */
export function unknownField(name: string, known: readonly string[]): ConfigError {
  const near = nearestName(name, known);
  return new ConfigError(
    name,
    `${name} is not a known field. ${near ? `Did you mean ${near}?` : `Known are: ${known.join(', ')}`}`,
  );
}
