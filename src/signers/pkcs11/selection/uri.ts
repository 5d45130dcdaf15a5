// PKCS #11 URIs (RFC 7512): what they select, and where the module and PIN are.
// §2.5: an unknown attribute in the path selects nothing, so it is an error here; one in the query is ignored.

import { bytesToHex, utf8Decode } from '../../../bytes.js';
import { ConfigError } from '../../../errors.js';

/** What a URI says of the token; what is absent matches everything. */
export interface TokenAttributes {
  token?: string;
  manufacturer?: string;
  serial?: string;
  model?: string;
  slotId?: bigint;
  slotDescription?: string;
  slotManufacturer?: string;
  libraryManufacturer?: string;
  libraryDescription?: string;
  libraryVersion?: string;
}

export interface Pkcs11Uri {
  token: TokenAttributes;
  /** `object` and `id`. */
  key: { label?: string; idHex?: string };
  modulePath?: string;
  pin: { value?: string; file?: string; command?: string };
}

const tokenAttributes: ReadonlyMap<string, Exclude<keyof TokenAttributes, 'slotId'>> = new Map([
  ['token', 'token'],
  ['manufacturer', 'manufacturer'],
  ['serial', 'serial'],
  ['model', 'model'],
  ['slot-description', 'slotDescription'],
  ['slot-manufacturer', 'slotManufacturer'],
  ['library-manufacturer', 'libraryManufacturer'],
  ['library-description', 'libraryDescription'],
  ['library-version', 'libraryVersion'],
]);

/** Parses `uri`; a `ConfigError` that never repeats a `pin-value` where it is wrong. */
export function parsePkcs11Uri(uri: string): Pkcs11Uri {
  const scheme = /^pkcs11:/i.exec(uri)?.[0];
  if (scheme === undefined) throw invalid('it must start with pkcs11:');
  if (/[#\s]/.test(uri)) throw invalid('white space and # must be percent-encoded');
  const [path = '', query, ...rest] = uri.slice(scheme.length).split('?');
  // A further "?" belongs to the query (RFC 3986 §3.4).
  const wholeQuery = [query ?? '', ...rest].join('?');
  return {
    ...parsePath(attributesOf(path, ';', 'path')),
    ...parseQuery(attributesOf(wholeQuery, '&', 'query')),
  };
}

function parsePath(attributes: Map<string, Uint8Array>): Pick<Pkcs11Uri, 'token' | 'key'> {
  const token: TokenAttributes = {};
  const key: Pkcs11Uri['key'] = {};
  for (const [name, value] of attributes) {
    const field = tokenAttributes.get(name);
    if (field !== undefined) token[field] = text(name, value);
    else if (name === 'slot-id') token.slotId = slotIdOf(text(name, value));
    else if (name === 'object') key.label = text(name, value);
    else if (name === 'id') key.idHex = bytesToHex(value);
    else if (name === 'type') requirePrivate(text(name, value));
    else throw invalid(`the attribute ${name} is not known, and so selects nothing; remove it`);
  }
  return { token, key };
}

function parseQuery(attributes: Map<string, Uint8Array>): Pick<Pkcs11Uri, 'modulePath' | 'pin'> {
  const modulePath = attributes.get('module-path');
  const value = attributes.get('pin-value');
  const source = attributes.get('pin-source');
  if (value && source) throw invalid('pin-value and pin-source cannot both be given (RFC 7512 §2.4)');
  return {
    ...(modulePath && { modulePath: text('module-path', modulePath) }),
    pin: {
      ...(value && { value: text('pin-value', value) }),
      ...(source && pinSourceOf(text('pin-source', source))),
    },
  };
}

/** A `file:` URI or path, or `|` and a command. */
function pinSourceOf(source: string): Pkcs11Uri['pin'] {
  if (source.startsWith('|')) return { command: source.slice(1) };
  const path = source.replace(/^file:(?:\/\/(?:localhost)?(?=\/))?/i, '');
  if (/^[a-z][a-z0-9+.-]+:/i.test(path)) {
    throw invalid('pin-source must be a path, a file: URI, or | and a command');
  }
  return { file: path };
}

function attributesOf(part: string, separator: string, where: string): Map<string, Uint8Array> {
  const attributes = new Map<string, Uint8Array>();
  for (const attribute of part === '' ? [] : part.split(separator)) {
    const equals = attribute.indexOf('=');
    const name = attribute.slice(0, equals);
    if (equals < 1 || !/^[A-Za-z0-9_-]+$/.test(name)) {
      throw invalid(`its ${where} must be name=value pairs with "${separator}" between them`);
    }
    if (attributes.has(name)) throw invalid(`${name} is given twice`);
    attributes.set(name, percentDecode(name, attribute.slice(equals + 1)));
  }
  return attributes;
}

function percentDecode(name: string, value: string): Uint8Array {
  if (!/^(?:[!-$&-~]|%[0-9a-fA-F]{2})*$/.test(value)) {
    throw invalid(`${name} has characters that must be percent-encoded`);
  }
  const bytes: number[] = [];
  for (let i = 0; i < value.length; i++) {
    if (value[i] === '%') {
      bytes.push(Number.parseInt(value.slice(i + 1, i + 3), 16));
      i += 2;
    } else {
      bytes.push(value.charCodeAt(i));
    }
  }
  return Uint8Array.from(bytes);
}

function text(name: string, value: Uint8Array): string {
  try {
    return utf8Decode(value);
  } catch {
    throw invalid(`${name} is not UTF-8`);
  }
}

function slotIdOf(value: string): bigint {
  if (!/^[0-9]{1,20}$/.test(value)) throw invalid('slot-id must be a decimal number');
  return BigInt(value);
}

function requirePrivate(type: string): void {
  if (type !== 'private') throw invalid('type must be private: signing needs the private key');
}

function invalid(reason: string): ConfigError {
  return new ConfigError(
    'ERST_PKCS11_URI',
    `ERST_PKCS11_URI is not usable: ${reason}. Example: pkcs11:token=mytoken;object=mykey?module-path=/usr/lib/softhsm/libsofthsm2.so`,
  );
}
