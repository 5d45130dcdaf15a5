import { describe, expect, it } from 'vitest';
import { fromBase64Url, utf8 } from '../../src/bytes.js';
import { x25519KeyPair } from '../../src/protocol/dh.js';
import { Handshake } from '../../src/protocol/noise.js';
import { handshakeOf } from '../../src/protocol/subprotocols.js';
import { RawConnection, statusOf, upgradeRequest } from './raw-http.js';
import { startBridge } from './test-bridge.js';
import { RawSocket, TestClient } from './test-client.js';

const next = async (test: Awaited<ReturnType<typeof startBridge>>) => {
  const client = await TestClient.pair(await test.bridge.pair());
  const answer = await client.ask({ op: 'sign', key: 'treasury', data: utf8('next') });
  expect(answer.code).toBeUndefined();
};

describe('slow and silent peers', () => {
  it('are cut off when their headers do not arrive in time', async () => {
    const test = await startBridge({ limits: { headersTimeoutMs: 3_000 } });
    const silent = await RawConnection.open(test.bridge);
    const slow = await RawConnection.open(test.bridge);
    const drip = setInterval(() => slow.write('X-A: b\r\n'), 50);
    slow.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
    const answers = await Promise.all([silent.ended, slow.ended]);
    clearInterval(drip);
    expect(answers.map(statusOf)).toEqual([408, 408]);
    await next(test);
  });

  it('are cut off when their body does not arrive in time', async () => {
    const test = await startBridge({ limits: { headersTimeoutMs: 3_000 } });
    const connection = await RawConnection.open(test.bridge);
    connection.write(
      `POST / HTTP/1.1\r\nHost: ${new URL(test.bridge.url).host}\r\nContent-Length: 1000\r\n\r\nx`,
    );
    expect(statusOf(await connection.ended)).toBe(405);
    await next(test);
  });

  it('are closed when they keep silent before message 1 or message 3', async () => {
    const test = await startBridge({ limits: { handshakeTimeoutMs: 3_000 } });
    const mute = new RawSocket(test.bridge.url, 'erst-hsm.1');
    const muted = new RawSocket(test.bridge.url, 'erst-hsm.1');
    const noise = new Handshake({
      ...handshakeOf('erst-hsm.1'),
      role: 'initiator',
      staticKeys: x25519KeyPair(),
      remoteStatic: fromBase64Url(test.bridge.publicKey),
    });
    await Promise.all([mute.opened, muted.opened]);
    muted.send(await noise.writeMessage());
    expect(await muted.next()).toHaveLength(48);
    expect(await Promise.all([mute.closed, muted.closed])).toEqual([
      { code: 1008, reason: '' },
      { code: 1008, reason: '' },
    ]);
    await next(test);
  });

  it('are cut off when they do not answer the close either', async () => {
    const test = await startBridge({ limits: { handshakeTimeoutMs: 3_000 } });
    const connection = await RawConnection.open(test.bridge);
    connection.write(upgradeRequest(test.bridge));
    await connection.ended;
    expect(statusOf(connection.received)).toBe(101);
    await next(test);
  });

  it('are cut off when they answer no ping', async () => {
    const test = await startBridge({ limits: { pingIntervalMs: 2_000 } });
    const client = await TestClient.pair(await test.bridge.pair());
    const alive = await TestClient.pair(await test.bridge.pair());
    client.raw.socket.pause();
    const gone = ({ message, fields }: { message: string; fields: Record<string, unknown> }) =>
      message === 'socket ended' && fields.cause === 'no sign of life';
    await test.log.line(gone);
    expect((await alive.ask({ op: 'keys' })).code).toBeUndefined();
  });

  it('are closed normally when they ask for nothing', async () => {
    const test = await startBridge({ limits: { idleTimeoutMs: 500 } });
    const client = await TestClient.pair(await test.bridge.pair());
    expect(await client.closed).toEqual({ code: 1000, reason: '' });
  });

  it('are cut off when they do not read their answers', async () => {
    const test = await startBridge({ limits: { maxBufferedBytes: 200_000, maxRequestsPerConnection: 4096 } });
    const client = await TestClient.pair(await test.bridge.pair());
    client.raw.socket.pause();
    const messages = Array.from({ length: 1000 }, (_, n) => Uint8Array.of(n & 0xff));
    const signature = await test.treasury.sign(messages[0]!);
    test.treasury.signBatch = async (batch) => batch.map(() => signature);
    const ended = test.log.line(
      ({ message, fields }) =>
        message === 'socket ended' && fields.cause === 'the peer does not read its answers',
    );
    let over = false;
    void ended.then(() => {
      over = true;
    });
    while (!over) {
      client.send({ op: 'sign-batch', key: 'treasury', data: messages });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await next(test);
  });
});

describe('floods', () => {
  it('1000 silent connections leave room for the next client', async () => {
    const test = await startBridge();
    const connections = [];
    for (let n = 0; n < 1000; n++) connections.push(await RawConnection.open(test.bridge));
    await next(test);
    for (const { socket } of connections) socket.destroy();
  });

  it('1000 WebSockets that never speak leave room for the next client, and for those that are in', async () => {
    const test = await startBridge();
    const inside = await TestClient.pair(await test.bridge.pair());
    const sockets: RawSocket[] = [];
    for (let n = 0; n < 1000; n++) {
      const raw = new RawSocket(test.bridge.url, 'erst-hsm.1');
      sockets.push(raw);
      if (n % 20 === 19) await raw.opened;
    }
    await next(test);
    expect((await inside.ask({ op: 'keys' })).code).toBeUndefined();
    for (const { socket } of sockets) socket.terminate();
  });

  it('the oldest of an address make room', async () => {
    const test = await startBridge({ limits: { maxUnauthenticatedPerAddress: 3 } });
    const first = await RawConnection.open(test.bridge);
    const second = await RawConnection.open(test.bridge);
    await RawConnection.open(test.bridge);
    await RawConnection.open(test.bridge);
    expect(await first.ended).toBe('');
    expect(second.socket.destroyed).toBe(false);
  });

  it('a client that asks for much at once gets all its answers', async () => {
    const test = await startBridge();
    const client = await TestClient.pair(await test.bridge.pair());
    const data = new Uint8Array(60_000);
    for (let n = 0; n < 200; n++) client.send({ op: 'sign', key: 'treasury', data });
    let signed = 0;
    for (let n = 0; n < 200; n++)
      if (((await client.receive()) as { type: string }).type === 'result') signed++;
    expect(signed).toBe(200);
  });
});

describe('garbage from an accepted client', () => {
  it.each([
    ['a frame that does not authenticate', (client: TestClient) => client.raw.send(new Uint8Array(40)), 1002],
    [
      'a frame with a wrong flag',
      (client: TestClient) => client.raw.send(client.transport.encrypt(Uint8Array.of(9, 1))),
      1002,
    ],
    [
      'an empty message',
      (client: TestClient) => client.raw.send(client.transport.encrypt(Uint8Array.of(1))),
      1002,
    ],
    ['what is not CBOR', (client: TestClient) => client.sendBytes(Uint8Array.of(0xff, 0xff)), 1002],
    ['a text frame', (client: TestClient) => client.raw.send('hello'), 1002],
    ['an endless message', endless, 1008],
  ])('%s closes the connection, and the next client is served', async (_, send, code) => {
    const test = await startBridge();
    const client = await TestClient.pair(await test.bridge.pair());
    send(client);
    expect(await client.closed).toEqual({ code, reason: '' });
    await next(test);
  });
});

function endless(client: TestClient): void {
  const plaintext = new Uint8Array(65_519);
  for (let n = 0; n < 18; n++) client.raw.send(client.transport.encrypt(plaintext));
}
