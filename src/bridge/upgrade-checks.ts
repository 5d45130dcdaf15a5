// What a request must be before it may become a WebSocket. Each check has one status; the peer learns no more than that.

import type { IncomingMessage } from 'node:http';

import {
  PAIRING_SUBPROTOCOL,
  PROTOCOL_PATH,
  SUBPROTOCOL,
  type Subprotocol,
} from '../protocol/subprotocols.js';
import { formatHost } from './listen-address.js';
import type { Site } from './site.js';

export interface Refusal {
  readonly status: 400 | 403 | 404 | 405 | 421 | 426;
  readonly reason: string;
}

const SINGLE_HEADERS = [
  'host',
  'origin',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
];

/** Why the upgrade is refused; `undefined` where it may proceed. `head` is what came after the headers. */
export function refuseUpgrade(request: IncomingMessage, head: Uint8Array, site: Site): Refusal | undefined {
  const { method, url, headers, httpVersion } = request;
  if (!isAddressedTo(request, site)) return { status: 421, reason: 'unknown Host' };
  if (method !== 'GET') return { status: 405, reason: 'not a GET' };
  if (url !== PROTOCOL_PATH) return { status: 404, reason: 'unknown path' };
  if (httpVersion !== '1.1') return { status: 400, reason: 'not HTTP/1.1' };
  if (hasBody(request) || head.length > 0) return { status: 400, reason: 'an upgrade has no body' };
  if (SINGLE_HEADERS.some((name) => countHeader(request, name) > 1))
    return { status: 400, reason: 'repeated header' };
  if (headers.origin !== undefined && !site.origins.has(headers.origin))
    return { status: 403, reason: 'unknown Origin' };
  if (headers.upgrade?.toLowerCase() !== 'websocket')
    return { status: 426, reason: 'not a WebSocket upgrade' };
  if (subprotocolOf(request) === undefined)
    return { status: 400, reason: 'exactly one known subprotocol is needed' };
  return undefined;
}

/** The one subprotocol that was offered, if it is known. */
export function subprotocolOf(request: IncomingMessage): Subprotocol | undefined {
  const offered = request.headers['sec-websocket-protocol'];
  return offered === SUBPROTOCOL || offered === PAIRING_SUBPROTOCOL ? offered : undefined;
}

/**
 * Whether Host is a name of the bridge. The IP address that the connection came in on is one: a literal address cannot be
 * rebound.
 */
export function isAddressedTo(request: IncomingMessage, site: Site): boolean {
  const host = request.headers.host?.toLowerCase();
  if (host === undefined || countHeader(request, 'host') !== 1) return false;
  const { localAddress, localPort } = request.socket;
  if (localAddress === undefined || localPort === undefined) return false;
  return site.hosts.has(host) || host === formatHost(localAddress.replace(/^::ffff:/, ''), localPort);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || !['0', undefined].includes(headers['content-length']);
}

function countHeader({ rawHeaders }: IncomingMessage, name: string): number {
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}
