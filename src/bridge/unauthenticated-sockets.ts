// Sockets of which it is not known whose they are: from the TCP connection until the client has been accepted. Capped per
// address and in total by cutting off the oldest, so that whoever comes next is served however many others sit silent.

import type { Socket } from 'node:net';

interface Entry {
  readonly socket: Socket;
  readonly address: string;
}

export interface SocketName {
  remoteAddress?: string | undefined;
  remotePort?: number | undefined;
}

export class UnauthenticatedSockets {
  // In order of arrival. By name and not by object: a TLS socket is another object than the TCP socket below it.
  readonly #entries = new Map<string, Entry>();
  readonly #perAddress = new Map<string, Set<string>>();
  readonly #maxPerAddress: number;
  readonly #maxTotal: number;

  constructor(maxPerAddress: number, maxTotal: number) {
    this.#maxPerAddress = maxPerAddress;
    this.#maxTotal = maxTotal;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Counts a socket that has just connected, and makes room for it. */
  add(socket: Socket): void {
    const name = nameOf(socket);
    const address = socket.remoteAddress;
    if (name === undefined || address === undefined) {
      socket.destroy(); // gone already
      return;
    }
    this.#entries.set(name, { socket, address });
    const ofAddress = this.#perAddress.get(address) ?? new Set();
    this.#perAddress.set(address, ofAddress.add(name));
    socket.once('close', () => this.#remove(name, socket));
    if (ofAddress.size > this.#maxPerAddress) this.#displace(first(ofAddress));
    else if (this.#entries.size > this.#maxTotal) this.#displace(first(this.#entries.keys()));
  }

  /** The socket is a client's now, and no longer counted. */
  accept(socket: SocketName): void {
    const name = nameOf(socket);
    if (name !== undefined) this.#remove(name);
  }

  destroyAll(): void {
    for (const { socket } of this.#entries.values()) socket.destroy();
  }

  #displace(name: string): void {
    const { socket } = this.#entries.get(name)!;
    this.#remove(name);
    socket.destroy();
  }

  // The port may belong to a later socket by the time an earlier one's close is reported.
  #remove(name: string, socket?: Socket): void {
    const entry = this.#entries.get(name);
    if (!entry || (socket && entry.socket !== socket)) return;
    this.#entries.delete(name);
    const ofAddress = this.#perAddress.get(entry.address)!;
    ofAddress.delete(name);
    if (ofAddress.size === 0) this.#perAddress.delete(entry.address);
  }
}

const nameOf = ({ remoteAddress, remotePort }: SocketName) =>
  remoteAddress === undefined || remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`;

const first = (names: Iterable<string>): string => names[Symbol.iterator]().next().value!;
