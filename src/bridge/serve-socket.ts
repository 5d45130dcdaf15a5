// One WebSocket from its upgrade to its end: handshake, a last look at the client's line, requests.

import type { WebSocket } from 'ws';

import type { AuthorizedClient } from '../protocol/authorized-clients.js';
import { Connection } from './connection.js';
import { type Connections, saysTheSame } from './connections.js';
import { FrameSocket } from './frame-socket.js';
import { type AcceptedClient, acceptClient, type HandshakeContext } from './handshake.js';
import type { Peer } from './http-server.js';
import type { BridgeLimits } from './limits.js';
import { handleRequest, type RequestContext } from './requests.js';
import { keysOf } from './served-keys.js';
import type { UnauthenticatedSockets } from './unauthenticated-sockets.js';

export interface SocketContext extends HandshakeContext, RequestContext {
  readonly version: string;
  readonly limits: BridgeLimits;
  readonly connections: Connections;
  readonly sockets: UnauthenticatedSockets;
}

/** Resolves when the socket has ended. Never rejects. */
export async function serveSocket(webSocket: WebSocket, peer: Peer, context: SocketContext): Promise<void> {
  const { limits, log } = context;
  const socket = new FrameSocket(webSocket, limits);
  const tooLate = () => socket.close(1008, 'the handshake was not done in time');
  const deadline = setTimeout(tooLate, limits.handshakeTimeoutMs);
  const accepted = await acceptClient(socket, peer, context);
  clearTimeout(deadline);
  if (accepted) await serveClient(socket, peer, accepted, context);
  await socket.closed;
  log.debug({ address: peer.address, cause: socket.closeReason }, 'socket ended');
}

async function serveClient(
  socket: FrameSocket,
  peer: Peer,
  { client, transport }: AcceptedClient,
  context: SocketContext,
): Promise<void> {
  const { limits, log, connections, keys, version } = context;
  const connection = new Connection(socket, client, transport, limits, log);
  const fields = { client: client.name, fingerprint: connection.fingerprint, address: peer.address };
  const problem = hasChanged(client, context)
    ? "the client's line has just changed"
    : connections.add(connection);
  if (problem !== undefined) {
    log.warn({ ...fields, cause: problem }, 'client not accepted');
    socket.close(1008, problem);
    transport.destroy();
    return;
  }
  context.sockets.accept({ remoteAddress: peer.address, remotePort: peer.port });
  log.info({ ...fields, origin: peer.origin }, 'client connected');
  const { maxRequestBytes } = limits;
  const welcome = { client: client.name, version, maxRequestBytes, keys: keysOf(client, keys) };
  await connection.serve(welcome, (message) => handleRequest(message, connection, context));
  connections.delete(connection);
}

// The file may have been read again since the handshake looked the client up.
function hasChanged(client: AuthorizedClient, { clients }: SocketContext): boolean {
  const current = clients.find(client.publicKey);
  return current === undefined || !saysTheSame(current, client);
}
