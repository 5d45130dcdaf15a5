import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toBase64Url, utf8 } from '../../../src/bytes.js';
import type { SignerErrorCode } from '../../../src/errors.js';
import { encodeError, encodeResult, MAX_BATCH_MESSAGES } from '../../../src/protocol/messages.js';
import { MAX_REQUESTS_IN_FLIGHT } from '../../../src/signers/remote/bridge-client.js';
import { RemoteSigner } from '../../../src/signers/remote/remote.node.js';
import { SoftwareSigner } from '../../../src/signers/software.js';
import { signerConformance } from '../../../src/testing/index.js';
import {
  coded,
  connect,
  credentialsFor,
  ed25519,
  hold,
  keys,
  message,
  secp256k1,
  start,
} from './connected.js';
import { ScriptedBridge } from './scripted-bridge.js';

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
