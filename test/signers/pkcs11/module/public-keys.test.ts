// Where a key's public half is: beside it, in a certificate, in the configuration, or nowhere.

import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Pkcs11Error } from '../../../../src/errors.js';
import type { Pkcs11Config } from '../../../../src/signers/config/config.js';
import { CKA } from '../../../../src/signers/pkcs11/constants.js';
import { Cryptoki } from '../../../../src/signers/pkcs11/module/cryptoki.js';
import { Pkcs11Signer } from '../../../../src/signers/pkcs11/pkcs11-signer.js';
import { verifySignature } from '../../../../src/signers/verify.js';
import { createSoftHsmToken, type SoftHsmToken } from '../../../fixtures/softhsm.js';

const run = promisify(execFile);

let token: SoftHsmToken;
beforeAll(async () => {
  token = await createSoftHsmToken({ inProcess: true });
});
afterAll(() => token.remove());

const file = (name: string) => join(token.directory, name);

/** Imports a fresh private key, without its public half but for what SoftHSM adds; gives the public key's PEM. */
async function importKey(options: { label: string; id: string; namedCurve?: string }): Promise<string> {
  const { label, id, namedCurve } = options;
  const { privateKey, publicKey } = namedCurve
    ? generateKeyPairSync('ec', { namedCurve })
    : (generateKeyPairSync('ed25519') as never);
  await writeFile(file(`${label}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const where = ['--token', token.tokenLabel, '--pin', token.pin, '--label', label, '--id', id];
  await token.softhsm2Util('--import', file(`${label}.pem`), '--force', ...where);
  return publicKey.export({ type: 'spki', format: 'pem' }) as string;
}

async function expectToSign(config: Pkcs11Config, publicKeyPem: string): Promise<void> {
  await using signer = await Pkcs11Signer.open(config);
  const key = await signer.publicKey();
  expect(key.toPem().trim()).toBe(publicKeyPem.trim());
  const data = randomBytes(33);
  expect(await verifySignature(key, data, await signer.sign(data))).toBe(true);
}

const failure = (config: Pkcs11Config): Promise<Pkcs11Error> =>
  Pkcs11Signer.open(config).then(
    () => expect.unreachable('did not fail'),
    (error) => error,
  );

describe('an imported key', () => {
  it('of Ed25519, whose EC_POINT has no OCTET STRING around it', async () => {
    const pem = await importKey({ label: 'imported-ed', id: '21' });
    const points = vi.spyOn(Cryptoki.prototype, 'attribute');
    await expectToSign(token.config('imported-ed'), pem);
    const lengths = points.mock.calls
      .map(([, , type], i) => (type === CKA.EC_POINT ? points.mock.results[i]!.value?.length : undefined))
      .filter((length) => length !== undefined);
    expect(lengths).toContain(32);
    points.mockRestore();
  });

  it.each([
    ['secp256k1', '22'],
    ['prime256v1', '23'],
  ])('of %s', async (namedCurve, id) => {
    const pem = await importKey({ label: `imported-${namedCurve}`, id, namedCurve });
    await expectToSign(token.config(`imported-${namedCurve}`), pem);
  });
});

describe('a private key alone', () => {
  it('takes its public key from a certificate with its id, else from the configuration, else cannot be used', async () => {
    const label = 'with-certificate';
    const pem = await importKey({ label, id: '31', namedCurve: 'prime256v1' });
    await token.pkcs11Tool('--delete-object', '--type', 'pubkey', '--id', '31');
    const error = await failure(token.config(label));
    expect(error.code).toBe('key-not-found');
    expect(error.message).toContain('ERST_PKCS11_PUBLIC_KEY_PEM');

    await expectToSign({ ...token.config(label), publicKeyPem: pem }, pem);

    const subject = ['-subj', '/CN=test', '-days', '2', '-outform', 'DER', '-out', file('cert.der')];
    await run('openssl', ['req', '-x509', '-new', '-key', file(`${label}.pem`), ...subject]);
    await token.writeCertificate(file('cert.der'), { label: 'cert', idHex: '31' });
    await expectToSign(token.config(label), pem);
  });

  it('given the wrong public key signs nothing', async () => {
    await importKey({ label: 'wrong', id: '32', namedCurve: 'secp256k1' });
    await token.pkcs11Tool('--delete-object', '--type', 'pubkey', '--id', '32');
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    await using signer = await Pkcs11Signer.open({ ...token.config('wrong'), publicKeyPem });
    await expect(signer.sign(Uint8Array.of(1))).rejects.toMatchObject({ code: 'signature-invalid' });
    const p256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey;
    const otherPem = p256.export({ type: 'spki', format: 'pem' }) as string;
    expect((await failure({ ...token.config('wrong'), publicKeyPem: otherPem })).code).toBe('key-mismatch');
  });
});

describe('public keys that share an id', () => {
  it('are ambiguous where they differ', async () => {
    await importKey({ label: 'clash', id: '41', namedCurve: 'prime256v1' });
    await importKey({ label: 'clash-2', id: '41', namedCurve: 'prime256v1' });
    const error = await failure(token.config('clash'));
    expect(error.code).toBe('key-ambiguous');
    expect(error.message).toContain('an id of its own');
  });

  it('are told apart by their algorithm', async () => {
    const ed = await importKey({ label: 'same-id-ed', id: '42' });
    const k1 = await importKey({ label: 'same-id-k1', id: '42', namedCurve: 'secp256k1' });
    await expectToSign(token.config('same-id-ed'), ed);
    await expectToSign({ ...token.config(), keyIdHex: '42', algorithm: 'secp256k1' }, k1);
    expect((await failure({ ...token.config(), keyIdHex: '42' })).code).toBe('key-ambiguous');
  });
});

describe('a key without an id', () => {
  it('has the public key with its label and no id', async () => {
    const pem = await importKey({ label: 'no-id', id: '44', namedCurve: 'secp256k1' });
    for (const type of ['privkey', 'pubkey']) {
      await token.pkcs11Tool('--delete-object', '--type', type, '--id', '44');
    }
    const der = file('no-id.der');
    await run('openssl', ['ec', '-in', file('no-id.pem'), '-outform', 'DER', '-out', der]);
    await token.pkcs11Tool('--write-object', der, '--type', 'privkey', '--label', 'no-id');
    await run('openssl', ['ec', '-in', file('no-id.pem'), '-pubout', '-outform', 'DER', '-out', der]);
    await token.pkcs11Tool('--write-object', der, '--type', 'pubkey', '--label', 'no-id');
    const stranger = file('stranger.der');
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    await writeFile(stranger, publicKey.export({ type: 'spki', format: 'der' }));
    await token.pkcs11Tool('--write-object', stranger, '--type', 'pubkey', '--label', 'no-id', '--id', '45');
    await expectToSign(token.config('no-id'), pem);
  });
});

describe('two keys with one label', () => {
  it('are an ambiguous choice, resolved by id', async () => {
    const first = await importKey({ label: 'double', id: '51', namedCurve: 'secp256k1' });
    await importKey({ label: 'double', id: '52', namedCurve: 'secp256k1' });
    expect((await failure(token.config('double'))).code).toBe('key-ambiguous');
    await expectToSign({ ...token.config('double'), keyIdHex: '51' }, first);
  });
});

describe('other keys on the token', () => {
  it('are not for signing here', async () => {
    await token.pkcs11Tool('--keypairgen', '--key-type', 'rsa:2048', '--label', 'rsa', '--id', '61');
    await token.pkcs11Tool('--keypairgen', '--key-type', 'EC:secp384r1', '--label', 'p384', '--id', '62');
    for (const label of ['rsa', 'p384']) {
      expect((await failure(token.config(label))).code).toBe('unsupported-algorithm');
    }
  });
});
