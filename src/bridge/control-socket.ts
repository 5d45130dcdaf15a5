// The control socket: HTTP with JSON over a Unix socket in the state directory, which only the directory's owner can
// reach. It is how `erst-hsm pair` and `erst-hsm clients` talk to a bridge that runs.
//
//   POST /pair            options of pair() → { link }
//   GET /clients          → { clients }
//   DELETE /clients/:name → 204, or 404
//   GET /status           → BridgeStatus

import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { ConfigError, SignerError } from '../errors.js';
import type { BridgeStatus, ClientStatus } from './bridge-types.js';
import type { PairOptions } from './grant.js';
import type { BridgeLog } from './log.js';

/** What the socket gives access to. */
export interface Controlled {
  pair(options: PairOptions): Promise<string>;
  clients(): Promise<ClientStatus[]>;
  revoke(name: string): Promise<boolean>;
  status(): BridgeStatus;
}

export interface ControlSocket {
  close(): Promise<void>;
}

/** sun_path of unix(7) without its closing zero; macOS has 104 bytes for it. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;
const MAX_BODY_BYTES = 65_536;
const BODY_TIMEOUT_MS = 5_000;

/** `ConfigError` where the operating system has no room for the path. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_SOCKET_PATH_BYTES) return;
  throw new ConfigError(
    'stateDir',
    `the control socket's path ${path} is ${bytes} bytes, and this system allows ${MAX_SOCKET_PATH_BYTES}; choose a state directory with a shorter path`,
  );
}

/** Listens at `path`. The caller holds the state directory's lock, so a socket that is there is a dead bridge's. */
export async function openControlSocket(
  path: string,
  bridge: Controlled,
  log: BridgeLog,
): Promise<ControlSocket> {
  checkSocketPath(path);
  await rm(path, { force: true });
  const server = createServer(
    { requestTimeout: BODY_TIMEOUT_MS, headersTimeout: BODY_TIMEOUT_MS },
    (request, response) => {
      void answer(request, response, bridge, log);
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return {
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve()); // removes the socket file, too
        server.closeAllConnections();
      });
    },
  };
}

type Answer = readonly [status: number, body?: object];

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  bridge: Controlled,
  log: BridgeLog,
) {
  const [status, body] = await route(request, bridge).catch((error) => describeError(error, log));
  const bytes = Buffer.from(body === undefined ? '' : JSON.stringify(body));
  const headers = { 'Content-Type': 'application/json', 'Content-Length': bytes.length };
  response.writeHead(status, status === 204 ? {} : headers).end(bytes);
}

async function route(request: IncomingMessage, bridge: Controlled): Promise<Answer> {
  const { method, url = '' } = request;
  const name = /^\/clients\/([^/?]+)$/.exec(url)?.[1];
  if (method === 'POST' && url === '/pair') {
    return [200, { link: await bridge.pair((await readJson(request)) as PairOptions) }];
  }
  if (method === 'GET' && url === '/clients') return [200, { clients: await bridge.clients() }];
  if (method === 'GET' && url === '/status') return [200, bridge.status()];
  if (method === 'DELETE' && name !== undefined) {
    const removed = await bridge.revoke(decodeURIComponent(name));
    return removed ? [204] : failed(404, 'not-found', 'no client has this name');
  }
  return failed(404, 'not-found', `there is no ${method} ${url} on the control socket`);
}

const failed = (status: number, code: string, message: string): Answer => [
  status,
  { error: { code, message } },
];

async function readJson(request: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new RangeError(`a control request has at most ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString() || '{}');
  } catch {
    throw new TypeError('the body of a control request must be JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError('the body of a control request must be a JSON object');
  }
  return value;
}

function describeError(error: unknown, log: BridgeLog): Answer {
  if (error instanceof SignerError)
    return failed(error.code === 'bridge-busy' ? 503 : 400, error.code, error.message);
  if (error instanceof TypeError || error instanceof RangeError || error instanceof URIError) {
    return failed(400, 'invalid-request', error.message);
  }
  log.error({ err: error }, 'control request failed');
  return failed(500, 'bridge-error', 'the bridge failed; its log has the cause');
}
