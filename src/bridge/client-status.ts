import { fromBase64Url } from '../bytes.js';
import { type ClientLine, clientFingerprint, isExpired } from '../protocol/authorized-clients.js';
import type { ClientStatus } from './bridge-types.js';
import type { Connections } from './connections.js';

/** How a line of the authorized-clients file is shown to the operator. */
export function describeClient(line: ClientLine, connections: Connections): ClientStatus {
  const { lineNumber, name, keyText, client, problem } = line;
  const fingerprint = client ? clientFingerprint(client.publicKey) : fingerprintOf(keyText);
  return {
    ...(name !== undefined && { name }),
    ...(fingerprint !== undefined && { fingerprint }),
    lineNumber,
    ...(problem !== undefined && { problem }),
    ...(client && { keys: [...client.keys], ops: [...client.ops] }),
    ...(client?.expiresAt !== undefined && { expires: new Date(client.expiresAt).toISOString() }),
    expired: client !== undefined && isExpired(client, Date.now()),
    connections: client ? connections.countOf(client.publicKey) : 0,
  };
}

function fingerprintOf(keyText: string | undefined): string | undefined {
  try {
    return keyText === undefined ? undefined : clientFingerprint(fromBase64Url(keyText));
  } catch {
    return undefined;
  }
}
