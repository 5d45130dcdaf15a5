// createBridge: opens the parts in an order in which whatever fails undoes what was done before it, and closes them in
// the reverse order, when requests that run have had their time.

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebSocket } from 'ws';
import { toBase64Url } from '../bytes.js';
import { ConfigError, SignerError } from '../errors.js';
import { isExpired } from '../protocol/authorized-clients.js';
import type { DhKeyPair } from '../protocol/dh.js';
import { formatPairingLink } from '../protocol/pairing.js';
import { version } from '../version.js';
import type { Bridge, BridgeOptions, BridgeStatus, ClientStatus } from './bridge-types.js';
import { describeClient } from './client-status.js';
import { ClientStore } from './client-store.js';
import { Connections } from './connections.js';
import { openControlSocket } from './control-socket.js';
import { grantOf, type PairOptions } from './grant.js';
import { type HttpContext, newHttpServer, type Peer } from './http-server.js';
import { formatHost, type ListenAddress, listenOn } from './listen-address.js';
import { PairingLinks } from './pairing-links.js';
import { RateLimits } from './rate-limits.js';
import { RequestLog } from './request-log.js';
import { RequestQueue } from './request-queue.js';
import { serveSocket } from './serve-socket.js';
import { readSettings, type Settings } from './settings.js';
import { type Site, siteOf } from './site.js';
import { loadIdentity, openStateDir } from './state-dir.js';
import { UnauthenticatedSockets } from './unauthenticated-sockets.js';

const LINK_VALIDITY_MS = 10 * 60_000;
const ABORT_GRACE_MS = 1_000;

/**
 * Starts a bridge. Rejects with `ConfigError` where an option, the state directory, an address or a certificate cannot be
 * used, `TypeError` or `RangeError` for options of the wrong kind, and with a signer's own error where a key's public half
 * cannot be read. Whatever was opened until then is closed again; the signers are the caller's.
 */
export async function createBridge(options: BridgeOptions): Promise<Bridge> {
  const settings = await readSettings(options);
  const closers: Closer[] = [];
  try {
    const parts = await openParts(settings, closers);
    const bridge = new RunningBridge(settings, parts, closers);
    await bridge.start();
    return bridge;
  } catch (error) {
    await runAll(closers).catch(() => {}); // the first error is the one to tell
    throw explainStateError(error, settings.stateDir);
  }
}

type Closer = () => unknown;

/** Last opened, first closed; rejects with the first failure after all have been tried. */
async function runAll(closers: Closer[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

interface Parts {
  readonly identity: DhKeyPair;
  readonly clients: ClientStore;
  readonly connections: Connections;
  readonly links: PairingLinks;
  readonly queue: RequestQueue;
  readonly rates: RateLimits;
  readonly requestLog: RequestLog;
  readonly sockets: UnauthenticatedSockets;
  readonly controlSocketPath: string;
}

async function openParts({ stateDir, limits, log }: Settings, closers: Closer[]): Promise<Parts> {
  const state = await openStateDir(stateDir);
  closers.push(() => state.lock.release());
  const identity = await loadIdentity(state);
  closers.push(() => identity.destroy?.());
  const requestLog = await RequestLog.open(state.requestLog);
  closers.push(() => requestLog.close());
  const connections = new Connections(limits);
  closers.push(() => connections.closeAll(1001, 'the bridge closes'));
  const clients: ClientStore = await ClientStore.open(state.clients, log, () =>
    connections.recheck((publicKey) => clients.find(publicKey)),
  );
  closers.push(() => clients.close());
  return {
    identity,
    clients,
    connections,
    links: new PairingLinks(limits.maxPairingLinks),
    queue: new RequestQueue(limits),
    rates: new RateLimits(),
    requestLog,
    sockets: new UnauthenticatedSockets(limits.maxUnauthenticatedPerAddress, limits.maxUnauthenticated),
    controlSocketPath: state.controlSocket,
  };
}

/** The operating system's refusals, said of the state directory; everything else as it is. */
function explainStateError(cause: unknown, stateDir: string): unknown {
  const { code, syscall, path } = cause as NodeJS.ErrnoException;
  if (syscall === undefined) return cause;
  const message = `cannot use ${path ?? stateDir} (${code}); see that this user owns the state directory and what is in it`;
  return new ConfigError('stateDir', message, { cause });
}

class RunningBridge implements Bridge {
  readonly publicKey: string;
  readonly #settings: Settings;
  readonly #parts: Parts;
  readonly #closers: Closer[];
  readonly #serving = new Set<Promise<void>>();
  readonly #servers: Server[] = [];
  readonly #listening: string[] = [];
  readonly #startedAt = new Date();
  #site: Site | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: Settings, parts: Parts, closers: Closer[]) {
    this.publicKey = toBase64Url(parts.identity.publicKey);
    this.#settings = settings;
    this.#parts = parts;
    this.#closers = closers;
  }

  get url(): string {
    return this.#site!.url;
  }

  get origin(): string {
    return this.#site!.origin;
  }

  async start(): Promise<void> {
    const { listen, log, siteOptions } = this.#settings;
    const bound: ListenAddress[] = [];
    this.#closers.push(() => Promise.all(this.#servers.map(closeServer)));
    for (const address of listen) {
      const { servers, port } = await listenOn(address, () => newHttpServer(this.#httpContext()));
      this.#servers.push(...(servers as Server[]));
      this.#listening.push(...servers.map(addressOf));
      bound.push({ host: address.host, port });
    }
    this.#site = siteOf(siteOptions(bound));
    const control = await openControlSocket(this.#parts.controlSocketPath, this, log);
    this.#closers.push(() => control.close());
    log.info(
      { url: this.url, publicKey: this.publicKey, keys: [...this.#settings.keys.keys()] },
      'bridge started',
    );
  }

  async pair(options: PairOptions = {}): Promise<string> {
    this.#checkOpen();
    const grant = grantOf(options);
    const secret = this.#parts.links.create(grant, options.name, options.expiresInMs ?? LINK_VALIDITY_MS);
    this.#settings.log.info({ name: options.name, grant }, 'pairing link opened');
    return formatPairingLink({ origin: this.origin, bridgeKey: this.#parts.identity.publicKey, secret });
  }

  async clients(): Promise<ClientStatus[]> {
    const { clients, connections } = this.#parts;
    return clients.lines.map((line) => describeClient(line, connections));
  }

  async revoke(name: string): Promise<boolean> {
    this.#checkOpen();
    const removed = await this.#parts.clients.remove(name);
    if (removed) this.#settings.log.info({ client: name }, 'client revoked');
    return removed;
  }

  status(): BridgeStatus {
    const { keys, files } = this.#settings;
    const { clients, connections } = this.#parts;
    const problem = this.#problem();
    const now = Date.now();
    return {
      version,
      url: this.url,
      origin: this.origin,
      listening: [...this.#listening],
      ...(files.has('/') && { console: `${this.#site!.consoleOrigin}/` }),
      publicKey: this.publicKey,
      pid: process.pid,
      startedAt: this.#startedAt.toISOString(),
      keys: [...keys.values()].map(({ name, algorithm, signer }) => ({
        name,
        algorithm,
        signerType: signer.signerInfo().signerType,
      })),
      authorizedClients: clients.lines.filter(({ client }) => client && !isExpired(client, now)).length,
      connections: connections.size,
      openLinks: this.#parts.links.size,
      ...(problem !== undefined && { problem }),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { limits, log } = this.#settings;
    const { queue, links, connections, sockets } = this.#parts;
    for (const server of this.#servers) server.close();
    queue.close();
    links.clear();
    await settledWithin(queue.idle(), limits.closeTimeoutMs);
    queue.abortAll();
    await settledWithin(queue.idle(), ABORT_GRACE_MS);
    connections.closeAll(1001, 'the bridge closes');
    sockets.destroyAll();
    await Promise.all(this.#serving);
    await runAll(this.#closers);
    log.info({}, 'bridge closed');
  }

  #checkOpen(): void {
    if (this.#closing) throw new SignerError('bridge-unreachable', 'this bridge is closed; start it again');
  }

  #problem(): string | undefined {
    if (this.#closing) return 'the bridge is shutting down';
    return this.#parts.requestLog.failure === undefined ? undefined : 'the request log cannot be written';
  }

  #httpContext(): HttpContext {
    const { limits, log, tls, files } = this.#settings;
    return {
      limits,
      log,
      tls,
      files,
      sockets: this.#parts.sockets,
      site: () => this.#site,
      notReady: () => this.#problem(),
      accept: (webSocket, peer) => this.#accept(webSocket, peer),
    };
  }

  #accept(webSocket: WebSocket, peer: Peer): void {
    if (this.#closing) {
      webSocket.terminate();
      return;
    }
    const { limits, log, keys } = this.#settings;
    const served = serveSocket(webSocket, peer, { ...this.#parts, version, limits, log, keys }).finally(() =>
      this.#serving.delete(served),
    );
    this.#serving.add(served);
  }
}

function addressOf(server: { address(): unknown }): string {
  const { address, port } = server.address() as AddressInfo;
  return formatHost(address, port);
}

// Stops listening at once; resolves when the last socket is gone.
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
