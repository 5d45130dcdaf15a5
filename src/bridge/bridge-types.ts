// What users of the bridge see of it: options, the running bridge, and its clients.

import type { Signer } from '../signers/types.js';
import type { PairOptions } from './grant.js';
import type { BridgeLimits } from './limits.js';
import type { BridgeLog } from './log.js';
import type { TlsFiles } from './tls.js';

export interface BridgeOptions {
  /**
   * `host:port`, one or several; the first is the one that links name. Default `localhost:27183`, which is 127.0.0.1 and
   * ::1. Port 0 lets the system choose.
   */
  listen?: string | readonly string[];
  /** Directory for the bridge's identity, clients, request log and control socket; made, with mode 0700, where missing. */
  stateDir: string;
  /** The keys to serve, by name. They stay the caller's: `close()` does not close them. */
  keys: Readonly<Record<string, Signer>>;
  /** Origins of pages elsewhere that may open a connection. */
  origins?: readonly string[];
  /** The origin that clients see where a proxy is in front. */
  publicOrigin?: string;
  tls?: TlsFiles;
  /** Permits `ws` without TLS on addresses that are not loopback. */
  allowPlainWs?: boolean;
  /** Directory of the console's files; `false` serves none. Default: `console` beside the built bridge, if it is there. */
  consoleDir?: string | false;
  limits?: Partial<BridgeLimits>;
  /** Default: silent. pino's loggers fit. */
  log?: BridgeLog;
}

/** One line of the authorized-clients file, and who is connected by it. */
export interface ClientStatus {
  /** Absent where the line could not be read that far. */
  name?: string;
  fingerprint?: string;
  lineNumber: number;
  /** Why the line is invalid and its client gets nothing. */
  problem?: string;
  keys?: string[];
  ops?: string[];
  /** ISO 8601. */
  expires?: string;
  expired: boolean;
  connections: number;
}

export interface BridgeStatus {
  version: string;
  url: string;
  origin: string;
  /** `host:port` of every address that it listens on. */
  listening: string[];
  /** The console's address; absent where none is served. */
  console?: string;
  publicKey: string;
  pid: number;
  startedAt: string;
  keys: { name: string; algorithm: string; signerType: string }[];
  /** Lines that are valid and have not expired. */
  authorizedClients: number;
  connections: number;
  openLinks: number;
  /** Why requests cannot be served at present. */
  problem?: string;
}

export interface Bridge {
  /** `ws(s)://host:port/`. */
  readonly url: string;
  /** `http(s)://host:port`, as links have it. */
  readonly origin: string;
  /** base64url of the 32-byte X25519 key that clients pin. */
  readonly publicKey: string;
  /**
   * Opens a pairing link: `http(s)://host:port/#pair=…`, for one client, valid for minutes. `TypeError` or `RangeError`
   * for options that no line can hold, `SignerError` bridge-busy where too many links are open.
   */
  pair(options?: PairOptions): Promise<string>;
  clients(): Promise<ClientStatus[]>;
  /** Removes the client's line, durably, and cuts its connections off. `false` where no line has this name. */
  revoke(name: string): Promise<boolean>;
  status(): BridgeStatus;
  /** Stops accepting, lets running requests finish, closes connections with 1001. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
