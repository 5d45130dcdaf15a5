// The module that a page without a bundler loads: one file, no other request.

import { createPublicKey, verify } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { utf8 } from '../../src/bytes.js';
import type { RemoteSigner } from '../../src/signers/remote/remote.browser.js';
import { SoftwareSigner } from '../../src/signers/software.js';
import { builtModule } from '../fixtures/built.js';
import { launchChromium, type PageServer, servePages, watch } from '../fixtures/chromium.js';
import { startBridge } from '../fixtures/test-bridge.js';

// What a page's author would write; `signed` is for the test to read.
const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>signing</title>
<script type="module" src="page.js"></script>`;

const SCRIPT = `
import { RemoteSigner, SoftwareSigner, verifySignature } from './erst-hsm.js';

const message = new TextEncoder().encode('signed in a page');

async function signWith(signer) {
  const signature = await signer.sign(message);
  const publicKey = await signer.publicKey();
  const tampered = message.slice(1);
  await signer.close();
  return {
    pem: publicKey.toPem(),
    signature: [...signature.bytes],
    der: signature.algorithm === 'ed25519' ? undefined : [...signature.toDer()],
    verified: await verifySignature(publicKey, message, signature),
    tamperedVerified: await verifySignature(publicKey, tampered, signature),
  };
}

globalThis.signHere = async (algorithm) => signWith((await SoftwareSigner.generate(algorithm)).signer);
globalThis.failureOf = async (work) => {
  try {
    await work();
  } catch ({ name, code, message }) {
    return { name, code, message };
  }
};
globalThis.erst = { RemoteSigner };
globalThis.signRemotely = async (link) =>
  signWith(await RemoteSigner.connect({ ...(await RemoteSigner.pair(link)), key: 'treasury' }));
`;

interface Signed {
  pem: string;
  signature: number[];
  der?: number[];
  verified: boolean;
  tamperedVerified: boolean;
}
declare function signHere(algorithm: string): Promise<Signed>;
declare const erst: { RemoteSigner: typeof RemoteSigner };
declare function failureOf(
  work: () => Promise<unknown>,
): Promise<{ name: string; code?: string; message: string }>;
declare function signRemotely(link: string): Promise<Signed>;

let browser: Browser;
let server: PageServer;

beforeAll(async () => {
  const files = { '/': PAGE, '/page.js': SCRIPT, '/erst-hsm.js': await builtModule(), '/favicon.ico': '' };
  server = await servePages(files);
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function openPage() {
  const page = await browser.newPage();
  const problems = await watch(page);
  const requests: string[] = [];
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  await page.goto(`${server.origin}/`);
  await page.waitForFunction('globalThis.signHere !== undefined');
  return { page, problems, requests };
}

function expectSigned({ pem, signature, der, verified, tamperedVerified }: Signed): void {
  const publicKey = createPublicKey(pem);
  const encoded = Uint8Array.from(der ?? signature);
  expect(verify(der ? 'sha256' : null, utf8('signed in a page'), publicKey, encoded)).toBe(true);
  expect({ verified, tamperedVerified }).toEqual({ verified: true, tamperedVerified: false });
}

it.each(['ed25519', 'secp256k1'])('signs and verifies with %s in the page', async (algorithm) => {
  const { page, problems, requests } = await openPage();
  expectSigned(await page.evaluate((name) => signHere(name), algorithm));
  expect(requests.filter((path) => path !== '/favicon.ico')).toEqual(['/', '/page.js', '/erst-hsm.js']);
  expect(problems).toEqual([]);
});

it('signs with a key behind a bridge that allows this origin', async () => {
  const { signer } = await SoftwareSigner.generate('ed25519');
  const { bridge, remove } = await startBridge({
    keys: { treasury: signer },
    origins: [server.origin],
    consoleDir: false,
  });
  try {
    const { page, problems } = await openPage();
    const signed = await page.evaluate((link) => signRemotely(link), await bridge.pair());
    expectSigned(signed);
    expect(signed.pem).toBe((await signer.publicKey()).toPem());
    expect(problems).toEqual([]);
  } finally {
    await remove();
    await signer.close();
  }
});

it('says what to check where the bridge refuses its origin, of which browsers say nothing', async () => {
  const { signer } = await SoftwareSigner.generate('ed25519');
  const { bridge, log, remove } = await startBridge({ keys: { treasury: signer }, consoleDir: false });
  try {
    const { page } = await openPage();
    const link = await bridge.pair();
    const { code, message } = await page.evaluate((href) => failureOf(() => signRemotely(href)), link);
    expect(code).toBe('bridge-unreachable');
    expect(message).toContain(new URL(link).host);
    expect(message).toContain(server.origin);
    expect(message).not.toContain(link.split('.').at(-1));
    expect(log).toContainEqual(expect.objectContaining({ reason: 'unknown Origin', origin: server.origin }));
  } finally {
    await remove();
    await signer.close();
  }
});

it('gives up on what does not answer, when the time is over or the caller says so', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const link = `http://127.0.0.1:${port}/#pair=1.${'A'.repeat(43)}.${'A'.repeat(22)}`;
  try {
    const { page, problems } = await openPage();
    const slow = await page.evaluate(
      (href) => failureOf(() => erst.RemoteSigner.pair(href, { connectTimeoutMs: 50 })),
      link,
    );
    expect(slow.code).toBe('timeout');
    const aborted = await page.evaluate(
      (href) => failureOf(() => erst.RemoteSigner.pair(href, { signal: AbortSignal.timeout(50) })),
      link,
    );
    expect(aborted.name).toBe('TimeoutError');
    expect(
      problems.filter((problem) => !problem.includes('closed before the connection is established')),
    ).toEqual([]);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  }
});

it('refuses an identity that went through JSON, and says where to keep it', async () => {
  const { signer } = await SoftwareSigner.generate('ed25519');
  const { bridge, remove } = await startBridge({
    keys: { treasury: signer },
    origins: [server.origin],
    consoleDir: false,
  });
  try {
    const { page } = await openPage();
    const failure = await page.evaluate(
      (link) =>
        failureOf(async () => {
          const credentials = JSON.parse(JSON.stringify(await erst.RemoteSigner.pair(link)));
          await erst.RemoteSigner.connect({ ...credentials, key: 'treasury' });
        }),
      await bridge.pair(),
    );
    expect(failure.code).toBe('invalid-config');
    expect(failure.message).toContain('CredentialStore');
  } finally {
    await remove();
    await signer.close();
  }
});
