// `erst-hsm doctor` on real tokens of SoftHSM, from its configuration to a signature.

import { execFile } from 'node:child_process';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSoftHsmToken, SOFTHSM_MODULE, type SoftHsmToken } from '../fixtures/softhsm.js';
import { diagnose, pasted } from './doctor-diagnosis.js';

const run = promisify(execFile);

let token: SoftHsmToken;
let env: Record<string, string>;

beforeAll(async () => {
  token = await createSoftHsmToken({
    keys: ['ed25519', 'secp256k1', 'p256', { algorithm: 'p256', label: 'careful', alwaysAuthenticate: true }],
  });
});
afterAll(() => token.remove());

beforeEach(async () => {
  const pinFile = join(token.directory, 'pin');
  await writeFile(pinFile, token.pin);
  await chmod(pinFile, 0o600);
  env = {
    SOFTHSM2_CONF: token.env.SOFTHSM2_CONF!,
    XDG_STATE_HOME: join(token.directory, 'state'),
    ERST_SIGNER_TYPE: 'pkcs11',
    ERST_PKCS11_MODULE: SOFTHSM_MODULE,
    ERST_PKCS11_TOKEN_LABEL: token.tokenLabel,
    ERST_PKCS11_KEY_LABEL: 'ed25519',
    ERST_PKCS11_PIN_FILE: pinFile,
  };
});

describe('a setup that works', () => {
  it.each(['ed25519', 'secp256k1', 'p256', 'careful'])('signs with %s', async (label) => {
    const diagnosis = await diagnose({ ...env, ERST_PKCS11_KEY_LABEL: label }, { tryPin: true });
    expect(diagnosis.all('failed')).toEqual([]);
    expect(diagnosis.all('warning')).toEqual([]);
    expect(diagnosis.all('skipped')).toEqual(['card.service', 'card.users']);
    expect(diagnosis.of('signature').finding).toMatch(/ made in [\d.]+ ms and verified/);
  });

  it('is followed up to the login without a try of the PIN', async () => {
    const diagnosis = await diagnose(env);
    expect(diagnosis.all('failed')).toEqual([]);
    expect(diagnosis.of('key')).toMatchObject({
      status: 'ok',
      finding: expect.stringContaining('after a login'),
    });
    expect(diagnosis.of('key.public').status).toBe('ok');
    for (const id of ['login', 'signature']) {
      expect(diagnosis.of(id)).toMatchObject({ status: 'skipped', fix: 'erst-hsm doctor --try-pin' });
    }
  });
});

describe("SoftHSM's configuration", () => {
  it('is not there, and its fix makes one', async () => {
    const HOME = join(token.directory, 'home');
    await mkdir(HOME, { recursive: true });
    const wrong = { ...env, HOME, SOFTHSM2_CONF: '/nowhere/softhsm2.conf' };
    const { status, fix } = (await diagnose(wrong)).of('softhsm.configuration');
    expect(status).toBe('failed');
    const after = await diagnose(await pasted(fix, wrong));
    expect(after.of('softhsm.configuration').status).toBe('ok');
  });

  it('names a token directory that is not there', async () => {
    const conf = join(token.directory, 'absent.conf');
    await writeFile(conf, `directories.tokendir = ${token.directory}/not made\n`);
    const wrong = { ...env, SOFTHSM2_CONF: conf };
    const { status, finding, fix } = (await diagnose(wrong)).of('softhsm.configuration');
    expect([status, finding]).toEqual(['failed', expect.stringContaining('not made')]);
    await pasted(fix, wrong);
    expect((await diagnose(wrong)).of('softhsm.configuration').status).toBe('ok');
  });

  it('names no token directory', async () => {
    const HOME = join(token.directory, 'home');
    await mkdir(HOME, { recursive: true });
    const conf = join(token.directory, 'empty.conf');
    await writeFile(conf, 'log.level = ERROR\n');
    const wrong = { ...env, HOME, SOFTHSM2_CONF: conf };
    const { status, fix } = (await diagnose(wrong)).of('softhsm.configuration');
    expect(status).toBe('failed');
    await pasted(fix, wrong);
    expect((await diagnose(wrong)).of('softhsm.configuration').status).toBe('ok');
  });
});

it('chooses no token, and presents no PIN, while a setting is wrong', async () => {
  const diagnosis = await diagnose({ ...env, ERST_PKCS11_SERIAL: '1' }, { tryPin: true });
  expect(diagnosis.of('tokens').status).toBe('ok');
  for (const id of ['token', 'pin.source', 'login', 'signature']) {
    expect(diagnosis.of(id)).toMatchObject({
      status: 'skipped',
      finding: expect.stringContaining('not reached'),
    });
  }
});

describe('tokens', () => {
  it('are none that is initialized', async () => {
    const conf = join(token.directory, 'fresh.conf');
    await mkdir(join(token.directory, 'fresh'), { recursive: true });
    await writeFile(conf, `directories.tokendir = ${join(token.directory, 'fresh')}\n`);
    const diagnosis = await diagnose({ ...env, SOFTHSM2_CONF: conf }, { tryPin: true });
    expect(diagnosis.of('slots').status).toBe('ok');
    expect(diagnosis.of('tokens')).toMatchObject({
      status: 'failed',
      finding: expect.stringContaining('initialized'),
      fix: expect.stringContaining('softhsm2-util --init-token'),
    });
    expect(diagnosis.of('token').status).toBe('skipped');
  });

  it('are others than the one that is named', async () => {
    const wrong = { ...env, ERST_PKCS11_TOKEN_LABEL: 'test tokne' };
    const { status, finding, fix } = (await diagnose(wrong)).of('token');
    expect([status, finding]).toEqual(['failed', expect.stringContaining('"test token"')]);
    expect((await diagnose(await pasted(fix, wrong))).of('token').status).toBe('ok');
  });
});

describe('the way in which the token is named', () => {
  const fixOf = async (wrong: Record<string, string | undefined>) => (await diagnose(wrong)).of('token').fix;

  it('is a position, in place of which the fix sets the label', async () => {
    const wrong = { ...env, ERST_PKCS11_TOKEN_LABEL: undefined, ERST_PKCS11_SLOT: '7' };
    const after = await diagnose(await pasted(await fixOf(wrong), wrong));
    expect(after.of('settings').status).toBe('ok');
    expect(after.of('token').status).toBe('ok');
  });

  it('is a URI, which the fix changes and does not show', async () => {
    const query = `module-path=${SOFTHSM_MODULE}&pin-value=${token.pin}`;
    const { SOFTHSM2_CONF, XDG_STATE_HOME } = env;
    const wrong = {
      SOFTHSM2_CONF,
      XDG_STATE_HOME,
      ERST_SIGNER_TYPE: 'pkcs11',
      ERST_PKCS11_URI: `pkcs11:token=te%20st;object=ed25591?${query}`,
    };
    const fix = await fixOf(wrong);
    expect(fix).not.toContain(token.pin);
    const after = await pasted(fix, wrong);
    const diagnosis = await diagnose(after, { tryPin: true });
    expect(diagnosis.of('token').status).toBe('ok');
    const cured = await diagnose(await pasted(diagnosis.of('key').fix, after), { tryPin: true });
    expect(cured.of('signature').status).toBe('ok');
  });

  it('is a serial number in a URI, which a person has to look up', async () => {
    const { ERST_PKCS11_TOKEN_LABEL: _, ERST_PKCS11_KEY_LABEL: __, ...rest } = env;
    const fix = await fixOf({ ...rest, ERST_PKCS11_URI: 'pkcs11:serial=123' });
    expect(fix).toMatch(/^# say in ERST_PKCS11_URI .*'test token'/);
  });
});

describe('the PIN', () => {
  it('is not configured', async () => {
    const { ERST_PKCS11_PIN_FILE: _, ...without } = env;
    const diagnosis = await diagnose(without, { tryPin: true });
    expect(diagnosis.of('pin.source')).toMatchObject({
      status: 'failed',
      fix: expect.stringContaining('ERST_PKCS11_PIN_FILE'),
    });
    expect(diagnosis.of('login').status).toBe('skipped');
  });

  it.each([
    ['a file that is not there', async () => void (await rm(env.ERST_PKCS11_PIN_FILE!)), /not there/],
    ['an empty file', () => writeFile(env.ERST_PKCS11_PIN_FILE!, ''), /empty/],
    [
      'a file with two lines',
      () => writeFile(env.ERST_PKCS11_PIN_FILE!, '12345678\nold\n'),
      /more than one line/,
    ],
    ['a file with a space', () => writeFile(env.ERST_PKCS11_PIN_FILE!, '12345678 \n'), /space/],
    ['a file that everyone can write', () => chmod(env.ERST_PKCS11_PIN_FILE!, 0o666), /write/],
    ['a directory', pointToDirectory, /directory/],
  ])('is %s', async (_, spoil, words) => {
    await spoil();
    const diagnosis = await diagnose(env, { tryPin: true });
    expect(diagnosis.of('pin.source')).toMatchObject({
      status: 'failed',
      finding: expect.stringMatching(words),
    });
    expect(diagnosis.of('login')).toMatchObject({ status: 'skipped' });
  });

  async function pointToDirectory(): Promise<void> {
    env.ERST_PKCS11_PIN_FILE = token.directory;
  }

  it('is in a file that others can read', async () => {
    await chmod(env.ERST_PKCS11_PIN_FILE!, 0o644);
    const { status, fix } = (await diagnose(env)).of('pin.source');
    expect(status).toBe('warning');
    await pasted(fix, env);
    expect((await diagnose(env)).of('pin.source').status).toBe('ok');
  });

  it('is given by value, by a command, by a credential', async () => {
    const { ERST_PKCS11_PIN_FILE: _, ...without } = env;
    const byValue = await diagnose({ ...without, ERST_PKCS11_PIN: token.pin }, { tryPin: true });
    expect(byValue.of('login').status).toBe('ok');
    const byCommand = await diagnose(
      { ...without, ERST_PKCS11_PIN_COMMAND: `printf ${token.pin}` },
      { tryPin: true },
    );
    expect(byCommand.of('login').status).toBe('ok');
    const failing = await diagnose({ ...without, ERST_PKCS11_PIN_COMMAND: 'exit 7' }, { tryPin: true });
    expect(failing.of('login')).toMatchObject({
      status: 'failed',
      finding: expect.stringContaining('exit 7'),
    });
    const credential = { ...without, ERST_PKCS11_PIN_CREDENTIAL: 'pin' };
    expect((await diagnose(credential)).of('pin.source').status).toBe('failed');
    const passed = await diagnose({ ...credential, CREDENTIALS_DIRECTORY: token.directory });
    expect(passed.of('pin.source').status).toBe('ok');
  });

  it('does not run its command without --try-pin', async () => {
    const { ERST_PKCS11_PIN_FILE: _, ...without } = env;
    const mark = join(token.directory, 'was-run');
    const ERST_PKCS11_PIN_COMMAND = `touch ${mark}; printf ${token.pin}`;
    await diagnose({ ...without, ERST_PKCS11_PIN_COMMAND });
    await expect(run('test', ['-e', mark])).rejects.toThrow();
    await diagnose({ ...without, ERST_PKCS11_PIN_COMMAND }, { tryPin: true });
    await run('test', ['-e', mark]);
  });

  it('is wrong', async () => {
    await writeFile(env.ERST_PKCS11_PIN_FILE!, '87654321');
    expect((await diagnose(env)).of('login').status).toBe('skipped');
    const diagnosis = await diagnose(env, { tryPin: true });
    expect(diagnosis.of('login')).toMatchObject({
      status: 'failed',
      finding: expect.stringContaining('PIN'),
    });
    expect(diagnosis.of('signature').status).toBe('skipped');
    expect(JSON.stringify(diagnosis.checks)).not.toContain('87654321');
  });

  it('was never set', async () => {
    const conf = join(token.directory, 'no-pin.conf');
    await mkdir(join(token.directory, 'no-pin'), { recursive: true });
    await writeFile(conf, `directories.tokendir = ${join(token.directory, 'no-pin')}\n`);
    const withConf = { env: { ...process.env, SOFTHSM2_CONF: conf } };
    const args = ['--init-token', '--slot-index', '0', '--label', token.tokenLabel, '--so-pin', '12345678'];
    await run('pkcs11-tool', ['--module', SOFTHSM_MODULE, ...args], withConf);
    const diagnosis = await diagnose({ ...env, SOFTHSM2_CONF: conf }, { tryPin: true });
    expect(diagnosis.of('pin.state')).toMatchObject({
      status: 'failed',
      fix: expect.stringContaining('--init-pin'),
    });
    expect(diagnosis.of('login').status).toBe('skipped');
  });
});

describe('the key', () => {
  it('is not found', async () => {
    const wrong = { ...env, ERST_PKCS11_KEY_LABEL: 'ed25591' };
    const without = (await diagnose(wrong)).of('key');
    expect(without).toMatchObject({ status: 'warning', fix: 'erst-hsm doctor --try-pin' });
    expect(without.finding).toContain('"ed25519"');
    const { status, fix } = (await diagnose(wrong, { tryPin: true })).of('key');
    expect(status).toBe('failed');
    expect((await diagnose(await pasted(fix, wrong), { tryPin: true })).of('signature').status).toBe('ok');
  });

  it('is to be made', async () => {
    const wrong = { ...env, ERST_PKCS11_KEY_LABEL: "nobody's", ERST_SIGNER_ALGORITHM: 'secp256k1' };
    expect((await diagnose(wrong, { tryPin: true })).of('key').fix).toBe(
      `erst-hsm hsm keygen --token-label 'test token' --algorithm secp256k1 --label 'nobody'\\''s'`,
    );
  });

  it('is one of several', async () => {
    const { ERST_PKCS11_KEY_LABEL: _, ...wrong } = env;
    const { status, finding, fix } = (await diagnose(wrong, { tryPin: true })).of('key');
    expect([status, finding]).toEqual(['failed', expect.stringMatching(/^4 keys match/)]);
    expect((await diagnose(await pasted(fix, wrong), { tryPin: true })).of('signature').status).toBe('ok');
  });

  it.each([true, false])('is of another algorithm than was asked for (login: %s)', async (tryPin) => {
    const wrong = { ...env, ERST_PKCS11_KEY_LABEL: 'p256', ERST_SIGNER_ALGORITHM: 'ed25519' };
    const diagnosis = await diagnose(wrong, { tryPin });
    expect(diagnosis.of('mechanism').status).toBe('ok');
    const { status, finding, fix } = diagnosis.of('key');
    expect([status, finding]).toEqual(['failed', expect.stringContaining('p256')]);
    expect((await diagnose(await pasted(fix, wrong), { tryPin })).of('key').status).toBe('ok');
  });

  it('is not the expected one', async () => {
    const { stdout: other } = await run('openssl', [
      'genpkey',
      '-algorithm',
      'ed25519',
      '-outpubkey',
      '/dev/stdout',
      '-out',
      '/dev/null',
    ]).catch(() => run('bash', ['-c', 'openssl genpkey -algorithm ed25519 | openssl pkey -pubout']));
    const wrong = { ...env, ERST_PKCS11_PUBLIC_KEY_PEM: other };
    const { status, fix } = (await diagnose(wrong)).of('key.public');
    expect(status).toBe('failed');
    const after = await diagnose(await pasted(fix, wrong), { tryPin: true });
    expect(after.of('key.public')).toMatchObject({
      status: 'ok',
      finding: expect.stringContaining('expected'),
    });
    expect(after.of('signature').status).toBe('ok');
  });

  it('has no public key', async () => {
    await token.addKey({ algorithm: 'p256', label: 'half', idHex: '77' });
    await token.pkcs11Tool('--delete-object', '--type', 'pubkey', '--id', '77');
    const wrong = { ...env, ERST_PKCS11_KEY_LABEL: 'half' };
    const diagnosis = await diagnose(wrong, { tryPin: true });
    expect(diagnosis.of('key').status).toBe('ok');
    expect(diagnosis.of('key.public')).toMatchObject({
      status: 'failed',
      fix: expect.stringContaining('PUBLIC_KEY_PEM'),
    });
    expect(diagnosis.of('signature').status).toBe('skipped');
    await token.pkcs11Tool('--delete-object', '--type', 'privkey', '--id', '77');
  });

  it('has a public key of another key', async () => {
    await token.addKey({ algorithm: 'p256', label: 'one', idHex: '78' });
    await token.addKey({ algorithm: 'p256', label: 'two', idHex: '79' });
    await token.pkcs11Tool('--delete-object', '--type', 'pubkey', '--id', '78');
    await token.pkcs11Tool('--set-id', '78', '--type', 'pubkey', '--id', '79');
    const diagnosis = await diagnose({ ...env, ERST_PKCS11_KEY_LABEL: 'one' }, { tryPin: true });
    expect(diagnosis.of('signature')).toMatchObject({
      status: 'failed',
      finding: expect.stringContaining('not released'),
    });
  });
});
