// RemoteSigner with the real bridge: in another process, over TLS, and across changes of the bridge.
// test/bridge/remote-signer.test.ts runs the conformance suite on the two.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type BridgeOptions, createBridge } from '../../../src/bridge/index.js';
import { fromBase64Url, toBase64Url, utf8 } from '../../../src/bytes.js';
import { x25519KeyPair } from '../../../src/protocol/dh.js';
import { RemoteSigner } from '../../../src/signers/remote/remote.node.js';
import { SoftwareSigner } from '../../../src/signers/software.js';
import { verifySignature } from '../../../src/signers/verify.js';

const { signer: treasury } = await SoftwareSigner.generate();
const message = utf8('signed in another process');

let directory: string;
let child: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'erst-remote-'));
  child = join(directory, 'child.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('sign-in-child.ts', import.meta.url))],
    outfile: child,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // ws is CommonJS and requires Node's own modules.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function start(options: Partial<BridgeOptions> = {}) {
  const stateDir = await mkdtemp(join(directory, 'state-'));
  const bridge = await createBridge({
    listen: 'localhost:0',
    stateDir,
    keys: { treasury },
    consoleDir: false,
    ...options,
  });
  onTestFinished(() => bridge.close());
  return { bridge, stateDir };
}

async function runChild(link: string, env: Record<string, string> = {}) {
  const process_ = spawn(process.execPath, [child], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  process_.stdin.end(link);
  const [output] = await Promise.all([text(process_.stdout), once(process_, 'exit')]);
  return JSON.parse(output);
}

describe('a client in another process', () => {
  it('pairs and signs, and exits by itself once closed', async () => {
    const { bridge } = await start();
    const { url, signature } = await runChild(await bridge.pair({ keys: ['*'] }));
    expect(url).toBe(bridge.url);
    expect(await verifySignature(await treasury.publicKey(), message, fromBase64Url(signature))).toBe(true);
    expect((await bridge.clients()).map(({ name }) => name)).toEqual(['child']);
  });

  it('trusts a certificate by NODE_EXTRA_CA_CERTS, and no other', async () => {
    const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...newKey, '-out', cert, ...subject], { stdio: 'ignore' });
    const { bridge } = await start({ tls: { cert, key } });
    const link = await bridge.pair({ keys: ['*'] });
    const refused = await runChild(link);
    expect(refused.code).toBe('bridge-unreachable');
    expect(refused.message).toContain('NODE_EXTRA_CA_CERTS');
    const { url, signature } = await runChild(link, { NODE_EXTRA_CA_CERTS: cert });
    expect(url).toMatch(/^wss:\/\/localhost:/);
    expect(await verifySignature(await treasury.publicKey(), message, fromBase64Url(signature))).toBe(true);
  });
});

describe('a client and the bridge', () => {
  it('know each other again after the bridge was restarted', async () => {
    const { bridge, stateDir } = await start();
    const credentials = await RemoteSigner.pair(await bridge.pair({ keys: ['*'] }));
    const signer = await RemoteSigner.connect({ ...credentials, key: 'treasury' });
    onTestFinished(() => signer.close());
    await signer.sign(message);
    await bridge.close();
    await expect(signer.sign(message)).rejects.toMatchObject({
      code: expect.stringMatching(/^(bridge-unreachable|connection-lost)$/),
    });
    const { port } = new URL(bridge.url);
    await start({ stateDir, listen: `localhost:${port}` });
    const signature = await signer.sign(message);
    expect(await verifySignature(await treasury.publicKey(), message, signature)).toBe(true);
  });

  it('do not go on with another key under the same name', async () => {
    const { bridge, stateDir } = await start();
    const credentials = await RemoteSigner.pair(await bridge.pair({ keys: ['*'] }));
    await bridge.close();
    const keys = { treasury: (await SoftwareSigner.generate()).signer };
    const { port } = new URL(bridge.url);
    await start({ stateDir, keys, listen: `localhost:${port}` });
    const attempt = RemoteSigner.connect({ ...credentials, key: 'treasury' });
    await expect(attempt).rejects.toMatchObject({ code: 'key-mismatch' });
  });

  it('part where either is another: wrong bridge key, unknown client, used link, revoked client', async () => {
    const { bridge } = await start();
    const link = await bridge.pair({ name: 'laptop', keys: ['*'] });
    const credentials = await RemoteSigner.pair(link);
    const other = toBase64Url(x25519KeyPair().publicKey);
    const connect = (changes: object) =>
      RemoteSigner.connect({ ...credentials, key: 'treasury', ...changes });
    await expect(connect({ bridgeKey: other })).rejects.toMatchObject({ code: 'bridge-not-recognized' });
    const stranger = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
    await expect(connect({ identity: stranger })).rejects.toMatchObject({ code: 'client-not-accepted' });
    await expect(RemoteSigner.pair(link)).rejects.toMatchObject({ code: 'client-not-accepted' });
    const signer = await connect({});
    onTestFinished(() => signer.close());
    await bridge.revoke('laptop');
    await expect(signer.sign(message)).rejects.toMatchObject({
      code: expect.stringMatching(/^(client-not-accepted|connection-lost)$/),
    });
    await expect(signer.sign(message)).rejects.toMatchObject({ code: 'client-not-accepted' });
  });
});
