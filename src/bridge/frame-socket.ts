// One client's WebSocket as a sequence of frames: read one at a time, so that what arrives while one is being handled
// waits, and soon waits in TCP; sent with a bound on what waits; watched for signs of life.

import type { WebSocket } from 'ws';

export interface FrameSocketLimits {
  pingIntervalMs: number;
  maxBufferedBytes: number;
}

/** Frames that may wait here before the socket is paused; what was read with them still arrives. */
const PAUSE_AT = 16;
/** For the peer's answer to our close frame. */
const CLOSE_LINGER_MS = 2_000;
/** Intervals without anything from the peer, after which it is gone. */
const SILENT_INTERVALS = 2;

export class FrameSocket {
  readonly #socket: WebSocket;
  readonly #limits: FrameSocketLimits;
  readonly #liveness: NodeJS.Timeout;
  readonly closed: Promise<void>;
  #frames: Uint8Array[] = [];
  #waiting: ((frame: Uint8Array | undefined) => void) | undefined;
  #silentIntervals = 0;
  #ended = false;
  #closeReason: string | undefined;

  constructor(socket: WebSocket, limits: FrameSocketLimits) {
    this.#socket = socket;
    this.#limits = limits;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#end('closed by the peer');
        resolve();
      });
    });
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary));
    socket.on('pong', () => this.#heard());
    socket.on('ping', () => this.#heard());
    // ws closes with the code that belongs to the error: 1009 for a frame that is too long, 1002 or 1008 otherwise.
    socket.on('error', (error) => {
      this.#end(`broken WebSocket: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
      this.#terminateSoon();
    });
    this.#liveness = setInterval(() => this.#checkLiveness(), limits.pingIntervalMs).unref();
  }

  /** Whether frames may still be sent. */
  get open(): boolean {
    return !this.#ended;
  }

  /** Why it ended, for the log. */
  get closeReason(): string | undefined {
    return this.#closeReason;
  }

  /** The next frame; `undefined` once the socket has ended. One caller at a time. */
  next(): Promise<Uint8Array | undefined> {
    if (this.#ended) return Promise.resolve(undefined);
    const frame = this.#frames.shift();
    if (frame !== undefined) {
      if (this.#frames.length < PAUSE_AT && this.#socket.isPaused) this.#socket.resume();
      return Promise.resolve(frame);
    }
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Sends one frame; a peer that lets too much pile up is cut off. */
  send(frame: Uint8Array): void {
    if (this.#ended) return;
    this.#socket.send(frame, { binary: true }, () => {});
    if (this.#socket.bufferedAmount <= this.#limits.maxBufferedBytes) return;
    this.#end('the peer does not read its answers');
    this.#socket.terminate();
  }

  /** Closes with a code and never a reason; `why` is for the log. What was sent before still goes out. Idempotent. */
  close(code: number, why: string): void {
    if (this.#ended) return;
    this.#end(why);
    this.#socket.close(code);
    this.#terminateSoon();
  }

  /** Cuts the connection. */
  terminate(): void {
    this.#end('terminated');
    this.#socket.terminate();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#ended) return;
    if (!isBinary) {
      this.close(1002, 'a text message');
      return;
    }
    this.#heard();
    const frame = new Uint8Array(data.buffer, data.byteOffset, data.length);
    if (this.#waiting) {
      const deliver = this.#waiting;
      this.#waiting = undefined;
      deliver(frame);
      return;
    }
    this.#frames.push(frame);
    if (this.#frames.length >= PAUSE_AT && !this.#socket.isPaused) this.#socket.pause();
  }

  #heard(): void {
    this.#silentIntervals = 0;
  }

  // While we do not read, a pong cannot be heard, and silence says nothing about the peer.
  #checkLiveness(): void {
    if (this.#socket.isPaused) return;
    if (this.#silentIntervals >= SILENT_INTERVALS) {
      this.#end('no sign of life');
      this.#socket.terminate();
      return;
    }
    this.#silentIntervals++;
    this.#socket.ping();
  }

  #end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closeReason = why;
    this.#frames = [];
    clearInterval(this.#liveness);
    this.#waiting?.(undefined);
    this.#waiting = undefined;
    // The close handshake needs the peer's frames read.
    if (this.#socket.isPaused) this.#socket.resume();
  }

  #terminateSoon(): void {
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_LINGER_MS).unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }
}
