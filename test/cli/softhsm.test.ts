// The token that `bridge --softhsm` makes for itself.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findSoftHsm, provisionSoftHsm, type SoftHsm } from '../../src/cli/softhsm.js';
import type { SignerError } from '../../src/errors.js';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { verifySignature } from '../../src/signers/verify.js';

const run = promisify(execFile);

const root = join(import.meta.dirname, '../..');
let bundle: string;
beforeAll(async () => {
  // Inside the project, where the packages are found.
  bundle = await mkdtemp(join(root, 'build', 'test-softhsm-'));
  await bundleProvisioning();
});
afterAll(() => rm(bundle, { recursive: true, force: true }));

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'erst-state-'));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

/** Opens every key, signs, and gives the public keys by name. */
async function publicKeys({ configs }: SoftHsm): Promise<Record<string, string>> {
  const keys: Record<string, string> = {};
  for (const [name, { pkcs11, algorithm }] of Object.entries(configs)) {
    await using signer = await Pkcs11Signer.open({ ...pkcs11, algorithm: algorithm! });
    const data = Uint8Array.of(1, 2, 3);
    const publicKey = await signer.publicKey();
    expect(await verifySignature(publicKey, data, await signer.sign(data))).toBe(true);
    keys[name] = publicKey.toPem();
  }
  return keys;
}

describe('provisionSoftHsm', () => {
  it('makes a token with three keys, once', async () => {
    const first = await provisionSoftHsm(stateDir);
    expect(Object.keys(first.configs)).toEqual(['ed25519', 'secp256k1', 'p256']);
    const keys = await publicKeys(first);
    const again = await provisionSoftHsm(stateDir);
    expect(again).toEqual(first);
    expect(await publicKeys(again)).toEqual(keys);
    expect(await readdir(join(stateDir, 'softhsm', 'tokens'))).toHaveLength(1);
    expect(await readdir(stateDir)).toEqual(['softhsm']);
  });

  it('keeps everything to its owner, with random PINs', async () => {
    const { directory, configs } = await provisionSoftHsm(stateDir);
    const mode = async (path: string) => (await stat(path)).mode & 0o777;
    expect(await mode(directory)).toBe(0o700);
    expect(await mode(join(directory, 'pin'))).toBe(0o600);
    expect(await mode(join(directory, 'so-pin'))).toBe(0o600);
    const pin = await readFile(join(directory, 'pin'), 'utf8');
    expect(pin).toMatch(/^[\w-]{22}\n$/);
    expect(await readFile(join(directory, 'so-pin'), 'utf8')).not.toBe(pin);
    expect(JSON.stringify(configs)).not.toContain(pin.trim());
  });

  it('makes keys that cannot be taken out', async () => {
    const { directory } = await provisionSoftHsm(stateDir);
    const pin = (await readFile(join(directory, 'pin'), 'utf8')).trim();
    const env = { ...process.env, SOFTHSM2_CONF: join(directory, 'softhsm2.conf') };
    const args = ['--module', await findSoftHsm(), '--token-label', 'erst-hsm', '--login', '--pin', pin];
    const { stdout } = await run('pkcs11-tool', [...args, '--list-objects', '--type', 'privkey'], { env });
    expect(stdout.match(/Access: +sensitive, always sensitive, never extractable, local/g)).toHaveLength(3);
  });

  it('works after the state directory has been moved', async () => {
    const keys = await publicKeys(await provisionSoftHsm(join(stateDir, 'a')));
    await rename(join(stateDir, 'a'), join(stateDir, 'b'));
    expect(await publicKeys(await provisionSoftHsm(join(stateDir, 'b')))).toEqual(keys);
  });

  it('starts afresh where it was interrupted, and cleans up what is old', async () => {
    const abandoned = join(stateDir, 'softhsm.new-abc');
    const inProgress = join(stateDir, 'softhsm.new-def');
    for (const directory of [abandoned, inProgress]) {
      await mkdir(join(directory, 'tokens'), { recursive: true });
      await writeFile(join(directory, 'pin'), 'half');
    }
    const long = new Date(Date.now() - 2 * 60 * 60 * 1000);
    await utimes(abandoned, long, long);
    expect(Object.keys(await publicKeys(await provisionSoftHsm(stateDir)))).toHaveLength(3);
    expect((await readdir(stateDir)).sort()).toEqual(['softhsm', 'softhsm.new-def']);
  });

  it('takes an empty directory, and leaves alone one that holds something else', async () => {
    await mkdir(join(stateDir, 'empty', 'softhsm'), { recursive: true });
    expect(Object.keys(await publicKeys(await provisionSoftHsm(join(stateDir, 'empty'))))).toHaveLength(3);
    await mkdir(join(stateDir, 'other', 'softhsm', 'tokens'), { recursive: true });
    const error = await provisionSoftHsm(join(stateDir, 'other')).catch((failure: SignerError) => failure);
    expect(error).toMatchObject({ code: 'token-error', message: expect.stringContaining('move it away') });
    expect(await readdir(join(stateDir, 'other'))).toEqual(['softhsm']);
    expect(await readdir(join(stateDir, 'other', 'softhsm'))).toEqual(['tokens']);
  });

  it('leaves nothing that looks finished where it fails', async () => {
    const broken = join(stateDir, 'libsofthsm2.so');
    await writeFile(broken, 'no library');
    process.env.ERST_PKCS11_MODULE = broken;
    const conf = process.env.SOFTHSM2_CONF;
    const error = await provisionSoftHsm(join(stateDir, 'state')).catch((failure: SignerError) => failure);
    delete process.env.ERST_PKCS11_MODULE;
    expect(error).toMatchObject({ code: 'module-load-failed' });
    expect(process.env.SOFTHSM2_CONF).toBe(conf);
    expect(await readdir(join(stateDir, 'state'))).toEqual([]);
  });

  it('makes a token while another one is in use', async () => {
    const first = await provisionSoftHsm(join(stateDir, 'first'));
    await using signer = await Pkcs11Signer.open(first.configs.p256!.pkcs11!);
    const second = await publicKeys(await provisionSoftHsm(join(stateDir, 'second')));
    const key = await signer.publicKey();
    expect(second.p256).not.toBe(key.toPem());
    const data = Uint8Array.of(1);
    expect(await verifySignature(key, data, await signer.sign(data))).toBe(true);
  });

  it('gives two processes that start at once the same token', async () => {
    const digests = await Promise.all([provisionElsewhere(stateDir), provisionElsewhere(stateDir)]);
    expect(digests[0]).toBe(digests[1]);
    const here = createHash('sha256')
      .update(await readFile(join(stateDir, 'softhsm', 'pin')))
      .digest('hex');
    expect(digests[0]).toBe(here);
    expect(Object.keys(await publicKeys(await provisionSoftHsm(stateDir)))).toHaveLength(3);
    expect(await readdir(stateDir)).toEqual(['softhsm']);
  });
});

/** Provisions in a process of its own; gives the digest of the PIN that it ended up with. */
async function provisionElsewhere(directory: string): Promise<string> {
  const { stdout } = await run(process.execPath, [join(bundle, 'provision.mjs'), directory]);
  return stdout.trim();
}

async function bundleProvisioning(): Promise<void> {
  await build({
    stdin: {
      contents: `
        import { createHash } from 'node:crypto';
        import { readFileSync } from 'node:fs';
        import { provisionSoftHsm } from './src/cli/softhsm.ts';
        const { configs } = await provisionSoftHsm(process.argv[2]);
        console.log(createHash('sha256').update(readFileSync(configs.p256.pkcs11.pinFile)).digest('hex'));`,
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile: join(bundle, 'provision.mjs'),
    logLevel: 'silent',
  });
}

describe('findSoftHsm', () => {
  it('says how to install what is not there', async () => {
    const error = await findSoftHsm(['/nowhere/a.so', '/nowhere/b.so']).catch(
      (failure: SignerError) => failure,
    );
    expect(error).toMatchObject({ code: 'module-load-failed' });
    for (const words of [
      'apt install softhsm2',
      'dnf install softhsm',
      'pacman -S softhsm',
      'brew install softhsm',
    ]) {
      expect((error as SignerError).message).toContain(words);
    }
  });

  it('takes ERST_PKCS11_MODULE first, if that is SoftHSM', async () => {
    const elsewhere = join(stateDir, 'libsofthsm2.so');
    await writeFile(elsewhere, '');
    try {
      process.env.ERST_PKCS11_MODULE = elsewhere;
      expect(await findSoftHsm()).toBe(elsewhere);
      process.env.ERST_PKCS11_MODULE = '/usr/lib/libykcs11.so';
      expect(await findSoftHsm()).not.toBe('/usr/lib/libykcs11.so');
    } finally {
      delete process.env.ERST_PKCS11_MODULE;
    }
  });
});
