// A bridge for tests: the responder's side of docs/PROTOCOL.md over `ws`, which does as it is told, wrong things included.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { toBase64Url } from '../../../src/bytes.js';
import { type DhKeyPair, x25519KeyPair } from '../../../src/protocol/dh.js';
import { framesOf, MessageAssembler } from '../../../src/protocol/frames.js';
import {
  decodePairingPayload,
  decodeRequest,
  encodeError,
  encodeResult,
  encodeWelcome,
  type KeyInfo,
  type Request,
  type Welcome,
} from '../../../src/protocol/messages.js';
import { Handshake, type Transport } from '../../../src/protocol/noise.js';
import { formatPairingLink, pairingId, pairingPsk } from '../../../src/protocol/pairing.js';
import { handshakeOf, PAIRING_SUBPROTOCOL, type Subprotocol } from '../../../src/protocol/subprotocols.js';
import type { Signer } from '../../../src/signers/types.js';

/** One connection of a client, after the handshake. */
export interface Connection {
  clientKey: Uint8Array;
  socket: WebSocket;
  transport: Transport;
  /** Encrypts and sends one message. */
  send(message: Uint8Array): void;
}

export interface ScriptedBridgeOptions {
  keys?: Record<string, Signer>;
  welcome?: Partial<Welcome>;
  tls?: { key: string; cert: string };
  host?: string;
  /** Status line's end, like `403 Forbidden`: refuses the upgrade with it. */
  refuse?: string;
  /** In place of the handshake. */
  onSocket?: (socket: WebSocket) => void;
  /** In place of the welcome: after message 3. */
  onAccepted?: (connection: Connection) => void;
  /** Before the usual answer; `true` where it has been dealt with. */
  onRequest?: (request: Request, connection: Connection) => boolean | Promise<boolean> | undefined;
}

export class ScriptedBridge {
  readonly connections: Connection[] = [];
  readonly requests: Request[] = [];
  readonly #secret = crypto.getRandomValues(new Uint8Array(16));
  identity: DhKeyPair = x25519KeyPair();
  /** May be changed between connections. */
  options: ScriptedBridgeOptions;
  proposedName: string | undefined;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;

  static async start(options: ScriptedBridgeOptions = {}, port = 0): Promise<ScriptedBridge> {
    const bridge = new ScriptedBridge(options);
    bridge.#server.listen(port, options.host ?? '127.0.0.1');
    await once(bridge.#server, 'listening');
    return bridge;
  }

  private constructor(options: ScriptedBridgeOptions) {
    this.options = options;
    this.#server = options.tls ? createTlsServer(options.tls) : createServer();
    this.#sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    this.#server.on('upgrade', (request, socket, head) => {
      const { refuse } = this.options;
      if (refuse) return socket.end(`HTTP/1.1 ${refuse}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#serve(webSocket));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.options.tls ? 'wss' : 'ws'}://${this.options.tls ? 'localhost' : '127.0.0.1'}:${this.port}/`;
  }

  get bridgeKey(): string {
    return toBase64Url(this.identity.publicKey);
  }

  get link(): string {
    return formatPairingLink({
      origin: this.url.replace(/^ws/, 'http').slice(0, -1),
      bridgeKey: this.identity.publicKey,
      secret: this.#secret,
    });
  }

  /** Cuts every connection, without a closing handshake. */
  drop(): void {
    for (const client of this.#sockets.clients) client.terminate();
  }

  async close(): Promise<void> {
    this.drop();
    this.#sockets.close();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #serve(socket: WebSocket): void {
    socket.binaryType = 'nodebuffer';
    socket.on('error', () => {});
    if (this.options.onSocket) this.options.onSocket(socket);
    else this.#accept(socket).catch(() => socket.close(1008));
  }

  async #accept(socket: WebSocket): Promise<void> {
    const frames = reader(socket);
    const subprotocol = socket.protocol as Subprotocol;
    const handshake = new Handshake({
      ...handshakeOf(subprotocol),
      role: 'responder',
      staticKeys: this.identity,
    });
    const payload = await handshake.readMessage(await frames());
    socket.send(await handshake.writeMessage());
    if (subprotocol === PAIRING_SUBPROTOCOL) {
      if (toBase64Url(payload) !== toBase64Url(pairingId(this.#secret))) throw new Error('another link');
      handshake.setPsk(pairingPsk(this.#secret));
    }
    const third = await handshake.readMessage(await frames());
    if (subprotocol === PAIRING_SUBPROTOCOL) this.proposedName = decodePairingPayload(third).name;
    const clientKey = handshake.remoteStatic;
    const transport = handshake.split();
    const send = (message: Uint8Array) => {
      for (const frame of framesOf(message)) socket.send(transport.encrypt(frame));
    };
    const connection: Connection = { clientKey, socket, transport, send };
    this.connections.push(connection);
    if (this.options.onAccepted) return this.options.onAccepted(connection);
    send(encodeWelcome(await this.welcome()));
    const assembler = new MessageAssembler();
    for (;;) {
      const message = assembler.push(transport.decrypt(await frames()));
      if (message) void this.#answer(decodeRequest(message), connection);
    }
  }

  async welcome(): Promise<Omit<Welcome, 'type'>> {
    return {
      client: 'test-client',
      version: '9.9.9',
      maxRequestBytes: 1_048_576,
      keys: await this.keyInfos(),
      ...this.options.welcome,
    };
  }

  async keyInfos(): Promise<KeyInfo[]> {
    return Promise.all(
      Object.entries(this.options.keys ?? {}).map(async ([name, signer]) => {
        const { algorithm, signerType } = signer.signerInfo();
        return { name, algorithm, spki: (await signer.publicKey()).spki, info: { signerType } };
      }),
    );
  }

  async #answer(request: Request, connection: Connection): Promise<void> {
    this.requests.push(request);
    if (await this.options.onRequest?.(request, connection)) return;
    const { id, op } = request;
    if (op !== 'sign' && op !== 'sign-batch')
      return connection.send(encodeError(id, 'invalid-request', 'not here'));
    const signer = this.options.keys?.[request.key];
    if (!signer) return connection.send(encodeError(id, 'key-not-found', 'no such key'));
    const options = { prehashed: request.prehashed ?? false };
    const wire = ({ bytes, recovery }: { bytes: Uint8Array; recovery?: number }) => ({
      signature: bytes,
      ...(recovery !== undefined && { recovery: recovery as 0 | 1 | 2 | 3 }),
    });
    if (op === 'sign') {
      connection.send(encodeResult('sign', id, wire(await signer.sign(request.data, options))));
    } else {
      const signatures = await signer.signBatch(request.data, options);
      connection.send(encodeResult('sign-batch', id, { signatures: signatures.map(wire) }));
    }
  }
}

/** Gives the socket's messages one by one; rejects when it closes. */
function reader(socket: WebSocket): () => Promise<Uint8Array> {
  const arrived: Uint8Array[] = [];
  let wake = () => {};
  let closed = false;
  socket.on('message', (data: Buffer) => {
    arrived.push(new Uint8Array(data));
    wake();
  });
  socket.on('close', () => {
    closed = true;
    wake();
  });
  return async () => {
    while (arrived.length === 0) {
      if (closed) throw new Error('closed');
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return arrived.shift()!;
  };
}
