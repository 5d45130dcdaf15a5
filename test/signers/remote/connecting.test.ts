// RemoteSigner.connect: what it wants to be told, and what it says of a bridge that is away or another.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { toBase64Url } from '../../../src/bytes.js';
import { ConfigError } from '../../../src/errors.js';
import { x25519KeyPair } from '../../../src/protocol/dh.js';
import { RemoteSigner } from '../../../src/signers/remote/remote.node.js';
import { SoftwareSigner } from '../../../src/signers/software.js';
import { coded, connect, ed25519, edSpki, message, start } from './connected.js';
import type { ScriptedBridgeOptions } from './scripted-bridge.js';

describe('connecting', () => {
  it('says where the key is', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    expect(signer.signerInfo()).toEqual({
      signerType: 'remote',
      algorithm: 'ed25519',
      metadata: {
        'key.signerType': 'software',
        url: bridge.url,
        key: 'ed',
        client: 'test-client',
        bridgeVersion: '9.9.9',
        maxDataBytes: '1048510',
      },
    });
  });

  it('names a port where nothing listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, 'close');
    const bridge = await start();
    const attempt = connect(bridge, { url: `ws://127.0.0.1:${port}` });
    await expect(attempt).rejects.toThrow(coded('bridge-unreachable'));
    await expect(attempt).rejects.toThrow(`127.0.0.1:${port} (ECONNREFUSED)`);
    await expect(connect(bridge, { url: `ws://localhost:${port}` })).rejects.toThrow('ECONNREFUSED');
  });

  it.each([
    ['403 Forbidden', 'origins'],
    ['404 Not Found', 'path'],
    ['421 Misdirected Request', '--public-origin'],
    ['426 Upgrade Required', 'update'],
    ['429 Too Many Requests', 'try again'],
    ['400 Bad Request', 'proxy'],
    ['502 Bad Gateway', 'cannot reach the bridge'],
    ['302 Found', 'may not be a bridge'],
    ['200 OK', 'may not be a bridge'],
  ])('says what HTTP %s means', async (status, meaning) => {
    const bridge = await start({ refuse: status });
    const attempt = connect(bridge);
    await expect(attempt).rejects.toThrow(coded('bridge-unreachable'));
    await expect(attempt).rejects.toThrow(meaning);
    await expect(attempt).rejects.toThrow(status.slice(0, 3));
  });

  it('does not recognize a server that speaks something else', async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    await expect(connect(await start(), { url: `ws://127.0.0.1:${port}` })).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^bridge-(unreachable|not-recognized)$/) }),
    );
  });

  it('says so where TLS is spoken and not expected, and the other way round', async () => {
    const bridge = await start();
    await expect(connect(bridge, { url: bridge.url.replace('ws', 'wss') })).rejects.toThrow(
      'whether the address should begin with ws://',
    );
  });

  it('does not recognize a bridge with another key', async () => {
    const bridge = await start();
    const other = toBase64Url(x25519KeyPair().publicKey);
    const attempt = connect(bridge, { bridgeKey: other });
    await expect(attempt).rejects.toThrow(coded('bridge-not-recognized'));
    await expect(attempt).rejects.toThrow(other);
    expect(bridge.connections).toHaveLength(0);
  });

  it('does not recognize a bridge whose second message is wrong', async () => {
    const bridge = await start({
      onSocket: (socket) => void socket.once('message', () => socket.send(new Uint8Array(48))),
    });
    await expect(connect(bridge)).rejects.toThrow(coded('bridge-not-recognized'));
  });

  it.each([1000, 1002, 1008])(
    'does not recognize a bridge that closes with %i before message 2',
    async (code) => {
      const bridge = await start({ onSocket: (socket) => socket.close(code) });
      await expect(connect(bridge)).rejects.toThrow(coded('bridge-not-recognized'));
    },
  );

  it('says when the bridge is shutting down', async () => {
    const bridge = await start({ onSocket: (socket) => socket.close(1001) });
    await expect(connect(bridge)).rejects.toThrow(coded('bridge-unreachable'));
  });

  it('says when this client is not accepted', async () => {
    const bridge = await start({ onAccepted: ({ socket }) => socket.close(1008) });
    const attempt = connect(bridge);
    await expect(attempt).rejects.toThrow(coded('client-not-accepted'));
    await expect(attempt).rejects.toThrow('erst-hsm clients');
  });

  it('says when the connection breaks before the welcome', async () => {
    const bridge = await start({ onAccepted: ({ socket }) => socket.terminate() });
    await expect(connect(bridge)).rejects.toThrow(coded('connection-lost'));
  });

  it.each<[string, ScriptedBridgeOptions]>([
    ['open', { onSocket: () => {} }],
    ['welcome', { onAccepted: () => {} }],
  ])('has a deadline, with a bridge that does not %s', async (_name, options) => {
    const bridge = await start(options);
    const attempt = connect(bridge, { connectTimeoutMs: 50 });
    await expect(attempt).rejects.toThrow(coded('timeout'));
    await expect(attempt).rejects.toThrow(`127.0.0.1:${bridge.port} within 50 ms`);
  });

  it('has a deadline where a server takes connections and says nothing', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const closed: Promise<unknown>[] = [];
    server.on('connection', (socket) => closed.push(once(socket.resume(), 'close')));
    const options = { url: `ws://127.0.0.1:${port}`, connectTimeoutMs: 50 };
    await expect(connect(await start(), options)).rejects.toThrow(coded('timeout'));
    await Promise.all(closed); // the client hung up
    server.close();
  });

  it('is given up with the signal, whatever it waits for', async () => {
    const reason = new Error('changed my mind');
    for (const stage of ['onSocket', 'onAccepted'] as const) {
      const controller = new AbortController();
      const bridge = await start({ [stage]: () => controller.abort(reason) });
      await expect(connect(bridge, { signal: controller.signal })).rejects.toBe(reason);
    }
    const bridge = await start();
    await expect(connect(bridge, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(bridge.connections).toHaveLength(0);
  });

  it('names the keys there are where the one asked for is not', async () => {
    const bridge = await start();
    const attempt = connect(bridge, { key: 'treasury' });
    await expect(attempt).rejects.toThrow(coded('key-not-found'));
    await expect(attempt).rejects.toThrow('ed, secp');
    bridge.options.keys = {};
    await expect(connect(bridge)).rejects.toThrow('may use none');
  });

  it('refuses a key of another algorithm than asked for', async () => {
    await expect(connect(await start(), { algorithm: 'secp256k1' })).rejects.toThrow(coded('key-mismatch'));
  });

  it('refuses another key than the one pinned', async () => {
    const bridge = await start();
    const credentials = await RemoteSigner.pair(bridge.link);
    bridge.options.keys = { ed: (await SoftwareSigner.generate('ed25519')).signer, secp: ed25519 };
    await expect(RemoteSigner.connect({ ...credentials, key: 'ed' })).rejects.toThrow(coded('key-mismatch'));
    await expect(RemoteSigner.connect({ ...credentials, key: 'secp' })).rejects.toThrow(
      coded('key-mismatch'),
    );
  });

  it('needs the public key from somewhere', async () => {
    const bridge = await start();
    const credentials = await RemoteSigner.pair(bridge.link);
    const [{ spki: _, ...withoutSpki }] = (await bridge.keyInfos()) as [
      Awaited<ReturnType<typeof bridge.keyInfos>>[0],
    ];
    bridge.options.welcome = { keys: [withoutSpki] };
    await expect(connect(bridge)).rejects.toThrow(coded('request-denied'));
    const signer = await RemoteSigner.connect({ ...credentials, key: 'ed' });
    expect((await signer.sign(message)).bytes).toEqual((await ed25519.sign(message)).bytes);
    await signer.close();
  });

  it.each<[string, unknown, string]>([
    ['url', undefined, 'like ws://localhost:27183/'],
    ['url', 'http://localhost:27183/', 'like ws://localhost:27183/'],
    ['url', 'ws://localhost:27183/path', 'nothing after host and port'],
    ['url', 'ws://user@localhost:27183/', 'nothing after host and port'],
    ['url', 'ws://bridge.example/', 'use wss://'],
    ['url', 'ws://10.0.0.1/', 'use wss://'],
    ['bridgeKey', undefined, '43 characters'],
    ['bridgeKey', 'abc', '43 characters'],
    ['identity', undefined, '43 characters'],
    ['identity', 'A'.repeat(42), '43 characters'],
    ['identity', { secretKey: 1 }, '43 characters'],
    ['keys', { ed: { algorithm: 'ed25519', spki: 'AAAA' } }, 'keys.ed'],
    ['keys', { ed: { algorithm: 'p256', spki: edSpki } }, 'keys.ed'],
    ['keys', { ed: null }, 'keys.ed'],
  ])('names %s where it is %o', async (field, value, advice) => {
    const bridge = await start();
    const attempt = connect(bridge, { [field]: value });
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toThrow(expect.objectContaining({ setting: field }));
    await expect(attempt).rejects.toThrow(advice);
    expect(bridge.connections).toHaveLength(0);
  });

  it('uses ws to another host where the caller accepts that', async () => {
    const attempt = connect(await start(), { url: 'ws://erst-hsm.invalid:9/', allowPlainWs: true });
    await expect(attempt).rejects.toThrow(coded('bridge-unreachable'));
    await expect(attempt).rejects.toThrow('erst-hsm.invalid:9');
  });
});
