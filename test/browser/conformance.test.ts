// Every Signer that exists in a browser passes the suite there: keys in the page, and keys behind a bridge, in memory and
// in SoftHSM. The page is of another origin than the bridge, as an application's is.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/index.js';
import { SoftwareSigner } from '../../src/signers/software.js';
import type { Algorithm, Signer } from '../../src/signers/types.js';
import { signerConformance } from '../../src/testing/index.js';
import { bundle, launchChromium, openModule, type PageServer, serveModule } from '../fixtures/chromium.js';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { startBridge, type TestBridge } from '../fixtures/test-bridge.js';
import type * as conformancePage from './pages/conformance.js';

declare const module: typeof conformancePage;

const SOFTHSM_KEYS: readonly Algorithm[] = ['ed25519', 'secp256k1', 'p256'];

interface Target {
  name: string;
  algorithm: Algorithm;
  deterministic: boolean;
  /** Name of the key on the bridge; a key in the page has none. */
  key?: string;
}

const targets: readonly Target[] = [
  { name: 'page ed25519', algorithm: 'ed25519', deterministic: true },
  { name: 'page secp256k1', algorithm: 'secp256k1', deterministic: true },
  { name: 'remote ed25519', key: 'software-ed25519', algorithm: 'ed25519', deterministic: true },
  { name: 'remote secp256k1', key: 'software-secp256k1', algorithm: 'secp256k1', deterministic: true },
  { name: 'remote SoftHSM ed25519', key: 'softhsm-ed25519', algorithm: 'ed25519', deterministic: true },
  {
    name: 'remote SoftHSM secp256k1',
    key: 'softhsm-secp256k1',
    algorithm: 'secp256k1',
    deterministic: false,
  },
  { name: 'remote SoftHSM p256', key: 'softhsm-p256', algorithm: 'p256', deterministic: false },
];
const remoteTargets = targets.filter((target): target is Required<Target> => target.key !== undefined);

let browser: Browser;
let pages: PageServer;
let bridge: TestBridge;
let token: SoftHsmToken;
let signers: Record<string, Signer>;
let page: Page;
let problems: string[];

beforeAll(async () => {
  token = await createSoftHsmToken({ keys: SOFTHSM_KEYS });
  signers = {
    'software-ed25519': (await SoftwareSigner.generate('ed25519')).signer,
    'software-secp256k1': (await SoftwareSigner.generate('secp256k1')).signer,
  };
  for (const algorithm of SOFTHSM_KEYS) {
    signers[`softhsm-${algorithm}`] = await Pkcs11Signer.open(token.config(algorithm));
  }
  pages = await serveModule(await bundle('test/browser/pages/conformance.ts'));
  bridge = await startBridge({ keys: signers, origins: [pages.origin], consoleDir: false });
  browser = await launchChromium();
  ({ page, problems } = await openModule(await browser.newContext(), pages.origin));
  await page.evaluate(() => module.addSoftware('page ed25519', 'ed25519'));
  await page.evaluate(() => module.addSoftware('page secp256k1', 'secp256k1'));
  await page.evaluate(([link, remote]) => module.addRemote(link, remote), [
    await bridge.bridge.pair(),
    remoteTargets,
  ] as const);
});

afterAll(async () => {
  await browser?.close();
  await bridge?.remove();
  await pages?.close();
  for (const signer of Object.values(signers ?? {})) await signer.close();
  await token?.remove();
});

describe.each(targets)('$name in Chromium', ({ name: target, key, ...options }) => {
  const cases = signerConformance({
    ...options,
    ...(key === undefined ? {} : { maxDataBytes: 1_000_000 }),
    create: () => Promise.reject(new Error('only the names are used here')),
  }).map(({ name }) => name);

  it('has the cases that are run below', async () => {
    const inPage = await page.evaluate((name) => module.caseNames(name), target);
    expect(inPage.sort()).toEqual([...cases].sort());
  });

  it.each(cases)('%s', async (name) => {
    expect(await page.evaluate(([t, n]) => module.run(t, n), [target, name] as const)).toBeUndefined();
  });
});

describe('the page', () => {
  it('saw no error meanwhile', () => {
    expect(problems).toEqual([]);
  });
});
