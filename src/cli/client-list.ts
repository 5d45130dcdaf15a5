// The clients of a bridge: asked of it while it runs; else read and changed in its file, under its lock, so that no bridge
// starts meanwhile.

import { existsSync } from 'node:fs';
import { describeClient } from '../bridge/client-status.js';
import { ClientStore } from '../bridge/client-store.js';
import { Connections } from '../bridge/connections.js';
import { type ControlClient, controlClient } from '../bridge/control-client.js';
import { DEFAULT_LIMITS } from '../bridge/limits.js';
import { silentLog } from '../bridge/log.js';
import { openStateDir, statePaths } from '../bridge/state-dir.js';
import { SignerError } from '../errors.js';

export type ClientList = Pick<ControlClient, 'clients' | 'revoke'>;

/** What `use` gives for the clients of the bridge on `stateDir`; `bridge-unreachable` where there never was one. */
export async function withClientList<T>(stateDir: string, use: (list: ClientList) => Promise<T>): Promise<T> {
  try {
    return await use(controlClient(stateDir));
  } catch (error) {
    const isUnreachable = error instanceof SignerError && error.code === 'bridge-unreachable';
    if (!isUnreachable || !existsSync(statePaths(stateDir).clients)) throw error;
  }
  return withStoppedBridge(stateDir, use);
}

async function withStoppedBridge<T>(stateDir: string, use: (list: ClientList) => Promise<T>): Promise<T> {
  const state = await openStateDir(stateDir);
  try {
    const store = await ClientStore.open(state.clients, silentLog, () => {});
    const nobody = new Connections(DEFAULT_LIMITS);
    try {
      return await use({
        clients: async () => store.lines.map((line) => describeClient(line, nobody)),
        revoke: (name) => store.remove(name),
      });
    } finally {
      await store.close();
    }
  } finally {
    state.lock.release();
  }
}
