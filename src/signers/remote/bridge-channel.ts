// The encrypted channel to a bridge: WebSocket, handshake, frames (docs/PROTOCOL.md §1 to §3). It ends once, for one
// reason. What the bridge does not tell is not guessed: a client learns why it was refused only by the stage that it
// reached itself.

import { toBase64Url } from '../../bytes.js';
import { RemoteError } from '../../errors.js';
import type { DhKeyPair } from '../../protocol/dh.js';
import { framesOf, MessageAssembler } from '../../protocol/frames.js';
import { encodePairingPayload } from '../../protocol/messages.js';
import { Handshake, type Transport } from '../../protocol/noise.js';
import { pairingId, pairingPsk } from '../../protocol/pairing.js';
import { ProtocolError } from '../../protocol/protocol-error.js';
import { handshakeOf, PAIRING_SUBPROTOCOL, SUBPROTOCOL } from '../../protocol/subprotocols.js';
import { hostAndPort } from './bridge-url.js';
import { deferred } from './deferred.js';
import type { RemotePlatform, RemoteSocket } from './platform.js';

export interface ChannelOptions {
  /** The bridge's address, canonical. */
  url: string;
  /** The bridge's X25519 public key, 32 bytes. */
  bridgeKey: Uint8Array;
  /** This client's static key. */
  staticKeys: DhKeyPair;
  /** Pairs instead of connecting: the link's secret (16 bytes), and the name that this client proposes for itself. */
  pairing?: { secret: Uint8Array; name: string } | undefined;
  /** Ends the channel, with its reason, while it is being opened. */
  signal: AbortSignal;
}

export interface ChannelEvents {
  /** A message came. What this throws ends the channel. */
  onMessage(message: Uint8Array): void;
  /** The channel has ended. Called once; nothing is called afterwards. */
  onEnd(reason: unknown): void;
}

const CLOSED = 3; // WebSocket.CLOSED, which Node 20 has no global for

/** How far the channel has come, which decides what its end means. */
type Stage = 'bridge-unproven' | 'client-unproven' | 'open' | 'ended';

export class BridgeChannel {
  readonly #socket: RemoteSocket;
  readonly #options: ChannelOptions;
  readonly #events: ChannelEvents;
  readonly #assembler = new MessageAssembler();
  readonly #secondMessage = deferred<Uint8Array>();
  #secondMessageCame = false;
  #stage: Stage = 'bridge-unproven';
  #endReason: unknown;
  #transport: Transport | undefined;

  /** Opens the socket and runs the handshake. Whether the bridge accepts this client shows in what comes afterwards. */
  static async open<Identity>(
    platform: Pick<RemotePlatform<Identity>, 'openSocket'>,
    options: ChannelOptions,
    events: ChannelEvents,
  ): Promise<BridgeChannel> {
    const subprotocol = options.pairing ? PAIRING_SUBPROTOCOL : SUBPROTOCOL;
    const socket = await platform.openSocket(options.url, subprotocol, { signal: options.signal });
    const channel = new BridgeChannel(socket, options, events);
    await channel.#shakeHands();
    return channel;
  }

  private constructor(socket: RemoteSocket, options: ChannelOptions, events: ChannelEvents) {
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    socket.onmessage = ({ data }) => this.#orEnd(() => this.#onFrame(data));
    socket.onclose = ({ code }) => this.end(this.#meaningOfClose(code));
  }

  /** Sends one message; nothing happens where the channel has ended. */
  send(message: Uint8Array): void {
    this.#orEnd(() => {
      if (this.#transport === undefined) return;
      for (const frame of framesOf(message)) this.#socket.send(plain(this.#transport.encrypt(frame)));
    });
  }

  /** Ends the channel, for `reason`. Idempotent: the first reason stays. */
  end(reason: unknown): void {
    if (this.#stage === 'ended') return;
    this.#stage = 'ended';
    this.#endReason = reason instanceof ProtocolError ? violation(this.#options, reason) : reason;
    this.#transport?.destroy();
    this.#transport = undefined;
    this.#secondMessage.reject(this.#endReason);
    this.#socket.close(1000); // browsers let a page send no other code of the protocol's
    this.#events.onEnd(this.#endReason);
  }

  async #shakeHands(): Promise<void> {
    const { bridgeKey, staticKeys, pairing, signal } = this.#options;
    const handshake = new Handshake({
      ...handshakeOf(pairing ? PAIRING_SUBPROTOCOL : SUBPROTOCOL),
      role: 'initiator',
      staticKeys,
      remoteStatic: bridgeKey,
    });
    const onAbort = () => this.end(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      if (this.#socket.readyState === CLOSED) throw this.#meaningOfClose(1006); // before anyone listened
      await this.#exchangeMessages(handshake);
    } catch (error) {
      this.end(error);
      throw this.#endReason;
    } finally {
      signal.removeEventListener('abort', onAbort);
      handshake.destroy();
    }
  }

  async #exchangeMessages(handshake: Handshake): Promise<void> {
    const { pairing } = this.#options;
    if (pairing) setPsk(handshake, pairing.secret);
    this.#socket.send(plain(await handshake.writeMessage(pairing && pairingId(pairing.secret))));
    const second = await this.#secondMessage.promise;
    await handshake.readMessage(second).catch((cause) => {
      throw notRecognized(this.#options, cause);
    });
    const third = await handshake.writeMessage(pairing && encodePairingPayload(pairing.name));
    if (this.#stage === 'ended') throw this.#endReason;
    this.#transport = handshake.split();
    this.#stage = 'client-unproven';
    this.#socket.send(plain(third));
  }

  #onFrame(data: unknown): void {
    if (!(data instanceof ArrayBuffer))
      throw new ProtocolError('the bridge sent a message that is not binary');
    const frame = new Uint8Array(data);
    if (this.#transport === undefined) {
      if (this.#secondMessageCame) throw new ProtocolError('the bridge spoke out of turn');
      this.#secondMessageCame = true;
      this.#secondMessage.resolve(frame);
      return;
    }
    const plaintext = this.#transport.decrypt(frame);
    this.#stage = 'open';
    const message = this.#assembler.push(plaintext);
    if (message !== undefined) this.#events.onMessage(message);
  }

  #orEnd(work: () => void): void {
    if (this.#stage === 'ended') return;
    try {
      work();
    } catch (error) {
      this.end(error);
    }
  }

  /** Close codes: docs/PROTOCOL.md §7. */
  #meaningOfClose(code: number): RemoteError {
    const bridge = `the bridge at ${hostAndPort(this.#options.url)}`;
    if (code === 1001) {
      return this.#stage === 'open'
        ? new RemoteError(
            'connection-lost',
            `The connection ended: ${bridge} is shutting down. Try again when it is back.`,
          )
        : new RemoteError(
            'bridge-unreachable',
            `Not connected: ${bridge} is shutting down. Try again when it is back.`,
          );
    }
    if (this.#stage === 'bridge-unproven') return notRecognized(this.#options);
    if (this.#stage === 'client-unproven' && code === 1008) return notAccepted(this.#options);
    if (code === 1008) {
      return new RemoteError(
        'connection-lost',
        `The connection ended: ${bridge} cut this client off (revoked, or over a limit). Its log says why.`,
      );
    }
    return new RemoteError(
      'connection-lost',
      `The connection to ${bridge} ended (close code ${code}). The next call connects again; whether an open request was carried out is unknown.`,
    );
  }
}

function setPsk(handshake: Handshake, secret: Uint8Array): void {
  const psk = pairingPsk(secret);
  handshake.setPsk(psk);
  psk.fill(0);
}

function violation({ url }: ChannelOptions, cause: ProtocolError): RemoteError {
  return new RemoteError(
    'protocol-error',
    `The connection to the bridge at ${hostAndPort(url)} was given up: ${cause.message}. ` +
      'Update erst-hsm on both sides; if they are of one version, report this.',
    { cause },
  );
}

function notRecognized({ url, bridgeKey }: ChannelOptions, cause?: unknown): RemoteError {
  return new RemoteError(
    'bridge-not-recognized',
    `What answers at ${hostAndPort(url)} did not prove to be the bridge with key ${toBase64Url(bridgeKey)}. ` +
      'Check the address; if the bridge has a new identity, pair again with a new link from `erst-hsm pair`.',
    { cause },
  );
}

function notAccepted({ url, pairing }: ChannelOptions): RemoteError {
  return new RemoteError(
    'client-not-accepted',
    pairing
      ? `The bridge at ${hostAndPort(url)} did not accept this pairing link: it was used, has expired, or is of another bridge run. Get a new one with \`erst-hsm pair\`.`
      : `The bridge at ${hostAndPort(url)} did not accept this client. \`erst-hsm clients\` on the bridge's machine lists who may connect, and its log says why; pair again with a link from \`erst-hsm pair\`.`,
  );
}

/** The same bytes, as the browser's `send` wants its type. */
const plain = (bytes: Uint8Array) => bytes as Uint8Array<ArrayBuffer>;
