// What a pairing gives, in the words of bridge.pair() and of `erst-hsm pair`.

import { type ClientGrant, formatLine } from '../protocol/authorized-clients.js';

export interface PairOptions {
  /** What the client will be called in the file and the log; left out, what it proposes. Made to fit and unique. */
  name?: string;
  /** Names of keys, `*` for any run of characters. Default: every key. */
  keys?: readonly string[];
  /** Default: `info`, `public-key` and `sign`. */
  ops?: readonly string[];
  /** Default: all. */
  algorithms?: readonly string[];
  /** Origins of the pages that may use it; a program, which has none, then may not. */
  origins?: readonly string[];
  /** Addresses and CIDR blocks that it may come from. */
  from?: readonly string[];
  /** Like `10/s`, `100/m`. */
  rate?: string;
  /** When its rights end: `2027-01-31` or `2027-01-31T12:00:00Z`. */
  expires?: string | Date;
  /** Longest message that it may have signed. */
  maxBytes?: number;
  /** Whether it may have digests signed that it computed itself. Default: true, and the line says so. */
  prehashed?: boolean;
  /** How long the link is valid. Default: 10 minutes; at most 24 hours. */
  expiresInMs?: number;
}

const OPTION_NAMES = [
  'name',
  'keys',
  'ops',
  'algorithms',
  'origins',
  'from',
  'rate',
  'expires',
  'maxBytes',
  'prehashed',
  'expiresInMs',
];

/** The grant that a client's line will say. `TypeError` for an option of another kind, `RangeError` for one that no line can hold. */
export function grantOf(options: PairOptions): ClientGrant {
  for (const option of Object.keys(options)) {
    if (!OPTION_NAMES.includes(option)) throw new TypeError(`unknown option of pair(): ${option}`);
  }
  const { keys = ['*'], ops, algorithms, origins, from, rate, expires, maxBytes, prehashed = true } = options;
  expectString(options.name, 'name');
  expectString(rate, 'rate');
  if (typeof prehashed !== 'boolean') throw new TypeError('prehashed must be true or false');
  if (maxBytes !== undefined && typeof maxBytes !== 'number')
    throw new TypeError('maxBytes must be a number');
  const grant: ClientGrant = {
    keys: expectList(keys, 'keys'),
    ...(ops && { ops: expectList(ops, 'ops') }),
    ...(algorithms && { algorithms: expectList(algorithms, 'algorithms') }),
    ...(origins && { origins: expectList(origins, 'origins') }),
    ...(from && { from: expectList(from, 'from') }),
    ...(rate !== undefined && { rate }),
    ...(expires !== undefined && { expires: expiryText(expires) }),
    ...(maxBytes !== undefined && { maxBytes }),
    prehashed,
  };
  formatLine(grant, new Uint8Array(32), 'new');
  return grant;
}

function expiryText(expires: string | Date): string {
  if (typeof expires === 'string') return expires;
  if (!(expires instanceof Date) || Number.isNaN(expires.getTime()))
    throw new TypeError('expires must be a valid date');
  return expires.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function expectString(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'string') throw new TypeError(`${name} must be a string`);
}

function expectList(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || !value.every((item) => typeof item === 'string')) {
    throw new TypeError(`${name} must be a list of strings that is not empty`);
  }
  if (value.some((item) => item.includes(',')))
    throw new RangeError(`${name} must not have a comma in an item`);
  return value;
}
