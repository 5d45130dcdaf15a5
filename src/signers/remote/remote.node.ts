// RemoteSigner for Node.

import { ConfigError } from '../../errors.js';
import { expectAddress, missing, type RemoteConfig } from '../config/config.js';
import { fieldNames, type SettingNames } from '../config/settings.js';
import type { Algorithm } from '../types.js';
import type { ConnectionOptions } from './bridge-client.js';
import type { RemoteKey } from './credentials.js';
import { type RemoteCredentials, readIdentityFile } from './credentials-file.node.js';
import { type ConnectOptions, KeyConnection } from './key-connection.js';
import { type NodeIdentity, nodePlatform } from './platform.node.js';
import { BridgeSigner, listRemoteKeys, type PairOptions, pairWithBridge } from './remote-signer.js';

export type { ConnectionOptions } from './bridge-client.js';
export type { PinnedKey, RemoteKey } from './credentials.js';
export type { RemoteCredentials } from './credentials-file.node.js';

/** What `RemoteSigner.pair` takes besides the link. */
export type RemotePairOptions = PairOptions<NodeIdentity>;
/** What `RemoteSigner.connect` takes: credentials, the name of a key, and how to connect. */
export type RemoteConnectOptions = ConnectOptions<NodeIdentity>;

/** A `Signer` whose key is behind a bridge. `BridgeSigner` has its promises and errors. */
export class RemoteSigner extends BridgeSigner {
  /**
   * Uses up a pairing link and gives this client's credentials, which are secret and JSON-serialisable.
   *
   * @param link - `http(s)://host:port/#pair=…`, as the bridge or `erst-hsm pair` printed it
   * @throws ConfigError - not a pairing link, or `http:` to another machine
   * @throws TypeError - a name that is empty or longer than 128 bytes
   * @throws RemoteError `bridge-unreachable`, `bridge-not-recognized`, `client-not-accepted` (the link was used, has
   *   expired or is wrong), `connection-lost`, `timeout`
   */
  static pair(link: string, options?: RemotePairOptions): Promise<RemoteCredentials> {
    return pairWithBridge(nodePlatform, link, options);
  }

  /**
   * Connects to a key: `RemoteSigner.connect({ ...credentials, key: 'treasury' })`.
   *
   * @throws ConfigError - credentials that are not what pairing gave
   * @throws RemoteError `key-not-found`, `key-mismatch`, and those of `pair`
   */
  static async connect(options: RemoteConnectOptions): Promise<RemoteSigner> {
    return new RemoteSigner(await KeyConnection.open(nodePlatform, options), options.requestTimeoutMs);
  }

  /** The keys that these credentials may use, sorted by name. Errors as `connect`. */
  static listKeys(credentials: RemoteCredentials, options?: ConnectionOptions): Promise<RemoteKey[]> {
    return listRemoteKeys(nodePlatform, credentials, options);
  }
}

/**
 * The signer that a configuration describes. `identityPath` is a file with the credentials that pairing gave, which know
 * the bridge and pin its keys, or with the identity alone; `identity` takes its place where it is given. A `url` beside
 * the file's own is another way to the same bridge.
 *
 * @throws ConfigError naming the setting - it is missing or wrong, or `bridgeKey` is not the one of the credentials
 */
export async function remoteFromConfig(
  config: RemoteConfig,
  algorithm?: Algorithm,
  names: SettingNames = fieldNames,
): Promise<RemoteSigner> {
  const { identityPath: _, identity: __, key, url, bridgeKey, ...given } = config;
  if (key === undefined) throw missing('remote.key', names);
  const { identity, ...stored } = await storedCredentials(config, names);
  const bridge = { ...stored, ...given, ...(url !== undefined && { url }) };
  if (bridgeKey !== undefined) {
    if (stored.bridgeKey !== undefined && stored.bridgeKey !== bridgeKey) {
      throw otherBridge(names.name('remote.bridgeKey'));
    }
    bridge.bridgeKey = bridgeKey;
  }
  expectAddress(bridge, names);
  return RemoteSigner.connect({ ...bridge, identity, key, ...(algorithm !== undefined && { algorithm }) });
}

type StoredCredentials = Partial<RemoteCredentials> & Pick<RemoteCredentials, 'identity'>;

async function storedCredentials(config: RemoteConfig, names: SettingNames): Promise<StoredCredentials> {
  const { identity, identityPath } = config;
  if (identity !== undefined) return { identity: identity as NodeIdentity };
  if (identityPath === undefined) throw missing('remote.identityPath', names);
  const stored = await readIdentityFile(identityPath, names.name('remote.identityPath'));
  return typeof stored === 'string' ? { identity: stored } : stored;
}

function otherBridge(setting: string): ConfigError {
  return new ConfigError(
    setting,
    `${setting} is not the key of the bridge that the credentials were paired with. Unset it, or pair with the other bridge.`,
  );
}
