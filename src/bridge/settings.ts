// What the options of a bridge come to: checked, read and complete, before anything is opened.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { BridgeOptions } from './bridge-types.js';
import { checkSocketPath } from './control-socket.js';
import { type BridgeLimits, bridgeLimits } from './limits.js';
import { type ListenAddress, parseListenAddress } from './listen-address.js';
import { type BridgeLog, silentLog } from './log.js';
import { readServedKeys, type ServedKeys } from './served-keys.js';
import { checkSiteOptions, type SiteOptions } from './site.js';
import { statePaths } from './state-dir.js';
import { readStaticFiles, type StaticFiles } from './static-files.js';
import { loadTls, type TlsCredentials } from './tls.js';

export interface Settings {
  readonly stateDir: string;
  readonly limits: BridgeLimits;
  readonly log: BridgeLog;
  readonly listen: readonly ListenAddress[];
  readonly tls: TlsCredentials | undefined;
  readonly files: StaticFiles;
  readonly keys: ServedKeys;
  siteOptions(listen: readonly ListenAddress[]): SiteOptions;
}

const DEFAULT_LISTEN = 'localhost:27183';

/** Errors as `createBridge` documents them. */
export async function readSettings(options: BridgeOptions): Promise<Settings> {
  const { stateDir, publicOrigin, origins, allowPlainWs } = options;
  if (typeof stateDir !== 'string' || stateDir === '') throw new TypeError('stateDir must be a path');
  if (typeof options.keys !== 'object' || options.keys === null)
    throw new TypeError('keys must be an object of signers');
  const listen = [options.listen ?? DEFAULT_LISTEN].flat().map(parseListenAddress);
  if (listen.length === 0) throw new TypeError('listen must have an address');
  const siteOptions = (addresses: readonly ListenAddress[]) => ({
    listen: addresses,
    tls: options.tls !== undefined,
    publicOrigin,
    origins,
    allowPlainWs,
  });
  const limits = bridgeLimits(options.limits);
  checkSiteOptions(siteOptions(listen));
  checkSocketPath(statePaths(stateDir).controlSocket);
  return {
    stateDir,
    limits,
    log: options.log ?? silentLog,
    listen,
    tls: options.tls && (await loadTls(options.tls)),
    files: await readConsole(options.consoleDir),
    keys: await readServedKeys(options.keys),
    siteOptions,
  };
}

async function readConsole(consoleDir: string | false | undefined): Promise<StaticFiles> {
  const dir = consoleDir ?? builtConsoleDir();
  return dir === false || dir === undefined ? new Map() : readStaticFiles(dir);
}

// Beside the directory of the built modules, which this one is in or, as a shared chunk, one below.
function builtConsoleDir(): string | undefined {
  const candidates = ['../console/', '../../console/'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return candidates.find((dir) => existsSync(`${dir}index.html`));
}
