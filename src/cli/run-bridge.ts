// What `erst-hsm bridge` does, from its options to its end.

import { type Bridge, type BridgeOptions, createBridge } from '../bridge/index.js';
import type { BridgeCommandOptions } from './bridge.js';
import { announce } from './bridge-announcement.js';
import { type BridgeConfigFile, readBridgeConfig } from './bridge-config.js';
import { closeKeys, openBridgeKeys } from './bridge-keys.js';
import { UsageError } from './failure.js';
import { createLog } from './log.js';
import { note, outliveReaders } from './output.js';
import { endThoughHeld, untilSignal } from './shutdown.js';
import { stateDirectory } from './state-dir.js';

/** Serves until a signal ends it. */
export async function runBridge(options: BridgeCommandOptions): Promise<void> {
  const { log, afterStart } = createLog();
  const settings = await bridgeSettings(options);
  const { keys, ...place } = await openBridgeKeys(settings.keys);
  const stopped = untilSignal();
  let bridge: Bridge | undefined;
  try {
    bridge = await createBridge({ ...settings.bridge, keys, log });
    outliveReaders();
    const { stateDir } = settings.bridge;
    await announce(bridge, { ...place, keys, stateDir, json: options.json ?? false });
    afterStart();
    await stopped;
    if (process.stderr.isTTY) note('\nStopping. Ctrl-C again stops at once.');
  } finally {
    await bridge?.close();
    await closeKeys(keys);
    endThoughHeld();
  }
}

/** What the options and the configuration file say together; an option goes before the file. */
async function bridgeSettings(options: BridgeCommandOptions) {
  const file: BridgeConfigFile = options.config === undefined ? {} : await readBridgeConfig(options.config);
  if (options.softhsm && file.keys !== undefined) {
    throw new UsageError(`--softhsm and the keys in ${options.config} exclude each other; leave one out`);
  }
  const stateDir = stateDirectory(options.stateDir ?? file.stateDir);
  const bridge: Omit<BridgeOptions, 'keys'> = {
    stateDir,
    ...defined('listen', options.listen ?? file.listen),
    ...defined('origins', options.origin ?? file.origins),
    ...defined('publicOrigin', options.publicOrigin ?? file.publicOrigin),
    ...defined('allowPlainWs', options.allowPlainWs ?? file.allowPlainWs),
    ...defined('tls', tlsFiles(options) ?? file.tls),
    ...(options.console && file.console !== false ? {} : { consoleDir: false as const }),
  };
  const configured = file.keys && { path: options.config!, keys: file.keys };
  return { bridge, keys: { stateDir, softhsm: options.softhsm ?? false, configured } };
}

function tlsFiles({ tlsCert: cert, tlsKey: key }: BridgeCommandOptions) {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new UsageError('--tls-cert and --tls-key go together; give both');
  }
  return { cert, key };
}

const defined = <K extends string, T>(name: K, value: T | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [P in K]?: T };
