// What differs between Node and a browser for a remote signer: how a WebSocket is opened, and what an identity is.

import type { DhKeyPair } from '../../protocol/dh.js';

/** What is used of a WebSocket, by the names and types of the browser's. */
export type RemoteSocket = Pick<
  WebSocket,
  'binaryType' | 'readyState' | 'send' | 'close' | 'onmessage' | 'onclose'
>;

export interface RemotePlatform<Identity> {
  /**
   * Opens a WebSocket at `url` (canonical, `ws:` or `wss:`), offering `subprotocol` only, and gives it once it is open,
   * with `binaryType` `arraybuffer`. Rejects with the signal's reason when that aborts, and else with a `RemoteError`:
   * `bridge-unreachable`, naming host and port and saying what to check, or `bridge-not-recognized` where something
   * answered that is no bridge.
   */
  openSocket(url: string, subprotocol: string, options: { signal: AbortSignal }): Promise<RemoteSocket>;
  /** A new identity: what this client is known by. */
  generateIdentity(): Promise<Identity>;
  /** The key pair of an identity; `ConfigError` naming `identity` where it is none. */
  keyPair(identity: Identity): Promise<DhKeyPair>;
}
