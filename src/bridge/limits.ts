// Every bound on what a peer can make the bridge hold, do or wait for. docs/BRIDGE.md lists them.

import { DEFAULT_MAX_MESSAGE_BYTES } from '../protocol/frames.js';

/** Longest WebSocket message: one Noise message (docs/PROTOCOL.md §1). Not a setting. */
export const MAX_FRAME_BYTES = 65_535;
/** WebSocket fragments that one message may come in; browsers and common libraries send one. */
export const MAX_FRAGMENTS = 64;
/** TCP chunks that may wait for the rest of one frame; a full frame at the smallest IPv4 MTU is 122. */
export const MAX_BUFFERED_CHUNKS = 1024;

export interface BridgeLimits {
  /** Longest request, in bytes; the welcome tells clients. */
  maxRequestBytes: number;

  /** Sockets of one address that are not (yet) a client's; a further one displaces the oldest of them. */
  maxUnauthenticatedPerAddress: number;
  /** The same, of all addresses together. */
  maxUnauthenticated: number;
  /** For a request's or upgrade's headers to arrive, counted from the start of the connection. */
  headersTimeoutMs: number;
  /** From the upgrade to the client's acceptance. */
  handshakeTimeoutMs: number;

  /** Connections that one client may hold. */
  maxConnectionsPerClient: number;
  /** Connections of all clients together. */
  maxConnections: number;
  /** Between pings; a peer from which nothing came for two of them is cut off. */
  pingIntervalMs: number;
  /** Without a request; the connection is then closed normally. */
  idleTimeoutMs: number;
  /** What may wait to be sent to a client that does not read, before it is cut off. */
  maxBufferedBytes: number;

  /** Requests of one connection that wait or run; one more is answered `bridge-busy`. */
  maxRequestsPerConnection: number;
  /** The same, of all connections together. */
  maxRequests: number;
  /** Bytes of all requests that wait or run; a request that would pass it is answered `bridge-busy`. */
  maxRequestsBytes: number;
  /** Messages handed to one key's signer at a time; a batch of more goes alone. */
  maxRunningPerKey: number;
  /** From a request's arrival to its answer. */
  requestTimeoutMs: number;
  /** Refused requests of one connection within a minute, before it is cut off: each costs the request log a line. */
  maxRefusalsPerMinute: number;

  /** Pairing links that are open at a time. */
  maxPairingLinks: number;
  /** For running requests to finish when the bridge closes. */
  closeTimeoutMs: number;
}

export const DEFAULT_LIMITS: Readonly<BridgeLimits> = {
  maxRequestBytes: DEFAULT_MAX_MESSAGE_BYTES,
  maxUnauthenticatedPerAddress: 64,
  maxUnauthenticated: 1024,
  headersTimeoutMs: 5_000,
  handshakeTimeoutMs: 10_000,
  maxConnectionsPerClient: 64,
  maxConnections: 1024,
  pingIntervalMs: 30_000,
  idleTimeoutMs: 12 * 3_600_000,
  maxBufferedBytes: 4 * 1024 * 1024,
  maxRequestsPerConnection: 256,
  maxRequests: 4096,
  maxRequestsBytes: 64 * 1024 * 1024,
  maxRunningPerKey: 64,
  requestTimeoutMs: 30_000,
  maxRefusalsPerMinute: 600,
  maxPairingLinks: 64,
  closeTimeoutMs: 5_000,
};

/** The defaults with `overrides`. A `RangeError` for an unknown name or anything but a positive integer. */
export function bridgeLimits(overrides: Partial<BridgeLimits> = {}): BridgeLimits {
  for (const [name, value] of Object.entries(overrides)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) throw new RangeError(`unknown limit: ${name}`);
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`limit ${name} must be a positive integer`);
  }
  return { ...DEFAULT_LIMITS, ...overrides };
}
