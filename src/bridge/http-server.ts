// The bridge's HTTP side: console files, health, and the door to the WebSocket. Nothing here knows of keys or clients.

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

import type { Subprotocol } from '../protocol/subprotocols.js';
import { type BridgeLimits, MAX_BUFFERED_CHUNKS, MAX_FRAGMENTS, MAX_FRAME_BYTES } from './limits.js';
import type { BridgeLog } from './log.js';
import type { Site } from './site.js';
import { type Page, pageHeaders, type StaticFiles, staticPage } from './static-files.js';
import type { TlsCredentials } from './tls.js';
import type { UnauthenticatedSockets } from './unauthenticated-sockets.js';
import { isAddressedTo, type Refusal, refuseUpgrade, subprotocolOf } from './upgrade-checks.js';

/** Where a WebSocket came from. */
export interface Peer {
  readonly address: string;
  readonly port: number;
  readonly origin: string | undefined;
  readonly subprotocol: Subprotocol;
}

export interface HttpContext {
  readonly limits: BridgeLimits;
  readonly log: BridgeLog;
  readonly tls: TlsCredentials | undefined;
  readonly files: StaticFiles;
  readonly sockets: UnauthenticatedSockets;
  /** Known once the bridge listens on all its addresses. */
  site(): Site | undefined;
  /** Why requests cannot be served at present; `undefined` when they can. */
  notReady(): string | undefined;
  accept(socket: WebSocket, peer: Peer): void;
}

const MAX_HEADER_BYTES = 8_192;
/** For a peer that does not read a page; WebSockets have their own deadlines. */
const IDLE_HTTP_MS = 30_000;
const REFUSAL_LINGER_MS = 1_000;

/** A server that is not listening yet. */
export function newHttpServer(context: HttpContext): Server {
  const { limits, tls } = context;
  const options: ServerOptions = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.headersTimeoutMs,
    keepAliveTimeout: limits.headersTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
    requireHostHeader: true,
    joinDuplicateHeaders: false,
  };
  const answer: RequestListener = (request, response) => answerRequest(context, request, response);
  const server = tls
    ? createTlsServer(
        { ...options, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: limits.headersTimeoutMs },
        answer,
      )
    : createServer(options, answer);
  server.maxRequestsPerSocket = 1_000;
  server.timeout = IDLE_HTTP_MS;
  server.on('connection', (socket: Socket) => context.sockets.add(socket));
  server.on('clientError', refuseMalformed);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
    answerRequest(context, request, response),
  );
  const webSockets = newWebSocketServer();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    answerUpgrade(context, webSockets, request, socket, head);
  });
  return server;
}

function newWebSocketServer(): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_BUFFERED_CHUNKS,
  });
}

function answerUpgrade(
  context: HttpContext,
  webSockets: WebSocketServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  // `socket` is another object where the request has a body (Node 26).
  const { remoteAddress: address, remotePort: port } = request.socket;
  const { origin } = request.headers;
  const site = context.site();
  socket.on('error', () => socket.destroy());
  if (!site || address === undefined || port === undefined) {
    request.socket.destroy();
    return;
  }
  const refusal = refuseUpgrade(request, head, site);
  if (refusal) {
    context.log.info({ address, origin, status: refusal.status, reason: refusal.reason }, 'upgrade refused');
    socket.once('close', () => request.socket.destroy());
    refuse(socket, refusal);
    return;
  }
  // The peer owes nothing more until our answer: what ws refuses in its own checks is destroyed the same way.
  const deadline = setTimeout(() => socket.destroy(), context.limits.headersTimeoutMs).unref();
  socket.once('close', () => clearTimeout(deadline));
  webSockets.handleUpgrade(request, socket, head, (webSocket) => {
    clearTimeout(deadline);
    context.accept(webSocket, { address, port, origin, subprotocol: subprotocolOf(request)! });
  });
}

function refuse(socket: Duplex, { status, reason }: Refusal): void {
  const extra =
    status === 426 ? 'Upgrade: websocket\r\nConnection: Upgrade, close\r\n' : 'Connection: close\r\n';
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${extra}Content-Type: text/plain\r\n`;
  endSocket(socket, `${head}Content-Length: ${reason.length + 1}\r\n\r\n${reason}\n`);
}

/** Sends a last text and destroys the socket, even where the peer does not read. */
function endSocket(socket: Duplex, text: string): void {
  const destroy = () => socket.destroy();
  setTimeout(destroy, REFUSAL_LINGER_MS).unref();
  socket.end(text, destroy);
}

function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  endSocket(
    socket,
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}

function answerRequest(context: HttpContext, request: IncomingMessage, response: ServerResponse): void {
  const site = context.site();
  if (!site) {
    request.destroy();
    return;
  }
  const { status, headers, body = '' } = pageFor(request, site, context);
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, {
    ...pageHeaders(site),
    'Cache-Control': 'no-store',
    'Content-Type': 'text/plain; charset=utf-8',
    // What is refused may still have a body on its way, which nobody will read.
    ...(status >= 400 && { Connection: 'close' }),
    ...(status !== 304 && { 'Content-Length': bytes.length }),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function pageFor(request: IncomingMessage, site: Site, context: HttpContext): Page {
  if (!isAddressedTo(request, site)) return text(421, 'this bridge is not known by that Host');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return text(405, 'only GET and HEAD', { Allow: 'GET, HEAD' });
  }
  const path = request.url!.split('?', 1)[0]!;
  switch (path) {
    case '/healthz':
      return text(200, 'ok');
    case '/readyz':
      return readiness(context.notReady());
    case '/hello':
      return hello(request.headers.origin, site);
    default:
      return consolePage(path, request, site, context.files);
  }
}

function consolePage(path: string, request: IncomingMessage, site: Site, files: StaticFiles): Page {
  const { host, 'if-none-match': knownEtag } = request.headers;
  if (site.redirectedHosts.has(host!.toLowerCase())) {
    const target = request.url!.startsWith('/') ? request.url! : '/';
    return text(308, `the console is at ${site.consoleOrigin}/`, { Location: site.consoleOrigin + target });
  }
  const file = files.get(path);
  if (file) return staticPage(file, knownEtag);
  if (path !== '/') return text(404, 'not found');
  return text(426, 'this bridge serves no console; connect with a WebSocket', { Upgrade: 'websocket' });
}

function readiness(problem: string | undefined): Page {
  return problem === undefined ? text(200, 'ready') : text(503, problem);
}

/** Lets a page on an allowed origin ask for the browser's local-network permission before it opens the socket. */
function hello(origin: string | undefined, site: Site): Page {
  if (origin === undefined) return text(200, 'erst-hsm bridge', { Vary: 'Origin' });
  if (!site.origins.has(origin)) return text(403, 'unknown Origin', { Vary: 'Origin' });
  return text(200, 'erst-hsm bridge', {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Cross-Origin-Resource-Policy': 'cross-origin',
  });
}

const text = (status: number, message: string, headers: Page['headers'] = {}): Page => ({
  status,
  headers,
  body: `${message}\n`,
});
