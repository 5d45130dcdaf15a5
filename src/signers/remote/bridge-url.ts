// The address of a bridge, checked: encrypted by TLS, or on this machine, unless the caller says otherwise.

import { ConfigError } from '../../errors.js';
import { PROTOCOL_PATH } from '../../protocol/subprotocols.js';

/**
 * The canonical form of a bridge's address, `ws(s)://host[:port]/`. `ConfigError` naming `setting` for anything else, and
 * for `ws:` to another machine without `allowPlainWs`.
 */
export function bridgeUrl(
  text: unknown,
  options: { allowPlainWs?: boolean | undefined; setting?: string } = {},
): string {
  const { allowPlainWs = false, setting = 'url' } = options;
  const url = typeof text === 'string' ? parse(text) : undefined;
  if (url === undefined || (url.protocol !== 'ws:' && url.protocol !== 'wss:')) {
    throw new ConfigError(setting, `${setting} must be the bridge's address, like ws://localhost:27183/`);
  }
  const { pathname, search, hash, username, password } = url;
  if (pathname !== PROTOCOL_PATH || search || hash || username || password) {
    throw new ConfigError(
      setting,
      `${setting} must have nothing after host and port: ${url.protocol}//${url.host}/`,
    );
  }
  if (url.protocol === 'ws:' && !allowPlainWs && !isLoopback(url.hostname)) {
    throw new ConfigError(
      setting,
      `${setting} has no TLS, and ${url.host} is not this machine: use wss://, or allowPlainWs if you accept that others can see when you sign (never what)`,
    );
  }
  return `${url.protocol}//${url.host}${PROTOCOL_PATH}`;
}

/** `host:port` of a canonical address, the port always there. */
export function hostAndPort(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'wss:' ? '443' : '80')}`;
}

/** Whether a URL's host is this machine: `localhost` and names under it (RFC 6761 §6.3), 127.0.0.0/8 or ::1. */
export function isLoopback(hostname: string): boolean {
  return /^(?:(?:.+\.)?localhost\.?|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
