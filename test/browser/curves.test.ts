// The curves give the published answers in Chromium too. The full vectors run in Node.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle, launchChromium, openModule, type PageServer, serveModule } from '../fixtures/chromium.js';
import type * as curvesPage from './pages/curves.js';

declare const module: typeof curvesPage;

let browser: Browser;
let server: PageServer;
let page: Page;
let problems: string[];

beforeAll(async () => {
  server = await serveModule(await bundle('test/browser/pages/curves.ts'));
  browser = await launchChromium();
  ({ page, problems } = await openModule(await browser.newContext(), server.origin));
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

// RFC 8032 §7.1, TEST 1 to 3.
const RFC_8032 = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    '',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '72',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'af82',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const;

// BIP-340, test-vectors.csv, indices 0 to 2.
const BIP_340 = [
  [
    '0000000000000000000000000000000000000000000000000000000000000003',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    'f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9',
    'e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca821525f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0',
  ],
  [
    'b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef',
    '243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89',
    '0000000000000000000000000000000000000000000000000000000000000001',
    'dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659',
    '6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de33418906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a',
  ],
  [
    'c90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b14e5c9',
    '7e2d58d8b3bcdf1abadec7829054f90dda9805aab56c77333024b9d0a508b75c',
    'c87aa53824b4d7ae2eb035a2b5bbbccc080e76cdc6d1692c4b0b62d798e6d906',
    'dd308afec5777e13121fa72b9cc1b7cc0139715309b086c960e18fd969774eb8',
    '5831aaeed7b44bb74e5eab94ba9d4294c49bcf2a60728d8b4c200f50dd313c1bab745879a5ad954a72c45a91c3a51d3c7adea98d82f8481e0e1e03674a6f3fb7',
  ],
] as const;

const good = { accepted: true, damagedAccepted: false };

describe('the curves in Chromium', () => {
  it.each(RFC_8032)('RFC 8032, secret key %s', async (secretKey, message, publicKey, signature) => {
    const answer = await page.evaluate(([s, m]) => module.ed25519Answer(s, m), [secretKey, message] as const);
    expect(answer).toEqual({ publicKey, signature, ...good });
  });

  it.each(BIP_340)('BIP-340, secret key %s', async (secretKey, message, aux, publicKey, signature) => {
    const answer = await page.evaluate(([s, m, a]) => module.schnorrAnswer(s, m, a), [
      secretKey,
      message,
      aux,
    ] as const);
    expect(answer).toEqual({ publicKey, signature, ...good });
  });

  it('BIP-340, index 6: R with an odd y is refused', async () => {
    const accepted = await page.evaluate(() =>
      module.schnorrAccepts(
        'dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659',
        '243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89',
        'fff97bd5755eeea420453a14355235d382f6472f8568a18b2f057a14602975563cc27944640ac607cd107ae10923d9ef7a73c643e166be5ebeafa34b1ac553e2',
      ),
    );
    expect(accepted).toBe(false);
  });

  // The deterministic nonce of RFC 6979 over secp256k1 and SHA-256: the answer that Bitcoin's libraries share.
  it('RFC 6979 on secp256k1, low-S', async () => {
    const answer = await page.evaluate(() =>
      module.secp256k1Answer(`${'00'.repeat(31)}01`, 'Satoshi Nakamoto'),
    );
    expect(answer).toEqual({
      publicKey: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
      signature:
        '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
      ...good,
    });
  });

  it('runs under a strict content security policy', () => {
    expect(problems).toEqual([]);
  });
});
