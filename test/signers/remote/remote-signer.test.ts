// RemoteSigner against a bridge that does as the test says.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { toBase64Url, utf8 } from '../../../src/bytes.js';
import { ConfigError, type SignerErrorCode } from '../../../src/errors.js';
import { encodeCbor } from '../../../src/protocol/cbor.js';
import { x25519KeyPair } from '../../../src/protocol/dh.js';
import {
  encodeError,
  encodeResult,
  encodeWelcome,
  MAX_BATCH_MESSAGES,
  type Request,
} from '../../../src/protocol/messages.js';
import { MAX_REQUESTS_IN_FLIGHT } from '../../../src/signers/remote/bridge-client.js';
import {
  type RemoteConnectOptions,
  type RemoteCredentials,
  RemoteSigner,
} from '../../../src/signers/remote/remote.node.js';
import { SoftwareSigner } from '../../../src/signers/software.js';
import { verifySignature } from '../../../src/signers/verify.js';
import { signerConformance } from '../../../src/testing/index.js';
import { ScriptedBridge, type ScriptedBridgeOptions } from './scripted-bridge.js';

const ed25519 = (await SoftwareSigner.generate('ed25519')).signer;
const secp256k1 = (await SoftwareSigner.generate('secp256k1')).signer;
const keys = { ed: ed25519, secp: secp256k1 };
const message = utf8('a message');
const edSpki = toBase64Url((await ed25519.publicKey()).spki);

async function start(options: ScriptedBridgeOptions = {}): Promise<ScriptedBridge> {
  const bridge = await ScriptedBridge.start({ keys, ...options });
  onTestFinished(() => bridge.close());
  return bridge;
}

const credentialsFor = (bridge: ScriptedBridge): RemoteCredentials => ({
  url: bridge.url,
  bridgeKey: bridge.bridgeKey,
  identity: toBase64Url(new Uint8Array(32).fill(5)),
});

async function connect(
  bridge: ScriptedBridge,
  options: Partial<RemoteConnectOptions> = {},
): Promise<RemoteSigner> {
  const signer = await RemoteSigner.connect({ ...credentialsFor(bridge), key: 'ed', ...options });
  onTestFinished(() => signer.close());
  return signer;
}

/** Holds requests back until the test lets them go. */
function hold() {
  const held: Request[] = [];
  const onRequest = (request: Request) => {
    held.push(request);
    return true;
  };
  const arrived = async (count: number) => {
    while (held.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { held, onRequest, arrived };
}

const coded = (code: SignerErrorCode) => expect.objectContaining({ code });

describe.each([
  { algorithm: 'ed25519', key: 'ed', maxDataBytes: 1_048_510 },
  { algorithm: 'secp256k1', key: 'secp', maxDataBytes: 1_048_508 },
] as const)('conformance, $algorithm', ({ algorithm, key, maxDataBytes }) => {
  let bridge: ScriptedBridge;
  beforeAll(async () => {
    bridge = await ScriptedBridge.start({ keys });
  });
  afterAll(() => bridge.close());
  const cases = signerConformance({
    algorithm,
    maxDataBytes,
    batchSize: 2 * MAX_BATCH_MESSAGES + 1,
    create: () => RemoteSigner.connect({ ...credentialsFor(bridge), key }),
    secrets: [toBase64Url(new Uint8Array(32).fill(5))],
  });
  for (const { name, run } of cases) it(name, run);
});

describe('pairing', () => {
  it('gives credentials that JSON carries, and that connect', async () => {
    const bridge = await start();
    const credentials = await RemoteSigner.pair(bridge.link, { name: 'my laptop' });
    expect(bridge.proposedName).toBe('my laptop');
    expect(JSON.parse(JSON.stringify(credentials))).toEqual(credentials);
    expect(credentials).toEqual({
      url: bridge.url,
      bridgeKey: bridge.bridgeKey,
      identity: expect.stringMatching(/^[\w-]{43}$/),
      client: 'test-client',
      keys: {
        ed: { algorithm: 'ed25519', spki: edSpki },
        secp: { algorithm: 'secp256k1', spki: toBase64Url((await secp256k1.publicKey()).spki) },
      },
    });
    const signer = await RemoteSigner.connect({ ...credentials, key: 'secp' });
    const signature = await signer.sign(message);
    expect(await verifySignature(await secp256k1.publicKey(), message, signature)).toBe(true);
    await signer.close();
    expect(bridge.connections[1]!.clientKey).toEqual(bridge.connections[0]!.clientKey);
  });

  it('uses an identity that was made before', async () => {
    const bridge = await start();
    const identity = toBase64Url(new Uint8Array(32).fill(9));
    const credentials = await RemoteSigner.pair(bridge.link, { identity });
    expect(credentials.identity).toBe(identity);
    expect(bridge.connections[0]!.clientKey).toEqual(x25519KeyPair(new Uint8Array(32).fill(9)).publicKey);
  });

  it('says when the link is not accepted', async () => {
    const [bridge, other] = [await start(), await start()];
    other.identity = bridge.identity; // the same bridge, but another link
    const link = bridge.link.replace(`:${bridge.port}/`, `:${other.port}/`);
    const attempt = RemoteSigner.pair(link);
    await expect(attempt).rejects.toThrow(coded('client-not-accepted'));
    await expect(attempt).rejects.toThrow('Get a new one');
  });

  it('refuses what is no link, a wrong name, and plain http to elsewhere, before anything is sent', async () => {
    const bridge = await start();
    await expect(RemoteSigner.pair('hello')).rejects.toThrow(ConfigError);
    await expect(RemoteSigner.pair(bridge.link, { name: '' })).rejects.toThrow(TypeError);
    await expect(RemoteSigner.pair(bridge.link, { name: 'x'.repeat(129) })).rejects.toThrow(TypeError);
    const elsewhere = bridge.link.replace(/127\.0\.0\.1:\d+/, 'bridge.example');
    await expect(RemoteSigner.pair(elsewhere)).rejects.toThrow(expect.objectContaining({ setting: 'link' }));
    expect(bridge.connections).toHaveLength(0);
  });
});

describe('listing keys', () => {
  it('gives names, algorithms, public keys and info', async () => {
    const bridge = await start();
    const listed = await RemoteSigner.listKeys(credentialsFor(bridge));
    expect(listed.map(({ name, algorithm, info }) => ({ name, algorithm, info }))).toEqual([
      { name: 'ed', algorithm: 'ed25519', info: { signerType: 'software' } },
      { name: 'secp', algorithm: 'secp256k1', info: { signerType: 'software' } },
    ]);
    expect(listed[0]!.publicKey!.equals(await ed25519.publicKey())).toBe(true);
  });

  it('leaves out a public key that the client may not read', async () => {
    const bridge = await start({ welcome: { keys: [{ name: 'a', algorithm: 'p256', info: {} }] } });
    expect(await RemoteSigner.listKeys(credentialsFor(bridge))).toEqual([
      { name: 'a', algorithm: 'p256', publicKey: undefined, info: {} },
    ]);
  });

  it.each([
    ['another algorithm', 'p256' as const, async () => (await ed25519.publicKey()).spki],
    ['no key', 'ed25519' as const, async () => utf8('nonsense')],
  ])('refuses a public key that is %s', async (_name, algorithm, spki) => {
    const bridge = await start({
      welcome: { keys: [{ name: 'a', algorithm, spki: await spki(), info: {} }] },
    });
    await expect(RemoteSigner.listKeys(credentialsFor(bridge))).rejects.toThrow(coded('protocol-error'));
  });
});

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

describe('signing', () => {
  it('runs requests side by side, and answers may come in any order', async () => {
    const { held, onRequest, arrived } = hold();
    const bridge = await start({ onRequest });
    const signer = await connect(bridge);
    const messages = ['a', 'b', 'c'].map(utf8);
    const signatures = Promise.all(messages.map((text) => signer.sign(text)));
    await arrived(3);
    for (const request of held.reverse()) {
      if (request.op !== 'sign') throw new Error(request.op);
      const { bytes } = await ed25519.sign(request.data);
      bridge.connections[0]!.send(encodeResult('sign', request.id, { signature: bytes }));
    }
    for (const [i, signature] of (await signatures).entries()) {
      expect(signature.bytes).toEqual((await ed25519.sign(messages[i]!)).bytes);
    }
    expect(bridge.connections).toHaveLength(1);
  });

  it('has a bounded number of requests with the bridge', async () => {
    const { held, onRequest, arrived } = hold();
    const bridge = await start({ onRequest });
    const signer = await connect(bridge);
    const total = MAX_REQUESTS_IN_FLIGHT + 10;
    const calls = Promise.all(Array.from({ length: total }, () => signer.sign(message)));
    await arrived(MAX_REQUESTS_IN_FLIGHT);
    const { bytes } = await ed25519.sign(message);
    for (let answered = 0; answered < total; answered++) {
      expect(held.length - answered).toBeLessThanOrEqual(MAX_REQUESTS_IN_FLIGHT);
      await arrived(answered + 1);
      bridge.connections[0]!.send(encodeResult('sign', held[answered]!.id, { signature: bytes }));
    }
    expect(await calls).toHaveLength(total);
  });

  it('cuts batches to fit, in order', async () => {
    const bridge = await start({ welcome: { maxRequestBytes: 500 } });
    const signer = await connect(bridge);
    const messages = Array.from({ length: 40 }, (_, i) => new Uint8Array((i * 37) % 300).fill(i));
    const signatures = await signer.signBatch(messages);
    expect(bridge.requests.length).toBeGreaterThan(10);
    for (const [i, signature] of signatures.entries()) {
      expect(signature.bytes).toEqual((await ed25519.sign(messages[i]!)).bytes);
    }
  });

  it.each([false, true])('uses the limit to the last byte, prehashed %s', async (prehashed) => {
    for (let maxRequestBytes = 130; maxRequestBytes < 200; maxRequestBytes += 7) {
      const bridge = await start({ welcome: { maxRequestBytes } });
      const signer = await connect(bridge, { key: 'secp' });
      const messages = Array(5).fill(new Uint8Array(32));
      expect(await signer.signBatch(messages, { prehashed })).toHaveLength(5);
    }
  });

  it('refuses data beyond the limit before sending', async () => {
    const bridge = await start({ welcome: { maxRequestBytes: 500 } });
    const signer = await connect(bridge);
    const limit = Number(signer.signerInfo().metadata.maxDataBytes);
    await expect(signer.sign(new Uint8Array(limit + 1))).rejects.toThrow(RangeError);
    await expect(signer.signBatch([message, new Uint8Array(limit + 1)])).rejects.toThrow(
      `up to ${limit} bytes`,
    );
    expect(bridge.requests).toHaveLength(0);
    await signer.sign(new Uint8Array(limit));
  });

  it('never gives out a signature that does not verify', async () => {
    const other = (await SoftwareSigner.generate('ed25519')).signer;
    const bridge = await start({
      onRequest: async ({ id, op }, connection) => {
        const { bytes } = await other.sign(message);
        if (op === 'sign') connection.send(encodeResult('sign', id, { signature: bytes }));
        else {
          const good = (await ed25519.sign(message)).bytes;
          const signatures = [{ signature: good }, { signature: bytes }];
          connection.send(encodeResult('sign-batch', id, { signatures }));
        }
        return true;
      },
    });
    const signer = await connect(bridge);
    await expect(signer.sign(message)).rejects.toThrow(coded('signature-invalid'));
    await expect(signer.signBatch([message, message])).rejects.toThrow(coded('signature-invalid'));
  });

  it('never gives out a secp256k1 signature that is high-S or has a wrong recovery id or none', async () => {
    const good = await secp256k1.sign(message);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = BigInt(`0x${Buffer.from(good.bytes.subarray(32)).toString('hex')}`);
    const highS = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex');
    const recovery = good.recovery as 0 | 1;
    const flipped = (recovery ^ 1) as 0 | 1;
    const bad = [
      { signature: good.bytes },
      { signature: good.bytes, recovery: flipped },
      { signature: good.bytes, recovery: (recovery + 2) as 2 | 3 },
      { signature: Uint8Array.from([...good.bytes.subarray(0, 32), ...highS]), recovery: flipped },
    ];
    for (const result of bad) {
      const bridge = await start({
        onRequest: ({ id }, connection) => {
          connection.send(encodeResult('sign', id, result));
          return true;
        },
      });
      const signer = await connect(bridge, { key: 'secp' });
      await expect(signer.sign(message)).rejects.toThrow(coded('signature-invalid'));
    }
  });

  it('refuses a recovery id where there is none to have', async () => {
    const bridge = await start({
      onRequest: async ({ id }, connection) => {
        const { bytes } = await ed25519.sign(message);
        connection.send(encodeResult('sign', id, { signature: bytes, recovery: 0 }));
        return true;
      },
    });
    await expect((await connect(bridge)).sign(message)).rejects.toThrow(coded('signature-invalid'));
  });

  it.each<[Parameters<typeof encodeError>[1], SignerErrorCode]>([
    ['invalid-request', 'protocol-error'],
    ['key-not-found', 'key-not-found'],
    ['request-denied', 'request-denied'],
    ['rate-limited', 'rate-limited'],
    ['bridge-busy', 'bridge-busy'],
    ['timeout', 'timeout'],
    ['key-unavailable', 'key-unavailable'],
    ['bridge-error', 'bridge-error'],
    ['of a later version' as never, 'bridge-error'],
    ['constructor' as never, 'bridge-error'],
  ])('answers %s with %s, and goes on', async (wireCode, code) => {
    let refusals = 1;
    const bridge = await start({
      onRequest: ({ id }, connection) => {
        if (refusals-- <= 0) return false;
        connection.send(encodeError(id, wireCode, `no\u001b[31m because\n${'x'.repeat(2000)}`));
        return true;
      },
    });
    const signer = await connect(bridge);
    const attempt = signer.sign(message);
    await expect(attempt).rejects.toThrow(coded(code));
    await expect(attempt).rejects.toThrow('no [31m because xxx');
    await expect(attempt).rejects.toSatisfy((error: Error) => error.message.length < 600);
    await signer.sign(message);
    expect(bridge.connections).toHaveLength(1);
  });

  it('gives up waiting on timeout and abort, and takes the late answer calmly', async () => {
    const { held, onRequest, arrived } = hold();
    const bridge = await start({ onRequest });
    const signer = await connect(bridge, { requestTimeoutMs: 2_000 });
    await expect(signer.sign(message)).rejects.toThrow(coded('timeout'));
    const controller = new AbortController();
    const aborted = signer.sign(message, { signal: controller.signal });
    await arrived(2);
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const { bytes } = await ed25519.sign(message);
    for (const { id } of held) bridge.connections[0]!.send(encodeResult('sign', id, { signature: bytes }));
    bridge.options.onRequest = () => false;
    await signer.sign(message);
    expect(bridge.connections).toHaveLength(1);
  });

  it('does not send what was given up while it waited its turn', async () => {
    const { held, onRequest, arrived } = hold();
    const bridge = await start({ onRequest });
    const signer = await connect(bridge);
    const first = Array.from({ length: MAX_REQUESTS_IN_FLIGHT }, () => signer.sign(message));
    const controller = new AbortController();
    const waiting = signer.sign(utf8('never sent'), { signal: controller.signal });
    await arrived(MAX_REQUESTS_IN_FLIGHT);
    controller.abort();
    await expect(waiting).rejects.toBe(controller.signal.reason);
    const { bytes } = await ed25519.sign(message);
    for (const { id } of held) bridge.connections[0]!.send(encodeResult('sign', id, { signature: bytes }));
    await Promise.all(first);
    bridge.options.onRequest = () => false;
    await signer.sign(message);
    expect(held).toHaveLength(MAX_REQUESTS_IN_FLIGHT);
  });
});

describe('a bridge that breaks the protocol', () => {
  const id = new Uint8Array(16);
  it.each<[string, (send: (message: Uint8Array) => void, request: Request) => void]>([
    ['sends no CBOR', (send) => send(Uint8Array.of(0xff))],
    ['sends an unknown type', (send) => send(encodeCbor({ type: 'hello' }))],
    [
      'welcomes twice',
      (send) => send(encodeWelcome({ client: 'c', version: '', maxRequestBytes: 9, keys: [] })),
    ],
    ['answers what was not asked', (send) => send(encodeError(id, 'timeout', ''))],
    ['answers another op', (send, request) => send(encodeResult('public-key', request.id, { spki: id }))],
    [
      'answers with a short batch',
      (send, request) => send(encodeResult('sign-batch', request.id, { signatures: [] })),
    ],
    ['sends more than a message may be', (send) => send(new Uint8Array(1_048_577))],
  ])('%s: the call fails and says so, the next one connects again', async (_name, misbehave) => {
    const bridge = await start({
      onRequest: (request, { send }) => {
        misbehave(send, request);
        return true;
      },
    });
    const signer = await connect(bridge);
    const call = signer.signBatch([message]);
    await expect(call).rejects.toThrow(coded('protocol-error'));
    await expect(call).rejects.toThrow(/127\.0\.0\.1:\d+ .+ Update/);
    bridge.options.onRequest = () => false;
    expect(await signer.signBatch([message])).toHaveLength(1);
  });

  it.each<[string, (bridge: ScriptedBridge) => void]>([
    ['text', ({ connections: [connection] }) => connection!.socket.send('text')],
    [
      'a frame that is not encrypted',
      ({ connections: [connection] }) => connection!.socket.send(new Uint8Array(40)),
    ],
    [
      'a frame twice',
      ({ connections: [connection] }) => {
        const frame = connection!.transport.encrypt(Uint8Array.of(1, 0xa0));
        connection!.socket.send(frame);
        connection!.socket.send(frame);
      },
    ],
  ])('sends %s: the call fails', async (_name, misbehave) => {
    const { onRequest, arrived } = hold();
    const bridge = await start({ onRequest });
    const signer = await connect(bridge);
    const call = signer.sign(message);
    call.catch(() => {});
    await arrived(1);
    misbehave(bridge);
    await expect(call).rejects.toThrow(coded('protocol-error'));
  });

  it('sends a frame over 65,535 bytes: the call fails', async () => {
    const { onRequest, arrived } = hold();
    const bridge = await start({ onRequest });
    const signer = await connect(bridge);
    const call = signer.sign(message);
    call.catch(() => {});
    await arrived(1);
    bridge.connections[0]!.socket.send(new Uint8Array(65_536));
    await expect(call).rejects.toThrow(coded('connection-lost'));
  });

  it('speaks out of turn: connecting fails', async () => {
    const bridge = await start({
      onSocket: (socket) =>
        void socket.once('message', () => {
          socket.send(new Uint8Array(48));
          socket.send(new Uint8Array(48));
        }),
    });
    await expect(connect(bridge)).rejects.toThrow(coded('protocol-error'));
  });

  it('answers before it welcomes: connecting fails', async () => {
    const bridge = await start({ onAccepted: ({ send }) => send(encodeError(id, 'timeout', '')) });
    await expect(connect(bridge)).rejects.toThrow(coded('protocol-error'));
  });
});

describe('a connection that ends', () => {
  it('fails open requests, and the next call makes another', async () => {
    const { onRequest, arrived } = hold();
    const bridge = await start({ onRequest });
    const signer = await connect(bridge);
    const open = [signer.sign(message), signer.signBatch([message, message])];
    for (const call of open) call.catch(() => {});
    await arrived(2);
    bridge.drop();
    for (const call of open) await expect(call).rejects.toThrow(coded('connection-lost'));
    bridge.options.onRequest = () => false;
    await signer.sign(message);
    expect(bridge.connections).toHaveLength(2);
  });

  it('is made anew once for calls that come together', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    bridge.connections[0]!.socket.close(1001);
    await once(bridge.connections[0]!.socket, 'close');
    const signatures = await Promise.all(Array.from({ length: 10 }, () => signer.sign(message)));
    expect(signatures).toHaveLength(10);
    expect(bridge.connections).toHaveLength(2);
  });

  it('is not made anew with a bridge that has another key now', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    bridge.options.keys = { ed: (await SoftwareSigner.generate('ed25519')).signer };
    bridge.connections[0]!.socket.close(1001);
    await once(bridge.connections[0]!.socket, 'close');
    await expect(signer.sign(message)).rejects.toThrow(coded('key-mismatch'));
    bridge.options.keys = keys;
    await signer.sign(message);
  });

  it('is not made anew with another bridge', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    bridge.identity = x25519KeyPair();
    bridge.connections[0]!.socket.close(1001);
    await once(bridge.connections[0]!.socket, 'close');
    await expect(signer.sign(message)).rejects.toThrow(coded('bridge-not-recognized'));
  });

  it('says when the bridge is gone', async () => {
    const bridge = await ScriptedBridge.start({ keys });
    const signer = await connect(bridge);
    const [{ socket }] = bridge.connections as [(typeof bridge.connections)[0]];
    socket.close(1001);
    await once(socket, 'close');
    await bridge.close();
    await expect(signer.sign(message)).rejects.toThrow(coded('bridge-unreachable'));
  });

  it('is given up waiting for by one caller, and not by the other', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    bridge.connections[0]!.socket.close(1001);
    await once(bridge.connections[0]!.socket, 'close');
    const controller = new AbortController();
    const one = signer.sign(message, { signal: controller.signal });
    const other = signer.sign(message);
    controller.abort();
    await expect(one).rejects.toBe(controller.signal.reason);
    await other;
    expect(bridge.connections).toHaveLength(2);
  });

  it('is kept for the next call where the one that wanted it has given up', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    bridge.connections[0]!.socket.close(1001);
    await once(bridge.connections[0]!.socket, 'close');
    const controller = new AbortController();
    const call = signer.sign(message, { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toBe(controller.signal.reason);
    while (bridge.connections.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await signer.sign(message);
    expect(bridge.connections).toHaveLength(2);
  });

  it('says when this client was cut off', async () => {
    const { onRequest, arrived } = hold();
    const bridge = await start({ onRequest });
    const signer = await connect(bridge);
    const call = signer.sign(message);
    call.catch(() => {});
    await arrived(1);
    bridge.connections[0]!.socket.close(1008);
    await expect(call).rejects.toThrow('cut this client off');
    await expect(call).rejects.toThrow(coded('connection-lost'));
  });
});

describe('closing', () => {
  it('ends the connection with code 1000', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    const closed = once(bridge.connections[0]!.socket, 'close');
    await signer.close();
    expect((await closed)[0]).toBe(1000);
    await expect(signer.sign(message)).rejects.toThrow(coded('signer-closed'));
  });
});
