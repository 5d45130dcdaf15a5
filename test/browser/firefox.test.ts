// The shortest paths in Firefox as well: the console from its link to a signature, and the module without a bundler.

import { createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHex, utf8 } from '../../src/bytes.js';
import { SoftwareSigner } from '../../src/signers/software.js';
import { builtConsole, builtModule } from '../fixtures/built.js';
import { servePages } from '../fixtures/chromium.js';
import { Firefox } from '../fixtures/firefox.js';
import { startBridge } from '../fixtures/test-bridge.js';

let firefox: Firefox;

beforeAll(async () => {
  firefox = await Firefox.launch();
});

afterAll(async () => {
  await firefox?.close();
});

const text = (selector: string) => `document.querySelector(${JSON.stringify(selector)}).innerText`;
const isShown = (selector: string) => `document.querySelector(${JSON.stringify(selector)}).checkVisibility()`;

describe('Firefox', () => {
  it('pairs, signs and verifies in the console, and keeps its key across a reload', async () => {
    const { signer } = await SoftwareSigner.generate('ed25519');
    const console_ = await builtConsole();
    const { bridge, remove } = await startBridge({
      keys: { treasury: signer },
      consoleDir: console_.directory,
    });
    try {
      await firefox.goto(await bridge.pair({ name: 'fox' }));
      await firefox.waitFor(isShown('[data-view="connected"]'));
      expect(await firefox.evaluate('location.href')).toBe(`${bridge.origin}/`);
      expect(await firefox.evaluate(text('#pairing'))).toContain('Non-extractable');

      await firefox.goto(`${bridge.origin}/`);
      await firefox.waitFor(isShown('[data-view="connected"]'));
      await firefox.evaluate(
        `(document.querySelector('#message').value = 'from a fox', document.querySelector('#sign-button').click())`,
      );
      await firefox.waitFor(isShown('#verdict'));
      expect(await firefox.evaluate(text('#verdict'))).toBe('Verified');
      const signature = await firefox.evaluate<string>(
        `[...document.querySelectorAll('#signature code')].map((code) => code.textContent).join('')`,
      );
      const publicKey = createPublicKey((await signer.publicKey()).toPem());
      expect(verify(null, utf8('from a fox'), publicKey, fromHex(signature))).toBe(true);
      expect(firefox.problems).toEqual([]);
    } finally {
      await remove();
      await console_.remove();
      await signer.close();
    }
  });

  it('signs and verifies with the self-contained module', async () => {
    const pages = await servePages({
      '/': '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="page.js"></script>',
      '/page.js': "import * as erst from './erst-hsm.js'; globalThis.erst = erst;",
      '/erst-hsm.js': await builtModule(),
    });
    try {
      await firefox.goto(`${pages.origin}/`);
      const { pem, der, verified } = await firefox.evaluate<{
        pem: string;
        der: number[];
        verified: boolean;
      }>(`(async () => {
        const { signer } = await erst.SoftwareSigner.generate('secp256k1');
        const data = new TextEncoder().encode('from a page');
        const [signature, publicKey] = [await signer.sign(data), await signer.publicKey()];
        const verified = await erst.verifySignature(publicKey, data, signature);
        return { pem: publicKey.toPem(), der: [...signature.toDer()], verified };
      })()`);
      expect(verified).toBe(true);
      expect(verify('sha256', utf8('from a page'), createPublicKey(pem), Uint8Array.from(der))).toBe(true);
    } finally {
      await pages.close();
    }
  });
});
