// What the bridge is called: the names that requests may address it by (Host), the pages that may open a connection
// (Origin), and the addresses that it gives out. Fixed once it listens. A name that is not on the list is refused,
// which is what stops DNS rebinding: an attacker's page can make Origin and Host agree, but on a name of its own.

import { ConfigError } from '../errors.js';
import { isWebOrigin } from '../protocol/authorized-clients.js';
import { webSocketUrl } from '../protocol/pairing.js';
import { formatHost, isLoopback, isWildcard, type ListenAddress } from './listen-address.js';

export interface Site {
  /** Where clients find the bridge, as links have it: `http(s)://host:port`. */
  readonly origin: string;
  /** The same as a WebSocket address: `ws(s)://host:port/`. */
  readonly url: string;
  /** Where pages are served: passkeys refuse 127.0.0.1, so pages asked for there are sent here. */
  readonly consoleOrigin: string;
  readonly hosts: ReadonlySet<string>;
  readonly origins: ReadonlySet<string>;
  /** Hosts whose pages redirect to `consoleOrigin`. */
  readonly redirectedHosts: ReadonlySet<string>;
}

export interface SiteOptions {
  listen: readonly ListenAddress[];
  tls: boolean;
  publicOrigin?: string | undefined;
  origins?: readonly string[] | undefined;
  allowPlainWs?: boolean | undefined;
}

/** Refuses what would leave keys or links in the open; `ConfigError` names the options that help. */
export function checkSiteOptions({
  listen,
  tls,
  publicOrigin,
  origins = [],
  allowPlainWs,
}: SiteOptions): void {
  for (const { host, port } of listen) {
    if (!tls && !allowPlainWs && !isLoopback(host)) {
      throw new ConfigError(
        'listen',
        `${formatHost(host, port)} can be reached from other machines, and browsers need TLS there: give --tls-cert and --tls-key, or listen on localhost behind a proxy with --public-origin; --allow-plain-ws permits it without TLS (clients that are programs are still protected by Noise)`,
      );
    }
    if (isWildcard(host) && publicOrigin === undefined) {
      throw new ConfigError(
        'publicOrigin',
        `listening on every address (${formatHost(host, port)}) needs the name that clients use, for links and Host checks: --public-origin https://bridge.example:${port || 27183}`,
      );
    }
  }
  for (const origin of publicOrigin === undefined ? origins : [publicOrigin, ...origins]) {
    if (!isWebOrigin(origin)) {
      throw new ConfigError(
        'origins',
        `"${origin}" is no origin; write it as browsers do, e.g. https://app.example`,
      );
    }
  }
}

/** The names of a bridge that listens on `listen`, of which the first is the one to give out. */
export function siteOf({ listen, tls, publicOrigin, origins = [] }: SiteOptions): Site {
  const scheme = tls ? 'https' : 'http';
  const first = listen[0]!;
  const ownOrigin = originOf(scheme, first.host, first.port);
  const consoleOrigin = isLoopback(first.host) ? originOf(scheme, 'localhost', first.port) : ownOrigin;
  const origin = publicOrigin ?? ownOrigin;
  return {
    origin,
    url: webSocketUrl(origin),
    consoleOrigin: publicOrigin ?? consoleOrigin,
    hosts: new Set([...listen.flatMap(hostsOf), ...hostsOfOrigin(ownOrigin), ...hostsOfOrigin(origin)]),
    origins: new Set([origin, ownOrigin, consoleOrigin, ...origins]),
    redirectedHosts: new Set(
      publicOrigin === undefined && isLoopback(first.host)
        ? hostsOf(first).filter((host) => !/^localhost:/.test(host))
        : [],
    ),
  };
}

const originOf = (scheme: string, host: string, port: number) =>
  new URL(`${scheme}://${formatHost(host, port)}`).origin;

function hostsOf({ host, port }: ListenAddress): string[] {
  const names = isLoopback(host) ? ['localhost', '127.0.0.1', '::1'] : [];
  return [...new Set([...names, host])].map((name) => formatHost(name, port));
}

// A browser leaves out the scheme's own port; other programs may write it.
function hostsOfOrigin(origin: string): string[] {
  const { host, hostname, port, protocol } = new URL(origin);
  return port === '' ? [host, `${hostname}:${protocol === 'https:' ? 443 : 80}`] : [host];
}
