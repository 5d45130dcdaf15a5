import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { x25519KeyPair } from '../../src/protocol/dh.js';
import { exchange, RawConnection, statusOf, upgradeRequest } from './raw-http.js';
import { startBridge } from './test-bridge.js';
import { RawSocket, TestClient } from './test-client.js';

describe('the upgrade', () => {
  it('is made for a good request', async () => {
    const { bridge } = await startBridge();
    const connection = await RawConnection.open(bridge);
    connection.socket.once('data', () => connection.socket.destroy());
    connection.write(upgradeRequest(bridge));
    expect(statusOf(await connection.ended)).toBe(101);
    expect(connection.received).toContain('Sec-WebSocket-Protocol: erst-hsm.1\r\n');
    expect(connection.received).not.toContain('Extensions');
  });

  it.each([
    ['another path', {}, 'GET /other HTTP/1.1', 404],
    ['a query', {}, 'GET /?a=b HTTP/1.1', 404],
    ['an absolute target', {}, 'GET http://localhost/ HTTP/1.1', 404],
    ['POST', {}, 'POST / HTTP/1.1', 405],
    ['a body', { 'Content-Length': '4' }, undefined, 400],
    ['a chunked body', { 'Transfer-Encoding': 'chunked' }, undefined, 400],
    ['both lengths', { 'Transfer-Encoding': 'chunked', 'Content-Length': '4' }, undefined, 400],
    ['a foreign Host', { Host: 'evil.example' }, undefined, 421],
    ['a rebound Host', { Host: 'evil.example:27183', Origin: 'http://evil.example:27183' }, undefined, 421],
    ['no Host', { Host: undefined }, undefined, 421],
    ['a foreign Origin', { Origin: 'https://evil.example' }, undefined, 403],
    ['the Origin null', { Origin: 'null' }, undefined, 403],
    ['an Origin on another port', { Origin: 'http://localhost:1' }, undefined, 403],
    ['no subprotocol', { 'Sec-WebSocket-Protocol': undefined }, undefined, 400],
    ['an unknown subprotocol', { 'Sec-WebSocket-Protocol': 'chat' }, undefined, 400],
    ['two subprotocols', { 'Sec-WebSocket-Protocol': 'erst-hsm.1, erst-hsm.pair.1' }, undefined, 400],
    ['another protocol', { Upgrade: 'h2c' }, undefined, 426],
    ['a bad key', { 'Sec-WebSocket-Key': 'short' }, undefined, 400],
    ['an old version', { 'Sec-WebSocket-Version': '7' }, undefined, 400],
  ])('is refused with %s', async (_, changes: Record<string, string | undefined>, requestLine, status) => {
    const { bridge, log } = await startBridge();
    const answer = await exchange(bridge, upgradeRequest(bridge, changes, requestLine));
    expect(statusOf(answer)).toBe(status);
    expect(log.find('client connected')).toBeUndefined();
  });

  it('is refused with repeated headers and with data ahead of the answer', async () => {
    const { bridge } = await startBridge();
    const twice = upgradeRequest(bridge).replace(
      'Connection:',
      'Origin: http://localhost\r\nOrigin: x\r\nConnection:',
    );
    expect(statusOf(await exchange(bridge, twice))).toBe(400);
    const hosts = upgradeRequest(bridge).replace('Connection:', 'Host: evil.example\r\nConnection:');
    expect([400, 421]).toContain(statusOf(await exchange(bridge, hosts)));
    expect(statusOf(await exchange(bridge, `${upgradeRequest(bridge)}early`))).toBe(400);
  });

  it('destroys the socket of a refused peer that does not close it', async () => {
    const { bridge } = await startBridge();
    const connection = await RawConnection.open(bridge);
    connection.socket.allowHalfOpen = true;
    const bridgeEnded = new Promise((resolve) => connection.socket.once('end', resolve));
    connection.write(upgradeRequest(bridge, { Origin: 'https://evil.example' }));
    await bridgeEnded;
    // Writing to a socket that nobody has any more fails.
    while (!connection.socket.destroyed) {
      connection.write('x');
      await new Promise(setImmediate);
    }
    expect(statusOf(await connection.ended)).toBe(403);
  });

  it('names the refused Origin in the log', async () => {
    const { bridge, log } = await startBridge();
    await exchange(bridge, upgradeRequest(bridge, { Origin: 'https://evil.example' }));
    expect(log.find('upgrade refused')?.fields).toMatchObject({
      origin: 'https://evil.example',
      status: 403,
    });
  });

  it('takes its own origins and those of the options, exactly', async () => {
    const { bridge } = await startBridge({ origins: ['https://app.example'] });
    const { port } = new URL(bridge.url);
    for (const origin of ['https://app.example', `http://localhost:${port}`, `http://127.0.0.1:${port}`]) {
      const raw = new RawSocket(bridge.url, 'erst-hsm.1', { origin });
      await raw.opened;
      raw.socket.terminate();
    }
    for (const origin of [
      'https://app.example:444',
      'https://sub.app.example',
      `https://localhost:${port}`,
    ]) {
      await expect(new RawSocket(bridge.url, 'erst-hsm.1', { origin }).opened).rejects.toThrow('403');
    }
  });
});

describe('behind a proxy', () => {
  it('serves clients by its public name', async () => {
    const { bridge } = await startBridge({ publicOrigin: 'https://bridge.example' });
    const keys = x25519KeyPair();
    const { port } = new URL(`ws://${bridge.status().listening[0]}/`);
    expect(bridge.url).toBe('wss://bridge.example/');
    expect(bridge.origin).toBe('https://bridge.example');
    expect(new URL(await bridge.pair()).origin).toBe('https://bridge.example');
    const direct = { url: `ws://127.0.0.1:${port}/`, publicKey: bridge.publicKey };
    const link = (await bridge.pair()).replace('https://bridge.example', `http://127.0.0.1:${port}`);
    const headers = { Host: 'bridge.example' };
    const client = await TestClient.pair(link, { keys, headers, origin: 'https://bridge.example' });
    expect(client.welcome.type).toBe('welcome');
    const explicitPort = { Host: 'bridge.example:443' };
    expect((await TestClient.connect(direct, { keys, headers: explicitPort })).welcome.type).toBe('welcome');
    await expect(
      new RawSocket(direct.url, 'erst-hsm.1', { headers: { Host: 'other.example' } }).opened,
    ).rejects.toThrow('421');
  });
});

describe('WebSocket frames', () => {
  it.each([
    ['a frame over 65,535 bytes', (socket: WebSocket) => socket.send(new Uint8Array(65_536)), 1009],
    ['garbage as message 1', (socket: WebSocket) => socket.send(new Uint8Array(48)), 1002],
    ['an empty message 1', (socket: WebSocket) => socket.send(new Uint8Array(0)), 1002],
    ['a message 1 of full length', (socket: WebSocket) => socket.send(new Uint8Array(65_535).fill(9)), 1002],
    [
      'a flood of fragments',
      (socket: WebSocket) => {
        for (let n = 0; n < 100; n++) socket.send(Uint8Array.of(1), { fin: false, binary: true });
      },
      1008,
    ],
    [
      'fragments that add up to too much',
      (socket: WebSocket) => {
        for (let n = 0; n < 3; n++) socket.send(new Uint8Array(30_000), { fin: n === 2, binary: true });
      },
      1009,
    ],
  ])('%s closes the connection, and the next client is served', async (_, send, code) => {
    const { bridge } = await startBridge();
    const raw = new RawSocket(bridge.url, 'erst-hsm.1');
    await raw.opened;
    send(raw.socket);
    expect(await raw.closed).toEqual({ code, reason: '' });
    expect((await TestClient.pair(await bridge.pair())).welcome.type).toBe('welcome');
  });

  it('a text frame is refused as such, whatever it holds', async () => {
    const { bridge, log } = await startBridge();
    const raw = new RawSocket(bridge.url, 'erst-hsm.1');
    await raw.opened;
    raw.send('hello');
    expect(await raw.closed).toEqual({ code: 1002, reason: '' });
    const { fields } = await log.line(({ message }) => message === 'socket ended');
    expect(fields.cause).toBe('a text message');
  });

  it('a frame in too many TCP chunks ends the connection', async () => {
    const { bridge } = await startBridge();
    const connection = await RawConnection.open(bridge);
    connection.socket.setNoDelay(true);
    connection.write(upgradeRequest(bridge));
    await new Promise<void>((resolve) => connection.socket.once('data', () => resolve()));
    // Binary, final, masked with zeros, 65,535 bytes, of which message 1 is garbage.
    connection.socket.write(Uint8Array.of(0x82, 0xfe, 0xff, 0xff, 0, 0, 0, 0));
    let open = true;
    void connection.ended.then(() => {
      open = false;
    });
    for (let n = 0; n < 65_535 && open; n++) {
      await new Promise<void>((resolve) => connection.socket.write(Uint8Array.of(0), () => resolve()));
      await new Promise(setImmediate);
    }
    // The bridge's close frame, with code 1008.
    expect((await connection.ended).slice(-4)).toBe('\x88\x02\x03\xf0');
    expect((await TestClient.pair(await bridge.pair())).welcome.type).toBe('welcome');
  });
});
