// The connections of accepted clients: how many each may hold, and their end when a client's line changes or runs out.

import { toBase64Url } from '../bytes.js';
import type { AuthorizedClient } from '../protocol/authorized-clients.js';
import type { Connection } from './connection.js';
import type { BridgeLimits } from './limits.js';

const SWEEP_MS = 1_000;

export class Connections {
  readonly #all = new Set<Connection>();
  readonly #limits: BridgeLimits;
  readonly #sweep: NodeJS.Timeout;

  constructor(limits: BridgeLimits) {
    this.#limits = limits;
    this.#sweep = setInterval(() => this.#checkDeadlines(), SWEEP_MS).unref();
  }

  get size(): number {
    return this.#all.size;
  }

  countOf(publicKey: Uint8Array): number {
    const key = toBase64Url(publicKey);
    return [...this.#all].filter(({ client }) => toBase64Url(client.publicKey) === key).length;
  }

  /** Adds a connection, or says why there is no room for it. */
  add(connection: Connection): string | undefined {
    const { maxConnections, maxConnectionsPerClient } = this.#limits;
    if (this.#all.size >= maxConnections) return 'too many connections';
    if (this.countOf(connection.client.publicKey) >= maxConnectionsPerClient)
      return 'too many connections of this client';
    this.#all.add(connection);
    return undefined;
  }

  delete(connection: Connection): void {
    this.#all.delete(connection);
  }

  /** Cuts off every client whose line is no longer exactly what it was when it connected. */
  recheck(find: (publicKey: Uint8Array) => AuthorizedClient | undefined): void {
    for (const connection of this.#all) {
      const now = find(connection.client.publicKey);
      if (now === undefined) connection.close(1008, 'revoked');
      else if (!saysTheSame(now, connection.client)) connection.close(1008, "the client's line has changed");
    }
  }

  closeAll(code: number, why: string): void {
    clearInterval(this.#sweep);
    for (const connection of this.#all) connection.close(code, why);
  }

  #checkDeadlines(): void {
    const now = Date.now();
    for (const connection of this.#all) connection.checkDeadlines(now);
  }
}

/** Whether two readings of a client's line give the same name, key and rights. */
export function saysTheSame(a: AuthorizedClient, b: AuthorizedClient): boolean {
  return canonical(a) === canonical(b);
}

function canonical(client: AuthorizedClient): string {
  const fields = Object.entries(client).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(fields, (_, value) => (value instanceof Uint8Array ? toBase64Url(value) : value));
}
