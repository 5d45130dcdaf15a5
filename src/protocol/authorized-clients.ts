// The authorized-clients file: one line a client, `[options] x25519 <base64url public key> <name>`, in the style of
// OpenSSH's authorized_keys (sshd(8), AUTHORIZED_KEYS FILE FORMAT). docs/BRIDGE.md has the grammar for people.
//
// Invariant: whatever a line asks for is enforced, or the line is invalid and its client gets nothing. That holds for
// unknown options, for options of later versions, and for two lines with the same key or name (both are invalid).

import { sha256 } from '@noble/hashes/sha2.js';

import { fromBase64Url, toBase64, toBase64Url } from '../bytes.js';
import { type Cidr, cidrContains, parseAddress, parseCidr } from './cidr.js';

const OPS = ['info', 'public-key', 'sign'] as const;
const OPS_OF_LATER_VERSIONS = ['audit', 'approve', 'admin'];
const ALGORITHMS = ['ed25519', 'secp256k1', 'p256'] as const;
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A right that a client's line can give; each covers the request of the same name, `sign` also `sign-batch`. */
export type ClientOp = (typeof OPS)[number];
export type ClientAlgorithm = (typeof ALGORITHMS)[number];

/** At most `count` in `perMs` milliseconds: a bucket of `count` tokens that refills evenly. */
export interface ClientRate {
  readonly count: number;
  readonly perMs: number;
}

/** What a valid line says. An absent field does not restrict. */
export interface AuthorizedClient {
  readonly name: string;
  /** X25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Names of keys; `*` stands for any run of characters. */
  readonly keys: readonly string[];
  readonly ops: readonly ClientOp[];
  readonly algorithms?: readonly ClientAlgorithm[];
  readonly origins?: readonly string[];
  readonly from?: readonly Cidr[];
  readonly rate?: ClientRate;
  /** Milliseconds since 1970; from this moment on the line gives nothing. */
  readonly expiresAt?: number;
  /** Longest message to sign, in bytes. */
  readonly maxBytes?: number;
  /** Whether the client may have a digest signed that the bridge did not compute itself. */
  readonly prehashed: boolean;
}

/** What to write into a line, in the words of its options. */
export interface ClientGrant {
  keys: readonly string[];
  ops?: readonly string[];
  algorithms?: readonly string[];
  origins?: readonly string[];
  from?: readonly string[];
  rate?: string;
  expires?: string;
  maxBytes?: number;
  prehashed?: boolean;
}

/** One line that is neither blank nor a comment. `name` and `keyText` are there as far as the line could be read. */
export interface ClientLine {
  readonly lineNumber: number;
  readonly name?: string;
  readonly keyText?: string;
  readonly client?: AuthorizedClient;
  /** Why the line is invalid; absent where `client` is there. */
  readonly problem?: string;
}

/** A line that is invalid; the message says why. */
class LineError extends Error {}

type OptionReaders = { [name: string]: (value: string) => Partial<AuthorizedClient> };

const OPTION_READERS: OptionReaders = {
  keys: (value) => ({ keys: list(value, readKeyPattern) }),
  ops: (value) => ({ ops: list(value, readOp) }),
  algorithms: (value) => ({ algorithms: list(value, readAlgorithm) }),
  origins: (value) => ({ origins: list(value, readOrigin) }),
  from: (value) => ({ from: list(value, readCidr) }),
  rate: (value) => ({ rate: readRate(value) }),
  expires: (value) => ({ expiresAt: readExpiry(value) }),
  'max-bytes': (value) => ({ maxBytes: readMaxBytes(value) }),
  prehashed: (value) => ({ prehashed: readYesNo(value) }),
  presence: () => {
    throw new LineError('option presence= is not enforced in this version');
  },
};

/** Reads the file, every line on its own. Never throws: a line that cannot be used comes back with its `problem`. */
export function parseClientLines(text: string): ClientLine[] {
  const lines = text.split('\n').flatMap((raw, index) => {
    const line = raw.trim();
    return line === '' || line.startsWith('#') ? [] : [parseLine(line, index + 1)];
  });
  return refuseDuplicates(lines);
}

/** Reads one line, without its line break; never throws. */
export function parseLine(line: string, lineNumber = 1): ClientLine {
  const read: { name?: string; keyText?: string } = {};
  try {
    const { options, rest } = splitOptions(line);
    const [type, keyText, name, ...more] = rest.split(/[ \t]+/);
    if (type !== 'x25519') throw new LineError('key type must be x25519');
    if (keyText !== undefined) read.keyText = keyText;
    const publicKey = readPublicKey(keyText);
    if (name === undefined) throw new LineError('the name after the key is missing');
    if (!isClientName(name)) throw new LineError('name must be 1 to 64 letters, digits, . _ @ or -');
    read.name = name;
    if (more.length > 0) throw new LineError('nothing may follow the name');
    return { lineNumber, ...read, client: { name, publicKey, ...readOptions(options) } };
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    return { lineNumber, ...read, problem: error.message };
  }
}

/**
 * One line, without its line break, that gives `grant` to the key (32 bytes).
 * A `RangeError` that names what is wrong where the line would not be valid.
 */
export function formatLine(grant: ClientGrant, publicKey: Uint8Array, name: string): string {
  const options: [string, string | undefined][] = [
    ['keys', grant.keys.join(',')],
    ['ops', grant.ops?.join(',')],
    ['algorithms', grant.algorithms?.join(',')],
    ['origins', grant.origins?.join(',')],
    ['from', grant.from?.join(',')],
    ['rate', grant.rate],
    ['expires', grant.expires],
    ['max-bytes', grant.maxBytes?.toString()],
    ['prehashed', grant.prehashed === undefined ? undefined : grant.prehashed ? 'yes' : 'no'],
  ];
  const written = options.flatMap(([option, value]) =>
    value === undefined ? [] : [`${option}=${quote(value)}`],
  );
  const line = `${written.join(',')} x25519 ${toBase64Url(publicKey)} ${name}`;
  const { problem } = parseLine(line);
  if (problem !== undefined || /[\r\n]/.test(line)) {
    throw new RangeError(`not a valid grant: ${problem ?? 'no line breaks'}`);
  }
  return line;
}

/** How logs name a client's key: `SHA256:` and the base64 digest of its 32 bytes, unpadded. */
export function clientFingerprint(publicKey: Uint8Array): string {
  return `SHA256:${toBase64(sha256(publicKey)).replace(/=+$/, '')}`;
}

/** Whether `keys=` covers a key of this name. */
export function coversKeyName(client: AuthorizedClient, keyName: string): boolean {
  return client.keys.some((pattern) => matchesPattern(pattern, keyName));
}

/** Whether `algorithms=` covers this algorithm. */
export function coversAlgorithm(client: AuthorizedClient, algorithm: ClientAlgorithm): boolean {
  return client.algorithms?.includes(algorithm) ?? true;
}

/** Whether the line lets the client come from this IP address. An address that cannot be read is in no block. */
export function coversAddress(client: AuthorizedClient, remoteAddress: string): boolean {
  if (!client.from) return true;
  const address = parseAddress(remoteAddress);
  return address !== undefined && client.from.some((block) => cidrContains(block, address));
}

/** Whether the line lets the client come from a page of this origin; `undefined` is a program, which `origins=` excludes. */
export function coversOrigin(client: AuthorizedClient, origin: string | undefined): boolean {
  return !client.origins || (origin !== undefined && client.origins.includes(origin));
}

export function isExpired(client: AuthorizedClient, nowMs: number): boolean {
  return client.expiresAt !== undefined && nowMs >= client.expiresAt;
}

/** A name that a line can hold, as near to `proposed` as can be and not in `taken`. */
export function newClientName(proposed: string, taken: ReadonlySet<string>): string {
  const words = proposed.normalize('NFKD').replace(/[^A-Za-z0-9._@-]+/g, '-');
  const base =
    words
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 56)
      .replace(/-+$/, '') || 'client';
  for (let suffix = 1; ; suffix++) {
    const name = suffix === 1 ? base : `${base}-${suffix}`;
    if (!taken.has(name)) return name;
  }
}

function isClientName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(name);
}

function splitOptions(line: string): { options: Map<string, string>; rest: string } {
  const options = new Map<string, string>();
  if (/^x25519(?:[ \t]|$)/.test(line)) return { options, rest: line };
  const option = /([a-z][a-z0-9-]*)=(?:"((?:[^"\\]|\\["\\])*)"|([^\s",\\]+))(,|[ \t]+|$)/y;
  for (;;) {
    const start = option.lastIndex;
    const match = option.exec(line);
    if (!match) throw new LineError(`options cannot be read at column ${start + 1}`);
    const [, name, quoted, bare, separator] = match;
    if (options.has(name!)) throw new LineError(`option ${name}= is there twice`);
    options.set(name!, quoted === undefined ? bare! : quoted.replace(/\\(["\\])/g, '$1'));
    if (separator !== ',') return { options, rest: line.slice(option.lastIndex) };
  }
}

function readOptions(options: Map<string, string>): Omit<AuthorizedClient, 'name' | 'publicKey'> {
  let read: Partial<AuthorizedClient> = {};
  for (const [name, value] of options) {
    const reader = Object.hasOwn(OPTION_READERS, name) ? OPTION_READERS[name] : undefined;
    if (!reader) throw new LineError(`unknown option ${name}=`);
    read = { ...read, ...reader(value) };
  }
  if (!read.keys) throw new LineError('option keys= is missing: name the keys, e.g. keys=treasury or keys=*');
  return { ops: OPS, prehashed: false, ...read, keys: read.keys };
}

// Which of two lines holds would depend on their order, so neither does.
function refuseDuplicates(lines: readonly ClientLine[]): ClientLine[] {
  const byKey = firstAndLast(lines, (line) => line.keyText);
  const byName = firstAndLast(lines, (line) => line.name);
  return lines.map((line) => {
    if (!line.client) return line;
    const keyTwin = byKey.get(line.keyText!)!.find((other) => other !== line);
    const twin = keyTwin ?? byName.get(line.name!)!.find((other) => other !== line);
    if (!twin) return line;
    const { client: _, ...rest } = line;
    return { ...rest, problem: `the same ${keyTwin ? 'key' : 'name'} is on line ${twin.lineNumber}` };
  });
}

function firstAndLast(lines: readonly ClientLine[], by: (line: ClientLine) => string | undefined) {
  const found = new Map<string, [first: ClientLine, last: ClientLine]>();
  for (const line of lines) {
    const value = by(line);
    if (value !== undefined) found.set(value, [found.get(value)?.[0] ?? line, line]);
  }
  return found;
}

function readPublicKey(text: string | undefined): Uint8Array {
  if (text === undefined) throw new LineError('the public key is missing');
  try {
    const key = fromBase64Url(text);
    if (key.length === 32) return key;
  } catch {
    // Same answer as for a wrong length.
  }
  throw new LineError('public key must be 32 bytes in base64url without padding (43 characters)');
}

function list<T>(value: string, read: (item: string) => T): T[] {
  return value.split(',').map((item) => read(item.trim()));
}

function readKeyPattern(item: string): string {
  if (!/^[A-Za-z0-9._*-]{1,64}$/.test(item))
    throw new LineError(`keys= has "${item}", which is no name or pattern`);
  return item;
}

function readOp(item: string): ClientOp {
  const op = OPS.find((known) => known === item);
  if (op) return op;
  if (OPS_OF_LATER_VERSIONS.includes(item))
    throw new LineError(`ops=${item} is not enforced in this version`);
  throw new LineError(`ops= has "${item}"; known are ${OPS.join(', ')}`);
}

function readAlgorithm(item: string): ClientAlgorithm {
  const algorithm = ALGORITHMS.find((known) => known === item);
  if (!algorithm) throw new LineError(`algorithms= has "${item}"; known are ${ALGORITHMS.join(', ')}`);
  return algorithm;
}

function readOrigin(item: string): string {
  if (!isWebOrigin(item))
    throw new LineError(`origins= has "${item}"; write an origin like https://app.example`);
  return item;
}

/** Whether `text` is an http or https origin exactly as a browser writes it in the header Origin. */
export function isWebOrigin(text: string): boolean {
  try {
    return /^https?:\/\//.test(text) && new URL(text).origin === text;
  } catch {
    return false;
  }
}

function readCidr(item: string): Cidr {
  const cidr = parseCidr(item);
  if (!cidr) throw new LineError(`from= has "${item}"; write an address or a block like 10.0.0.0/8`);
  return cidr;
}

function readRate(value: string): ClientRate {
  const match = /^([1-9]\d{0,6})\/([smhd])$/.exec(value);
  if (!match) throw new LineError('rate= must be like 10/s, 100/m, 1000/h or 5000/d');
  return { count: Number(match[1]), perMs: UNIT_MS[match[2] as keyof typeof UNIT_MS] };
}

function readExpiry(value: string): number {
  const match = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2}))?$/.exec(value);
  const day = match ? Date.parse(match[1]!) : Number.NaN;
  const moment = match ? Date.parse(value) : Number.NaN;
  // Date.parse takes February 30 for March 2.
  const isRealDay = !Number.isNaN(day) && new Date(day).toISOString().startsWith(match![1]!);
  if (!isRealDay || Number.isNaN(moment)) {
    throw new LineError(
      'expires= must be like 2027-01-31 (midnight UTC, at its start) or 2027-01-31T12:00:00Z',
    );
  }
  return moment;
}

function readMaxBytes(value: string): number {
  if (!/^(?:0|[1-9]\d{0,9})$/.test(value)) throw new LineError('max-bytes= must be a number of bytes');
  return Number(value);
}

function readYesNo(value: string): boolean {
  if (value !== 'yes' && value !== 'no') throw new LineError('prehashed= must be yes or no');
  return value === 'yes';
}

function quote(value: string): string {
  return /^[^\s",\\]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/** `*` matches any run of characters. Linear in practice: on a mismatch only the latest `*` is widened. */
function matchesPattern(pattern: string, text: string): boolean {
  let inPattern = 0;
  let inText = 0;
  let star = -1;
  let starText = 0;
  while (inText < text.length) {
    if (pattern[inPattern] === '*') {
      star = inPattern++;
      starText = inText;
    } else if (pattern[inPattern] === text[inText]) {
      inPattern++;
      inText++;
    } else if (star >= 0) {
      inPattern = star + 1;
      inText = ++starText;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(inPattern));
}
