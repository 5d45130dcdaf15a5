// A key behind a bridge, and the connection to it, made anew when it is needed and gone. Invariant: whoever gets a
// connection from here gets one on which the bridge has shown the pinned public key, or could not show any.

import { RemoteError } from '../../errors.js';
import type { Welcome } from '../../protocol/messages.js';
import type { PublicKey } from '../public-key.js';
import type { Algorithm } from '../types.js';
import { BridgeClient, type ConnectionOptions, printable, type RequestOptions } from './bridge-client.js';
import { hostAndPort } from './bridge-url.js';
import { type CredentialsOf, readCredentials, readKeyInfo } from './credentials.js';
import { waitFor } from './deferred.js';
import type { RemotePlatform } from './platform.js';

/** What pairing gave, which key, and how to connect. */
export interface ConnectOptions<Identity> extends CredentialsOf<Identity>, ConnectionOptions {
  /** Name of the key on the bridge. */
  key: string;
  /** If given, the key must be of this algorithm, or connecting fails with `key-mismatch`. */
  algorithm?: Algorithm;
  /** From each call to the bridge's answer, connecting not included. Default: 60 s. */
  requestTimeoutMs?: number;
}

export class KeyConnection {
  readonly keyName: string;
  readonly url: string;
  readonly #dial: (signal?: AbortSignal) => Promise<BridgeClient>;
  #publicKey: PublicKey | undefined;
  #client: BridgeClient | undefined;
  #connecting: Promise<BridgeClient> | undefined;

  /** Connects and pins the key: to what the credentials hold, or else to what the bridge shows now. */
  static async open<Identity>(
    platform: RemotePlatform<Identity>,
    options: ConnectOptions<Identity>,
  ): Promise<KeyConnection> {
    const { key, algorithm, allowPlainWs, connectTimeoutMs, identity } = options;
    const { url, bridgeKey, pins } = readCredentials(options, { allowPlainWs });
    if (typeof key !== 'string' || key === '') {
      throw new TypeError(
        'key must be the name of a key on the bridge; RemoteSigner.listKeys(credentials) lists them',
      );
    }
    const staticKeys = await platform.keyPair(identity);
    const dial = (signal?: AbortSignal) =>
      BridgeClient.connect(platform, { url, bridgeKey, staticKeys, allowPlainWs, connectTimeoutMs, signal });
    const connection = new KeyConnection(url, key, pins.get(key), dial);
    connection.#client = await connection.#connect(options.signal);
    if (algorithm !== undefined && connection.publicKey.algorithm !== algorithm) {
      connection.close();
      throw new RemoteError(
        'key-mismatch',
        `The key "${key}" is ${connection.publicKey.algorithm}, and ${algorithm} was asked for. Choose another key or leave the algorithm out.`,
      );
    }
    return connection;
  }

  private constructor(
    url: string,
    keyName: string,
    pin: PublicKey | undefined,
    dial: (signal?: AbortSignal) => Promise<BridgeClient>,
  ) {
    this.url = url;
    this.keyName = keyName;
    this.#publicKey = pin;
    this.#dial = dial;
  }

  /** The pinned key. */
  get publicKey(): PublicKey {
    return this.#publicKey!;
  }

  /** What the bridge said when it was connected last. */
  get welcome(): Welcome {
    return this.#client!.welcome;
  }

  /** The open connection, or a new one. `signal` gives up waiting for it, not making it: others may wait as well. */
  async client({ signal }: Pick<RequestOptions, 'signal'> = {}): Promise<BridgeClient> {
    if (!this.#client!.isClosed) return this.#client!;
    this.#connecting ??= this.#reconnect();
    return waitFor(this.#connecting, { signal });
  }

  /** Ends the connection. */
  close(): void {
    this.#client?.close();
    this.#connecting?.then(
      (client) => client.close(),
      () => {},
    );
  }

  async #reconnect(): Promise<BridgeClient> {
    try {
      this.#client = await this.#connect();
      return this.#client;
    } finally {
      this.#connecting = undefined;
    }
  }

  async #connect(signal?: AbortSignal): Promise<BridgeClient> {
    const client = await this.#dial(signal);
    try {
      this.#publicKey = this.#checkedKey(client.welcome);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  #checkedKey({ keys }: Welcome): PublicKey {
    const where = `the bridge at ${hostAndPort(this.url)}`;
    const found = keys.find(({ name }) => name === this.keyName);
    if (found === undefined) {
      const names = printable(keys.map(({ name }) => name).join(', '));
      throw new RemoteError(
        'key-not-found',
        `There is no key "${this.keyName}" for this client on ${where}; ${names ? `it may use: ${names}` : 'it may use none'}.`,
      );
    }
    const { publicKey = this.#publicKey, algorithm } = readKeyInfo(found);
    if (publicKey === undefined) {
      throw new RemoteError(
        'request-denied',
        `This client may not read the public key "${this.keyName}" on ${where}, so its signatures cannot be verified here. Add public-key to the client's ops=, or pair again while it may.`,
      );
    }
    const pin = this.#publicKey ?? publicKey;
    if (!pin.equals(publicKey) || pin.algorithm !== algorithm) {
      throw new RemoteError(
        'key-mismatch',
        `The key "${this.keyName}" on ${where} is another one than when this client paired. If that is meant, pair again; if not, do not use it.`,
      );
    }
    return pin;
  }
}
