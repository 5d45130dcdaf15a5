// A remote signer's surroundings in a browser: its own WebSocket, and an identity that scripts cannot read where it has one.

import { ConfigError, RemoteError } from '../../errors.js';
import { hostAndPort } from './bridge-url.js';
import {
  type BrowserIdentity,
  browserKeyPair,
  generateBrowserIdentity,
  isBrowserIdentity,
} from './identity.browser.js';
import type { RemotePlatform, RemoteSocket } from './platform.js';

export const browserPlatform: RemotePlatform<BrowserIdentity> = {
  openSocket: openBrowserSocket,
  generateIdentity: generateBrowserIdentity,
  keyPair: async (identity) => {
    if (isBrowserIdentity(identity)) return browserKeyPair(identity);
    throw new ConfigError(
      'identity',
      'identity is not one that pairing gave in this browser: it holds keys, so keep it with CredentialStore, not as JSON',
    );
  },
};

function openBrowserSocket(
  url: string,
  subprotocol: string,
  { signal }: { signal: AbortSignal },
): Promise<RemoteSocket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = newSocket(url, subprotocol);
    const settle = (outcome: () => void) => {
      signal.removeEventListener('abort', onAbort);
      socket.onopen = null;
      socket.onclose = null;
      outcome();
    };
    const onAbort = () => {
      settle(() => reject(signal.reason));
      socket.close();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.onclose = () => settle(() => reject(unreachable(url)));
    socket.onopen = () => {
      if (socket.protocol === subprotocol) return settle(() => resolve(socket));
      settle(() => reject(notABridge(url)));
      socket.close();
    };
  });
}

function newSocket(url: string, subprotocol: string): WebSocket {
  try {
    const socket = new WebSocket(url, subprotocol);
    socket.binaryType = 'arraybuffer';
    return socket;
  } catch (cause) {
    throw new RemoteError(
      'bridge-unreachable',
      `This browser opens no connection to ${hostAndPort(url)} from ${location.origin}: a page loaded over https may need the bridge to have TLS (--tls-cert, --tls-key).`,
      { cause },
    );
  }
}

/** Browsers keep the cause from scripts: a stopped bridge, a refused upgrade and a blocked request look the same. */
function unreachable(url: string): RemoteError {
  return new RemoteError(
    'bridge-unreachable',
    `No connection to the bridge at ${hostAndPort(url)}. Browsers do not tell pages why. Check that the bridge is running there; that it accepts pages from ${location.origin} (its log names an origin that it refused); and that this browser lets the page reach it (site settings, local network access).`,
  );
}

function notABridge(url: string): RemoteError {
  return new RemoteError(
    'bridge-not-recognized',
    `What answers at ${hostAndPort(url)} does not speak this version of the protocol. Check the address, and that both sides have the same version of erst-hsm.`,
  );
}
