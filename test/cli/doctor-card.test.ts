// `erst-hsm doctor` with the real libykcs11 and opensc-pkcs11: on a PIV card in software, and where nothing answers.

import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPivCard, OPENSC_MODULE, type PivCard, YKCS11_MODULE } from '../fixtures/piv-card/piv-card.js';
import { diagnose, pasted } from './doctor-diagnosis.js';

let dir: string;
const stateHome = process.env.XDG_STATE_HOME;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'erst-doctor-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));
beforeEach(async () => {
  process.env.XDG_STATE_HOME = await mkdtemp(join(dir, 'state-'));
});
afterEach(() => {
  if (stateHome === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = stateHome;
});

async function pinFile(pin: string): Promise<string> {
  const path = join(dir, 'pin');
  await writeFile(path, pin, { mode: 0o600 });
  return path;
}

describe.each([YKCS11_MODULE, OPENSC_MODULE])('%s without pcscd', (modulePath) => {
  it('is told to start it, and nothing else', async () => {
    const env = {
      ERST_SIGNER_TYPE: 'pkcs11',
      ERST_PKCS11_MODULE: modulePath,
      PCSCLITE_CSOCK_NAME: join(dir, 'none'),
    };
    const diagnosis = await diagnose(env);
    expect(diagnosis.of('module.load').status).toBe('ok');
    expect(diagnosis.all('failed')).toEqual(['card.service']);
    expect(diagnosis.of('card.service')).toMatchObject({
      finding: expect.stringContaining('pcscd does not run'),
      fix: expect.stringContaining('systemctl enable --now pcscd.socket'),
    });
  });
});

it('finds no slot where a daemon answers and has no reader', async () => {
  const PCSCLITE_CSOCK_NAME = join(dir, 'pcscd.comm');
  const daemon = createServer((connection) => connection.destroy()).listen(PCSCLITE_CSOCK_NAME);
  try {
    const env = { ERST_SIGNER_TYPE: 'pkcs11', ERST_PKCS11_MODULE: OPENSC_MODULE, PCSCLITE_CSOCK_NAME };
    const diagnosis = await diagnose(env);
    expect(diagnosis.of('card.service').status).toBe('ok');
    expect(diagnosis.all('failed')).toEqual(['slots']);
    expect(diagnosis.of('slots').fix).toBe('opensc-tool --list-readers');
  } finally {
    daemon.close();
  }
});

describe('a card', () => {
  let card: PivCard;
  let env: Record<string, string>;
  beforeEach(async () => {
    card = await createPivCard({ firmware: '5.4.3' });
    env = {
      LD_LIBRARY_PATH: card.env.LD_LIBRARY_PATH!,
      PIV_CARD_SOCKET: card.env.PIV_CARD_SOCKET!,
      PCSCLITE_CSOCK_NAME: join(dir, 'none'),
      ERST_SIGNER_TYPE: 'pkcs11',
      ERST_PKCS11_MODULE: YKCS11_MODULE,
      ERST_PKCS11_PIV_SLOT: '9a',
      ERST_PKCS11_PIN_FILE: await pinFile(card.pin),
    };
  });
  afterEach(() => card.close());

  it.each([
    ['9a', YKCS11_MODULE],
    ['9c', YKCS11_MODULE],
    ['9a', OPENSC_MODULE],
  ])('signs in slot %s with %s', async (slot, modulePath) => {
    const own = { ...env, ERST_PKCS11_MODULE: modulePath, ERST_PKCS11_PIV_SLOT: slot };
    const diagnosis = await diagnose(own, { tryPin: true });
    expect(diagnosis.all('failed')).toEqual([]);
    expect(diagnosis.of('signature').status).toBe('ok');
    expect(await card.signCount()).toBe(1);
    expect(await card.refusedTries()).toBe(0);
  });

  it('is presented no PIN without --try-pin, in any state', async () => {
    expect((await diagnose(env)).of('login').status).toBe('skipped');
    expect(await card.tries()).toBe(0);
    expect(await card.signCount()).toBe(0);
  });

  it('is presented a wrong PIN once, whoever asks again', async () => {
    const wrong = { ...env, ERST_PKCS11_PIN_FILE: await pinFile('654321') };
    const first = await diagnose(wrong, { tryPin: true });
    expect(first.of('login')).toMatchObject({ status: 'failed', fix: expect.stringContaining('EDITOR') });
    expect(first.of('signature').status).toBe('skipped');
    const second = await diagnose(wrong, { tryPin: true });
    expect(second.of('login').status).toBe('failed');
    expect(await card.tries()).toBe(1);
    expect(await card.pinTriesLeft()).toBe(2);
  });

  it('has one try left, which is not spent', async () => {
    for (const pin of ['111111', '222222']) {
      await diagnose({ ...env, ERST_PKCS11_PIN_FILE: await pinFile(pin) }, { tryPin: true });
    }
    expect(await card.pinTriesLeft()).toBe(1);
    const right = { ...env, ERST_PKCS11_PIN_FILE: await pinFile(card.pin) };
    const diagnosis = await diagnose(right, { tryPin: true });
    expect(diagnosis.of('pin.state')).toMatchObject({
      status: 'failed',
      finding: expect.stringContaining('one try'),
      fix: 'yubico-piv-tool -a verify-pin',
    });
    expect(diagnosis.of('login').status).toBe('skipped');
    expect(await card.tries()).toBe(2);
  });

  it('is locked', async () => {
    const wrongPins = ['111111', '222222', '333333'];
    for (const pin of wrongPins) await presentElsewhere(pin);
    const diagnosis = await diagnose(env, { tryPin: true });
    expect(diagnosis.of('pin.state')).toMatchObject({
      status: 'failed',
      fix: 'yubico-piv-tool -a unblock-pin',
    });
    expect(await card.tries()).toBe(wrongPins.length);
  });

  it('was presented a wrong PIN by somebody', async () => {
    await presentElsewhere('111111');
    const { status, finding } = (await diagnose(env)).of('pin.state');
    // libykcs11 sets CKF_USER_PIN_COUNT_LOW at the first wrong one.
    expect([status, finding]).toEqual(['warning', expect.stringContaining('wrong PIN')]);
  });

  it('has no Ed25519: the firmware is too old', async () => {
    const wrong = { ...env, ERST_SIGNER_ALGORITHM: 'ed25519' };
    const diagnosis = await diagnose(wrong);
    expect(diagnosis.of('mechanism')).toMatchObject({
      status: 'failed',
      finding: expect.stringMatching(/CKM_EDDSA.*firmware 5\.7 .*5\.4\.3/),
    });
    expect(diagnosis.of('key')).toMatchObject({ status: 'failed', finding: expect.stringContaining('p256') });
    const after = await diagnose(await pasted(diagnosis.of('mechanism').fix, wrong), { tryPin: true });
    expect(after.of('signature').status).toBe('ok');
  });

  it('has no Ed25519: the module is too old', async () => {
    await card.close();
    card = await createPivCard({ firmware: '5.7.1' });
    const own = { LD_LIBRARY_PATH: card.env.LD_LIBRARY_PATH!, PIV_CARD_SOCKET: card.env.PIV_CARD_SOCKET! };
    const diagnosis = await diagnose({ ...env, ...own, ERST_SIGNER_ALGORITHM: 'ed25519' });
    expect(diagnosis.of('mechanism')).toMatchObject({
      status: 'failed',
      finding: expect.stringMatching(/libykcs11 .*2\.7\.2 .*2\.2\.0/),
    });
  });

  it('has no key in the slot', async () => {
    const { status, fix } = (await diagnose({ ...env, ERST_PKCS11_PIV_SLOT: '82' }, { tryPin: true })).of(
      'key',
    );
    expect([status, fix]).toEqual(['failed', 'yubico-piv-tool -a generate -s 82 -A ECCP256 -o public.pem']);
  });

  it('was taken out', async () => {
    await card.unplug();
    const diagnosis = await diagnose(env);
    expect(diagnosis.all('failed')).toHaveLength(1);
    expect(diagnosis.of('token').status).toBe('skipped');
  });

  /** By another program, which knows nothing of our memory of refused PINs. */
  async function presentElsewhere(pin: string): Promise<void> {
    const { execFile } = await import('node:child_process');
    const args = ['--module', YKCS11_MODULE, '--login', '--pin', pin, '--list-objects'];
    await new Promise<void>((resolve) => {
      execFile('pkcs11-tool', args, { env: card.env }, () => resolve());
    });
  }
});

it('names a program that holds cards', async () => {
  const holder = join(dir, 'scdaemon');
  await copyFile('/bin/sleep', holder);
  const env = {
    ERST_SIGNER_TYPE: 'pkcs11',
    ERST_PKCS11_MODULE: YKCS11_MODULE,
    PCSCLITE_CSOCK_NAME: join(dir, 'none'),
  };
  const before = (await diagnose(env)).of('card.users');
  const child = spawn(holder, ['60']);
  try {
    await new Promise((resolve) => child.once('spawn', resolve));
    const { status, finding, fix } = (await diagnose(env)).of('card.users');
    expect([status, finding, fix]).toEqual([
      'warning',
      expect.stringContaining('scdaemon'),
      expect.stringContaining('gpgconf --kill scdaemon'),
    ]);
  } finally {
    child.kill();
  }
  expect(before.finding).not.toContain('scdaemon');
});
