// One connection of an accepted client: welcome, then requests in and answers out, until either side ends it.

import { type AuthorizedClient, clientFingerprint, isExpired } from '../protocol/authorized-clients.js';
import { framesOf, MessageAssembler } from '../protocol/frames.js';
import { encodeWelcome, type Welcome } from '../protocol/messages.js';
import type { Transport } from '../protocol/noise.js';
import { ProtocolError } from '../protocol/protocol-error.js';
import type { FrameSocket } from './frame-socket.js';
import type { BridgeLimits } from './limits.js';
import type { BridgeLog } from './log.js';
import type { Admission } from './request-queue.js';
import { connectionEnded } from './wire-error.js';

/** Takes one request; answers go to `connection.send`, in any order. */
export type HandleRequest = (message: Uint8Array, connection: Connection) => void;

const MINUTE_MS = 60_000;

export class Connection {
  readonly client: AuthorizedClient;
  readonly fingerprint: string;
  /** The requests that are not answered yet, by their id in hex; with the connection they are given up. */
  readonly requests = new Map<string, Admission>();
  readonly #socket: FrameSocket;
  readonly #transport: Transport;
  readonly #limits: BridgeLimits;
  readonly #log: BridgeLog;
  #lastRequestAt = Date.now();
  #refusals = 0;
  #refusalsSince = Date.now();

  constructor(
    socket: FrameSocket,
    client: AuthorizedClient,
    transport: Transport,
    limits: BridgeLimits,
    log: BridgeLog,
  ) {
    this.client = client;
    this.fingerprint = clientFingerprint(client.publicKey);
    this.#socket = socket;
    this.#transport = transport;
    this.#limits = limits;
    this.#log = log;
  }

  get open(): boolean {
    return this.#socket.open;
  }

  /** Serves the client until the socket has ended. Never rejects. */
  async serve(welcome: Omit<Welcome, 'type'>, handleRequest: HandleRequest): Promise<void> {
    const assembler = new MessageAssembler(this.#limits.maxRequestBytes);
    try {
      this.send(encodeWelcome(welcome));
      for (let frame = await this.#socket.next(); frame !== undefined; frame = await this.#socket.next()) {
        const message = assembler.push(this.#transport.decrypt(frame));
        if (message === undefined) continue;
        this.#lastRequestAt = Date.now();
        handleRequest(message, this);
      }
    } catch (error) {
      this.#closeAfter(error);
    } finally {
      this.#transport.destroy();
      for (const request of this.requests.values()) request.abort(connectionEnded());
    }
  }

  /** Sends one message; nothing once the connection has ended. */
  send(message: Uint8Array): void {
    for (const frame of framesOf(message)) {
      if (this.#socket.open) this.#socket.send(this.#transport.encrypt(frame));
    }
  }

  /** Counts a request that was refused; a client that keeps on asking for what it may not have is cut off. */
  countRefusal(): void {
    const now = Date.now();
    if (now - this.#refusalsSince >= MINUTE_MS) {
      this.#refusals = 0;
      this.#refusalsSince = now;
    }
    if (++this.#refusals > this.#limits.maxRefusalsPerMinute) this.close(1008, 'too many refused requests');
  }

  /** Closes where the client's line has run out or nothing was asked for too long. */
  checkDeadlines(now: number): void {
    if (isExpired(this.client, now)) this.close(1008, 'the line has expired');
    else if (this.requests.size === 0 && now - this.#lastRequestAt >= this.#limits.idleTimeoutMs) {
      this.close(1000, 'idle');
    }
  }

  close(code: number, why: string): void {
    if (!this.#socket.open) return;
    this.#log.info({ client: this.client.name, code, cause: why }, 'connection closed');
    this.#socket.close(code, why);
  }

  #closeAfter(error: unknown): void {
    if (error instanceof ProtocolError) {
      this.close(error.closeCode, error.message);
    } else {
      this.#log.error({ client: this.client.name, err: error }, 'connection failed inside the bridge');
      this.close(1002, 'connection failed inside the bridge');
    }
  }
}
