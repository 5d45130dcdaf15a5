// What there is to know of one setting, and the checks that several of them share.

import { fromBase64Url } from '../../bytes.js';

/** What a setting is called where the user wrote it, and how a line that sets it looks. */
export interface SettingNames {
  name(field: string): string;
  example(field: string): string;
}

export interface Setting {
  field: string;
  variable?: string;
  /** Completes "… is missing: ". */
  meaning: string;
  /** As it is written in a shell. */
  example: string;
  /** As it is written in an object, where that is not `example` as a string. */
  literal?: string;
  /** White space at its ends counts. */
  secret?: true;
  /** What it is in an object; without it, text. In a variable, a flag is yes or no. */
  kind?: 'number' | 'flag' | 'other';
  /** What is wrong with a value, or `undefined`. Completes "… must be ". */
  check?: (value: unknown) => string | undefined;
}

export const oneOf = (values: readonly string[]) => (value: unknown) =>
  values.includes(value as string) ? undefined : `one of ${values.join(', ')}`;

export const matches = (pattern: RegExp, description: string) => (value: unknown) =>
  pattern.test(value as string) ? undefined : description;

/** A whole number from `least` up, or to `most`. */
export const wholeNumber =
  (least: number, most = Number.POSITIVE_INFINITY) =>
  (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `a whole number from ${least} ${most === Number.POSITIVE_INFINITY ? 'up' : `to ${most}`}`;

export const flag = (value: unknown) => (typeof value === 'boolean' ? undefined : 'true or false');

export const isPem = (value: unknown): boolean => typeof value === 'string' && value.includes('-----BEGIN ');

export function isKey32(value: unknown): boolean {
  try {
    return fromBase64Url(value as string).length === 32;
  } catch {
    return false;
  }
}
