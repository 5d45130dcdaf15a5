// The signer that the ERST_ variables name, as a target of the conformance suite.
// Invariant: nothing is made or deleted. One signer stays open for the whole run, so that the module is not loaded and
// logged in to anew for each rule.

import { configFromEnv, type Environment } from '../../signers/config/config.js';
import { SignerFactory } from '../../signers/factory.node.js';
import { selectionsOf } from '../../signers/pkcs11/selection/selection.js';
import { readSecret, type SecretSource, secretVariables } from '../../signers/secrets/secret-source.node.js';
import type { SignerInfo } from '../../signers/types.js';
import type { ConformanceTarget } from '../../testing/index.js';

export interface OpenTarget extends AsyncDisposable {
  info: SignerInfo;
  target: ConformanceTarget;
}

/** Opens the signer of `env`; `batchSize` is for devices that are slow. */
export async function openTarget(env: Environment, batchSize?: number): Promise<OpenTarget> {
  const create = () => SignerFactory.createFromEnv(env);
  const given = await secretsOf(env);
  const held = await create();
  const info = held.signerInfo();
  const secrets = given.filter((secret) => !isInAName(secret, info));
  const { maxDataBytes } = info.metadata;
  const target: ConformanceTarget = {
    create,
    algorithm: info.algorithm,
    secrets,
    ...(batchSize !== undefined && { batchSize }),
    ...(maxDataBytes !== undefined && { maxDataBytes: Number(maxDataBytes) }),
    // RFC 6979 in memory; the ECDSA of tokens may be random.
    ...(info.signerType === 'software' && { deterministic: true }),
  };
  return { info, target, [Symbol.asyncDispose]: () => held.close() };
}

/** Shorter ones turn up in hex by chance. */
const LOOKED_FOR_CHARACTERS = 6;

/** PIN and passphrase, which must show nowhere; where a value or file has them, because a command may ask a person. */
async function secretsOf(env: Environment): Promise<string[]> {
  const found: string[] = [];
  for (const { value, file } of sourcesOf(env)) {
    const secret = await readSecret({ value, file }, secretVariables('ERST_PKCS11_PIN'));
    if (secret !== undefined && secret.length >= LOOKED_FOR_CHARACTERS) found.push(secret);
  }
  return found;
}

/** What the token calls itself and its key: the PIN 123456 is in the serial number 12345678. */
function isInAName(secret: string, { metadata }: SignerInfo): boolean {
  const names = ['serial', 'tokenLabel', 'keyLabel', 'keyId', 'model', 'manufacturer', 'module', 'path'];
  return names.some((name) => metadata[name]?.includes(secret));
}

function sourcesOf(env: Environment): SecretSource[] {
  const { signerType, pkcs11, software } = configFromEnv(env);
  if (signerType === 'pkcs11' && pkcs11) return selectionsOf(pkcs11).map(({ pin }) => pin);
  return [{ value: software?.passphrase, file: software?.passphraseFile }];
}
