// Where the bridge listens: `host:port`, where `localhost` is both loopback families, and `[::1]:port` is IPv6.

import type { Server } from 'node:net';

import { ConfigError } from '../errors.js';
import { cidrContains, parseAddress, parseCidr } from '../protocol/cidr.js';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK_BLOCKS = [parseCidr('127.0.0.0/8')!, parseCidr('::1/128')!];
const WILDCARDS = ['0.0.0.0', '::'];
const EPHEMERAL_TRIES = 20;

/** Reads `host:port`; `ConfigError` for anything else. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s[\]:/]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new ConfigError(
      'listen',
      `cannot listen on "${text}"; write host:port, e.g. localhost:27183 or [::1]:27183`,
    );
  }
  return { host: (match[1] ?? match[2]!).toLowerCase(), port };
}

/** Whether only programs on this machine can reach the host. */
export function isLoopback(host: string): boolean {
  const address = parseAddress(host);
  return (
    host === 'localhost' ||
    (address !== undefined && LOOPBACK_BLOCKS.some((block) => cidrContains(block, address)))
  );
}

export const isWildcard = (host: string): boolean => WILDCARDS.includes(host);

/** `host:port` as a URL has it. */
export const formatHost = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/**
 * Binds a server made by `newServer` to each address that `listen` stands for, and gives the port of the first.
 * `ConfigError` where one is busy or not possible; those that were bound are closed again.
 */
export async function listenOn(
  listen: ListenAddress,
  newServer: () => Server,
): Promise<{ servers: Server[]; port: number }> {
  if (listen.host !== 'localhost') {
    const server = newServer();
    return { servers: [server], port: await bind(server, listen.host, listen.port) };
  }
  for (let tries = 1; ; tries++) {
    try {
      return await listenOnBothFamilies(listen.port, newServer);
    } catch (error) {
      // With port 0 the system chose a port for IPv4; somebody else may have it for IPv6.
      if (listen.port !== 0 || tries === EPHEMERAL_TRIES) throw error;
    }
  }
}

async function listenOnBothFamilies(wanted: number, newServer: () => Server) {
  const ipv4 = newServer();
  const port = await bind(ipv4, '127.0.0.1', wanted);
  const ipv6 = newServer();
  try {
    await bind(ipv6, '::1', port);
    return { servers: [ipv4, ipv6], port };
  } catch (error) {
    if (isWithoutIpv6(error)) return { servers: [ipv4], port };
    ipv4.close();
    throw error;
  }
}

const isWithoutIpv6 = (error: unknown) =>
  error instanceof ConfigError &&
  /EADDRNOTAVAIL|EAFNOSUPPORT/.test((error.cause as NodeJS.ErrnoException).code ?? '');

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(new ConfigError('listen', listenProblem(cause.code, formatHost(host, port), port), { cause }));
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.removeAllListeners('error');
      resolve((server.address() as { port: number }).port);
    });
  });
}

function listenProblem(code: string | undefined, address: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `${address} is in use; see who has it with "ss -ltnp sport = :${port}" or "lsof -iTCP:${port} -sTCP:LISTEN", stop that program, or listen on another port (browsers then pair anew: their keys belong to host and port)`;
    case 'EACCES':
      return `${address} may not be used by this user; ports below 1024 are reserved, choose one above`;
    case 'EADDRNOTAVAIL':
      return `${address} is no address of this machine; choose one that is, or localhost`;
    case 'ENOTFOUND':
      return `${address} does not resolve to an address; write an IP address of this machine, or localhost`;
    default:
      return `cannot listen on ${address} (${code})`;
  }
}
