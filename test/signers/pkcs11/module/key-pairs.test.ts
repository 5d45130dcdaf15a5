// Keys that are made, imported and deleted, and a token made anew: on SoftHSM, with OpenSSL's keys.

import { execFile } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ImportedKey } from '../../../../src/signers/pkcs11/engine/hosted-module.js';
import type { Algorithm } from '../../../../src/signers/types.js';
import {
  ALGORITHMS,
  expectToSign,
  failureOf,
  isSignatureBy,
  keyOf,
  useOpenedModule,
} from './opened-module.js';

const CKR_DEVICE_ERROR = 0x30;

const opened = useOpenedModule();

const all = async () => ({
  private: (await opened.module.keys(opened.slot, 'private')).map(({ label }) => label).sort(),
  public: (await opened.module.keys(opened.slot, 'public')).map(({ label }) => label).sort(),
});

function openSslKey(algorithm: Algorithm): KeyObject {
  if (algorithm === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  const namedCurve = algorithm === 'p256' ? 'prime256v1' : 'secp256k1';
  return generateKeyPairSync('ec', { namedCurve }).privateKey;
}

function imported(algorithm: Algorithm, label: string, idHex: string): ImportedKey {
  const key = openSslKey(algorithm);
  const jwk = key.export({ format: 'jwk' });
  const [d, x, y] = [jwk.d, jwk.x, jwk.y].map((part) => Buffer.from(part ?? '', 'base64url'));
  const publicPoint = algorithm === 'ed25519' ? x! : Buffer.concat([Buffer.of(4), x!, y!]);
  expect(createPublicKey(key).asymmetricKeyType).toBe(key.asymmetricKeyType);
  return { algorithm, label, idHex, privateKey: d!, publicPoint };
}

describe.each(ALGORITHMS)('%s', (algorithm) => {
  const key = { algorithm, label: `made ${algorithm} ü`, idHex: `a${ALGORITHMS.indexOf(algorithm)}ff` };

  it('is made, signs, and is deleted without a trace', async () => {
    const { module, slot } = opened;
    const before = await all();
    await module.generateKeyPair(slot, key);
    await expectToSign(opened, key);
    expect(await module.keys(slot, 'private', { label: key.label })).toMatchObject([
      {
        ...key,
        canSign: true,
        local: true,
        alwaysSensitive: true,
        neverExtractable: true,
        extractable: false,
      },
    ]);
    expect(await module.deleteKeyPair(slot, key)).toBe(2);
    expect(await all()).toEqual(before);
    const error = await failureOf(module.sign(slot, { key, input: new Uint8Array(32) }));
    expect(error.code).toBe('key-not-found');
  });

  it('is imported, signs as the same key, and shows that it was outside', async () => {
    const { module, slot } = opened;
    const foreign = imported(algorithm, `imported ${algorithm}`, key.idHex);
    await module.importKeyPair(slot, foreign);
    expect(await module.publicPoint(slot, foreign)).toEqual(Uint8Array.from(foreign.publicPoint));
    const input = randomBytes(32);
    const bytes = await module.sign(slot, { key: foreign, input });
    expect(await isSignatureBy(algorithm, foreign.publicPoint, input, bytes)).toBe(true);
    expect(await module.keys(slot, 'private', { label: foreign.label })).toMatchObject([
      { local: false, alwaysSensitive: false, neverExtractable: false, extractable: false, canSign: true },
    ]);
    expect(await module.deleteKeyPair(slot, foreign)).toBe(2);
  });
});

describe('a name that is taken', () => {
  it.each([
    ['label', { label: 'p256', idHex: '5555' }],
    ['id', { label: 'free', idHex: '03' }],
  ])('by its %s stops a new key', async (_, name) => {
    const { module, slot } = opened;
    const key = { algorithm: 'p256', ...name } as const;
    expect((await failureOf(module.generateKeyPair(slot, key))).code).toBe('key-ambiguous');
    const foreign = { ...imported('p256', '', ''), ...name };
    expect((await failureOf(module.importKeyPair(slot, foreign))).code).toBe('key-ambiguous');
  });

  it('is taken once by two who come at the same time', async () => {
    const { module, slot } = opened;
    const key = { algorithm: 'p256', label: 'raced', idHex: '7a' } as const;
    const make = () => module.generateKeyPair(slot, key);
    const put = () => module.importKeyPair(slot, imported('p256', key.label, key.idHex));
    const results = await Promise.allSettled([make(), put(), make()]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(await module.deleteKeyPair(slot, key)).toBe(2);
  });

  it('is none where there is no id', async () => {
    const { module, slot } = opened;
    const key = { algorithm: 'ed25519', label: 'without id', idHex: '' } as const;
    await module.generateKeyPair(slot, key);
    await expectToSign(opened, key);
    expect(await module.deleteKeyPair(slot, key)).toBe(2);
  });
});

describe('an import that fails half way', () => {
  it('leaves nothing', async () => {
    const { module, slot, fault } = opened;
    const before = await all();
    fault.inject({ fn: 'C_CreateObject', action: 'return', code: CKR_DEVICE_ERROR, skip: 1 });
    const error = await failureOf(module.importKeyPair(slot, imported('secp256k1', 'half', '66')));
    expect(error).toMatchObject({ ckrCode: CKR_DEVICE_ERROR, functionName: 'C_CreateObject' });
    expect(await all()).toEqual(before);
  });
});

describe('deleting', () => {
  it('a key that is not there, or whose algorithm or label is another, deletes nothing', async () => {
    const { module, slot } = opened;
    const before = await all();
    const wrong = [
      { ...keyOf('p256'), idHex: '99' },
      { ...keyOf('p256'), label: 'other' },
      { ...keyOf('p256'), algorithm: 'secp256k1' },
    ] as const;
    for (const key of wrong) {
      expect((await failureOf(module.deleteKeyPair(slot, key))).code).toBe('key-not-found');
    }
    expect(await all()).toEqual(before);
  });

  it('leaves another key of the same id alone', async () => {
    const { module, slot, token } = opened;
    await token.addKey({ algorithm: 'p256', label: 'twin a', idHex: '40' });
    await token.addKey({ algorithm: 'p256', label: 'twin b', idHex: '40' });
    await opened.open();
    expect(await module.deleteKeyPair(slot, { algorithm: 'p256', label: 'twin a', idHex: '40' })).toBe(2);
    expect((await all()).private).toContain('twin b');
    expect((await all()).public).toContain('twin b');
    expect(await module.deleteKeyPair(slot, { algorithm: 'p256', label: 'twin b', idHex: '40' })).toBe(2);
  });

  it('deletes nothing where it cannot tell', async () => {
    const { module, slot, token } = opened;
    const twin = { algorithm: 'p256', label: 'twin', idHex: '41' } as const;
    await token.addKey(twin);
    await token.addKey(twin);
    await opened.open();
    const before = await all();
    expect((await failureOf(module.deleteKeyPair(slot, twin))).code).toBe('key-ambiguous');
    await token.pkcs11Tool('--delete-object', '--type', 'privkey', '--id', '41');
    await opened.open();
    expect((await failureOf(module.deleteKeyPair(slot, twin))).message).toContain('nothing was deleted');
    expect((await all()).public).toEqual(before.public);
  });
});

describe('certificates', () => {
  it('are shown by label and id', async () => {
    const { module, slot, token } = opened;
    const file = (name: string) => join(token.directory, name);
    const key = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    await writeFile(file('key.pem'), key.export({ type: 'pkcs8', format: 'pem' }));
    const request = ['req', '-x509', '-new', '-key', file('key.pem'), '-subj', '/CN=test', '-outform', 'DER'];
    const { stdout } = await promisify(execFile)('openssl', request, { encoding: 'buffer' });
    await writeFile(file('cert.der'), stdout);
    await token.writeCertificate(file('cert.der'), { label: 'cert', idHex: '31' });
    await opened.open();
    const certificate = { label: 'cert', idHex: '31', der: Uint8Array.from(stdout) };
    expect(await module.certificates(slot)).toEqual([certificate]);
    expect(await module.certificates(slot, { idHex: '31' })).toEqual([certificate]);
    expect(await module.certificates(slot, { label: 'other' })).toEqual([]);
  });
});

describe('initToken', () => {
  it('makes a token in a free slot, with a label of any script, and erases only with the SO PIN', async () => {
    const { module } = opened;
    const label = 'Schlüssel für Zürich 12345678';
    const free = async () => (await module.tokens()).find(({ initialized }) => !initialized)!.slotHandle;
    await module.initToken(await free(), { soPin: '87654321', userPin: '1234', label });
    const made = (await module.tokens()).find((one) => one.label === label)!;
    expect(made).toMatchObject({ initialized: true, pin: 'ok' });
    const slot = made.slotHandle;
    await module.openToken(slot, { sessions: 2, blocking: false });
    await module.login(slot, '1234');
    const key = { algorithm: 'secp256k1', label: 'k', idHex: '01' } as const;
    await module.generateKeyPair(slot, key);
    await expectToSign({ module, slot }, key);

    const again = { soPin: '87654321', userPin: '4321', label: 'again' };
    await expect(module.initToken(slot, again)).rejects.toThrow(TypeError);
    await module.closeToken(slot);
    const error = await failureOf(module.initToken(slot, { ...again, soPin: '11111111' }));
    expect(error).toMatchObject({ code: 'pin-incorrect', functionName: 'C_InitToken' });
    expect(error.message).toContain('SO PIN');
    expect(error.message).not.toContain('ERST_PKCS11_PIN');
    await module.initToken(slot, again);
    await module.openToken(slot, { sessions: 2, blocking: false });
    expect((await failureOf(module.login(slot, '1234'))).code).toBe('pin-incorrect');
    await module.login(slot, '4321');
    expect(await module.keys(slot, 'private')).toEqual([]);
    await module.closeToken(slot);
  });
});
