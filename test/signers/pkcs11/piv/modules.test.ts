// libykcs11 and opensc-pkcs11 as Debian has them, on a PIV card in software, through Pkcs11Signer. The card counts the PINs
// that it is shown, whoever shows them.

import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pkcs11Config } from '../../../../src/signers/config/config.js';
import { Pkcs11Signer } from '../../../../src/signers/pkcs11/pkcs11-signer.js';
import { ModuleProcess } from '../../../../src/signers/pkcs11/process/module-process.js';
import { expectToSign, failureOf } from '../../../fixtures/outcomes.js';
import { DEFAULT_MANAGEMENT_KEY } from '../../../fixtures/piv-card/management-key.js';
import {
  createPivCard,
  OPENSC_MODULE,
  type PivCard,
  type PivCardOptions,
  YKCS11_MODULE,
} from '../../../fixtures/piv-card/piv-card.js';

const before = { ...process.env };
let card: PivCard;
let stateDirectory: string;

beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), 'erst-piv-state-'));
});
afterEach(async () => {
  await card.close();
  await rm(stateDirectory, { recursive: true, force: true });
  process.env = { ...before };
});

/** A card that the modules' processes will see. */
async function insertCard(options?: PivCardOptions): Promise<void> {
  card = await createPivCard(options);
  process.env = { ...card.env, XDG_STATE_HOME: stateDirectory };
}

async function knowsEdDsa(modulePath: string): Promise<boolean> {
  const module = await ModuleProcess.start(modulePath, { env: process.env, timeoutMs: 20_000 });
  try {
    return (await module.tokens())[0]!.mechanisms.includes('EDDSA');
  } finally {
    await module.close();
  }
}

describe.each([
  ['libykcs11', YKCS11_MODULE],
  ['OpenSC', OPENSC_MODULE],
])('%s', (name, modulePath) => {
  const isYkcs11 = name === 'libykcs11';
  const config = (more: Partial<Pkcs11Config> = {}): Pkcs11Config => ({
    modulePath,
    pin: card.pin,
    pivSlot: '9a',
    algorithm: 'p256',
    ...more,
  });

  it.each(isYkcs11 ? (['9a', '9c', '9d', '9e', '82', '95'] as const) : (['9a', '9c', '9e'] as const))(
    'signs with the key in slot %s, whose public key is the one on the card',
    async (pivSlot) => {
      await insertCard({ keys: [{ slot: pivSlot }] });
      await using signer = await Pkcs11Signer.open(config({ pivSlot }));
      const onCard = createPublicKey({
        key: Buffer.from(await card.publicKey(pivSlot)),
        format: 'der',
        type: 'spki',
      });
      expect(createPublicKey((await signer.publicKey()).toPem()).equals(onCard)).toBe(true);
      await expectToSign(signer);
      expect(await card.refusedTries()).toBe(0);
    },
  );

  it('signs with an Ed25519 key of firmware 5.7 where it knows EdDSA, and beside it where not', async () => {
    await insertCard({ firmware: '5.7.1', keys: [{ slot: '9a', algorithm: 'ed25519' }, { slot: '9c' }] });
    await using beside = await Pkcs11Signer.open(config({ pivSlot: '9c' }));
    await expectToSign(beside);
    if (await knowsEdDsa(modulePath)) {
      await using signer = await Pkcs11Signer.open(config({ algorithm: 'ed25519' }));
      await expectToSign(signer);
    } else {
      const failure = await failureOf(Pkcs11Signer.open(config({ algorithm: 'ed25519' })));
      expect(failure.code).toMatch(/^(unsupported-algorithm|key-not-found|mechanism-unsupported)$/);
    }
    expect(await card.refusedTries()).toBe(0);
  });

  it('signs with a key that was imported', async () => {
    await insertCard({ keys: [{ slot: '9a', imported: true }] });
    await using signer = await Pkcs11Signer.open(config());
    await expectToSign(signer);
  });

  it('shows slot 9c the PIN at each signature, also when many are asked for at once', async () => {
    await insertCard();
    await using signer = await Pkcs11Signer.open(config({ pivSlot: '9c' }));
    const [tries, signatures] = [await card.tries(), await card.signCount()];
    await Promise.all(Array.from({ length: 10 }, () => expectToSign(signer)));
    expect([(await card.tries()) - tries, (await card.signCount()) - signatures]).toEqual([10, 10]);
  });

  it('signs many at once, each once', async () => {
    await insertCard();
    await using signer = await Pkcs11Signer.open(config());
    const signatures = await card.signCount();
    await Promise.all(Array.from({ length: 100 }, () => expectToSign(signer)));
    expect((await card.signCount()) - signatures).toBe(100);
  });

  it('shows the card a wrong PIN once, whoever asks again', async () => {
    await insertCard();
    const wrong = config({ pin: '999999' });
    expect((await failureOf(Pkcs11Signer.open(wrong))).code).toBe('pin-incorrect');
    expect(await card.tries()).toBe(1);
    expect((await failureOf(Pkcs11Signer.open(wrong))).code).toBe('pin-incorrect');
    expect([await card.tries(), await card.pinTriesLeft()]).toEqual([1, 2]);
    await using signer = await Pkcs11Signer.open(config());
    await expectToSign(signer);
    expect(await card.pinTriesLeft()).toBe(3);
  });

  it('never shows the card a PIN for its last try', async () => {
    await insertCard();
    for (const pin of ['999991', '999992', '999993', '999994'])
      await failureOf(Pkcs11Signer.open(config({ pin })));
    expect((await failureOf(Pkcs11Signer.open(config()))).code).toBe('pin-locked');
    expect([await card.tries(), await card.pinTriesLeft()]).toEqual([2, 1]);
    await card.resetPinCounter();
    await using signer = await Pkcs11Signer.open(config());
    await expectToSign(signer);
  });

  describe('goes on by itself after', () => {
    it.each<[string, () => Promise<void>]>([
      ['a reset by another program', () => card.resetCard()],
      ['another program selected another application', () => card.selectOtherApplet()],
      ['the card was taken out and put in again', () => card.remove().then(() => card.insert())],
      ['the key was unplugged and plugged in again', () => card.unplug().then(() => card.plug())],
      ['pcscd was restarted', () => card.restartDaemon()],
    ])('%s', async (_, fault) => {
      await insertCard();
      await using signer = await Pkcs11Signer.open(config());
      for (let i = 0; i < 3; i++) {
        await fault();
        await expectToSign(signer);
      }
      expect(await card.refusedTries()).toBe(0);
    });

    it.each<[string, () => Promise<void>, () => Promise<void>]>([
      ['the card was out for a signature', () => card.remove(), () => card.insert()],
      ['the key was unplugged for a signature', () => card.unplug(), () => card.plug()],
      ['pcscd was down for a signature', () => card.stopDaemon(), () => card.startDaemon()],
    ])('%s', async (_, fault, cure) => {
      await insertCard();
      await using signer = await Pkcs11Signer.open(config());
      await fault();
      expect((await failureOf(signer.sign(Uint8Array.of(1)))).code).toMatch(/^token-(not-found|error)$/);
      await cure();
      await expectToSign(signer);
      expect(await card.refusedTries()).toBe(0);
    });

    it('the card hung', async () => {
      await insertCard();
      await using signer = await Pkcs11Signer.open(config({ timeoutMs: 1500 }));
      await card.setDelay(600_000);
      expect((await failureOf(signer.sign(Uint8Array.of(1)))).code).toMatch(/^(timeout|module-crashed)$/);
      await card.setDelay(0);
      await expectToSign(signer);
      expect(await card.refusedTries()).toBe(0);
    });
  });

  it('spends one try where the PIN was changed elsewhere and the login is gone', async () => {
    await insertCard();
    await using signer = await Pkcs11Signer.open(config());
    await card.changePin('654321');
    await card.resetCard();
    expect((await failureOf(signer.sign(Uint8Array.of(1)))).code).toMatch(/^pin-(incorrect|locked)$/);
    await failureOf(signer.sign(Uint8Array.of(1)));
    expect([await card.refusedTries(), await card.pinTriesLeft()]).toEqual([1, 2]);
  });

  it('refuses a key that was deleted, and another key in its place', async () => {
    await insertCard();
    await using signer = await Pkcs11Signer.open(config({ pivSlot: '9c' }));
    await card.replaceKey('9c');
    expect((await failureOf(signer.sign(Uint8Array.of(1)))).code).toMatch(
      /^(signature-invalid|key-mismatch)$/,
    );
    await card.deleteKey('9c');
    expect((await failureOf(signer.sign(Uint8Array.of(1)))).code).toMatch(/^(key-not-found|key-mismatch)$/);
    expect(await card.refusedTries()).toBe(0);
  });
});

it('libykcs11 and OpenSC sign with one card at once', async () => {
  await insertCard();
  const config = { pin: card.pin, algorithm: 'p256' } as const;
  await using careful = await Pkcs11Signer.open({ ...config, modulePath: YKCS11_MODULE, pivSlot: '9c' });
  await using plain = await Pkcs11Signer.open({ ...config, modulePath: OPENSC_MODULE, pivSlot: '9a' });
  const work = Array.from({ length: 20 }, () => [expectToSign(careful), expectToSign(plain)]).flat();
  await Promise.all(work);
  expect(await card.refusedTries()).toBe(0);
});

it('signs with a key that libykcs11 has generated on the card', async () => {
  await insertCard({ keys: [] });
  const officer = ['--login', '--login-type', 'so', '--so-pin', DEFAULT_MANAGEMENT_KEY];
  const key = ['--keypairgen', '--key-type', 'EC:prime256v1', '--id', '05'];
  await promisify(execFile)('pkcs11-tool', ['--module', YKCS11_MODULE, ...officer, ...key], {
    env: card.env,
  });
  await using signer = await Pkcs11Signer.open({ modulePath: YKCS11_MODULE, pin: card.pin, pivSlot: '82' });
  await expectToSign(signer);
  expect(signer.signerInfo().metadata).toMatchObject({
    serial: String(card.serial),
    madeOnToken: 'yes',
    neverExtractable: 'yes',
    alwaysSensitive: 'yes',
  });
});

it.each(['9d', '82'] as const)(
  'OpenSC refuses the key in slot %s, which is for key agreement',
  async (pivSlot) => {
    await insertCard({ keys: [{ slot: pivSlot }], keyHistory: true });
    const failure = await failureOf(Pkcs11Signer.open({ modulePath: OPENSC_MODULE, pin: card.pin, pivSlot }));
    expect(failure).toMatchObject({
      code: 'unsupported-algorithm',
      message: expect.stringContaining('CKA_SIGN'),
    });
    expect(await card.signCount()).toBe(0);
  },
);
