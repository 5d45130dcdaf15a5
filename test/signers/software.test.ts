import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import type * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { utf8 } from '../../src/bytes.js';
import { ed25519 as ourEd25519 } from '../../src/curves/index.js';
import { SignerError } from '../../src/errors.js';
import { readPrivateKey } from '../../src/signers/encoding/private-key.js';
import { openEncryptedKey } from '../../src/signers/encoding/private-key.node.js';
import { SoftwareSigner as PortableSoftwareSigner } from '../../src/signers/software.js';
import { SoftwareSigner } from '../../src/signers/software.node.js';
import { genpkey, openssl, opensslText, temporaryDirectory } from './openssl.js';

const denied = '/denied/key.pem';

// The superuser may read everything, so the refusal is made here.
vi.mock('node:fs/promises', async (importOriginal) => {
  const actual = await importOriginal<typeof fs>();
  const open: typeof fs.open = async (path, ...rest) => {
    if (path === denied) throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    return actual.open(path, ...rest);
  };
  return { ...actual, open };
});

const directory = temporaryDirectory();
const data = utf8('what is signed');
const software = ['ed25519', 'secp256k1'] as const;
const wrong = <T>(value: unknown) => value as T;

/** Warnings of this process while a test runs. */
const warnings: (Error & { code?: string })[] = [];
const collect = (warning: Error) => warnings.push(warning);
process.on('warning', collect);
afterEach(() => void warnings.splice(0));
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe.each(software)('SoftwareSigner, %s', (algorithm) => {
  test('generates a key whose PEM openssl reads, and whose signatures openssl verifies', async () => {
    const { signer, privateKeyPem } = await SoftwareSigner.generate(algorithm);
    const publicKey = await signer.publicKey();
    expect(opensslText(['pkey', '-pubout'], privateKeyPem)).toBe(publicKey.toPem());
    expect(opensslText(['pkey'], privateKeyPem)).toBe(privateKeyPem);

    const signature = await signer.sign(data);
    const keyFile = directory.file(publicKey.toPem());
    if (algorithm === 'ed25519') {
      const args = ['pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', keyFile, '-in', directory.file(data)];
      expect(opensslText([...args, '-sigfile', directory.file(signature.bytes)])).toMatch(
        /Verified Successfully/,
      );
      const other = directory.file(await signer.sign(utf8('other')).then(({ bytes }) => bytes));
      expect(() => openssl([...args, '-sigfile', other])).toThrow();
    } else {
      const args = ['dgst', '-sha256', '-verify', keyFile, '-signature', directory.file(signature.toDer())];
      expect(opensslText(args, data)).toMatch(/Verified OK/);
      expect(() => openssl(args, utf8('other'))).toThrow();
    }
  });

  test('signs as @noble/curves does with the same key', async () => {
    const pem = opensslText(genpkey[algorithm]);
    const { secretKey } = await readPrivateKey(pem, {}, openEncryptedKey);
    const signer = await SoftwareSigner.fromPem(pem);
    const signature = await signer.sign(data);
    const expected =
      algorithm === 'ed25519'
        ? ed25519.sign(data, secretKey)
        : secp256k1.sign(data, secretKey, { format: 'recovered' });
    expect(algorithm === 'ed25519' ? signature.bytes : signature.toRecovered()).toEqual(expected);
  });

  test('generates encrypted where a passphrase is given', async () => {
    const { signer, privateKeyPem } = await SoftwareSigner.generate(algorithm, { passphrase: 'pass phrase' });
    expect(privateKeyPem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    expect(opensslText(['pkey', '-pubout', '-passin', 'pass:pass phrase'], privateKeyPem)).toBe(
      (await signer.publicKey()).toPem(),
    );
    const again = await SoftwareSigner.fromPem(privateKeyPem, { passphrase: 'pass phrase' });
    expect((await again.publicKey()).equals(await signer.publicKey())).toBe(true);
    await expect(SoftwareSigner.fromPem(privateKeyPem)).rejects.toMatchObject({ code: 'wrong-passphrase' });
  });

  test('generates another key each time', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => SoftwareSigner.generate(algorithm)));
    expect(new Set(keys.map(({ privateKeyPem }) => privateKeyPem)).size).toBe(20);
  });

  test('reads a file', async () => {
    const pem = opensslText(genpkey[algorithm]);
    const path = directory.file(pem);
    const signer = await SoftwareSigner.fromFile(path);
    expect((await signer.publicKey()).toPem()).toBe(opensslText(['pkey', '-pubout'], pem));
    expect(signer.signerInfo()).toEqual({
      signerType: 'software',
      algorithm,
      metadata: { source: 'file', path },
    });
    await turn();
    expect(warnings).toEqual([]);
  });

  test('runs the event loop while it signs a large batch', async () => {
    const { signer } = await SoftwareSigner.generate(algorithm);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    try {
      await signer.signBatch(Array(5000).fill(data));
    } finally {
      clearInterval(timer);
    }
    expect(turns).toBeGreaterThan(2);
  });

  test('stops a large batch when its signal aborts', async () => {
    const { signer } = await SoftwareSigner.generate(algorithm);
    const controller = new AbortController();
    const pending = signer.signBatch(Array(100_000).fill(data), { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')));
    await expect(pending).rejects.toThrow('enough');
    await signer.close();
  });
});

describe('SoftwareSigner.generate', () => {
  test('makes Ed25519 where nothing is said', async () => {
    const { signer } = await SoftwareSigner.generate();
    expect(signer.signerInfo()).toEqual({
      signerType: 'software',
      algorithm: 'ed25519',
      metadata: { source: 'generated' },
    });
  });

  test('refuses P-256, which lives in HSMs', async () => {
    await expect(SoftwareSigner.generate(wrong('p256'))).rejects.toMatchObject({
      code: 'unsupported-algorithm',
      message: expect.stringMatching(/HSM only.*pkcs11/),
    });
  });

  test('rejects wrong arguments', async () => {
    for (const Signer of [SoftwareSigner, PortableSoftwareSigner]) {
      for (const algorithm of ['rsa', null, 1, {}, 'constructor']) {
        await expect(Signer.generate(wrong(algorithm))).rejects.toThrow(TypeError);
      }
      for (const options of [null, 'text', { passphrase: 1 }, { passphrase: null }]) {
        await expect(Signer.generate('ed25519', wrong(options))).rejects.toThrow(TypeError);
      }
      await expect(Signer.generate('ed25519', { passphrase: '' })).rejects.toThrow(RangeError);
    }
  });
});

describe('SoftwareSigner.fromPem', () => {
  test('rejects wrong arguments', async () => {
    const pem = opensslText(genpkey.ed25519);
    for (const Signer of [SoftwareSigner, PortableSoftwareSigner]) {
      for (const value of [undefined, null, 1, new Uint8Array(1)]) {
        await expect(Signer.fromPem(wrong(value))).rejects.toThrow(TypeError);
      }
      for (const options of [null, { passphrase: 1 }, { algorithm: 'rsa' }, { algorithm: 1 }]) {
        await expect(Signer.fromPem(pem, wrong(options))).rejects.toThrow(TypeError);
      }
      await expect(Signer.fromPem(pem, { algorithm: 'secp256k1' })).rejects.toMatchObject({
        code: 'key-mismatch',
      });
    }
  });

  test('without Node: plain keys work, encrypted ones say what to do', async () => {
    const pem = opensslText(genpkey.secp256k1);
    const signer = await PortableSoftwareSigner.fromPem(pem);
    expect((await signer.publicKey()).toPem()).toBe(opensslText(['pkey', '-pubout'], pem));
    const encrypted = opensslText(['pkcs8', '-topk8', '-passout', 'pass:secret'], pem);
    const expected = {
      code: 'unsupported-runtime',
      message: expect.stringMatching(/openssl pkey -in key.pem/),
    };
    await expect(PortableSoftwareSigner.fromPem(encrypted, { passphrase: 'secret' })).rejects.toMatchObject(
      expected,
    );
    await expect(PortableSoftwareSigner.fromPem(encrypted)).rejects.toMatchObject(expected);
    await expect(PortableSoftwareSigner.generate('ed25519', { passphrase: 'x' })).rejects.toMatchObject({
      code: 'unsupported-runtime',
    });
  });
});

describe('SoftwareSigner.fromFile', () => {
  const pem = opensslText(genpkey.ed25519);

  test.runIf(process.platform !== 'win32').each([0o640, 0o604, 0o660, 0o644])(
    'warns of a file of mode %o',
    async (mode) => {
      const path = directory.file(pem);
      chmodSync(path, mode);
      await SoftwareSigner.fromFile(path);
      await turn();
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatchObject({
        code: 'ERST_HSM_FILE_MODE',
        message: `Others can read the private key in ${path}. Run: chmod 600 ${path}`,
      });
    },
  );

  test('says why a file cannot be read', async () => {
    const missing = join(directory.path, 'absent.pem');
    const refused = (path: string) => expect(SoftwareSigner.fromFile(path)).rejects;
    await refused(missing).toMatchObject({
      code: 'key-unreadable',
      message: expect.stringMatching(/absent.pem: there is no such file/),
    });
    await refused(directory.path).toMatchObject({
      code: 'key-unreadable',
      message: expect.stringMatching(/is a directory/),
    });
    await refused(directory.file('x'.repeat(70_000))).toMatchObject({
      code: 'key-unreadable',
      message: expect.stringMatching(/larger than/),
    });
    await refused(join(directory.file(pem), 'below')).toMatchObject({
      code: 'key-unreadable',
      message: expect.stringMatching(/ENOTDIR/),
    });
    await refused(`${missing}\0`).toMatchObject({ code: 'key-unreadable' });
  });

  test('says that permission is denied', async () => {
    await expect(SoftwareSigner.fromFile(denied)).rejects.toMatchObject({
      code: 'key-unreadable',
      message: expect.stringMatching(/permission is denied.*user who owns the file/),
    });
  });

  test.runIf(process.platform !== 'win32')('reads a pipe, as a shell’s <(…) gives it', async () => {
    const pipe = join(directory.path, 'pipe');
    execFileSync('mkfifo', ['-m', '644', pipe]);
    const { writeFile } = await import('node:fs/promises');
    const [signer] = await Promise.all([SoftwareSigner.fromFile(pipe), writeFile(pipe, pem)]);
    expect((await signer.publicKey()).toPem()).toBe(opensslText(['pkey', '-pubout'], pem));
    await turn();
    expect(warnings).toEqual([]);
  });

  test('opens an encrypted file', async () => {
    const path = directory.file(opensslText(['pkcs8', '-topk8', '-passout', 'pass:secret'], pem));
    const signer = await SoftwareSigner.fromFile(path, { passphrase: 'secret', algorithm: 'ed25519' });
    expect((await signer.publicKey()).toPem()).toBe(opensslText(['pkey', '-pubout'], pem));
    await expect(SoftwareSigner.fromFile(path)).rejects.toBeInstanceOf(SignerError);
    await expect(SoftwareSigner.fromFile(path, { passphrase: 'other' })).rejects.toMatchObject({
      code: 'wrong-passphrase',
    });
  });

  test('rejects a path that is no string', async () => {
    for (const path of [undefined, null, 1, Buffer.from('/tmp')]) {
      await expect(SoftwareSigner.fromFile(wrong(path))).rejects.toThrow(TypeError);
    }
  });
});

describe('the secret', () => {
  test('is wiped by close', async () => {
    const destroyed: unknown[] = [];
    const { signer } = await SoftwareSigner.generate();
    const probe = ourEd25519.prepare(new Uint8Array(32));
    const prototype = Object.getPrototypeOf(probe) as { destroy(): void };
    const original = prototype.destroy;
    prototype.destroy = function (this: unknown) {
      destroyed.push(this);
      original.call(this);
    };
    try {
      await signer.close();
      await signer.close();
    } finally {
      prototype.destroy = original;
    }
    expect(destroyed).toHaveLength(1);
  });

  test('shows nowhere on the signer', async () => {
    const { inspect } = await import('node:util');
    const { signer, privateKeyPem } = await SoftwareSigner.generate();
    const { secretKey } = await readPrivateKey(privateKeyPem, {}, openEncryptedKey);
    const shown = inspect(signer, { depth: 10, showHidden: true }) + JSON.stringify(signer);
    expect(shown).not.toContain(Buffer.from(secretKey).toString('hex'));
    expect(shown).not.toContain([...secretKey.subarray(0, 4)].join(', '));
  });
});
