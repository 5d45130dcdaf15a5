// The example as a user runs it: a process of its own, the built package, a bridge whose key is in SoftHSM.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/index.js';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { expectSignedAuthorization, expectSignedTransaction } from '../fixtures/stellar.js';
import { startBridge, type TestBridge } from '../fixtures/test-bridge.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

let token: SoftHsmToken;
let signer: Pkcs11Signer;
let server: TestBridge;
let directory: string;

beforeAll(async () => {
  if (!existsSync(join(root, 'build/node/index.js'))) throw new Error('build first: npm run build');
  token = await createSoftHsmToken({ keys: ['secp256k1', 'ed25519'] });
  signer = await Pkcs11Signer.open(token.config('ed25519'));
  const other = await Pkcs11Signer.open(token.config('secp256k1'));
  server = await startBridge({ keys: { aaa: other, treasury: signer }, consoleDir: false });
  directory = await mkdtemp(join(tmpdir(), 'erst-hsm-example-'));
});

afterAll(async () => {
  await server?.remove();
  await signer?.close();
  await token?.remove();
  if (directory) await rm(directory, { recursive: true, force: true });
});

async function runExample(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const script = join(root, 'examples/stellar-node/sign.js');
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, ...args], {
      cwd: directory,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

const values = (stdout: string, name: string): string[] =>
  [...stdout.matchAll(new RegExp(`^ {2}${name.replace(/[()]/g, '\\$&')} +(\\S.*)$`, 'gm'))].map(
    ([, value]) => value!,
  );

async function expectSigned(stdout: string): Promise<void> {
  const [payment, call] = values(stdout, 'Envelope (XDR)');
  await expectSignedTransaction(payment!, 'payment', signer);
  await expectSignedTransaction(call!, 'invokeHostFunction', signer);
  await expectSignedAuthorization(values(stdout, 'Entry (XDR)')[0]!, signer);
}

describe('examples/stellar-node', () => {
  it('signs with a pairing link, keeps the credentials for the owner alone, and signs with those', async () => {
    const link = await server.bridge.pair();
    const first = await runExample(link, '--save', 'credentials.json');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    await expectSigned(first.stdout);
    expect(first.stdout).toContain('treasury at ws://localhost:');
    expect((await stat(join(directory, 'credentials.json'))).mode & 0o777).toBe(0o600);

    const second = await runExample('credentials.json', '--key', 'treasury');
    expect(second).toMatchObject({ code: 0, stderr: '' });
    await expectSigned(second.stdout);

    const reused = await runExample(link);
    expect(reused.code).toBe(1);
    expect(reused.stdout).toBe('');
    expect(reused.stderr).not.toContain(link.split('.').at(-1));
    expect(reused.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('says how to use it', async () => {
    const { code, stderr } = await runExample();
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^usage: node examples/),
    });
  });

  it('refuses a key that Stellar has no use for', async () => {
    const { code, stderr } = await runExample(await server.bridge.pair(), '--key', 'aaa');
    expect(code).toBe(1);
    expect(stderr).toContain('secp256k1, and ed25519 was asked for');
  });
});
