// Fixes of the doctor that must fit the case: the one that is proposed elsewhere would not help, or would do harm.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFaultModule, type FaultModule } from '../fixtures/fault-module/fault-module.js';
import { createPivCard, OPENSC_MODULE, type PivCard, YKCS11_MODULE } from '../fixtures/piv-card/piv-card.js';
import { createSoftHsmToken, SOFTHSM_MODULE, type SoftHsmToken } from '../fixtures/softhsm.js';
import { useCommand } from './command.js';
import { diagnose } from './doctor-diagnosis.js';

const command = useCommand();
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'erst-doctor-fixes-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));
const stateHome = process.env.XDG_STATE_HOME;
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

describe('a login that fails', () => {
  let token: SoftHsmToken;
  let module: FaultModule;
  let env: Record<string, string>;
  beforeAll(async () => {
    token = await createSoftHsmToken({ keys: ['ed25519'] });
    module = await createFaultModule();
    env = {
      SOFTHSM2_CONF: token.env.SOFTHSM2_CONF!,
      ERST_SIGNER_TYPE: 'pkcs11',
      ERST_PKCS11_MODULE: module.modulePath,
      ERST_PKCS11_TOKEN_LABEL: token.tokenLabel,
      ERST_PKCS11_PIN_FILE: await pinFile(token.pin),
    };
  });
  afterAll(async () => {
    await module.close();
    await token.remove();
  });
  afterEach(() => module.clear());

  it.each([
    ['CKR_PIN_EXPIRED', 0xa3, '--change-pin'],
    ['CKR_PIN_LOCKED', 0xa4, '--login-type so --init-pin'],
    ['CKR_USER_PIN_NOT_INITIALIZED', 0x102, '--login-type so --init-pin'],
    ['CKR_PIN_INCORRECT', 0xa0, 'vi'],
  ] as const)('with %s', async (_, code, fix) => {
    module.inject({ fn: 'C_Login', action: 'return', code });
    const { fix: proposed } = (await diagnose(env, { tryPin: true })).of('login');
    expect(proposed).toContain(fix);
  });

  it('is not answered with the same command by what relies on it', async () => {
    await pinFile('wrong-pin');
    const { checks, of } = await diagnose(env, { tryPin: true });
    await pinFile(token.pin);
    expect(of('login').status).toBe('failed');
    expect(checks.filter(({ fix }) => fix === 'erst-hsm doctor --try-pin')).toEqual([]);
    expect(of('signature').finding).toContain('see pin.state, pin.source and login');
  });
});

describe('a module without a path', () => {
  it('that the loader does not find is proposed with its path', async () => {
    const { of } = await diagnose({
      ERST_SIGNER_TYPE: 'pkcs11',
      ERST_PKCS11_MODULE: 'libsofthsm2.so',
      SOFTHSM2_CONF: '/etc/softhsm/softhsm2.conf',
    });
    expect(of('module.load')).toMatchObject({
      status: 'failed',
      fix: `export ERST_PKCS11_MODULE=${SOFTHSM_MODULE}`,
    });
  });
});

it('SOFTHSM2_CONF that is set to nothing is unset', async () => {
  const env = { ERST_SIGNER_TYPE: 'pkcs11', ERST_PKCS11_MODULE: SOFTHSM_MODULE, SOFTHSM2_CONF: '' };
  expect((await diagnose(env)).of('softhsm.configuration')).toMatchObject({
    status: 'failed',
    finding: 'SOFTHSM2_CONF is set to nothing',
    fix: 'unset SOFTHSM2_CONF',
  });
});

describe('a PIV card', () => {
  let card: PivCard;
  let env: Record<string, string>;
  beforeAll(async () => {
    card = await createPivCard();
    env = {
      LD_LIBRARY_PATH: card.env.LD_LIBRARY_PATH!,
      PIV_CARD_SOCKET: card.env.PIV_CARD_SOCKET!,
      PCSCLITE_CSOCK_NAME: join(dir, 'none'),
      ERST_SIGNER_TYPE: 'pkcs11',
    };
  });
  afterAll(() => card.close());
  const withModule = async (modulePath: string, more: Record<string, string> = {}) => ({
    ...env,
    ERST_PKCS11_MODULE: modulePath,
    ERST_PKCS11_PIN_FILE: await pinFile(card.pin),
    ...more,
  });

  it.each([YKCS11_MODULE, OPENSC_MODULE])('is said to sign without a PIN in slot 9e, by %s', async (path) => {
    const diagnosis = await diagnose(await withModule(path, { ERST_PKCS11_PIV_SLOT: '9e' }), {
      tryPin: true,
    });
    expect(diagnosis.of('key').finding).toContain('slot 9e, whose key the card uses without a PIN');
    const other = await diagnose(await withModule(path, { ERST_PKCS11_PIV_SLOT: '9a' }), { tryPin: true });
    expect(other.of('key').finding).not.toContain('9e');
  });

  it.each([YKCS11_MODULE, OPENSC_MODULE])(
    'has several keys, of which the fix names a slot, by %s',
    async (path) => {
      const { of } = await diagnose(await withModule(path), { tryPin: true });
      expect(of('key')).toMatchObject({ status: 'failed', fix: 'export ERST_PKCS11_PIV_SLOT=9a' });
    },
  );

  it('is told of one check in the singular', async () => {
    const own = await withModule(OPENSC_MODULE, { ERST_PKCS11_PIV_SLOT: '9a' });
    const { code, stderr } = await command.run(['doctor', '--try-pin'], { env: own });
    expect(code).toBe(0);
    expect(stderr).toBe('1 check does not apply here or was not reached (--json shows them).\n');
  });

  it('shows OpenSC one key before a login, which may not be the only one', async () => {
    const { of } = await diagnose(await withModule(OPENSC_MODULE));
    expect(of('key').finding).toContain('no key is named, and a login may show more');
  });

  it('gets no key by way of OpenSC: its own tool makes one', async () => {
    const { of } = await diagnose(await withModule(OPENSC_MODULE, { ERST_PKCS11_PIV_SLOT: '95' }), {
      tryPin: true,
    });
    expect(of('key').fix).toBe('yubico-piv-tool -a generate -s 95 -A ECCP256 -o public.pem');
  });

  it('is not initialized by way of OpenSC, and the message says what does', async () => {
    const own = await withModule(OPENSC_MODULE, { ERST_PKCS11_SO_PIN: '00000000' });
    const args = ['hsm', 'init-token', '--erase', '--slot', '0', '--label', 'x', '--yes'];
    const { code, stderr } = await command.run(args, { env: own });
    expect(code).toBe(1);
    expect(stderr).toContain('nothing was done');
    expect(stderr).toContain('ykman piv reset');
    const made = await command.run(['hsm', 'keygen', '--label', 'x'], { env: own });
    expect(made.stderr).toContain('ykman piv keys generate');
  });
});
