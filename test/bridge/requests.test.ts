import { createHash } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { bytesToHex, utf8 } from '../../src/bytes.js';
import { SignerError } from '../../src/errors.js';
import { encodeCbor } from '../../src/protocol/cbor.js';
import type { WireSignature } from '../../src/protocol/messages.js';
import { PublicKey } from '../../src/signers/public-key.js';
import { Signature } from '../../src/signers/signature.js';
import { verifySignature } from '../../src/signers/verify.js';
import { startBridge, type TestBridge } from './test-bridge.js';
import { newId, TestClient } from './test-client.js';

const data = utf8('pay 10 to bob');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function clientOf(
  { bridge }: TestBridge,
  options: Parameters<typeof bridge.pair>[0] = {},
): Promise<TestClient> {
  return TestClient.pair(await bridge.pair({ name: 'laptop', ...options }));
}

describe('requests', () => {
  it('welcomes a client with its keys, sorted, with public key and info', async () => {
    const test = await startBridge();
    const { welcome } = await clientOf(test);
    expect(welcome).toMatchObject({ type: 'welcome', client: 'laptop', maxRequestBytes: 1_048_576 });
    expect(welcome.keys.map(({ name, algorithm }) => [name, algorithm])).toEqual([
      ['ethereum', 'secp256k1'],
      ['treasury', 'ed25519'],
    ]);
    expect(welcome.keys[1]!.spki).toEqual((await test.treasury.publicKey()).spki);
    expect(welcome.keys[1]!.info).toEqual({ place: 'test', signerType: 'software' });
  });

  it('lists keys, and gives info and public key', async () => {
    const test = await startBridge();
    const client = await clientOf(test);
    expect((await client.ask({ op: 'keys' })).fields).toEqual({ keys: client.welcome.keys });
    expect((await client.ask({ op: 'info', key: 'treasury' })).fields).toEqual({
      algorithm: 'ed25519',
      metadata: { place: 'test', signerType: 'software' },
    });
    const { spki } = (await client.ask({ op: 'public-key', key: 'ethereum' })).fields;
    expect(spki).toEqual((await test.ethereum.publicKey()).spki);
  });

  it('signs with Ed25519 and secp256k1, over data and over a digest', async () => {
    const test = await startBridge();
    const client = await clientOf(test);
    const ed = (await client.ask({ op: 'sign', key: 'treasury', data })).fields as WireSignature;
    expect(ed.recovery).toBeUndefined();
    const publicKey = await test.treasury.publicKey();
    expect(await verifySignature(publicKey, data, Signature.fromBytes('ed25519', ed.signature))).toBe(true);

    const ec = (await client.ask({ op: 'sign', key: 'ethereum', data })).fields as WireSignature;
    const digest = createHash('sha256').update(data).digest();
    const recovered = Uint8Array.of(ec.recovery!, ...ec.signature);
    const point = secp256k1.recoverPublicKey(recovered, digest, { prehash: false });
    expect(PublicKey.fromRaw('secp256k1', point).equals(await test.ethereum.publicKey())).toBe(true);

    const over = await client.ask({
      op: 'sign',
      key: 'ethereum',
      data: new Uint8Array(digest),
      prehashed: true,
    });
    expect(over.fields).toEqual(ec);
  });

  it('signs a batch in order', async () => {
    const test = await startBridge();
    const client = await clientOf(test);
    const messages = [0, 1, 2, 3].map((n) => utf8(`message ${n}`));
    const { fields } = await client.ask({ op: 'sign-batch', key: 'treasury', data: messages });
    const signatures = (fields as { signatures: WireSignature[] }).signatures;
    const publicKey = await test.treasury.publicKey();
    for (const [index, { signature }] of signatures.entries()) {
      expect(
        await verifySignature(publicKey, messages[index]!, Signature.fromBytes('ed25519', signature)),
      ).toBe(true);
    }
  });

  it('signs a message that spans many frames, up to the limit, and closes beyond it', async () => {
    const test = await startBridge();
    const client = await clientOf(test);
    const long = new Uint8Array(1_048_000).fill(7);
    expect((await client.ask({ op: 'sign', key: 'treasury', data: long })).code).toBeUndefined();
    client.send({ op: 'sign', key: 'treasury', data: new Uint8Array(1_048_577) });
    expect(await client.closed).toEqual({ code: 1008, reason: '' });
    expect(
      (await (await TestClient.connect(test.bridge, { keys: client.keys })).ask({ op: 'keys' })).code,
    ).toBeUndefined();
  });

  it('answers out of order: a slow key does not hold up a fast one', async () => {
    const test = await startBridge();
    const client = await clientOf(test);
    let release = () => {};
    test.treasury.before = () => new Promise<void>((resolve) => (release = resolve));
    const slow = client.send({ op: 'sign', key: 'treasury', data });
    const fast = client.send({ op: 'sign', key: 'ethereum', data });
    expect(((await client.receive()) as { id: Uint8Array }).id).toEqual(fast);
    release();
    expect(((await client.receive()) as { id: Uint8Array }).id).toEqual(slow);
  });

  it('refuses what is not a request, and serves the next one', async () => {
    const test = await startBridge();
    const client = await clientOf(test);
    for (const fields of [
      { op: 'dance' },
      { op: 'sign', key: 'treasury' },
      { op: 'sign', key: 'treasury', data: 'text' },
      { op: 'sign', key: 'treasury', data, extra: 1 },
      { op: 'sign', key: 'treasury', data, prehashed: false },
      { op: 'sign-batch', key: 'treasury', data },
    ]) {
      client.sendBytes(encodeCbor({ id: newId(), ...fields }));
      expect(await client.receive()).toMatchObject({ type: 'error', code: 'invalid-request' });
    }
    expect((await client.ask({ op: 'sign', key: 'treasury', data, prehashed: true })).code).toBe(
      'invalid-request',
    );
    const short = await client.ask({ op: 'sign', key: 'ethereum', data, prehashed: true });
    expect(short).toMatchObject({
      code: 'invalid-request',
      message: '"data" must be 32 bytes where "prehashed" is true',
    });
    expect((await client.ask({ op: 'keys' })).code).toBeUndefined();
    expect(test.treasury.calls + test.ethereum.calls).toBe(0);
  });

  it('closes with 1002 where a message has no id to answer to', async () => {
    const test = await startBridge();
    const client = await clientOf(test);
    client.sendBytes(encodeCbor({ op: 'keys' }));
    expect(await client.closed).toEqual({ code: 1002, reason: '' });
  });

  it('refuses a second request with the id of an open one', async () => {
    const test = await startBridge();
    const client = await clientOf(test);
    let release = () => {};
    test.treasury.before = () => new Promise<void>((resolve) => (release = resolve));
    const id = client.send({ op: 'sign', key: 'treasury', data });
    client.send({ op: 'keys' }, id);
    expect(await client.receive()).toMatchObject({ type: 'error', id, code: 'invalid-request' });
    release();
    expect(await client.receive()).toMatchObject({ type: 'result', id });
    client.send({ op: 'keys' }, id);
    expect(await client.receive()).toMatchObject({ type: 'result', id });
  });

  it('maps what a signer throws to a code, and tells only the log the cause', async () => {
    const test = await startBridge();
    const client = await clientOf(test);
    test.treasury.before = () => {
      throw new SignerError('token-error', 'C_Sign failed on /dev/secret-token');
    };
    const failed = await client.ask({ op: 'sign', key: 'treasury', data });
    expect(failed.code).toBe('key-unavailable');
    expect(failed.message).not.toContain('secret-token');
    expect(String(test.log.find('request failed')?.fields.err)).toContain('/dev/secret-token');

    test.treasury.before = () => {
      throw new RangeError('this token signs at most 4 bytes');
    };
    expect((await client.ask({ op: 'sign', key: 'treasury', data })).code).toBe('invalid-request');
    test.treasury.before = () => {};
    expect((await client.ask({ op: 'sign', key: 'treasury', data })).code).toBeUndefined();
  });

  it('gives up a request at its deadline, whether it waits or runs', async () => {
    const test = await startBridge({ limits: { requestTimeoutMs: 3_000, maxRunningPerKey: 1 } });
    const client = await clientOf(test);
    let release = () => {};
    test.treasury.before = () => new Promise<void>((resolve) => (release = resolve));
    client.send({ op: 'sign', key: 'treasury', data });
    client.send({ op: 'sign', key: 'treasury', data });
    expect(await client.receive()).toMatchObject({ code: 'timeout' });
    expect(await client.receive()).toMatchObject({ code: 'timeout' });
    expect(test.treasury.calls).toBe(1);
    test.treasury.before = () => {};
    release();
    expect((await client.ask({ op: 'sign', key: 'treasury', data })).code).toBeUndefined();
    expect((await test.requests()).map(({ result }) => result)).toEqual(['timeout', 'timeout', 'ok']);
  });

  it('bounds the requests of a connection, and their bytes in total', async () => {
    const test = await startBridge({ limits: { maxRequestsPerConnection: 2, maxRequestsBytes: 2_000 } });
    const client = await clientOf(test);
    const releases: (() => void)[] = [];
    test.treasury.before = () => new Promise<void>((resolve) => releases.push(resolve));
    client.send({ op: 'sign', key: 'treasury', data });
    client.send({ op: 'sign', key: 'treasury', data });
    expect((await client.ask({ op: 'keys' })).code).toBe('bridge-busy');
    for (const release of releases) release();
    await client.receive();
    await client.receive();
    expect((await client.ask({ op: 'keys' })).code).toBeUndefined();
    expect((await client.ask({ op: 'sign', key: 'ethereum', data: new Uint8Array(2_000) })).code).toBe(
      'bridge-busy',
    );
  });

  it('hands a key no more than its number of requests at a time', async () => {
    const test = await startBridge({ limits: { maxRunningPerKey: 3 } });
    const client = await clientOf(test);
    let running = 0;
    let most = 0;
    test.treasury.before = async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
    };
    for (let n = 0; n < 20; n++) client.send({ op: 'sign', key: 'treasury', data });
    for (let n = 0; n < 20; n++) expect(await client.receive()).toMatchObject({ type: 'result' });
    expect(most).toBe(3);
  });

  it('cuts off a client that keeps on asking for what it may not have', async () => {
    const test = await startBridge({ limits: { maxRefusalsPerMinute: 5 } });
    const client = await clientOf(test, { keys: ['treasury'] });
    for (let n = 0; n < 5; n++) {
      expect((await client.ask({ op: 'sign', key: 'ethereum', data })).code).toBe('key-not-found');
    }
    client.send({ op: 'sign', key: 'ethereum', data });
    expect(await client.closed).toEqual({ code: 1008, reason: '' });
  });
});

describe('rights', () => {
  it('does not tell a key that is not covered from one that does not exist', async () => {
    const test = await startBridge();
    const client = await clientOf(test, { keys: ['eth*'] });
    expect(client.welcome.keys.map(({ name }) => name)).toEqual(['ethereum']);
    const hidden = await client.ask({ op: 'sign', key: 'treasury', data });
    const missing = await client.ask({ op: 'sign', key: 'no-such-key', data });
    expect(hidden.code).toBe('key-not-found');
    expect(hidden).toEqual(missing);
  });

  it('holds a client to its ops, and hides what they would show', async () => {
    const test = await startBridge();
    const client = await clientOf(test, { ops: ['sign'] });
    expect(client.welcome.keys[0]).toEqual({ name: 'ethereum', algorithm: 'secp256k1', info: {} });
    expect((await client.ask({ op: 'info', key: 'treasury' })).code).toBe('request-denied');
    expect((await client.ask({ op: 'public-key', key: 'treasury' })).code).toBe('request-denied');
    expect((await client.ask({ op: 'sign', key: 'treasury', data })).code).toBeUndefined();
    const reader = await clientOf(test, { ops: ['info', 'public-key'] });
    expect((await reader.ask({ op: 'sign', key: 'treasury', data })).code).toBe('request-denied');
    expect((await reader.ask({ op: 'sign-batch', key: 'treasury', data: [data] })).code).toBe(
      'request-denied',
    );
    expect((await reader.ask({ op: 'info', key: 'treasury' })).code).toBeUndefined();
  });

  it('holds a client to its algorithms, sizes and digests', async () => {
    const test = await startBridge();
    const client = await clientOf(test, { algorithms: ['secp256k1'], maxBytes: 40, prehashed: false });
    const ask = (key: string, data: Uint8Array) => client.ask({ op: 'sign', key, data });
    expect((await ask('treasury', data)).code).toBe('request-denied');
    expect((await ask('ethereum', new Uint8Array(40))).code).toBeUndefined();
    expect((await ask('ethereum', new Uint8Array(41))).code).toBe('request-denied');
    const batch = await client.ask({ op: 'sign-batch', key: 'ethereum', data: [data, new Uint8Array(41)] });
    expect(batch.code).toBe('request-denied');
    const digest = await client.ask({
      op: 'sign',
      key: 'ethereum',
      data: new Uint8Array(32),
      prehashed: true,
    });
    expect(digest.code).toBe('request-denied');
    expect(test.ethereum.calls).toBe(1);
  });

  it('holds a client to its rate over all its connections, and no other client', async () => {
    const test = await startBridge();
    const client = await clientOf(test, { rate: '3/h' });
    const again = await TestClient.connect(test.bridge, { keys: client.keys });
    expect((await client.ask({ op: 'keys' })).code).toBeUndefined();
    expect((await again.ask({ op: 'sign-batch', key: 'treasury', data: [data, data] })).code).toBeUndefined();
    expect((await client.ask({ op: 'keys' })).code).toBe('rate-limited');
    const never = await again.ask({ op: 'sign-batch', key: 'treasury', data: [data, data, data, data] });
    expect(never.code).toBe('rate-limited');
    expect(never.message).toContain('smaller batches');
    const third = await TestClient.connect(test.bridge, { keys: client.keys });
    expect((await third.ask({ op: 'keys' })).code).toBe('rate-limited');
    expect((await (await clientOf(test)).ask({ op: 'keys' })).code).toBeUndefined();
  });
});

describe('the request log', () => {
  it('has a line for every request, with hashes and never the data', async () => {
    const test = await startBridge();
    const client = await clientOf(test, { keys: ['treasury'] });
    const { fields } = await client.ask({ op: 'sign', key: 'treasury', data });
    await client.ask({ op: 'sign-batch', key: 'treasury', data: [data, utf8('two')] });
    await client.ask({ op: 'sign', key: 'ethereum', data });
    await client.ask({ op: 'public-key', key: 'treasury' });
    const [clientStatus] = await test.bridge.clients();
    const [signed, batch, denied, shown] = await test.requests();
    expect(signed).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      client: 'laptop',
      fingerprint: clientStatus!.fingerprint,
      op: 'sign',
      key: 'treasury',
      digest: sha256(data),
      result: 'ok',
      signature: sha256((fields as WireSignature).signature),
    });
    expect(batch).toMatchObject({
      op: 'sign-batch',
      digests: [sha256(data), sha256(utf8('two'))],
      result: 'ok',
    });
    expect(batch!.signatures).toHaveLength(2);
    expect(denied).toMatchObject({
      op: 'sign',
      key: 'ethereum',
      digest: sha256(data),
      result: 'key-not-found',
    });
    expect(denied).not.toHaveProperty('signature');
    expect(shown).toMatchObject({ op: 'public-key', key: 'treasury', result: 'ok' });
    expect(JSON.stringify(await test.requests())).not.toContain('pay 10');
  });

  it('holds the digest itself where the client gave one', async () => {
    const test = await startBridge();
    const client = await clientOf(test);
    const digest = new Uint8Array(32).fill(0xab);
    await client.ask({ op: 'sign', key: 'ethereum', data: digest, prehashed: true });
    expect((await test.requests())[0]).toMatchObject({ digest: bytesToHex(digest), prehashed: true });
  });

  it('has the line on disk when the answer arrives', async () => {
    const test = await startBridge();
    const client = await clientOf(test);
    for (let n = 1; n <= 20; n++) {
      await client.ask({ op: 'sign', key: 'treasury', data });
      expect(await test.requests()).toHaveLength(n);
    }
  });
});
