// The PIN of a signer: one login for a process and token, no second try of a wrong PIN, nothing spent where it may lock
// the token. Every C_Login is counted in front of SoftHSM, in whatever process it is made.

import { execFile } from 'node:child_process';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Pkcs11Error } from '../../../../src/errors.js';
import type { Pkcs11Config } from '../../../../src/signers/config/config.js';
import { CKR } from '../../../../src/signers/pkcs11/constants.js';
import { Pkcs11Signer } from '../../../../src/signers/pkcs11/pkcs11-signer.js';
import { createFaultModule, type FaultModule } from '../../../fixtures/fault-module/fault-module.js';
import { createSoftHsmToken, type SoftHsmToken } from '../../../fixtures/softhsm.js';

const RIGHT = '271828';
const WRONG = '314159';

let token: SoftHsmToken;
let fault: FaultModule;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: ['ed25519', 'p256'], pin: RIGHT });
  fault = await createFaultModule();
});
afterAll(async () => {
  await fault.close();
  await token.remove();
});
beforeEach(async () => {
  vi.stubEnv('XDG_STATE_HOME', await mkdtemp(join(token.directory, 'state-')));
});
afterEach(() => {
  vi.unstubAllEnvs();
  fault.clear();
  fault.forget();
});

const withoutPin = (): Pkcs11Config => ({
  modulePath: fault.modulePath,
  tokenLabel: token.tokenLabel,
  keyLabel: 'ed25519',
  probe: false,
});
const withPin = (pin: string): Pkcs11Config => ({ ...withoutPin(), pin });
const presented = () => fault.logins().map(({ pin }) => pin);

const failure = (config: Pkcs11Config): Promise<Pkcs11Error> =>
  Pkcs11Signer.open(config).then(
    () => expect.unreachable('did not fail'),
    (error) => error,
  );

describe('a wrong PIN', () => {
  it('is tried once, whoever comes with it', async () => {
    const error = await failure(withPin(WRONG));
    expect(error).toMatchObject({
      code: 'pin-incorrect',
      ckr: 'CKR_PIN_INCORRECT',
      ckrCode: 0xa0,
      functionName: 'C_Login',
    });
    expect(error.message).not.toContain(WRONG);
    const again = await Promise.all([
      failure(withPin(WRONG)),
      failure({ ...withPin(WRONG), timeoutMs: 9999 }), // an engine of its own
      failure({ ...withPin(WRONG), keyLabel: 'p256' }),
    ]);
    for (const { code, message } of again) {
      expect(code).toBe('pin-incorrect');
      expect(message).toContain('not tried again');
    }
    expect(presented()).toEqual([WRONG]);
  });

  it('is tried once also where several come at the same time', async () => {
    const errors = await Promise.all(Array.from({ length: 5 }, () => failure(withPin(WRONG))));
    expect(errors.map(({ code }) => code)).toEqual(Array(5).fill('pin-incorrect'));
    expect(presented()).toEqual([WRONG]);
  });

  it('is tried once by several child processes', async () => {
    expect((await failure({ ...withPin(WRONG), processes: 3 })).code).toBe('pin-incorrect');
    expect(presented()).toEqual([WRONG]);
  });

  it('does not keep the right one out', async () => {
    await failure(withPin(WRONG));
    await using signer = await Pkcs11Signer.open(withPin(RIGHT));
    await signer.sign(Uint8Array.of(1));
    expect(presented()).toEqual([WRONG, RIGHT]);
  });

  it('of a length that the token refuses is one as well', async () => {
    expect((await failure(withPin('1'))).code).toBe('pin-incorrect');
    expect((await failure(withPin('1'))).message).toContain('not tried again');
    expect(presented()).toEqual(['1']);
  });
});

describe('a login whose process dies', () => {
  it('leaves a mark for the process after it', async () => {
    fault.inject({ fn: 'C_Login', action: 'crash', when: 'after' });
    await failure(withPin(WRONG));
    await failure(withPin(WRONG));
    await failure(withPin(WRONG));
    expect(presented()).toEqual([WRONG]);
  });
});

describe('a second signer', () => {
  it('with the same PIN shares the login', async () => {
    await using first = await Pkcs11Signer.open(withPin(RIGHT));
    await using second = await Pkcs11Signer.open({ ...withPin(RIGHT), keyLabel: 'p256' });
    await Promise.all([first.sign(Uint8Array.of(1)), second.sign(Uint8Array.of(1))]);
    expect(presented()).toEqual([RIGHT]);
  });

  it('with another PIN is refused, and no try is spent', async () => {
    await using first = await Pkcs11Signer.open(withPin(RIGHT));
    const error = await failure(withPin('271829'));
    expect(error.code).toBe('pin-incorrect');
    expect(error.message).toContain('No try was spent');
    expect(error.message).not.toMatch(/27182[89]/);
    expect((await failure(withoutPin())).code).toBe('pin-missing');
    expect(presented()).toEqual([RIGHT]);
    await first.sign(Uint8Array.of(1));
  });

  it('logs in anew when the first has left', async () => {
    await (await Pkcs11Signer.open(withPin(RIGHT))).close();
    await (await Pkcs11Signer.open(withPin(RIGHT))).close();
    expect(presented()).toEqual([RIGHT, RIGHT]);
  });
});

describe('no login is tried', () => {
  it('where one try is left', async () => {
    fault.shape({ pinTries: 3 });
    await failure(withPin('1111'));
    await failure(withPin('2222'));
    const error = await failure(withPin(RIGHT));
    expect(error.code).toBe('pin-locked');
    expect(error.message).toContain('one try left');
    expect(fault.pinTriesLeft()).toBe(1);
    expect(presented()).toEqual(['1111', '2222']);
  });

  it('where the token is locked', async () => {
    fault.shape({ pinTries: 1 });
    const pin = ['--module', fault.modulePath, '--token-label', token.tokenLabel, '--login', '--pin', '9999'];
    await promisify(execFile)('pkcs11-tool', ['-O', ...pin], { env: token.env }).catch(() => {});
    fault.forget();
    const error = await failure(withPin(RIGHT));
    expect(error.code).toBe('pin-locked');
    expect(error.message).toContain('PUK');
    expect(presented()).toEqual([]);
  });

  it('without a PIN', async () => {
    const error = await failure(withoutPin());
    expect(error.code).toBe('pin-missing');
    expect(error.message).toContain('ERST_PKCS11_PIN_FILE');
    expect(presented()).toEqual([]);
  });

  it('where refusals cannot be remembered', async () => {
    const file = join(token.directory, 'no-directory');
    await writeFile(file, '');
    vi.stubEnv('XDG_STATE_HOME', file);
    expect(await failure(withPin(RIGHT))).toMatchObject({
      code: 'invalid-config',
      setting: 'XDG_STATE_HOME',
    });
    expect(presented()).toEqual([]);
  });
});

describe('a login that fails for another reason than its PIN', () => {
  it('is not taken for a wrong PIN', async () => {
    const once = fault.inject({
      fn: 'C_Login',
      action: 'return',
      code: CKR.CKR_SESSION_HANDLE_INVALID,
      times: 1,
    });
    await Pkcs11Signer.open(withPin(RIGHT)).then(
      (signer) => signer.close(),
      () => {},
    );
    expect(once.fired()).toBe(1);
    await (await Pkcs11Signer.open(withPin(RIGHT))).close();
  });
});

describe('a token without a user PIN', () => {
  it('says so', async () => {
    const slots = await token.softhsm2Util('--show-slots');
    const free = slots.split(/^Slot /m).findIndex((slot) => /Initialized: +no/.test(slot)) - 1;
    const init = ['--init-token', '--slot-index', String(free), '--label', 'no PIN', '--so-pin', '12345678'];
    await promisify(execFile)('pkcs11-tool', ['--module', token.modulePath, ...init], { env: token.env });
    const error = await failure({ ...withPin('1234'), tokenLabel: 'no PIN' });
    expect(error).toMatchObject({
      code: 'pin-missing',
      ckr: 'CKR_USER_PIN_NOT_INITIALIZED',
      functionName: 'C_Login',
    });
  });
});

describe('the PIN comes', () => {
  const pinFile = () => join(token.directory, 'pin');

  it('from a file', async () => {
    await writeFile(pinFile(), `${RIGHT}\n`, { mode: 0o600 });
    await (await Pkcs11Signer.open({ ...withoutPin(), pinFile: pinFile() })).close();
  });

  it('from a file that others can read, with a warning', async () => {
    await writeFile(pinFile(), `${RIGHT}\n`);
    await chmod(pinFile(), 0o644);
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    await (await Pkcs11Signer.open({ ...withoutPin(), pinFile: pinFile() })).close();
    const warning = await warned;
    expect(warning.message).toContain('ERST_PKCS11_PIN_FILE');
    expect(warning.message).toContain('chmod 600');
    expect(warning.message).not.toContain(RIGHT);
  });

  it('from a command', async () => {
    await (await Pkcs11Signer.open({ ...withoutPin(), pinCommand: `echo ${RIGHT}` })).close();
  });

  it('from a systemd credential', async () => {
    vi.stubEnv('CREDENTIALS_DIRECTORY', token.directory);
    await writeFile(join(token.directory, 'token-pin'), RIGHT, { mode: 0o440 });
    await (await Pkcs11Signer.open({ ...withoutPin(), pinCredential: 'token-pin' })).close();
  });

  it.each<[string, Partial<Pkcs11Config>]>([
    ['a missing file', { pinFile: '/nowhere/pin' }],
    ['a failing command', { pinCommand: `echo ${RIGHT}; exit 3` }],
    ['an empty output', { pinCommand: 'true' }],
    ['an empty value', { pin: '' }],
    ['two sources', { pin: RIGHT, pinCommand: `echo ${RIGHT}` }],
    ['a credential outside a unit', { pinCredential: 'token-pin' }],
  ])('not from %s', async (_, source) => {
    vi.stubEnv('CREDENTIALS_DIRECTORY', undefined);
    const error = await failure({ ...withoutPin(), ...source });
    expect(error.code).toBe('invalid-config');
    expect(error.message).toContain('ERST_PKCS11_PIN');
    expect(error.message).not.toContain(RIGHT);
    expect(presented()).toEqual([]);
  });
});
