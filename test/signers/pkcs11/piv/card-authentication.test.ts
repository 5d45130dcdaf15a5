// PIV slot 9e, whose key the card lets anybody use (SP 800-73-4 part 1 §3.1.3): through the real modules, on a card that
// counts the PINs that it is shown.

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pkcs11Config } from '../../../../src/signers/config/config.js';
import { Pkcs11Signer } from '../../../../src/signers/pkcs11/pkcs11-signer.js';
import { verifySignature } from '../../../../src/signers/verify.js';
import {
  createPivCard,
  OPENSC_MODULE,
  type PivCard,
  YKCS11_MODULE,
} from '../../../fixtures/piv-card/piv-card.js';

const before = { ...process.env };
let card: PivCard;
let stateDirectory: string;

beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), 'erst-piv-state-'));
  card = await createPivCard();
  process.env = { ...card.env, XDG_STATE_HOME: stateDirectory };
});
afterEach(async () => {
  await card.close();
  await rm(stateDirectory, { recursive: true, force: true });
  process.env = { ...before };
});

const open = (config: Partial<Pkcs11Config>) => Pkcs11Signer.open({ modulePath: OPENSC_MODULE, ...config });

async function expectToSign(signer: Pkcs11Signer): Promise<void> {
  const data = randomBytes(20);
  expect(await verifySignature(await signer.publicKey(), data, await signer.sign(data))).toBe(true);
}

describe('slot 9e through OpenSC', () => {
  it.each([
    ['no PIN', {}],
    ['a PIN, which may even be wrong', { pin: '999999' }],
    ['a PIN command, which is not run', { pinCommand: 'false' }],
  ])('signs with %s configured, and none is presented', async (_, config) => {
    await using signer = await open({ pivSlot: '9e', ...config });
    await expectToSign(signer);
    expect(await card.tries()).toBe(0);
  });

  it('signs on when the card was away, reset, or with another applet', async () => {
    await using signer = await open({ pivSlot: '9e' });
    for (const disturb of ['resetCard', 'selectOtherApplet', 'restartDaemon'] as const) {
      await card[disturb]();
      await expectToSign(signer);
    }
    await card.remove();
    await expect(signer.sign(randomBytes(8))).rejects.toMatchObject({ code: 'token-not-found' });
    await card.insert();
    await expectToSign(signer);
    expect(await card.tries()).toBe(0);
  });

  it('gives nobody the other keys', async () => {
    await using _ = await open({ pivSlot: '9e' });
    await expect(open({ pivSlot: '9a' })).rejects.toMatchObject({ code: 'pin-missing' });
    await using nine = await open({ pivSlot: '9a', pin: card.pin });
    await expectToSign(nine);
    await expect(open({ pivSlot: '9a' })).rejects.toMatchObject({ code: 'pin-missing' });
    await expect(open({ pivSlot: '9a', pin: '999999' })).rejects.toMatchObject({ code: 'pin-incorrect' });
    expect(await card.refusedTries()).toBe(0);
  });

  it('goes on when the signer with the PIN is closed, whose login ends', async () => {
    await using signer = await open({ pivSlot: '9e' });
    const nine = await open({ pivSlot: '9a', pin: card.pin });
    await nine.close();
    await expectToSign(signer);
    const tries = await card.tries();
    await using again = await open({ pivSlot: '9a', pin: card.pin });
    await expectToSign(again);
    expect(await card.tries()).toBe(tries + 1);
    await expectToSign(signer);
  });

  it('is logged in to where it is not named by what is unique, for other keys are not seen before', async () => {
    await expect(open({})).rejects.toMatchObject({ code: 'pin-missing' });
    await expect(open({ pin: card.pin })).rejects.toMatchObject({ code: 'key-ambiguous' });
  });
});

describe('slot 9e through libykcs11', () => {
  it('wants the PIN, because the module shows no private key before a login', async () => {
    const config = { modulePath: YKCS11_MODULE, pivSlot: '9e' };
    await expect(open(config)).rejects.toMatchObject({ code: 'pin-missing' });
    await using signer = await open({ ...config, pin: card.pin });
    await expectToSign(signer);
    expect(await card.tries()).toBe(1);
  });
});
