// The remote signer in Node: WebSockets by `ws`, an identity that is a string. TLS certificates are verified by Node and
// the system's settings (NODE_EXTRA_CA_CERTS); there is no switch to leave that out.

import type { ClientRequest, IncomingMessage } from 'node:http';
import WebSocket from 'ws';
import { fromBase64Url, toBase64Url } from '../../bytes.js';
import { ConfigError, RemoteError } from '../../errors.js';
import { DH_LENGTH, x25519KeyPair } from '../../protocol/dh.js';
import { MAX_NOISE_MESSAGE_BYTES } from '../../protocol/noise.js';
import { hostAndPort } from './bridge-url.js';
import { deferred } from './deferred.js';
import type { RemotePlatform, RemoteSocket } from './platform.js';

/** In Node an identity is the X25519 secret key: 32 bytes, base64url. Secret. */
export type NodeIdentity = string;

const SOCKET_OPTIONS: WebSocket.ClientOptions & { closeTimeout: number } = {
  perMessageDeflate: false,
  maxPayload: MAX_NOISE_MESSAGE_BYTES,
  followRedirects: false,
  closeTimeout: 2_000, // for the bridge to answer a close, before the connection is cut
};

export const nodePlatform: RemotePlatform<NodeIdentity> = {
  openSocket,

  async generateIdentity() {
    const secret = crypto.getRandomValues(new Uint8Array(DH_LENGTH));
    try {
      return toBase64Url(secret);
    } finally {
      secret.fill(0);
    }
  },

  async keyPair(identity) {
    const secret = readIdentity(identity);
    try {
      return x25519KeyPair(secret);
    } finally {
      secret.fill(0);
    }
  },
};

function readIdentity(identity: unknown): Uint8Array {
  try {
    const secret = fromBase64Url(identity as string);
    if (secret.length === DH_LENGTH) return secret;
  } catch {
    // the error below says it, and nothing of the secret
  }
  throw new ConfigError(
    'identity',
    'identity must be the 43 characters of base64url that pairing gave (RemoteSigner.pair, or `erst-hsm connect`)',
  );
}

async function openSocket(
  url: string,
  subprotocol: string,
  { signal }: { signal: AbortSignal },
): Promise<RemoteSocket> {
  signal.throwIfAborted();
  const socket = new WebSocket(url, subprotocol, SOCKET_OPTIONS);
  socket.binaryType = 'arraybuffer';
  const opened = deferred<void>();
  const onAbort = () => opened.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  socket.on('open', opened.resolve);
  // Stays for good: ws reports later failures here as well, each followed by `close`, which is what counts then.
  socket.on('error', (error) => opened.reject(connectionError(url, error)));
  socket.on('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
    opened.reject(refusal(url, response));
    request.destroy();
  });
  try {
    await opened.promise;
    return socket as unknown as RemoteSocket;
  } catch (error) {
    socket.terminate();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Why there is no connection, by the code of Node's error; without one, ws did not like the answer. */
function connectionError(url: string, cause: Error & { code?: string }): RemoteError {
  const where = hostAndPort(url);
  const { code } = cause;
  if (code === undefined) {
    return new RemoteError(
      'bridge-not-recognized',
      `What answers at ${where} is no bridge of this protocol version. Check host and port; if they are right, update erst-hsm on both sides.`,
      { cause },
    );
  }
  return new RemoteError('bridge-unreachable', `No bridge at ${where} (${code}): ${adviceFor(code, url)}`, {
    cause,
  });
}

function adviceFor(code: string, url: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there. Start the bridge (`erst-hsm bridge`), or check the port.';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name is not known. Check its spelling and the network.';
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'the host does not answer. Check the network and firewalls between here and there.';
    case 'ECONNRESET':
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return url.startsWith('wss:')
        ? 'it does not seem to speak TLS there. Check the port, or whether the address should begin with ws://.'
        : 'it broke off. Check the port, or whether the address should begin with wss://.';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its certificate is for another host name. Use the name in the certificate.';
    default:
      return /CERT|SELF_SIGNED|UNABLE_TO/.test(code)
        ? 'its TLS certificate is not trusted. If it is your own, start Node with NODE_EXTRA_CA_CERTS=/path/to/ca.pem.'
        : 'check host, port and network.';
  }
}

/** What the statuses mean that a bridge refuses an upgrade with (docs/PROTOCOL.md §1). */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'it did not take this for a WebSocket upgrade; a proxy between here and there may have changed it.',
  403: 'it does not accept connections from this origin; add it to the origins of the bridge.',
  404: 'it has no WebSocket at this path; check the address, and what a proxy does to paths.',
  421: 'it does not go by this host name; start it with --public-origin, or use the name that it prints.',
  426: 'it does not speak this version of the protocol; update erst-hsm on both sides.',
  429: 'it has too many connections that are not authenticated yet; try again in a few seconds.',
};

function refusal(url: string, { statusCode = 0, statusMessage }: IncomingMessage): RemoteError {
  const meaning =
    REFUSALS[statusCode] ??
    (statusCode >= 500
      ? 'the server, or a proxy before it, cannot reach the bridge now.'
      : 'this may not be a bridge; check host and port.');
  const status = `${statusCode} ${(statusMessage ?? '').replace(/[^\x20-\x7e]/g, '')}`.trim();
  return new RemoteError(
    'bridge-unreachable',
    `${hostAndPort(url)} refused the connection with HTTP ${status}: ${meaning}`,
  );
}
