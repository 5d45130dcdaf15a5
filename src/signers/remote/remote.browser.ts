// RemoteSigner for browsers.

import type { ConnectionOptions } from './bridge-client.js';
import type { CredentialsOf, RemoteKey } from './credentials.js';
import type { BrowserIdentity } from './identity.browser.js';
import { type ConnectOptions, KeyConnection } from './key-connection.js';
import { browserPlatform } from './platform.browser.js';
import { BridgeSigner, listRemoteKeys, type PairOptions, pairWithBridge } from './remote-signer.js';

export type { ConnectionOptions } from './bridge-client.js';
export type { PinnedKey, RemoteKey } from './credentials.js';
export type { BrowserIdentity } from './identity.browser.js';

/** What pairing gives: structured clone copies it, so `CredentialStore` keeps it. It has no JSON form. */
export type BrowserCredentials = CredentialsOf<BrowserIdentity>;
/** What `RemoteSigner.pair` takes besides the link. */
export type RemotePairOptions = PairOptions<BrowserIdentity>;
/** What `RemoteSigner.connect` takes: credentials, the name of a key, and how to connect. */
export type RemoteConnectOptions = ConnectOptions<BrowserIdentity>;

/**
 * A `Signer` whose key is behind a bridge. `BridgeSigner` has its promises and errors.
 *
 * A browser does not tell pages why a connection failed: a bridge that is not running, one that refuses this page's
 * origin and a browser that blocks local addresses are all `bridge-unreachable`, and the message lists what to check.
 */
export class RemoteSigner extends BridgeSigner {
  /**
   * Uses up a pairing link and gives this browser's credentials. The identity in them is non-extractable where the
   * browser has X25519 in WebCrypto; `identity.protection` says whether it is.
   *
   * @param link - `http(s)://host:port/#pair=…`, as the bridge or `erst-hsm pair` printed it
   * @throws ConfigError - not a pairing link, or `http:` to another machine
   * @throws TypeError - a name that is empty or longer than 128 bytes
   * @throws RemoteError `bridge-unreachable`, `bridge-not-recognized`, `client-not-accepted` (the link was used, has
   *   expired or is wrong), `connection-lost`, `timeout`
   */
  static pair(link: string, options?: RemotePairOptions): Promise<BrowserCredentials> {
    return pairWithBridge(browserPlatform, link, options);
  }

  /**
   * Connects to a key: `RemoteSigner.connect({ ...credentials, key: 'treasury' })`.
   *
   * @throws ConfigError - credentials that are not what pairing gave
   * @throws RemoteError `key-not-found`, `key-mismatch`, and those of `pair`
   */
  static async connect(options: RemoteConnectOptions): Promise<RemoteSigner> {
    return new RemoteSigner(await KeyConnection.open(browserPlatform, options), options.requestTimeoutMs);
  }

  /** The keys that these credentials may use, sorted by name. Errors as `connect`. */
  static listKeys(credentials: BrowserCredentials, options?: ConnectionOptions): Promise<RemoteKey[]> {
    return listRemoteKeys(browserPlatform, credentials, options);
  }
}
