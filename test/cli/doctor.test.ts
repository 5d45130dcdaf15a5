// The command `erst-hsm doctor`: its output and exit code, and what it finds as a user who may not read everything.

import { execFile, spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExaminedCheck } from '../../src/cli/doctor/examination.js';
import { YKCS11_MODULE } from '../fixtures/piv-card/piv-card.js';
import { createSoftHsmToken, SOFTHSM_MODULE, type SoftHsmToken } from '../fixtures/softhsm.js';
import { useCommand } from './command.js';

const run = promisify(execFile);
const command = useCommand();

let token: SoftHsmToken;
let env: Record<string, string>;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: ['ed25519'] });
  const pinFile = join(token.directory, 'pin');
  await writeFile(pinFile, token.pin, { mode: 0o600 });
  env = {
    SOFTHSM2_CONF: token.env.SOFTHSM2_CONF!,
    ERST_SIGNER_TYPE: 'pkcs11',
    ERST_PKCS11_MODULE: SOFTHSM_MODULE,
    ERST_PKCS11_TOKEN_LABEL: token.tokenLabel,
    ERST_PKCS11_PIN_FILE: pinFile,
  };
});
afterAll(() => token.remove());

describe('what it prints', () => {
  it('is a line a check, and exit code 0, where all is well', async () => {
    const { code, out, stderr } = await command.run(['doctor', '--try-pin'], { env });
    expect(code).toBe(0);
    const lines = out.split('\n');
    expect(lines.every((line) => /^ok {6} [a-z]/.test(line))).toBe(true);
    expect(lines.at(-1)).toMatch(/signature +ed25519, made in [\d.]+ ms and verified/);
    expect(stderr).toMatch(/^2 checks do not apply here/);
  });

  it('is a fix below each failure, and exit code 1', async () => {
    const { code, out } = await command.run(['doctor'], {
      env: { ...env, ERST_PKCS11_MODULE: '/nowhere/libsofthsm2.so' },
    });
    expect(code).toBe(1);
    expect(out).toMatch(
      /\nfailed {3}module\.file +\/nowhere\/libsofthsm2\.so: there is no such file\n +fix: {2}export ERST_PKCS11_MODULE=/,
    );
  });

  it('is exit code 0 with warnings alone', async () => {
    const { ERST_SIGNER_TYPE: _, ...withoutType } = env;
    const { code, out } = await command.run(['doctor'], { env: withoutType });
    expect(code).toBe(0);
    expect(out).toContain('warning');
  });

  it('is one object with --json, and the PIN is nowhere in it', async () => {
    const { code, out } = await command.run(['doctor', '--json', '--try-pin'], { env });
    expect(code).toBe(0);
    const { status, checks } = JSON.parse(out);
    expect(status).toBe('ok');
    for (const check of checks) {
      expect(check).toEqual({
        id: expect.any(String),
        status: expect.stringMatching(/^(ok|skipped)$/),
        finding: expect.any(String),
      });
    }
    expect(out).not.toContain(token.pin);
    const failed = await command.run(['doctor', '--json'], {
      env: { ...env, ERST_PKCS11_TOKEN_LABEL: 'absent' },
    });
    expect([failed.code, JSON.parse(failed.out).status]).toEqual([1, 'failed']);
  });

  it('takes the module as an option', async () => {
    const { out } = await command.run(['doctor', '--json', '--module', '/nowhere/a.so'], { env });
    expect(out).toContain('/nowhere/a.so: there is no such file');
  });

  it('keeps control characters of a label away from the terminal', async () => {
    const red = '\u001b[31mred';
    await token.addToken(red, '12345678');
    const { out } = await command.run(['doctor', '--json'], { env });
    expect(JSON.parse(out).checks.find(({ id }: ExaminedCheck) => id === 'tokens').finding).toContain(
      '[31mred',
    );
    expect((await command.run(['doctor'], { env })).out).not.toContain('\u001b');
  });
});

/** As root this needs another user; else modes alone do. */
const asNobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

describe.skipIf(process.platform === 'win32')('permission denied', () => {
  let dir: string;
  let node: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'erst-doctor-'));
    await chmod(dir, 0o755);
    await chmod(dirname(command.script), 0o755);
    node = join(dir, 'node'); // this one may lie where others must not go
    await copyFile(process.execPath, node);
    await chmod(node, 0o755);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  async function diagnose(own: Record<string, string>): Promise<ExaminedCheck[]> {
    const child = spawn(node, [command.script, 'doctor', '--json'], {
      ...asNobody,
      env: { PATH: process.env.PATH!, HOME: dir, ERST_SIGNER_TYPE: 'pkcs11', ...own },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const chunks: Buffer[] = [];
    for await (const chunk of child.stdout!) chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString()).checks;
  }

  const failuresOf = (checks: ExaminedCheck[]) => checks.filter(({ status }) => status === 'failed');

  it('to the module or its folder', async () => {
    const folder = join(dir, 'closed');
    const module = join(folder, 'module.so');
    await mkdir(folder);
    await run('cp', ['-L', SOFTHSM_MODULE, module]);
    await chmod(module, 0o000);
    const [ofFile] = failuresOf(await diagnose({ ERST_PKCS11_MODULE: module }));
    expect(ofFile).toMatchObject({
      id: 'module.file',
      finding: expect.stringContaining('permission'),
      fix: `sudo chmod o+r ${module}`,
    });
    await chmod(folder, 0o000);
    const [ofFolder] = failuresOf(await diagnose({ ERST_PKCS11_MODULE: module }));
    expect(ofFolder).toMatchObject({ id: 'module.file', fix: `sudo chmod o+x ${folder}` });
    await chmod(folder, 0o755);
  });

  it("to SoftHSM's configuration or tokens", async () => {
    const conf = join(dir, 'softhsm2.conf');
    const tokens = join(dir, 'tokens');
    await mkdir(tokens);
    await chmod(tokens, 0o000);
    await writeFile(conf, `directories.tokendir = ${tokens}\n`);
    const own = { ERST_PKCS11_MODULE: SOFTHSM_MODULE, SOFTHSM2_CONF: conf };
    expect(failuresOf(await diagnose(own))).toEqual([
      expect.objectContaining({
        id: 'softhsm.configuration',
        finding: expect.stringContaining(tokens),
        fix: expect.stringContaining('chown'),
      }),
    ]);
    await chmod(conf, 0o000);
    expect(failuresOf(await diagnose(own))).toEqual([
      expect.objectContaining({
        id: 'softhsm.configuration',
        finding: expect.stringContaining('EACCES'),
        fix: `sudo chmod o+r ${conf}`,
      }),
    ]);
    await chmod(tokens, 0o755);
  });

  it('to the PIN', async () => {
    const pinFile = join(dir, 'pin');
    const own = join(dir, 'own');
    const conf = join(dir, 'own.conf');
    await mkdir(own);
    await writeFile(conf, `directories.tokendir = ${own}\n`);
    const init = ['--init-token', '--free', '--label', 'own', '--pin', '12345678', '--so-pin', '12345678'];
    await run('softhsm2-util', init, { env: { ...process.env, SOFTHSM2_CONF: conf } });
    await run('chmod', ['-R', 'a+rwX', own]);
    await writeFile(pinFile, '12345678');
    await chmod(pinFile, 0o000);
    const checks = await diagnose({
      ERST_PKCS11_MODULE: SOFTHSM_MODULE,
      SOFTHSM2_CONF: conf,
      ERST_PKCS11_PIN_FILE: pinFile,
    });
    expect(failuresOf(checks)).toEqual([
      expect.objectContaining({
        id: 'pin.source',
        finding: expect.stringContaining('EACCES'),
        fix: expect.stringContaining('chmod 600'),
      }),
    ]);
  });

  it('to pcscd', async () => {
    const PCSCLITE_CSOCK_NAME = join(dir, 'pcscd.comm');
    const daemon = createServer().listen(PCSCLITE_CSOCK_NAME);
    try {
      await new Promise((resolve) => daemon.once('listening', resolve));
      await chmod(PCSCLITE_CSOCK_NAME, 0o600);
      if (!asNobody.uid) await chmod(PCSCLITE_CSOCK_NAME, 0o000);
      const checks = await diagnose({ ERST_PKCS11_MODULE: YKCS11_MODULE, PCSCLITE_CSOCK_NAME });
      expect(failuresOf(checks)).toEqual([
        expect.objectContaining({ id: 'card.service', finding: expect.stringContaining('may not use it') }),
      ]);
    } finally {
      daemon.close();
    }
  });
});
