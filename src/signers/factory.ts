// What SignerFactory is in every runtime; the runtime says how each signer type is opened.

import { KeyError, SignerError } from '../errors.js';
import {
  type CheckedConfig,
  checkConfig,
  configFromEnv,
  type Environment,
  expectAddress,
  missing,
  type Pkcs11Config,
  type RemoteConfig,
  type SignerConfig,
  type SignerType,
  type SoftwareConfig,
} from './config/config.js';
import { fieldNames, type SettingNames, variableNames } from './config/settings.js';
import type { Algorithm, Signer } from './types.js';

/** Opens a signer; errors name settings as `names` does. */
type Open<Config> = (
  config: Config,
  algorithm: Algorithm | undefined,
  names: SettingNames,
) => Promise<Signer>;

/** How a runtime opens a signer of each type that it has. */
export interface SignerOpeners {
  software: Open<SoftwareConfig>;
  remote: Open<RemoteConfig>;
  pkcs11?: Open<Pkcs11Config>;
}

/** Makes the signer that a configuration describes. */
export interface SignerFactory {
  /**
   * The signer that the variables `ERST_SIGNER_TYPE`, `ERST_SIGNER_ALGORITHM`, `ERST_SOFTWARE_…`, `ERST_PKCS11_…` and
   * `ERST_REMOTE_…` describe; by default those of the process.
   *
   * Rejects with a `ConfigError` naming the variable that is missing, wrong, empty, unknown or in conflict; with
   * `key-mismatch` where the key is not of `ERST_SIGNER_ALGORITHM`; and with what opening the signer throws.
   */
  createFromEnv(env?: Environment): Promise<Signer>;
  /** The same from an object; a `ConfigError` names the field. A `TypeError` where `config` is no object. */
  createFromConfig(config: SignerConfig): Promise<Signer>;
}

/** The factory of a runtime; `impossible` says, for signer types that cannot exist there, what to do instead. */
export function signerFactory(
  openers: SignerOpeners,
  impossible: Partial<Record<SignerType, string>> = {},
): SignerFactory {
  const refuseImpossible = (type: unknown) => {
    if (!Object.hasOwn(impossible, String(type))) return;
    throw new SignerError('unsupported-runtime', impossible[type as SignerType]!);
  };
  return {
    async createFromEnv(env = globalThis.process?.env ?? {}) {
      refuseImpossible(env.ERST_SIGNER_TYPE?.trim());
      return create(configFromEnv(env), variableNames, openers);
    },
    async createFromConfig(config) {
      refuseImpossible(config?.signerType);
      return create(checkConfig(config), fieldNames, openers);
    },
  };
}

/** Each opener sees to it that the key is of the algorithm that is configured. */
async function create(config: CheckedConfig, names: SettingNames, openers: SignerOpeners): Promise<Signer> {
  const { signerType, algorithm } = config;
  const open = openers[signerType] as Open<object>;
  return open(config[signerType] ?? {}, algorithm, names);
}

/** What `read` gives; its KeyErrors say which setting they are about. */
export async function naming<T>(setting: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    throw new KeyError(cause.code, `${setting}: ${cause.message}`, { cause });
  }
}

/** A checked `remote` section, its identity inline, as `RemoteSigner.connect` takes it. */
export function connectOptions<Identity>(
  config: RemoteConfig,
  algorithm: Algorithm | undefined,
  names: SettingNames,
) {
  const { identityPath: _, identity, key, ...rest } = config;
  expectAddress(rest, names);
  if (key === undefined) throw missing('remote.key', names);
  return { ...rest, key, identity: identity as Identity, ...(algorithm !== undefined && { algorithm }) };
}
