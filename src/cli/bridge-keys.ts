// The keys that a bridge serves, opened: from the configuration file, a SoftHSM token of its own, or its key store.

import { SignerError } from '../errors.js';
import type { SignerConfig } from '../signers/config/config.js';
import { SignerFactory } from '../signers/factory.node.js';
import type { Signer } from '../signers/types.js';
import { CliError } from './failure.js';
import { openKeyStore } from './key-store.js';
import { provisionSoftHsm } from './softhsm.js';

export interface BridgeKeys {
  keys: Record<string, Signer>;
  /** Where the keys are, in words. */
  origin: string;
  /** What to know before relying on them; absent where somebody chose them by a configuration. */
  caution?: string;
}

export interface BridgeKeysChoice {
  stateDir: string;
  softhsm: boolean;
  /** Path of the configuration file and its keys, if it names any. */
  configured?: { path: string; keys: Record<string, SignerConfig> } | undefined;
}

const FILES_CAUTION =
  'For trying out: keys in files are as safe as this account. In an HSM: --softhsm or --config file.json.';
const SOFTHSM_CAUTION =
  'For trying out: SoftHSM keeps its keys in files. A hardware HSM: --config file.json.';

/** Opens every key, or none: a failure names the key and closes those that were open. */
export async function openBridgeKeys(choice: BridgeKeysChoice): Promise<BridgeKeys> {
  const { stateDir, softhsm, configured } = choice;
  if (configured !== undefined) {
    return { keys: await openAll(configured.keys), origin: `as ${configured.path} has them` };
  }
  if (softhsm) {
    const { configs, directory } = await provisionSoftHsm(stateDir);
    return {
      keys: await openAll(configs),
      origin: `in a SoftHSM token in ${directory}`,
      caution: SOFTHSM_CAUTION,
    };
  }
  const { keys, directory, encrypted } = await openKeyStore(stateDir);
  return { keys, origin: `in ${encrypted ? 'encrypted ' : ''}files in ${directory}`, caution: FILES_CAUTION };
}

export async function closeKeys(keys: Record<string, Signer>): Promise<void> {
  await Promise.allSettled(Object.values(keys).map((signer) => signer.close()));
}

async function openAll(configs: Record<string, SignerConfig>): Promise<Record<string, Signer>> {
  const keys: Record<string, Signer> = {};
  try {
    // One after the other: keys on one token share its login.
    for (const [name, config] of Object.entries(configs)) keys[name] = await openKey(name, config);
    return keys;
  } catch (error) {
    await closeKeys(keys);
    throw error;
  }
}

async function openKey(name: string, config: SignerConfig): Promise<Signer> {
  try {
    return await SignerFactory.createFromConfig(config);
  } catch (cause) {
    if (!(cause instanceof SignerError)) throw cause;
    throw new CliError(cause.code, `key ${name}: ${cause.message}`, { cause });
  }
}
