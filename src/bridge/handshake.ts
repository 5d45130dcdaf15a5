// The bridge's side of the handshake (docs/PROTOCOL.md §2), up to the decision who is there.
//
// Invariant: whatever is wrong with a client or its link, the handshake is computed to its end first, and the peer sees
// close code 1008 without a reason. Message 1 that cannot be processed is 1002, whatever the cause. Only the log differs.

import {
  type AuthorizedClient,
  clientFingerprint,
  coversAddress,
  coversOrigin,
  formatLine,
  isExpired,
  parseLine,
} from '../protocol/authorized-clients.js';
import type { DhKeyPair } from '../protocol/dh.js';
import { decodePairingPayload } from '../protocol/messages.js';
import { Handshake, type Transport } from '../protocol/noise.js';
import { PAIRING_ID_LENGTH } from '../protocol/pairing.js';
import { handshakeOf, PAIRING_SUBPROTOCOL } from '../protocol/subprotocols.js';
import type { ClientStore } from './client-store.js';
import type { FrameSocket } from './frame-socket.js';
import type { Peer } from './http-server.js';
import type { BridgeLog } from './log.js';
import type { PairingLinks } from './pairing-links.js';

export interface HandshakeContext {
  readonly identity: DhKeyPair;
  readonly clients: ClientStore;
  readonly links: PairingLinks;
  readonly log: BridgeLog;
}

export interface AcceptedClient {
  readonly client: AuthorizedClient;
  readonly transport: Transport;
}

/** Why a peer is turned away: the code that it sees, and the cause for the log. */
class Rejection extends Error {
  readonly closeCode: 1002 | 1008;
  readonly fields: object;

  constructor(closeCode: 1002 | 1008, cause: string, fields: object = {}) {
    super(cause);
    this.closeCode = closeCode;
    this.fields = fields;
  }
}

/** The client at the other end, or `undefined` where the socket has been closed, by us or by it. */
export async function acceptClient(
  socket: FrameSocket,
  peer: Peer,
  context: HandshakeContext,
): Promise<AcceptedClient | undefined> {
  const handshake = new Handshake({
    ...handshakeOf(peer.subprotocol),
    role: 'responder',
    staticKeys: context.identity,
  });
  try {
    return await runHandshake(handshake, socket, peer, context);
  } catch (error) {
    if (!socket.open) return undefined;
    const { address, origin, subprotocol } = peer;
    const from = { address, origin, subprotocol };
    if (error instanceof Rejection) {
      context.log.warn({ ...from, ...error.fields, cause: error.message }, 'client not accepted');
      socket.close(error.closeCode, error.message);
    } else {
      context.log.error({ ...from, err: error }, 'handshake failed inside the bridge');
      socket.close(1008, 'handshake failed inside the bridge');
    }
    return undefined;
  } finally {
    handshake.destroy();
  }
}

async function runHandshake(
  handshake: Handshake,
  socket: FrameSocket,
  peer: Peer,
  context: HandshakeContext,
): Promise<AcceptedClient | undefined> {
  const isPairing = peer.subprotocol === PAIRING_SUBPROTOCOL;

  const message1 = await socket.next();
  if (message1 === undefined) return undefined;
  const payload1 = await handshake.readMessage(message1).catch(reject(1002, 'message 1 cannot be processed'));
  if (payload1.length !== (isPairing ? PAIRING_ID_LENGTH : 0)) {
    throw new Rejection(1002, 'message 1 has a payload of the wrong length');
  }

  socket.send(await handshake.writeMessage());

  const message3 = await socket.next();
  if (message3 === undefined) return undefined;
  if (isPairing) handshake.setPsk(context.links.pskFor(payload1));
  const cause3 = isPairing
    ? 'message 3 does not authenticate: unknown, used or expired link, or wrong secret'
    : 'message 3 does not authenticate';
  const payload3 = await handshake.readMessage(message3).catch(reject(1008, cause3));
  const { remoteStatic } = handshake;
  const client = isPairing
    ? await pairClient(payload1, payload3, remoteStatic, peer, context)
    : knownClient(payload3, remoteStatic, peer, context);
  return { client, transport: handshake.split() };
}

function reject(closeCode: 1002 | 1008, cause: string) {
  return (): never => {
    throw new Rejection(closeCode, cause);
  };
}

function knownClient(
  payload3: Uint8Array,
  publicKey: Uint8Array,
  peer: Peer,
  { clients }: HandshakeContext,
): AuthorizedClient {
  const fingerprint = clientFingerprint(publicKey);
  if (payload3.length > 0) throw new Rejection(1008, 'message 3 has a payload', { fingerprint });
  const client = clients.find(publicKey);
  if (!client) throw new Rejection(1008, 'no valid line has this key', { fingerprint });
  checkClient(client, peer);
  return client;
}

/** Uses the link up and writes the client's line, which is on disk when this resolves. */
async function pairClient(
  linkId: Uint8Array,
  payload3: Uint8Array,
  publicKey: Uint8Array,
  peer: Peer,
  { clients, links, log }: HandshakeContext,
): Promise<AuthorizedClient> {
  const fingerprint = clientFingerprint(publicKey);
  const proposedName = proposedNameIn(payload3);
  if (proposedName === undefined) throw new Rejection(1008, 'message 3 has no valid name', { fingerprint });
  const link = links.take(linkId);
  if (!link) throw new Rejection(1008, 'the link was used or expired meanwhile', { fingerprint });
  try {
    // Before the line is written: a client that may not come from here must not use the link up.
    checkClient(parseLine(formatLine(link.grant, publicKey, 'new')).client!, peer);
    const client = await clients.add(link.grant, publicKey, link.name ?? proposedName);
    log.info({ client: client.name, fingerprint }, 'client paired');
    link.psk.fill(0);
    return client;
  } catch (error) {
    links.putBack(linkId, link);
    if (error instanceof Rejection) throw error;
    throw new Rejection(1008, 'the client could not be written down', { fingerprint, err: error });
  }
}

function proposedNameIn(payload3: Uint8Array): string | undefined {
  try {
    return decodePairingPayload(payload3).name;
  } catch {
    return undefined;
  }
}

function checkClient(client: AuthorizedClient, peer: Peer): void {
  const fields = { client: client.name, fingerprint: clientFingerprint(client.publicKey) };
  if (isExpired(client, Date.now())) throw new Rejection(1008, 'the line has expired', fields);
  if (!coversAddress(client, peer.address))
    throw new Rejection(1008, 'from= does not cover the address', fields);
  if (!coversOrigin(client, peer.origin))
    throw new Rejection(1008, 'origins= does not cover the origin', fields);
}
