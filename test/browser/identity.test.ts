import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { x25519 } from '@noble/curves/ed25519.js';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesToHex, fromHex } from '../../src/bytes.js';
import {
  bundle,
  launchChromium,
  launchProfile,
  openModule,
  type PageServer,
  serveModule,
} from '../fixtures/chromium.js';
import type * as identityPage from './pages/identity.js';

declare const module: typeof identityPage;

const url = 'ws://localhost:1/';
let browser: Browser;
let server: PageServer;
let page: Page;
let problems: string[];

beforeAll(async () => {
  server = await serveModule(await bundle('test/browser/pages/identity.ts'));
  browser = await launchChromium();
  ({ page, problems } = await openModule(await browser.newContext(), server.origin));
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

describe('the identity of a browser', () => {
  it('agrees with X25519 elsewhere', async () => {
    const secret = x25519.utils.randomSecretKey();
    const { publicKey, shared } = await page.evaluate(
      (remote) => module.agree(remote),
      bytesToHex(x25519.getPublicKey(secret)),
    );
    expect(shared).toBe(bytesToHex(x25519.getSharedSecret(secret, fromHex(publicKey))));
  });

  it('rejects a point that gives zeros', async () => {
    expect((await page.evaluate(() => module.agreeWithZero())).name).toBe('OperationError');
  });

  it('is readable, works and says so where WebCrypto has no X25519', async () => {
    const secret = x25519.utils.randomSecretKey();
    const { protection, publicKey, shared } = await page.evaluate(
      (remote) => module.agreeWithoutWebCrypto(remote),
      bytesToHex(x25519.getPublicKey(secret)),
    );
    expect(protection).toBe('readable');
    expect(shared).toBe(bytesToHex(x25519.getSharedSecret(secret, fromHex(publicKey))));
  });
});

describe('the credential store', () => {
  it('keeps a key that nothing can read, also when the browser restarts', async () => {
    const profile = await mkdtemp(join(tmpdir(), 'erst-hsm-profile-'));
    let running: BrowserContext | undefined;
    try {
      running = await launchProfile(profile);
      const before = (await openModule(running, server.origin)).page;
      const publicKey = await before.evaluate((at) => module.saveNew(at), url);
      await running.close();

      running = await launchProfile(profile);
      const after = (await openModule(running, server.origin)).page;
      expect(await after.evaluate((at) => module.loadOne(at), url)).toEqual({
        url,
        bridgeKey: 'A'.repeat(43),
        client: 'test',
        keys: { treasury: { algorithm: 'ed25519', spki: 'AAAA' } },
        protection: 'non-extractable',
        publicKey,
      });
      const attempts = await after.evaluate((at) => module.exportAttempts(at), url);
      expect(attempts.extractable).toBe(false);
      expect(attempts.usages).toEqual(['deriveBits']);
      expect(attempts.failures.map(({ name }) => name)).toEqual(Array(3).fill('InvalidAccessError'));
      expect(attempts.json).toBe('{"protection":"non-extractable","publicKey":{},"privateKey":{}}');
    } finally {
      await running?.close();
      await rm(profile, { recursive: true, force: true });
    }
  });

  it('saves, replaces, lists and removes', async () => {
    const first = await page.evaluate(() => module.saveNew('ws://localhost:2/'));
    const second = await page.evaluate(() => module.saveNew('ws://localhost:2/'));
    await page.evaluate(() => module.saveNew('ws://localhost:1/'));
    expect(second).not.toBe(first);
    expect((await page.evaluate(() => module.loadOne('ws://localhost:2/')))?.publicKey).toBe(second);
    expect(await page.evaluate(() => module.listUrls())).toEqual(['ws://localhost:1/', 'ws://localhost:2/']);
    await page.evaluate(() => module.removeOne('ws://localhost:2/'));
    await page.evaluate(() => module.removeOne('ws://localhost:2/'));
    expect(await page.evaluate(() => module.loadOne('ws://localhost:2/'))).toBeUndefined();
    expect(await page.evaluate(() => module.listUrls())).toEqual(['ws://localhost:1/']);
  });

  it('checks that it keeps keys, and leaves nothing behind', async () => {
    expect(await page.evaluate(() => module.check())).toEqual(['ws://localhost:1/']);
  });

  it('says why it cannot store', async () => {
    const failures = {
      blocked: await page.evaluate(() => module.openWhereBlocked('SecurityError')),
      unknown: await page.evaluate(() => module.openWhereBlocked('UnknownError')),
      full: await page.evaluate(() => module.saveWhereFull()),
      uncloneable: await page.evaluate(() => module.saveUncloneable()),
      closed: await page.evaluate(() => module.useAfterClose()),
    };
    for (const { code } of Object.values(failures)) expect(code).toBe('storage-unavailable');
    expect(failures.blocked.message).toContain('allow it in the site settings');
    expect(failures.unknown.message).toContain('a private window');
    expect(failures.full.message).toContain('full');
    expect(failures.uncloneable.message).toContain('does not keep keys');
    expect(failures.closed.message).toContain('reload the page');
  });

  it('did all that without an error in the page', () => {
    expect(problems).toEqual([]);
  });
});
