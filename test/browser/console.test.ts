// The console page as people meet it: a bridge that serves it, real Chromium, and every state that it can be in.

import { createPublicKey, verify as nodeVerify } from 'node:crypto';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fromBase64, fromHex, utf8 } from '../../src/bytes.js';
import { Pkcs11Signer } from '../../src/signers/pkcs11/index.js';
import { Signature } from '../../src/signers/signature.js';
import { SoftwareSigner } from '../../src/signers/software.js';
import type { Signer } from '../../src/signers/types.js';
import { builtConsole } from '../fixtures/built.js';
import { launchChromium, servePages, watch } from '../fixtures/chromium.js';
import { createSoftHsmToken } from '../fixtures/softhsm.js';
import { startBridge, type TestBridge } from '../fixtures/test-bridge.js';

const digest = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';

let browser: Browser;
let console_: Awaited<ReturnType<typeof builtConsole>>;
let keys: Record<string, Signer>;
let server: TestBridge;
let contexts: BrowserContext[];

beforeAll(async () => {
  console_ = await builtConsole();
  browser = await launchChromium();
  keys = {
    treasury: (await SoftwareSigner.generate('ed25519')).signer,
    notary: (await SoftwareSigner.generate('secp256k1')).signer,
  };
});

afterAll(async () => {
  await browser?.close();
  await console_?.remove();
  for (const key of Object.values(keys ?? {})) await key.close();
});

beforeEach(async () => {
  contexts = [];
  server = await startBridge({ keys, consoleDir: console_.directory });
});

afterEach(async () => {
  for (const context of contexts) await context.close();
  await server.remove();
});

/** A page in a profile of its own, with what goes wrong in it. */
async function newPage(
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<{ page: Page; problems: string[] }> {
  const context = await browser.newContext(options);
  contexts.push(context);
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  return { page, problems: await watch(page) };
}

async function pairedPage(name = 'laptop'): Promise<{ page: Page; problems: string[]; link: string }> {
  const opened = await newPage();
  const link = await server.bridge.pair({ name });
  await opened.page.goto(link);
  await shown(opened.page, 'connected');
  return { ...opened, link };
}

const shown = (page: Page, view: string) =>
  page.locator(`[data-view="${view}"]`).waitFor({ state: 'visible' });
/** What people see of it: hidden parts left out, which `textContent` has. */
const seen = (locator: Locator) => locator.innerText();
const heading = (page: Page) => seen(page.getByRole('heading', { level: 1 }));
const choose = (page: Page, key: string) => page.getByRole('radio', { name: key }).check({ force: true });
const segment = (page: Page, group: string, name: string) =>
  page.getByRole('group', { name: group }).getByRole('radio', { name, exact: true }).check();

async function sign(page: Page, message: string): Promise<void> {
  await page.locator('#message').fill(message);
  await page.locator('#sign-button').click();
  await page.getByText('Verified', { exact: true }).waitFor();
}

async function signatureAs(page: Page, encoding: 'Hex' | 'Base64' | 'DER'): Promise<string> {
  await segment(page, 'Signature', encoding);
  const parts = await page.locator('#signature code').allInnerTexts();
  return parts.join('').replace(/\s/g, '');
}

const fact = (page: Page, term: string) =>
  seen(page.locator('#result-facts dt', { hasText: term }).locator('xpath=following-sibling::dd[1]'));

describe('pairing and signing', () => {
  it('pairs at once from the link, and leaves nothing of it behind', async () => {
    const { page, problems, link } = await pairedPage();
    const secret = link.split('.').at(-1)!;
    expect(page.url()).toBe(`${server.bridge.origin}/`);
    expect(await seen(page.locator('#status'))).toBe(`Connected to ${new URL(link).host}`);
    expect(await seen(page.locator('#banner'))).toContain('Paired. The bridge knows this browser as laptop.');
    expect(await page.evaluate(() => [history.state, document.referrer, document.title])).toEqual([
      null,
      '',
      'erst-hsm',
    ]);
    expect(await page.content()).not.toContain(secret);
    expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).toBe('[{},{}]');
    expect(await seen(page.locator('#pairing'))).toContain('Non-extractable');
    expect(await seen(page.locator('#pairing'))).toContain(server.bridge.publicKey);
    await page.goto('about:blank');
    await page.goBack();
    await shown(page, 'connected');
    expect(page.url()).toBe(`${server.bridge.origin}/`);
    expect(problems).toEqual([]);
  });

  it('lists the keys, where they live and their public keys', async () => {
    const { page, problems } = await pairedPage();
    expect(await page.locator('.key-name').allInnerTexts()).toEqual(['notary', 'treasury']);
    expect(await page.locator('.key-algorithm').allInnerTexts()).toEqual(['ECDSA secp256k1', 'Ed25519']);
    expect(await seen(page.locator('.key-place').first())).toBe('In the bridge’s memory');
    const publicKey = await keys.notary!.publicKey();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const card = page.locator('.key', { hasText: 'notary' });
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    await card.getByRole('button', { name: 'Copy hex' }).click();
    expect(await copied()).toBe(Buffer.from(publicKey.raw).toString('hex'));
    await card.getByRole('button', { name: 'Copy PEM' }).click();
    await card.getByRole('button', { name: 'Copied' }).first().waitFor();
    expect(await copied()).toBe(publicKey.toPem());
    expect(problems).toEqual([]);
  });

  it('signs text with Ed25519: shown, verified there and by OpenSSL here', async () => {
    const { page, problems } = await pairedPage();
    await choose(page, 'treasury');
    await sign(page, 'Grüße aus dem Tresor');
    const signature = fromHex(await signatureAs(page, 'Hex'));
    expect(fromBase64(await signatureAs(page, 'Base64'))).toEqual(signature);
    expect(await page.getByRole('group', { name: 'Signature' }).getByText('DER').isVisible()).toBe(false);
    const publicKey = createPublicKey((await keys.treasury!.publicKey()).toPem());
    expect(nodeVerify(null, utf8('Grüße aus dem Tresor'), publicKey, signature)).toBe(true);
    expect(await fact(page, 'Signed')).toBe('Text, 22 bytes of UTF-8');
    expect(problems).toEqual([]);
  });

  it('signs text and digests with secp256k1, in every encoding', async () => {
    const { page, problems } = await pairedPage();
    const publicKey = createPublicKey((await keys.notary!.publicKey()).toPem());
    await choose(page, 'notary');
    await sign(page, 'hello world');
    const der = fromHex(await signatureAs(page, 'DER'));
    expect(nodeVerify('sha256', utf8('hello world'), publicKey, der)).toBe(true);
    const ofText = await signatureAs(page, 'Hex');

    await segment(page, 'Sign what', 'Hex digest');
    await sign(page, digest);
    expect(await signatureAs(page, 'Hex')).toBe(ofText); // the same digest, and RFC 6979 has one answer to it
    expect(await fact(page, 'Signed')).toBe('32-byte digest given in hex');
    expect(await fact(page, 'Recovery id')).toMatch(/^[01]$/);
    expect(problems).toEqual([]);
  });

  it('takes hex as the message for Ed25519, and says so', async () => {
    const { page, problems } = await pairedPage();
    await choose(page, 'treasury');
    await segment(page, 'Sign what', 'Hex bytes');
    await page.locator('#message').fill(digest);
    expect(await seen(page.locator('#message-note'))).toContain('as the message itself');
    await sign(page, digest);
    const publicKey = createPublicKey((await keys.treasury!.publicKey()).toPem());
    expect(nodeVerify(null, fromHex(digest), publicKey, fromHex(await signatureAs(page, 'Hex')))).toBe(true);
    expect(problems).toEqual([]);
  });

  it('says what is wrong with the input before anything is sent', async () => {
    const { page, problems } = await pairedPage();
    await choose(page, 'notary');
    await page.locator('#sign-button').click();
    expect(await seen(page.locator('#message-error'))).toBe('There is nothing to sign yet.');
    await segment(page, 'Sign what', 'Hex digest');
    await page.locator('#message').fill(digest);
    expect(await page.locator('#message-error').isVisible()).toBe(false);
    await page.locator('#message').fill('abcd');
    expect(await page.locator('#message-error').isVisible()).toBe(false);
    expect(await seen(page.locator('#message-note'))).toContain('this is 2 bytes');
    await page.locator('#sign-button').click();
    expect(await seen(page.locator('#message-error'))).toContain('this is 2 bytes');
    expect(await page.locator('#message').getAttribute('aria-invalid')).toBe('true');
    expect(await page.locator('#result').isVisible()).toBe(false);
    await page.locator('#message').fill(digest);
    expect(await page.locator('#message').getAttribute('aria-invalid')).toBe('false');
    expect(await page.locator('#message-error').isVisible()).toBe(false);
    expect(problems).toEqual([]);
  });

  it('can be used with the keyboard alone', async () => {
    const { page, problems } = await pairedPage();
    await page.locator('body').press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content');
    const focusIs = (id: string) => page.evaluate((wanted) => document.activeElement?.id === wanted, id);
    for (let steps = 0; !(await focusIs('message')); steps++) {
      expect(steps).toBeLessThan(20);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.type('typed');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Verified', { exact: true }).waitFor();
    expect(await focusIs('verdict')).toBe(true);
    expect(problems).toEqual([]);
  });

  it('shows what the bridge refuses', async () => {
    const { page, problems } = await newPage();
    await page.goto(await server.bridge.pair({ name: 'limited', maxBytes: 4 }));
    await shown(page, 'connected');
    await page.locator('#message').fill('five!');
    await page.locator('#sign-button').click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await seen(alert)).toContain('4 bytes');
    expect(await page.locator('#result').isVisible()).toBe(false);
    await sign(page, 'four');
    expect(await alert.isVisible()).toBe(false);
    expect(problems).toEqual([]);
  });

  it('keeps the pairing across a reload, as one client', async () => {
    const { page, problems } = await pairedPage();
    await page.reload();
    await shown(page, 'connected');
    expect(await page.locator('#banner').isVisible()).toBe(false);
    await sign(page, 'after the reload');
    expect((await server.bridge.clients()).map(({ name }) => name)).toEqual(['laptop']);
    expect(problems).toEqual([]);
  });

  it('goes from 127.0.0.1 to localhost with its link', async () => {
    const { page, problems } = await newPage();
    const link = new URL(await server.bridge.pair({ name: 'laptop' }));
    link.hostname = '127.0.0.1';
    await page.goto(link.href);
    await shown(page, 'connected');
    expect(page.url()).toBe(`http://localhost:${link.port}/`);
    expect(problems).toEqual([]);
  });
});

describe('a bridge that lies', () => {
  /** `signer`, except that it answers with `wrong(signature)`. */
  const lying = (signer: Signer, wrong: (signature: Signature, data: Uint8Array) => Signature): Signer => ({
    sign: async (data, options) => wrong(await signer.sign(data, options), data),
    signBatch: () => Promise.reject(new Error('not used')),
    publicKey: () => signer.publicKey(),
    signerInfo: () => signer.signerInfo(),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  });
  const flipped = ({ algorithm, bytes, recovery }: Signature) => {
    bytes[40]! ^= 1;
    return Signature.fromBytes(algorithm, bytes, recovery);
  };
  const otherRecovery = ({ algorithm, bytes, recovery }: Signature) =>
    Signature.fromBytes(algorithm, bytes, recovery! ^ 1);

  it.each([
    ['an Ed25519 signature', () => lying(keys.treasury!, flipped)],
    ['a secp256k1 signature', () => lying(keys.notary!, flipped)],
    ['a recovery id', () => lying(keys.notary!, otherRecovery)],
  ])('cannot have %s shown that is wrong', async (_, liar) => {
    await server.restart({ keys: { liar: liar() } });
    const { page, problems } = await pairedPage();
    await page.locator('#message').fill('pay me');
    await page.locator('#sign-button').click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await seen(alert)).toContain('not by this key');
    expect(await page.locator('#result').isVisible()).toBe(false);
    expect(await page.locator('#signature').textContent()).toBe('');
    expect(problems).toEqual([]);
  });
});

describe('with keys in SoftHSM', () => {
  it('signs with each of them, and says where they live', async () => {
    const algorithms = ['ed25519', 'secp256k1', 'p256'] as const;
    const token = await createSoftHsmToken({ tokenLabel: 'vault', keys: algorithms });
    const tokenKeys: Record<string, Signer> = {};
    for (const algorithm of algorithms) {
      tokenKeys[`the-${algorithm}`] = await Pkcs11Signer.open(token.config(algorithm));
    }
    await server.restart({ keys: tokenKeys });
    const { page, problems } = await pairedPage();
    for (const algorithm of algorithms) {
      const publicKey = await tokenKeys[`the-${algorithm}`]!.publicKey();
      const isEd25519 = algorithm === 'ed25519';
      await choose(page, `the-${algorithm}`);
      const card = page.locator('.key', { hasText: `the-${algorithm}` });
      expect(await seen(card.locator('.key-place'))).toMatch(
        /^In the token vault · SoftHSM v2 · serial [0-9a-f]+$/,
      );
      await sign(page, `with ${algorithm}`);
      expect(await seen(page.locator('#verdict-note'))).toContain(`the-${algorithm}`);
      const signature = fromHex(await signatureAs(page, isEd25519 ? 'Hex' : 'DER'));
      const key = createPublicKey(publicKey.toPem());
      expect(nodeVerify(isEd25519 ? null : 'sha256', utf8(`with ${algorithm}`), key, signature)).toBe(true);
    }
    expect(problems).toEqual([]);
    for (const signer of Object.values(tokenKeys)) await signer.close();
    await token.remove();
  });
});

describe('when it cannot connect', () => {
  it('explains how to pair', async () => {
    const { page, problems } = await newPage();
    await page.goto(`${server.bridge.origin}/`);
    await shown(page, 'unpaired');
    expect(await heading(page)).toBe('This browser is not paired');
    expect(await page.locator('#pairing').isVisible()).toBe(false);
    expect(problems).toEqual([]);
  });

  it('a link that another browser has used is refused', async () => {
    const { link } = await pairedPage();
    const { page, problems } = await newPage();
    await page.goto(link);
    await shown(page, 'link-refused');
    expect(await heading(page)).toBe('This link was not accepted');
    expect(page.url()).toBe(`${server.bridge.origin}/`);
    expect(problems).toEqual([]);
  });

  it('an expired link is refused', async () => {
    const { page } = await newPage();
    const link = await server.bridge.pair({ expiresInMs: 1 });
    await page.goto(link);
    await shown(page, 'link-refused');
  });

  it('a link that was used here connects by the pairing that it made', async () => {
    const { page, problems, link } = await pairedPage();
    await page.goto('about:blank');
    await page.goto(link);
    await shown(page, 'connected');
    expect(await seen(page.locator('#banner'))).toContain('The link has been used or has expired.');
    expect((await server.bridge.clients()).length).toBe(1);
    expect(problems).toEqual([]);
  });

  it('a new link, pasted into the open page, pairs anew', async () => {
    const { page, problems } = await pairedPage();
    const link = await server.bridge.pair({ name: 'again' });
    await page.evaluate((href) => location.assign(href), link);
    await page.locator('#banner', { hasText: 'The bridge knows this browser as again' }).waitFor();
    expect(page.url()).toBe(`${server.bridge.origin}/`);
    expect(problems).toEqual([]);
  });

  it('a damaged link is told from a used one', async () => {
    const { page, problems } = await newPage();
    await page.goto((await server.bridge.pair()).slice(0, -3));
    await shown(page, 'link-damaged');
    expect(page.url()).toBe(`${server.bridge.origin}/`);
    expect(problems).toEqual([]);
  });

  it("another bridge's link is told as such", async () => {
    const { page, problems } = await newPage();
    const other = await startBridge({ keys });
    const link = new URL(await other.bridge.pair());
    await other.remove();
    link.port = new URL(server.bridge.origin).port;
    await page.goto(link.href);
    await shown(page, 'link-foreign');
    expect(problems).toEqual([]);
  });

  it('a revoked browser is told at once, and can forget', async () => {
    const { page, problems } = await pairedPage();
    await server.bridge.revoke('laptop');
    await shown(page, 'revoked');
    expect(await heading(page)).toBe('This browser is no longer accepted');
    await page.locator('[data-view="revoked"]').getByRole('button', { name: 'Forget' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Keep' }).click();
    expect(await page.locator('[data-view="revoked"]').isVisible()).toBe(true);
    await page.locator('[data-view="revoked"]').getByRole('button', { name: 'Forget' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click();
    await shown(page, 'unpaired');
    await page.reload();
    await shown(page, 'unpaired');
    expect(problems).toEqual([]);
  });

  it('connects again by itself when the bridge is back, with what was typed', async () => {
    const { page } = await pairedPage();
    await page.locator('#message').fill('half a thought');
    const { port } = new URL(server.bridge.url);
    await server.stop();
    await shown(page, 'unreachable');
    expect(await heading(page)).toBe('The bridge does not answer');
    expect(await seen(page.locator('[data-view="unreachable"]'))).toContain(`localhost:${port}`);
    await server.restart();
    await shown(page, 'connected');
    expect(await page.locator('#message').inputValue()).toBe('half a thought');
    await sign(page, 'a whole one');
  });

  it('does not trust another bridge at the same address', async () => {
    const { page, problems } = await pairedPage();
    const { port } = new URL(server.bridge.url);
    await server.stop();
    await shown(page, 'unreachable');
    const impostor = await startBridge({ keys, listen: `localhost:${port}` });
    try {
      await shown(page, 'unrecognized');
      expect(await heading(page)).toBe('This is not the bridge you paired with');
      expect(problems.filter((problem) => !problem.includes('WebSocket connection'))).toEqual([]);
    } finally {
      await impostor.remove();
    }
  });

  it('does not sign with a key that was exchanged', async () => {
    const { page, problems } = await pairedPage();
    const { signer } = await SoftwareSigner.generate('ed25519');
    await server.restart({ keys: { ...keys, treasury: signer } });
    await page.reload();
    await shown(page, 'connected');
    await choose(page, 'treasury');
    expect(await seen(page.locator('.key', { hasText: 'treasury' }))).toContain(
      'not the one that this browser pinned',
    );
    expect(await page.locator('#sign-button').getAttribute('aria-disabled')).toBe('true');
    await page.locator('#message').fill('anything');
    await page.locator('#message').press('Control+Enter');
    await choose(page, 'notary');
    await sign(page, 'the other key still signs');
    expect(await seen(page.locator('#verdict-note'))).toContain('notary');
    expect(problems.filter((problem) => !problem.includes('WebSocket connection'))).toEqual([]);
    await signer.close();
  });

  it.each([
    [
      'nothing',
      'allow it in the site settings',
      () => {
        IDBFactory.prototype.open = () => {
          throw new DOMException('denied', 'SecurityError');
        };
      },
    ],
    [
      'no keys',
      'a private window may be the cause',
      () => {
        IDBObjectStore.prototype.put = () => {
          throw new DOMException('no keys here', 'DataCloneError');
        };
      },
    ],
  ])('does not use a link up where the browser stores %s', async (_, reason, script) => {
    const { page, problems } = await newPage();
    await page.addInitScript(script);
    const link = await server.bridge.pair({ name: 'later' });
    await page.goto(link);
    await shown(page, 'no-storage');
    expect(await seen(page.locator('[data-view="no-storage"]'))).toContain(reason);
    expect(problems).toEqual([]);
    const elsewhere = await newPage();
    await elsewhere.page.goto(link);
    await shown(elsewhere.page, 'connected');
  });

  it('says so where the browser cannot protect its key', async () => {
    const { page, problems } = await newPage();
    await page.addInitScript(() => {
      SubtleCrypto.prototype.generateKey = (() =>
        Promise.reject(new DOMException('unsupported', 'NotSupportedError'))) as never;
    });
    await page.goto(await server.bridge.pair());
    await shown(page, 'connected');
    expect(await seen(page.locator('#pairing'))).toContain('Readable by scripts of this page');
    await page.reload();
    await shown(page, 'connected');
    await sign(page, 'works all the same');
    expect(problems).toEqual([]);
  });
});

describe('the page', () => {
  const sizes = [
    { width: 320, height: 640 },
    { width: 768, height: 1024 },
    { width: 1440, height: 900 },
  ];

  it.each(sizes)('fits $width pixels', async (viewport) => {
    const { page } = await newPage({ viewport });
    await page.goto(
      await server.bridge.pair({
        name: 'a-name-of-sixty-four-characters-0123456789012345678901234567890123',
      }),
    );
    await shown(page, 'connected');
    await choose(page, 'notary');
    await sign(page, 'x'.repeat(500));
    await signatureAs(page, 'DER');
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overflow()).toBe(0);
    for (const view of await page.locator('section[data-view]').all()) {
      await view.evaluate((section) => {
        for (const other of document.querySelectorAll<HTMLElement>('[data-view]'))
          other.hidden = other !== section;
      });
      expect(await overflow()).toBe(0);
    }
  });

  it('names every control', async () => {
    const { page } = await pairedPage();
    await sign(page, 'x');
    const unnamed = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLInputElement>('button, input, textarea')]
        .filter((control) => control.textContent === '' && (control.labels?.length ?? 0) === 0)
        .map((control) => control.outerHTML),
    );
    expect(unnamed).toEqual([]);
    expect(await page.getByRole('radiogroup', { name: 'Keys' }).getByRole('radio').count()).toBe(2);
  });

  it.each(['light', 'dark'] as const)('has readable colours in %s', async (colorScheme) => {
    const { page } = await newPage({ colorScheme });
    await page.goto(`${server.bridge.origin}/`);
    await shown(page, 'unpaired');
    const color = (name: string) =>
      page.evaluate(
        (wanted) => getComputedStyle(document.documentElement).getPropertyValue(`--${wanted}`).trim(),
        name,
      );
    for (const background of ['paper', 'surface']) {
      for (const foreground of ['ink', 'ink-soft', 'good', 'bad', 'focus', 'line-strong']) {
        const least = ['focus', 'line-strong'].includes(foreground) ? 3 : 4.5;
        expect(
          contrast(await color(foreground), await color(background)),
          `${foreground} on ${background}`,
        ).toBeGreaterThan(least);
      }
    }
  });

  it('of another origin gets no connection', async () => {
    const other = await servePages({ '/': '<!doctype html>' });
    try {
      const { page } = await newPage();
      await page.goto(`${other.origin}/`);
      const outcome = await page.evaluate(
        (url) =>
          new Promise((resolve) => {
            const socket = new WebSocket(url, 'erst-hsm.1');
            socket.onopen = () => resolve('open');
            socket.onerror = () => resolve('refused');
          }),
        server.bridge.url,
      );
      expect(outcome).toBe('refused');
      expect(server.log).toContainEqual(
        expect.objectContaining({
          message: 'upgrade refused',
          origin: other.origin,
          reason: 'unknown Origin',
        }),
      );
    } finally {
      await other.close();
    }
  });
});

/** Contrast of two `#rrggbb` colours (WCAG 2.2, relative luminance). */
function contrast(a: string, b: string): number {
  const luminance = (color: string) => {
    const [red, green, blue] = [...fromHex(color.slice(1))].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}
