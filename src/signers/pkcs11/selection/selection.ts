// What a configuration selects, checked and without contradictions: a key on one token, or on several that hold the same
// key (replicas).

import { ConfigError } from '../../../errors.js';
import { type Pkcs11Config, type Pkcs11Replica, urisOf } from '../../config/config.js';
import { settings } from '../../config/settings.js';
import type { Algorithm } from '../../types.js';
import { fieldsOf, mergedFields, type TokenFields } from './fields.js';

export type { TokenFilter } from './fields.js';

/** A checked configuration of one token; a URI and the other fields in one form. */
export interface Selection extends Omit<TokenFields, 'probe'> {
  modulePath: string;
  algorithm: Algorithm | undefined;
  publicKeyPem: string | undefined;
  /** Whether the key is tried with a test signature. */
  probe: boolean;
}

/**
 * Checks `config` before any work; of several replicas it is the first.
 *
 * @throws TypeError, RangeError - wrong types; ConfigError - wrong or conflicting values
 */
export function selectionOf(config: Pkcs11Config): Selection {
  return selectionsOf(config)[0];
}

/** All tokens that `config` names, which hold the same key: the first is the one to start with. Throws as `selectionOf`. */
export function selectionsOf(config: Pkcs11Config): [Selection, ...Selection[]] {
  checkTypes(config, 'config');
  const { replicas = [], algorithm, publicKeyPem } = config;
  const [first, ...rest] = tokensOf(config);
  const further = replicas.flatMap(tokensOf).map((own) => mergedFields(own, first));
  const complete = (fields: TokenFields): Selection => {
    const { modulePath, engine } = fields;
    if (!modulePath) throw moduleMissing();
    if (engine.inProcess && engine.processes !== undefined) throw processesInProcess();
    return { ...fields, modulePath, algorithm, publicKeyPem, probe: fields.probe ?? true };
  };
  return [complete(first), ...[...rest, ...further].map(complete)];
}

/** One for each URI of `config`, or one without a URI. */
function tokensOf(config: Pkcs11Replica): [TokenFields, ...TokenFields[]] {
  const [uri, ...more] = config.uri === undefined ? [] : urisOf(config.uri);
  if (uri === undefined) return [fieldsOf(config)];
  return [fieldsOf({ ...config, uri }), ...more.map((other) => fieldsOf({ ...config, uri: other }))];
}

function checkTypes(config: Pkcs11Config, what: string): void {
  if (typeof config !== 'object' || config === null) throw new TypeError(`${what} must be an object`);
  const { algorithm, replicas, ...rest } = config;
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) checkType(name, value);
  if (algorithm !== undefined && !['ed25519', 'secp256k1', 'p256'].includes(algorithm)) {
    throw new TypeError('algorithm must be ed25519, secp256k1 or p256');
  }
  if (replicas === undefined) return;
  if (!Array.isArray(replicas)) throw new TypeError('replicas must be a list of objects');
  for (const [i, replica] of replicas.entries()) checkReplica(replica, `replicas[${i}]`);
}

function checkReplica(replica: Pkcs11Replica, what: string): void {
  checkTypes(replica, what);
  for (const name of ['replicas', 'publicKeyPem', 'algorithm']) {
    if (Object.hasOwn(replica, name)) {
      throw new TypeError(`${what} has ${name}, which belongs beside replicas: it is the same for all`);
    }
  }
}

/** Values of texts are checked where they are read. */
function checkType(name: string, value: unknown): void {
  const { kind, check } = settings.find(({ field }) => field === `pkcs11.${name}`) ?? {};
  if (kind === undefined && typeof value !== 'string') throw new TypeError(`${name} must be a string`);
  const requirement = kind && check?.(value);
  if (requirement) throw new (kind === 'flag' ? TypeError : RangeError)(`${name} must be ${requirement}`);
}

function moduleMissing(): ConfigError {
  return new ConfigError(
    'ERST_PKCS11_MODULE',
    'ERST_PKCS11_MODULE is not set: give the path of the PKCS#11 module. Example: ERST_PKCS11_MODULE=/usr/lib/softhsm/libsofthsm2.so',
  );
}

function processesInProcess(): ConfigError {
  return new ConfigError(
    'ERST_PKCS11_PROCESSES',
    'ERST_PKCS11_IN_PROCESS says that no process is started, and ERST_PKCS11_PROCESSES how many are: keep one of them',
  );
}
