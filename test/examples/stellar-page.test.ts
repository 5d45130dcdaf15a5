// The example page in Chromium, on an origin of its own, with a bridge whose key is in SoftHSM.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/index.js';
import { bundle, launchChromium, type PageServer, servePages, watch } from '../fixtures/chromium.js';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { expectSignedAuthorization, expectSignedTransaction } from '../fixtures/stellar.js';
import { startBridge, type TestBridge } from '../fixtures/test-bridge.js';

const example = (name: string) =>
  readFile(fileURLToPath(new URL(`../../examples/stellar-page/${name}`, import.meta.url)), 'utf8');

let token: SoftHsmToken;
let signer: Pkcs11Signer;
let server: TestBridge;
let pages: PageServer;
let browser: Browser;

beforeAll(async () => {
  token = await createSoftHsmToken({ keys: ['ed25519'] });
  signer = await Pkcs11Signer.open(token.config('ed25519'));
  pages = await servePages({
    '/': await example('index.html'),
    '/page.css': await example('page.css'),
    '/build/main.js': await bundle('examples/stellar-page/main.js'),
  });
  server = await startBridge({ keys: { treasury: signer }, origins: [pages.origin], consoleDir: false });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
  await pages?.close();
  await signer?.close();
  await token?.remove();
});

const values = (page: Page, name: string) =>
  page.locator('dt', { hasText: name }).locator('xpath=following-sibling::dd[1]').allTextContents();

async function expectSigns(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign', exact: true }).click();
  await page
    .getByRole('heading', { name: 'Authorization' })
    .or(page.locator('#problem:not(:empty)'))
    .waitFor();
  expect(await page.locator('#problem').textContent()).toBe('');
  const [payment, call] = await values(page, 'Envelope');
  await expectSignedTransaction(payment!, 'payment', signer);
  await expectSignedTransaction(call!, 'invokeHostFunction', signer);
  await expectSignedAuthorization((await values(page, 'Entry'))[0]!, signer);
}

it('pairs, signs, and signs again after a reload, by the pairing that it kept', async () => {
  const page = await browser.newPage();
  const problems = await watch(page);
  await page.goto(`${pages.origin}/`);
  const link = await server.bridge.pair();
  await page.getByLabel('Pairing link').fill(link);
  await page.getByRole('button', { name: 'Pair' }).click();
  await page.getByRole('combobox', { name: 'Key' }).waitFor();
  expect(await page.content()).not.toContain(link.split('.').at(-1));
  await expectSigns(page);

  await page.reload();
  await expectSigns(page);

  await page.getByRole('button', { name: 'Forget' }).click();
  await page.getByLabel('Pairing link').fill(link);
  await page.getByRole('button', { name: 'Pair' }).click();
  await page.getByRole('alert').filter({ hasText: /link/ }).waitFor();
  expect(problems).toEqual([]);
});
