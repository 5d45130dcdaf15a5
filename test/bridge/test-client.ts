// A client of the bridge that does exactly what a test tells it, right or wrong: one WebSocket, the initiator's side of
// the handshake, and requests.

import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import type { Bridge } from '../../src/bridge/index.js';
import { bytesToHex, fromBase64Url } from '../../src/bytes.js';
import { type DhKeyPair, x25519KeyPair } from '../../src/protocol/dh.js';
import { framesOf, MessageAssembler } from '../../src/protocol/frames.js';
import {
  type BridgeMessage,
  decodeBridgeMessage,
  encodePairingPayload,
  encodeRequest,
  type Request,
  type Welcome,
} from '../../src/protocol/messages.js';
import { Handshake, type Transport } from '../../src/protocol/noise.js';
import { pairingId, pairingPsk, parsePairingLink } from '../../src/protocol/pairing.js';
import { handshakeOf, PAIRING_SUBPROTOCOL, SUBPROTOCOL } from '../../src/protocol/subprotocols.js';

export interface Close {
  code: number;
  reason: string;
}

/** A WebSocket whose frames are read one at a time. */
export class RawSocket {
  readonly socket: WebSocket;
  readonly opened: Promise<void>;
  readonly closed: Promise<Close>;
  #frames: Uint8Array[] = [];
  #waiting: (() => void) | undefined;
  #isClosed = false;

  constructor(url: string, subprotocol: string | string[], options: object = {}) {
    this.socket = new WebSocket(url, subprotocol, { perMessageDeflate: false, ...options });
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', () => resolve());
      this.socket.once('error', reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        this.#isClosed = true;
        this.#waiting?.();
        resolve({ code, reason: reason.toString() });
      });
    });
    this.socket.on('error', () => {});
    this.socket.on('message', (data) => {
      this.#frames.push(new Uint8Array(data as Buffer));
      this.#waiting?.();
    });
  }

  /** The next frame; rejects with the close code where the socket ends first. */
  async next(): Promise<Uint8Array> {
    while (this.#frames.length === 0) {
      if (this.#isClosed) throw new Error(`closed with ${(await this.closed).code}`);
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.#frames.shift()!;
  }

  send(frame: Uint8Array | string): void {
    this.socket.send(frame);
  }
}

export interface ConnectOptions {
  keys?: DhKeyPair;
  origin?: string;
  headers?: Record<string, string>;
  ca?: string;
}

const wsOptions = ({ origin, headers, ca }: ConnectOptions) => ({
  ...(origin && { origin }),
  ...(headers && { headers }),
  ...(ca && { ca }),
});

export class TestClient {
  readonly raw: RawSocket;
  readonly keys: DhKeyPair;
  readonly transport: Transport;
  welcome!: Welcome;
  readonly #assembler = new MessageAssembler();

  private constructor(raw: RawSocket, keys: DhKeyPair, transport: Transport) {
    this.raw = raw;
    this.keys = keys;
    this.transport = transport;
  }

  /** Goes as far as the welcome; rejects with the close code otherwise. */
  static async connect(
    bridge: Pick<Bridge, 'url' | 'publicKey'>,
    options: ConnectOptions = {},
  ): Promise<TestClient> {
    const client = await TestClient.handshake(bridge, options);
    client.welcome = (await client.receive()) as Welcome;
    return client;
  }

  /** Goes as far as message 3. */
  static async handshake(
    bridge: Pick<Bridge, 'url' | 'publicKey'>,
    options: ConnectOptions = {},
  ): Promise<TestClient> {
    const keys = options.keys ?? x25519KeyPair();
    const raw = new RawSocket(bridge.url, SUBPROTOCOL, wsOptions(options));
    const noise = new Handshake({
      ...handshakeOf(SUBPROTOCOL),
      role: 'initiator',
      staticKeys: keys,
      remoteStatic: fromBase64Url(bridge.publicKey),
    });
    return TestClient.#finish(raw, keys, noise, new Uint8Array(0), new Uint8Array(0));
  }

  static async pair(
    link: string,
    options: ConnectOptions & { name?: string; secret?: Uint8Array } = {},
  ): Promise<TestClient> {
    const { origin, bridgeKey, secret } = parsePairingLink(link);
    const keys = options.keys ?? x25519KeyPair();
    const raw = new RawSocket(`${origin.replace(/^http/, 'ws')}/`, PAIRING_SUBPROTOCOL, wsOptions(options));
    const noise = new Handshake({
      ...handshakeOf(PAIRING_SUBPROTOCOL),
      role: 'initiator',
      staticKeys: keys,
      remoteStatic: bridgeKey,
      psk: pairingPsk(options.secret ?? secret),
    });
    const payload = encodePairingPayload(options.name ?? 'test client');
    const client = await TestClient.#finish(raw, keys, noise, pairingId(secret), payload);
    client.welcome = (await client.receive()) as Welcome;
    return client;
  }

  static async #finish(
    raw: RawSocket,
    keys: DhKeyPair,
    noise: Handshake,
    payload1: Uint8Array,
    payload3: Uint8Array,
  ): Promise<TestClient> {
    await raw.opened;
    raw.send(await noise.writeMessage(payload1));
    await noise.readMessage(await raw.next());
    raw.send(await noise.writeMessage(payload3));
    return new TestClient(raw, keys, noise.split());
  }

  get closed(): Promise<Close> {
    return this.raw.closed;
  }

  async receive(): Promise<BridgeMessage> {
    for (;;) {
      const message = this.#assembler.push(this.transport.decrypt(await this.raw.next()));
      if (message) return decodeBridgeMessage(message);
    }
  }

  /** Sends the bytes of a message, whatever they are. */
  sendBytes(message: Uint8Array): void {
    for (const frame of framesOf(message)) this.raw.send(this.transport.encrypt(frame));
  }

  /** Sends a request and gives its id. */
  send(request: RequestFields, id: Uint8Array = newId()): Uint8Array {
    this.sendBytes(encodeRequest({ id, ...request } as Request));
    return id;
  }

  /** Sends a request and gives the next answer, which must be to it. */
  async ask(request: RequestFields): Promise<Answer> {
    const id = this.send(request);
    const answer = (await this.receive()) as Exclude<BridgeMessage, Welcome>;
    if (bytesToHex(answer.id) !== bytesToHex(id)) throw new Error('an answer to another request');
    return answer.type === 'error'
      ? { code: answer.code, message: answer.message, fields: {} }
      : { fields: answer.fields };
  }

  close(): void {
    this.raw.socket.close();
  }
}

type RequestFields = Request extends infer R ? (R extends { id: Uint8Array } ? Omit<R, 'id'> : never) : never;
export interface Answer {
  code?: string;
  message?: string;
  fields: Record<string, unknown>;
}

export const newId = (): Uint8Array => Uint8Array.from(randomBytes(16));

/** The close code with which `attempt` fails; an error where it does not fail so. */
export async function closeCodeOf(attempt: Promise<unknown>): Promise<number> {
  const error = await attempt.then(
    () => new Error('was accepted'),
    (error: Error) => error,
  );
  const code = /^closed with (\d+)$/.exec(error.message)?.[1];
  if (!code) throw error;
  return Number(code);
}
