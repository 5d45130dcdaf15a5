// HTTP as bytes on a TCP socket, for requests that no HTTP client would send.

import { connect, type Socket } from 'node:net';
import type { Bridge } from '../../src/bridge/index.js';

/** An open TCP connection to the bridge, and everything that it has sent. */
export class RawConnection {
  readonly socket: Socket;
  readonly ended: Promise<string>;
  received = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
    });
    socket.on('error', () => {});
    this.ended = new Promise((resolve) => socket.once('close', () => resolve(this.received)));
  }

  static open(bridge: Pick<Bridge, 'url'>): Promise<RawConnection> {
    const { hostname, port } = new URL(bridge.url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawConnection(socket)));
    });
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }
}

/** Sends the text and gives all that comes back until the bridge ends the connection. */
export async function exchange(bridge: Pick<Bridge, 'url'>, text: string): Promise<string> {
  const connection = await RawConnection.open(bridge);
  connection.write(text);
  return connection.ended;
}

/** The headers of a good upgrade, with changes; a value of `undefined` leaves a header out. */
export function upgradeRequest(
  bridge: Pick<Bridge, 'url'>,
  changes: Record<string, string | undefined> = {},
  requestLine = 'GET / HTTP/1.1',
): string {
  const headers = {
    Host: new URL(bridge.url).host,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol': 'erst-hsm.1',
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return `${[requestLine, ...lines].join('\r\n')}\r\n\r\n`;
}

export const statusOf = (response: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1]);
