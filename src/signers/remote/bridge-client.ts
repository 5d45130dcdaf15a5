// One connection to a bridge: welcome, and requests in parallel, matched to their answers by id (docs/PROTOCOL.md §4 to
// §6). A connection that has ended stays ended; remote-signer.ts makes another.

import { bytesToHex, expectBytes } from '../../bytes.js';
import { RemoteError, type SignerErrorCode } from '../../errors.js';
import { DH_LENGTH, type DhKeyPair } from '../../protocol/dh.js';
import {
  decodeBridgeMessage,
  type ErrorAnswer,
  encodeRequest,
  type Op,
  REQUEST_ID_LENGTH,
  type Request,
  type ResultAnswer,
  type ResultOf,
  resultFields,
  type Welcome,
  type WireErrorCode,
} from '../../protocol/messages.js';
import { ProtocolError } from '../../protocol/protocol-error.js';
import { BridgeChannel } from './bridge-channel.js';
import { bridgeUrl, hostAndPort } from './bridge-url.js';
import { type Deferred, deferred, waitFor } from './deferred.js';
import type { RemotePlatform } from './platform.js';

const DEFAULT_CONNECT_TIMEOUT_MS = 15_000;
const DEFAULT_REQUEST_TIMEOUT_MS = 60_000;
/** Requests of one connection that the bridge has not answered; further ones wait here. */
export const MAX_REQUESTS_IN_FLIGHT = 32;

/** How to connect, wherever something connects. */
export interface ConnectionOptions {
  /** Accepts `ws:` to another machine: the channel still hides what is said, but not who speaks with whom and when. */
  allowPlainWs?: boolean | undefined;
  /** From the call to the bridge's welcome. Default: 15 s. */
  connectTimeoutMs?: number | undefined;
  /** Gives up connecting: rejects with the signal's reason. Has no effect once connected. */
  signal?: AbortSignal | undefined;
}

export interface BridgeClientOptions extends ConnectionOptions {
  /** `ws(s)://host[:port]/`. */
  url: string;
  /** The bridge's X25519 public key, 32 bytes. */
  bridgeKey: Uint8Array;
  /** This client's static key. */
  staticKeys: DhKeyPair;
  /** Pairs instead of connecting: the link's secret (16 bytes), and the name that this client proposes for itself. */
  pairing?: { secret: Uint8Array; name: string };
}

export interface RequestOptions {
  /** From the call to the answer. Default: 60 s. */
  timeoutMs?: number | undefined;
  /** Gives up waiting: rejects with the signal's reason. The bridge may still do the work. */
  signal?: AbortSignal | undefined;
}

/** The fields of a request besides `id` and `op`. */
export type RequestFields<O extends Op> = Omit<Extract<Request, { op: O }>, 'id' | 'op'>;

export class BridgeClient {
  /** The canonical address. */
  readonly url: string;
  readonly #welcomed = deferred<Welcome>();
  readonly #closed = deferred<unknown>();
  /** Answers that are awaited, by the request's id in hex. */
  readonly #answers = new Map<string, Deferred<ResultAnswer>>();
  /** Requests among them that are not sent yet. */
  #unsent: { id: string; message: Uint8Array }[] = [];
  #channel: BridgeChannel | undefined;
  #welcome: Welcome | undefined;
  #isClosed = false;

  /**
   * Connects, or pairs, and gives the client once the bridge has welcomed it.
   *
   * @throws ConfigError - the address is wrong
   * @throws RemoteError `bridge-unreachable`, `bridge-not-recognized`, `client-not-accepted`, `connection-lost`,
   *   `protocol-error`, `timeout`; or the signal's reason
   */
  static async connect<Identity>(
    platform: Pick<RemotePlatform<Identity>, 'openSocket'>,
    options: BridgeClientOptions,
  ): Promise<BridgeClient> {
    const { allowPlainWs, connectTimeoutMs: timeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = options;
    const url = bridgeUrl(options.url, { allowPlainWs });
    expectBytes(options.bridgeKey, 'bridgeKey', DH_LENGTH);
    options.signal?.throwIfAborted();
    const client = new BridgeClient(url);
    const stop = new AbortController();
    try {
      return await waitFor(client.#open(platform, { ...options, url, signal: stop.signal }), {
        signal: options.signal,
        timeoutMs,
        timeoutError: () => connectTimeout(url, timeoutMs),
      });
    } catch (error) {
      stop.abort(error);
      client.#channel?.end(error);
      throw error;
    }
  }

  private constructor(url: string) {
    this.url = url;
  }

  /** What the bridge said of itself, this client and its keys when the connection began. */
  get welcome(): Welcome {
    return this.#welcome!;
  }

  /** Resolves when the connection has ended, with why. */
  get closed(): Promise<unknown> {
    return this.#closed.promise;
  }

  /** Whether the connection has ended, as far as is known here. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Asks, and gives the answer's fields. Up to 32 requests are with the bridge at a time; further ones wait their turn.
   *
   * @throws TypeError - the fields are not those of `op`
   * @throws RangeError - the request is longer than the bridge takes
   * @throws RemoteError - as the bridge answered; or `timeout`, `connection-lost`, `protocol-error`
   */
  async request<O extends Op>(
    op: O,
    fields: RequestFields<O>,
    options: RequestOptions = {},
  ): Promise<ResultOf<O>> {
    const id = crypto.getRandomValues(new Uint8Array(REQUEST_ID_LENGTH));
    const message = encodeRequest({ ...fields, id, op } as unknown as Request);
    const { maxRequestBytes } = this.welcome;
    if (message.length > maxRequestBytes) {
      throw new RangeError(
        `this bridge takes requests of up to ${maxRequestBytes} bytes, and this one is ${message.length}`,
      );
    }
    const answer = await this.#exchange(bytesToHex(id), message, options);
    try {
      return resultFields(op, answer);
    } catch (error) {
      this.#channel?.end(error);
      throw lost(await this.#closed.promise);
    }
  }

  /** Ends the connection; open requests reject with `connection-lost`. Idempotent. */
  close(): void {
    this.#channel?.end(
      new RemoteError('connection-lost', 'The connection to the bridge was closed on this side.'),
    );
  }

  async #open<Identity>(
    platform: Pick<RemotePlatform<Identity>, 'openSocket'>,
    options: BridgeClientOptions & { signal: AbortSignal },
  ): Promise<this> {
    const { url, bridgeKey, staticKeys, pairing, signal } = options;
    this.#channel = await BridgeChannel.open(
      platform,
      { url, bridgeKey, staticKeys, pairing, signal },
      { onMessage: (message) => this.#onMessage(message), onEnd: (reason) => this.#onEnd(reason) },
    );
    if (signal.aborted) this.#channel.end(signal.reason);
    await this.#welcomed.promise;
    return this;
  }

  async #exchange(id: string, message: Uint8Array, options: RequestOptions): Promise<ResultAnswer> {
    const { signal, timeoutMs = DEFAULT_REQUEST_TIMEOUT_MS } = options;
    signal?.throwIfAborted();
    if (this.#isClosed) throw lost(await this.#closed.promise);
    const answer = deferred<ResultAnswer>();
    this.#answers.set(id, answer);
    this.#unsent.push({ id, message });
    this.#sendWhatMayBe();
    try {
      return await waitFor(answer.promise, {
        signal,
        timeoutMs,
        timeoutError: () => requestTimeout(timeoutMs),
      });
    } finally {
      this.#forgetUnsent(id);
    }
  }

  // A request that was sent and given up keeps its place until it is answered: the bridge is still at it.
  #sendWhatMayBe(): void {
    while (this.#unsent.length > 0 && this.#answers.size - this.#unsent.length < MAX_REQUESTS_IN_FLIGHT) {
      this.#channel!.send(this.#unsent.shift()!.message);
    }
  }

  #forgetUnsent(id: string): void {
    const place = this.#unsent.findIndex((request) => request.id === id);
    if (place < 0) return;
    this.#unsent.splice(place, 1);
    this.#answers.delete(id);
  }

  #onMessage(bytes: Uint8Array): void {
    const message = decodeBridgeMessage(bytes);
    if ((message.type === 'welcome') === (this.#welcome !== undefined)) {
      throw new ProtocolError('the bridge sent its welcome twice, or not first');
    }
    if (message.type === 'welcome') {
      this.#welcome = message;
      this.#welcomed.resolve(message);
    } else {
      this.#onAnswer(message);
    }
  }

  #onAnswer(message: ResultAnswer | ErrorAnswer): void {
    const id = bytesToHex(message.id);
    const answer = this.#answers.get(id);
    if (answer === undefined || this.#unsent.some((request) => request.id === id)) {
      throw new ProtocolError('the bridge answered what was not asked');
    }
    this.#answers.delete(id);
    if (message.type === 'result') answer.resolve(message);
    else answer.reject(answeredError(message));
    this.#sendWhatMayBe();
  }

  #onEnd(reason: unknown): void {
    this.#isClosed = true;
    this.#unsent = [];
    this.#welcomed.reject(reason);
    for (const answer of this.#answers.values()) answer.reject(lost(reason));
    this.#answers.clear();
    this.#closed.resolve(reason);
  }
}

const MEANINGS: Readonly<Record<WireErrorCode, SignerErrorCode>> = {
  'invalid-request': 'protocol-error',
  'key-not-found': 'key-not-found',
  'request-denied': 'request-denied',
  'rate-limited': 'rate-limited',
  'bridge-busy': 'bridge-busy',
  timeout: 'timeout',
  'key-unavailable': 'key-unavailable',
  'bridge-error': 'bridge-error',
};

/** What a bridge answered, as an error here. */
function answeredError({ code, message }: ErrorAnswer): RemoteError {
  const meaning = Object.hasOwn(MEANINGS, code) ? MEANINGS[code as WireErrorCode] : 'bridge-error';
  return new RemoteError(meaning, `The bridge refused: ${printable(message) || meaning}`);
}

/** Text of a bridge as one line that a terminal shows and does not obey, 500 characters at most. */
export const printable = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 500);

/** The error of a request that was open when the connection ended for `reason`. */
function lost(reason: unknown): RemoteError {
  if (reason instanceof RemoteError && ['connection-lost', 'protocol-error'].includes(reason.code))
    return reason;
  return new RemoteError('connection-lost', 'The connection to the bridge ended.', { cause: reason });
}

function connectTimeout(url: string, timeoutMs: number): RemoteError {
  return new RemoteError(
    'timeout',
    `No answer from a bridge at ${hostAndPort(url)} within ${timeoutMs} ms. Check the address and that the bridge runs.`,
  );
}

function requestTimeout(timeoutMs: number): RemoteError {
  return new RemoteError(
    'timeout',
    `The bridge has not answered within ${timeoutMs} ms; whether it still signs is unknown. If the key waits for a touch or an approval, give it more time.`,
  );
}
