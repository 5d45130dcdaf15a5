import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test } from 'vitest';
import { type Bridge, createBridge } from '../../src/bridge/index.js';
import { utf8 } from '../../src/bytes.js';
import { RemoteSigner } from '../../src/signers/remote/remote.node.js';
import { SoftwareSigner } from '../../src/signers/software.node.js';
import { verifySignature } from '../../src/signers/verify.js';
import { signerConformance } from '../../src/testing/index.js';
import { startBridge, temporaryDir } from './test-bridge.js';
import { RawSocket } from './test-client.js';

describe.each(['ed25519', 'secp256k1'] as const)(
  'RemoteSigner over a bridge over SoftwareSigner, %s',
  (algorithm) => {
    let bridge: Bridge;
    let stateDir: string;
    let credentials: Awaited<ReturnType<typeof RemoteSigner.pair>>;
    let key: SoftwareSigner;

    beforeAll(async () => {
      stateDir = await mkdtemp(join(tmpdir(), 'erst-bridge-'));
      key = (await SoftwareSigner.generate(algorithm)).signer;
      bridge = await createBridge({ listen: '127.0.0.1:0', stateDir, keys: { treasury: key } });
      credentials = await RemoteSigner.pair(await bridge.pair({ name: 'laptop', keys: ['*'] }));
    });
    afterAll(async () => {
      await bridge.close();
      await key.close();
      await rm(stateDir, { recursive: true, force: true });
    });

    const create = () => RemoteSigner.connect({ ...credentials, key: 'treasury' });
    for (const { name, run } of signerConformance({
      algorithm,
      create,
      deterministic: true,
      batchSize: 1500,
    }))
      test(name, run);
  },
);

describe('RemoteSigner and the bridge', () => {
  it('pair, connect and sign as the guide shows, one of two keys', async () => {
    const { signer } = await SoftwareSigner.generate('secp256k1');
    const bridge = await createBridge({
      listen: '127.0.0.1:0',
      stateDir: await temporaryDir(),
      keys: { treasury: signer },
    });
    onTestFinished(() => bridge.close());
    const link = await bridge.pair({ name: 'laptop', keys: ['*'] });
    const credentials = JSON.parse(JSON.stringify(await RemoteSigner.pair(link)));
    const remote = await RemoteSigner.connect({ ...credentials, key: 'treasury' });
    const data = utf8('over the bridge');
    expect(await verifySignature(await signer.publicKey(), data, await remote.sign(data))).toBe(true);
    await remote.close();
  });

  it('tell stages apart: wrong bridge key, unknown client, used link, key that is not theirs', async () => {
    const { bridge } = await startBridge();
    const link = await bridge.pair({ keys: ['treasury'] });
    const credentials = await RemoteSigner.pair(link);
    const connect = (changes: object) =>
      RemoteSigner.connect({ ...credentials, key: 'treasury', ...changes });
    await expect(connect({ bridgeKey: `${'A'.repeat(42)}E` })).rejects.toMatchObject({
      code: 'bridge-not-recognized',
    });
    await expect(RemoteSigner.pair(link)).rejects.toMatchObject({ code: 'client-not-accepted' });
    await expect(connect({ key: 'ethereum' })).rejects.toMatchObject({ code: 'key-not-found' });
    await bridge.revoke(credentials.client!);
    await expect(connect({})).rejects.toMatchObject({ code: 'client-not-accepted' });
  });

  it('survive a peer that sends an oversized frame: the next signature is served', async () => {
    const { bridge } = await startBridge();
    const remote = await RemoteSigner.connect({
      ...(await RemoteSigner.pair(await bridge.pair())),
      key: 'treasury',
    });
    const raw = new RawSocket(bridge.url, 'erst-hsm.1');
    await raw.opened;
    raw.send(new Uint8Array(100_000));
    expect((await raw.closed).code).toBe(1009);
    expect((await remote.sign(utf8('next'))).bytes).toHaveLength(64);
    await remote.close();
  });
});
