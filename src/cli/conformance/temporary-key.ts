// A key that exists for one run of the conformance suite, on the token that the variables name.
// A run that is killed leaves it, with a label that says what it is.

import { randomBytes } from 'node:crypto';
import { bytesToHex } from '../../bytes.js';
import { Pkcs11Error } from '../../errors.js';
import type { Environment } from '../../signers/config/config.js';
import type { TokenConnection } from '../../signers/pkcs11/engine/engine.js';
import type { Algorithm } from '../../signers/types.js';
import { withConnection } from '../hsm/connection.js';
import { randomId } from '../hsm/new-key.js';
import { selectionFrom } from '../hsm/token-options.js';
import { note } from '../output.js';

const LABEL = 'erst-hsm conformance';

/** The token made no key of this algorithm. */
export class CannotGenerate extends Error {}

export interface TemporaryKey {
  /** Variables that name it. */
  env: Environment;
  delete(): Promise<void>;
}

/** Makes a key of `algorithm`. A `CannotGenerate` where the token makes none. */
export async function makeTemporaryKey(env: Environment, algorithm: Algorithm): Promise<TemporaryKey> {
  const key = { algorithm, label: `${LABEL} ${bytesToHex(randomBytes(4))}`, idHex: randomId() };
  const onToken = (work: (connection: TokenConnection) => Promise<unknown>) =>
    withConnection(selectionFrom({}, withoutKey(env)), 'needed', work);
  await onToken(async (connection) => {
    await mentionLeftOver(connection);
    await connection.generateKeyPair(key).catch(cannotGenerate);
  });
  return {
    env: envOfKey(env, algorithm, key.idHex),
    delete: async () => void (await onToken((connection) => connection.deleteKeyPair(key))),
  };
}

function cannotGenerate(error: unknown): never {
  const isRefused = error instanceof Pkcs11Error && error.functionName?.startsWith('C_GenerateKeyPair');
  throw isRefused ? new CannotGenerate(error.message, { cause: error }) : error;
}

async function mentionLeftOver(connection: TokenConnection): Promise<void> {
  for (const { label, idHex } of await connection.keys('private')) {
    if (!label.startsWith(LABEL)) continue;
    note(`A run that was killed left key "${label}": erst-hsm hsm delete --id ${idHex} removes it.`);
  }
}

const KEY_VARIABLES = [
  'ERST_PKCS11_KEY_LABEL',
  'ERST_PKCS11_KEY_ID',
  'ERST_PKCS11_PIV_SLOT',
  'ERST_PKCS11_PUBLIC_KEY_PEM',
];

function withoutKey(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !KEY_VARIABLES.includes(name)));
}

function envOfKey(env: Environment, algorithm: Algorithm, idHex: string): Environment {
  const { ERST_PKCS11_URI: uri } = env;
  const id = uri === undefined ? { ERST_PKCS11_KEY_ID: idHex } : { ERST_PKCS11_URI: uriOfKey(uri, idHex) };
  return { ...withoutKey(env), ...id, ERST_SIGNER_ALGORITHM: algorithm };
}

/** `uri` with the key of CKA_ID `idHex` in place of the one that it names (RFC 7512 §2.3). */
export function uriOfKey(uri: string, idHex: string): string {
  const [path = '', ...query] = uri
    .trim()
    .replace(/^pkcs11:/, '')
    .split('?');
  const kept = path
    .split(';')
    .filter((attribute) => attribute !== '' && !/^(?:object|id|type)=/.test(attribute));
  const id = `id=${idHex.replace(/../g, '%$&')}`;
  return ['pkcs11:', [...kept, id].join(';'), ...query.map((text) => `?${text}`)].join('');
}
