// Settings that are right, for tests to spoil, and what is expected of the error.

import { expect } from 'vitest';
import { ConfigError } from '../../../src/errors.js';
import { configFromEnv } from '../../../src/signers/config/config.js';

export const bridgeKey = 'kE7mDm5hOAeXbPgVqwOY6Q0d9yd8sbZyQwM1p9Yq7Xs';
export const publicPem = '-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----';
export const privatePem = '-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----';
export const certificatePem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
export const software = { ERST_SOFTWARE_PRIVATE_KEY_PATH: '/key.pem' };
export const pkcs11 = { ERST_SIGNER_TYPE: 'pkcs11', ERST_PKCS11_MODULE: '/module.so' };
export const remote = {
  ERST_SIGNER_TYPE: 'remote',
  ERST_REMOTE_URL: 'wss://bridge.example/',
  ERST_REMOTE_BRIDGE_KEY: bridgeKey,
  ERST_REMOTE_IDENTITY_PATH: '/identity',
  ERST_REMOTE_KEY: 'treasury',
};

export type Env = Record<string, string | undefined>;
export const without = (env: Env, name: string): Env => ({ ...env, [name]: undefined });

export function errorOf(call: () => unknown): ConfigError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error('nothing was thrown');
}

export function expectRefused(env: Env, setting: string, message: RegExp) {
  const error = errorOf(() => configFromEnv(env));
  expect(error.setting).toBe(setting);
  expect(error.code).toBe('invalid-config');
  expect(error.message).toContain(setting);
  expect(error.message).toMatch(message);
}
