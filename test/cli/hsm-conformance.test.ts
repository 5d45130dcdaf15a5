// `erst-hsm conformance`, and `npm run test:hsm`, on a key in memory and on a real SoftHSM token.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRules } from '../../src/cli/conformance/run-rules.js';
import { uriOfKey } from '../../src/cli/conformance/temporary-key.js';
import { Pkcs11Error } from '../../src/errors.js';
import { SoftwareSigner } from '../../src/signers/software.node.js';
import { createPivCard, OPENSC_MODULE, type PivCard, YKCS11_MODULE } from '../fixtures/piv-card/piv-card.js';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { useCommand } from './command.js';
import { variablesOf } from './hsm-command.js';

const command = useCommand();
let token: SoftHsmToken;
let env: Record<string, string>;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: ['ed25519', 'p256'] });
  const variables = variablesOf(token);
  await writeFile(variables.ERST_PKCS11_PIN_FILE, token.pin, { mode: 0o600 });
  env = { ...variables, ERST_SIGNER_TYPE: 'pkcs11', SOFTHSM2_CONF: token.env.SOFTHSM2_CONF! };
});
afterAll(() => token.remove());

const privateKeys = async () => (await token.pkcs11Tool('--list-objects', '--type', 'privkey')).split('\n');

describe('conformance', () => {
  it('prints a line for each rule, on a key in a file', async () => {
    await command.run(['keygen', '--out', 'key.pem']);
    const { code, out, stderr } = await command.run(['conformance'], {
      env: { ERST_SIGNER_TYPE: 'software', ERST_SOFTWARE_PRIVATE_KEY_PATH: 'key.pem' },
    });
    expect(code).toBe(0);
    const lines = out.split('\n');
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) expect(line).toMatch(/^ok {6}ed25519 {2}.* \(\d+ ms\)$/);
    expect(stderr).toBe(`ed25519 ${lines.length} of ${lines.length} rules\n`);
  });

  it('reports on a key of a token, without what identifies the token', async () => {
    const { code, out, stderr } = await command.run(['conformance', '--json', '--batch-size', '40'], {
      env: { ...env, ERST_PKCS11_KEY_LABEL: 'ed25519' },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(out);
    expect(report).toMatchObject({
      erstHsm: expect.stringMatching(/^\d+\.\d+\.\d+/),
      signerType: 'pkcs11',
      module: { file: 'libsofthsm2.so', manufacturer: 'SoftHSM', cryptokiVersion: '2.40' },
      token: { manufacturer: 'SoftHSM project', model: 'SoftHSM v2' },
      runs: [{ algorithm: 'ed25519', failed: 0 }],
    });
    expect(report.module.version).toMatch(/^2\.\d/);
    expect(report.token.firmware).toMatch(/^\d+\.\d+$/);
    const [run] = report.runs;
    expect(run.passed).toBe(run.results.length);
    expect(run.results[0]).toEqual({
      rule: expect.any(String),
      passed: true,
      durationMs: expect.any(Number),
    });
    const serial = /Serial number: +(\w+)/.exec(await token.softhsm2Util('--show-slots'))![1]!;
    for (const secret of [token.pin, serial, 'test token']) expect(out).not.toContain(secret);
  });

  it('makes keys where it is told to, and leaves none', async () => {
    const before = await privateKeys();
    const { code, out, stderr } = await command.run(
      ['conformance', '--generate', '--batch-size', '20', '--json'],
      {
        env,
      },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { runs } = JSON.parse(out);
    expect(runs).toMatchObject([
      { algorithm: 'ed25519', failed: 0 },
      { algorithm: 'secp256k1', failed: 0 },
      { algorithm: 'p256', failed: 0 },
    ]);
    expect(await privateKeys()).toEqual(before);
  });

  it('deletes its key when it is interrupted', async () => {
    const before = await privateKeys();
    const running = command.start(['conformance', '--generate'], { env });
    await running.line(/^ok/);
    running.child.kill('SIGINT');
    expect(await running.ended()).toBe(130);
    expect(await privateKeys()).toEqual(before);
  });

  it('makes keys on tokens only', async () => {
    const software = { ERST_SIGNER_TYPE: 'software', ERST_SOFTWARE_PRIVATE_KEY_PATH: 'key.pem' };
    const { code, stderr } = await command.run(['conformance', '--generate'], { env: software });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('ERST_SIGNER_TYPE=pkcs11') });
  });
});

describe('conformance of a PIV card', () => {
  let card: PivCard;
  let cardEnv: Record<string, string>;
  beforeAll(async () => {
    card = await createPivCard({ keys: [{ slot: '9a' }, { slot: '9c' }] });
    await writeFile(join(token.directory, 'card-pin'), card.pin, { mode: 0o600 });
    cardEnv = {
      ERST_SIGNER_TYPE: 'pkcs11',
      ERST_PKCS11_MODULE: YKCS11_MODULE,
      ERST_PKCS11_PIN_FILE: join(token.directory, 'card-pin'),
      LD_LIBRARY_PATH: card.env.LD_LIBRARY_PATH!,
      PIV_CARD_SOCKET: card.env.PIV_CARD_SOCKET!,
    };
  });
  afterAll(() => card.close());

  it.each([
    ['9a', YKCS11_MODULE],
    ['9c', YKCS11_MODULE],
    ['9a', OPENSC_MODULE],
  ])('keeps every rule: slot %s, %s', async (slot, ERST_PKCS11_MODULE) => {
    const { code, out } = await command.run(['conformance', '--json', '--batch-size', '10'], {
      env: { ...cardEnv, ERST_PKCS11_MODULE, ERST_PKCS11_PIV_SLOT: slot },
    });
    const { runs } = JSON.parse(out);
    expect(runs[0].results.filter(({ passed }: { passed: boolean }) => !passed)).toEqual([]);
    expect({ code, algorithm: runs[0].algorithm }).toEqual({ code: 0, algorithm: 'p256' });
    expect(await card.refusedTries()).toBe(0);
  });

  it('says why it makes no key there, and touches none', async () => {
    const before = await card.publicKey('9a');
    const { code, out } = await command.run(['conformance', '--generate', '--json'], { env: cardEnv });
    const { runs } = JSON.parse(out);
    expect(runs).toHaveLength(3);
    for (const run of runs) expect(run.skipped).toContain('CKR_');
    expect(code).toBe(1);
    expect(await card.publicKey('9a')).toEqual(before);
    expect(await card.refusedTries()).toBe(0);
  });
});

describe('the run', () => {
  const { signal } = new AbortController();

  it('goes on after a rule that is broken, and says how', async () => {
    class Forgetful extends SoftwareSigner {
      override signerInfo() {
        return { ...super.signerInfo(), metadata: { serial: 4 as unknown as string } };
      }
    }
    const { privateKeyPem } = await SoftwareSigner.generate('ed25519');
    const create = () => Forgetful.fromPem(privateKeyPem);
    const pem = { create: async () => Object.setPrototypeOf(await create(), Forgetful.prototype) };
    const results = await runRules({ ...pem, algorithm: 'ed25519' }, signal, () => {});
    const [broken, ...others] = results.filter(({ passed }) => !passed);
    expect(others).toEqual([]);
    expect(broken).toMatchObject({
      rule: expect.stringContaining('signerInfo'),
      message: expect.stringContaining('serial'),
    });
    expect(results.indexOf(broken!)).toBeLessThan(results.length - 1);
  });

  it('ends where a PIN is refused, which is not presented rule after rule', async () => {
    let opened = 0;
    const create = async () => {
      opened++;
      throw new Pkcs11Error('pin-incorrect', 'CKR_PIN_INCORRECT');
    };
    await expect(runRules({ create, algorithm: 'p256' }, signal, () => {})).rejects.toThrow(
      'CKR_PIN_INCORRECT',
    );
    expect(opened).toBe(1);
  });
});

describe('the URI of a new key', () => {
  it.each([
    ['pkcs11:token=a;object=old?pin-source=file:/p', 'pkcs11:token=a;id=%0a%ff?pin-source=file:/p'],
    ['pkcs11:id=%01;type=private;serial=1', 'pkcs11:serial=1;id=%0a%ff'],
    ['pkcs11:', 'pkcs11:id=%0a%ff'],
  ])('%s', (uri, expected) => expect(uriOfKey(uri, '0aff')).toBe(expected));
});

describe('npm run test:hsm', () => {
  const vitest = async (variables: Record<string, string>) => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--mode', 'hsm', '--reporter', 'verbose'];
    const { PATH, HOME } = process.env;
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { PATH, HOME, NO_COLOR: '1', ...variables },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const [code] = await once(child, 'close');
    return { code, output };
  };

  it('says what it needs', async () => {
    const { code, output } = await vitest({});
    expect(code).not.toBe(0);
    expect(output).toContain('No device is named: npm run test:hsm needs the variables of a signer');
  });

  it('runs every rule on the token that the variables name', async () => {
    const { code, output } = await vitest({ ...env, ERST_PKCS11_KEY_LABEL: 'p256' });
    expect(output).toMatch(/Tests +\d\d passed/);
    expect(output).not.toMatch(/skipped|failed/);
    expect(code).toBe(0);
  });

  it('makes keys and deletes them where it is told to', async () => {
    const before = await privateKeys();
    const { code, output } = await vitest({ ...env, ERST_CONFORMANCE_GENERATE: 'yes' });
    expect(output).toMatch(/Tests +\d\d passed/);
    expect(code).toBe(0);
    expect(await privateKeys()).toEqual(before);
  });
});
