// A signer whose key is behind a bridge, for any platform; remote.node.ts and remote.browser.ts bind it to theirs.
// Invariant: no signature leaves here that does not verify against the pinned public key.

import { toBase64Url } from '../../bytes.js';
import { RemoteError, SignerError } from '../../errors.js';
import {
  encodedByteStringLength,
  encodePairingPayload,
  encodeRequest,
  longestByteString,
  MAX_BATCH_MESSAGES,
  REQUEST_ID_LENGTH,
  type WireSignature,
} from '../../protocol/messages.js';
import { parsePairingLink, webSocketUrl } from '../../protocol/pairing.js';
import type { PublicKey } from '../public-key.js';
import { copyMessage, copyMessages } from '../sign-request.js';
import { Signature } from '../signature.js';
import type { Signer, SignerInfo, SignOptions } from '../types.js';
import { isSignerSignature } from '../verify.js';
import { BridgeClient, type ConnectionOptions } from './bridge-client.js';
import { bridgeUrl, hostAndPort } from './bridge-url.js';
import { type CredentialsOf, pinsOf, type RemoteKey, readCredentials, readKeyInfo } from './credentials.js';
import type { KeyConnection } from './key-connection.js';
import type { RemotePlatform } from './platform.js';

export interface PairOptions<Identity> extends ConnectionOptions {
  /** What this client proposes to be called, 1 to 128 bytes of UTF-8; the bridge may know it by another name. */
  name?: string;
  /** An identity made before. Default: a new one. */
  identity?: Identity;
}

/** Uses up a pairing link, and gives what connecting takes from now on. */
export async function pairWithBridge<Identity>(
  platform: RemotePlatform<Identity>,
  link: string,
  options: PairOptions<Identity> = {},
): Promise<CredentialsOf<Identity>> {
  const { name = 'unnamed', identity: given, ...connection } = options;
  encodePairingPayload(name); // a wrong name is the caller's bug, found before the link is spent
  const { origin, bridgeKey, secret } = parsePairingLink(link);
  try {
    const url = bridgeUrl(webSocketUrl(origin), { ...connection, setting: 'link' });
    const identity = given ?? (await platform.generateIdentity());
    const staticKeys = await platform.keyPair(identity);
    const pairing = { secret, name };
    const client = await BridgeClient.connect(platform, {
      ...connection,
      url,
      bridgeKey,
      staticKeys,
      pairing,
    });
    client.close();
    const { client: givenName, keys } = client.welcome;
    return { url, bridgeKey: toBase64Url(bridgeKey), identity, client: givenName, keys: pinsOf(keys) };
  } finally {
    secret.fill(0);
  }
}

/** The keys that a client may use. */
export async function listRemoteKeys<Identity>(
  platform: RemotePlatform<Identity>,
  credentials: CredentialsOf<Identity>,
  options: ConnectionOptions = {},
): Promise<RemoteKey[]> {
  const { url, bridgeKey } = readCredentials(credentials, options);
  const staticKeys = await platform.keyPair(credentials.identity);
  const client = await BridgeClient.connect(platform, { ...options, url, bridgeKey, staticKeys });
  client.close();
  return client.welcome.keys.map(readKeyInfo);
}

/**
 * A key behind a bridge. What it signs went through the channel, and every signature that comes back is verified against
 * the pinned public key before it is given out.
 *
 * A connection that ends is made anew by the next call. A call that was under way then rejects with `connection-lost`:
 * whether the key has signed is not known, and signing again is the caller's to decide. Call `close()` when done: an
 * open connection keeps a Node process alive.
 *
 * Besides the `Signer` contract's errors: `bridge-unreachable`, `bridge-not-recognized`, `client-not-accepted`,
 * `connection-lost`, `protocol-error`, `key-not-found`, `key-mismatch` (the bridge has another key under that name),
 * `signature-invalid`, `request-denied`, `rate-limited`, `bridge-busy`, `timeout`, `key-unavailable`, `bridge-error`; and
 * a `RangeError` for a message that is longer than the bridge takes, which nothing was sent of.
 */
export class BridgeSigner implements Signer {
  readonly #connection: KeyConnection;
  readonly #timeoutMs: number | undefined;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  /** Takes over `connection`. Users call `RemoteSigner.connect`. */
  constructor(connection: KeyConnection, requestTimeoutMs?: number) {
    this.#connection = connection;
    this.#timeoutMs = requestTimeoutMs;
  }

  sign(data: Uint8Array, options: SignOptions = {}): Promise<Signature> {
    return this.#run(async () => {
      const message = copyMessage(this.#publicKey.algorithm, data, options);
      const request = this.#request(options);
      expectFits(message, request);
      const client = await this.#connection.client(request);
      const result = await client.request('sign', { ...request.fields, data: message }, request);
      return this.#verified(result, message, request);
    });
  }

  /** Sent in as few requests as the bridge's limits allow, side by side. */
  signBatch(messages: readonly Uint8Array[], options: SignOptions = {}): Promise<Signature[]> {
    return this.#run(async () => {
      const copies = copyMessages(this.#publicKey.algorithm, messages, options);
      const request = this.#request(options);
      const batches = splitBatch(copies, request);
      const signatures = await Promise.all(batches.map((batch) => this.#signTogether(batch, request)));
      return signatures.flat();
    });
  }

  publicKey(): Promise<PublicKey> {
    return this.#run(async () => this.#publicKey);
  }

  /** `metadata`: `url`, `key`, `client`, `bridgeVersion`, `maxDataBytes`, and what the bridge says of the key, as `key.…`. */
  signerInfo(): SignerInfo {
    const { welcome, keyName, url } = this.#connection;
    const info = welcome.keys.find(({ name }) => name === keyName)?.info ?? {};
    const ofKey = Object.entries(info).map(([name, text]) => [`key.${name}`, text]);
    return {
      signerType: 'remote',
      algorithm: this.#publicKey.algorithm,
      metadata: {
        ...Object.fromEntries(ofKey),
        url,
        key: keyName,
        client: welcome.client,
        bridgeVersion: welcome.version,
        maxDataBytes: String(longestByteString(this.#roomForData)),
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
    this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #publicKey(): PublicKey {
    return this.#connection.publicKey;
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed)
      throw new SignerError('signer-closed', 'This RemoteSigner is closed. Connect another one.');
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #signTogether(messages: Uint8Array[], request: SignRequest): Promise<Signature[]> {
    const client = await this.#connection.client(request);
    const { signatures } = await client.request('sign-batch', { ...request.fields, data: messages }, request);
    if (signatures.length !== messages.length) {
      throw new RemoteError(
        'protocol-error',
        `The bridge at ${hostAndPort(this.#connection.url)} gave ${signatures.length} signatures for ${messages.length} messages, and they were thrown away. Update it.`,
      );
    }
    const verified: Signature[] = [];
    for (const [i, message] of messages.entries()) {
      verified.push(await this.#verified(signatures[i]!, message, request));
    }
    return verified;
  }

  async #verified(wire: WireSignature, message: Uint8Array, { prehashed }: SignRequest): Promise<Signature> {
    const { algorithm } = this.#publicKey;
    const recovery = algorithm === 'ed25519' ? undefined : wire.recovery;
    const signature = Signature.fromBytes(algorithm, wire.signature, recovery);
    const isGood =
      recovery === wire.recovery &&
      (await isSignerSignature(this.#publicKey, message, signature, { prehashed }));
    if (!isGood) {
      throw new RemoteError(
        'signature-invalid',
        `The bridge at ${hostAndPort(this.#connection.url)} sent a signature that is not by the key "${this.#connection.keyName}", and it was thrown away. Its log says what happened there.`,
      );
    }
    return signature;
  }

  /** What the requests of one call have in common. */
  #request({ prehashed = false, signal }: SignOptions): SignRequest {
    signal?.throwIfAborted();
    const { keyName: key } = this.#connection;
    return {
      fields: prehashed ? { key, prehashed } : { key },
      prehashed,
      signal,
      timeoutMs: this.#timeoutMs,
      room: this.#roomForData,
    };
  }

  /** Bytes of a request that are left for encoded messages: by its longest form, so that one limit holds for all. */
  get #roomForData(): number {
    const { keyName: key, welcome } = this.#connection;
    const longest = { id: new Uint8Array(REQUEST_ID_LENGTH), key, prehashed: true } as const;
    const oneEmptyMessage = encodeRequest({ ...longest, op: 'sign-batch', data: [new Uint8Array(0)] });
    return welcome.maxRequestBytes - (oneEmptyMessage.length - 1) - LIST_HEADER_GROWTH;
  }
}

// The header of a list is 1 byte for one message, and 3 for MAX_BATCH_MESSAGES.
const LIST_HEADER_GROWTH = 2;

interface SignRequest {
  fields: { key: string; prehashed?: true };
  prehashed: boolean;
  signal: AbortSignal | undefined;
  timeoutMs: number | undefined;
  room: number;
}

function expectFits(message: Uint8Array, { room }: SignRequest): void {
  if (encodedByteStringLength(message.length) > room) {
    throw new RangeError(
      `this bridge takes data of up to ${longestByteString(room)} bytes, and this is ${message.length}`,
    );
  }
}

/** Cuts a batch into as few as its order and the limits allow. */
function splitBatch(messages: Uint8Array[], request: SignRequest): Uint8Array[][] {
  const batches: Uint8Array[][] = [];
  let room = 0;
  for (const message of messages) {
    expectFits(message, request);
    const length = encodedByteStringLength(message.length);
    const last = batches.at(-1);
    if (last !== undefined && length <= room && last.length < MAX_BATCH_MESSAGES) {
      last.push(message);
      room -= length;
    } else {
      batches.push([message]);
      room = request.room - length;
    }
  }
  return batches;
}
