// SignerFactory with a real token and a real bridge: the settings reach the signer, and come back in its errors.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.js';
import { SignerFactory } from '../../src/signers/factory.node.js';
import { type RemoteCredentials, RemoteSigner } from '../../src/signers/remote/remote.node.js';
import { SoftwareSigner } from '../../src/signers/software.node.js';
import type { Signer } from '../../src/signers/types.js';
import { verifySignature } from '../../src/signers/verify.js';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { startBridge, type TestBridge } from '../fixtures/test-bridge.js';
import { temporaryDirectory } from './openssl.js';

const directory = temporaryDirectory();
const data = utf8('what is signed');

async function expectSigns(signer: Signer) {
  try {
    const key = await signer.publicKey();
    expect(await verifySignature(key, data, await signer.sign(data))).toBe(true);
    return { info: signer.signerInfo(), key };
  } finally {
    await signer.close();
  }
}

describe('pkcs11', () => {
  let token: SoftHsmToken;
  let env: Record<string, string>;
  beforeAll(async () => {
    token = await createSoftHsmToken({ tokenLabel: 'mytoken', keys: ['ed25519', 'secp256k1', 'p256'] });
    env = {
      ERST_SIGNER_TYPE: 'pkcs11',
      ERST_PKCS11_MODULE: token.modulePath,
      ERST_PKCS11_PIN: token.pin,
      ERST_PKCS11_TOKEN_LABEL: 'mytoken',
    };
  });
  afterAll(() => token.remove());

  test('by label, id, PIV slot, algorithm and URI', async () => {
    const { ERST_PKCS11_TOKEN_LABEL: _, ...byUri } = env;
    const cases = [
      { ...env, ERST_PKCS11_KEY_LABEL: 'secp256k1' },
      { ...env, ERST_PKCS11_KEY_ID: '02' },
      { ...env, ERST_PKCS11_PIV_SLOT: '9c' },
      { ...env, ERST_SIGNER_ALGORITHM: 'secp256k1' },
      { ...byUri, ERST_PKCS11_URI: 'pkcs11:token=mytoken;object=secp256k1' },
    ];
    for (const settings of cases) {
      const { info } = await expectSigns(await SignerFactory.createFromEnv(settings));
      expect(info, JSON.stringify(settings)).toMatchObject({ signerType: 'pkcs11', algorithm: 'secp256k1' });
    }
  });

  test('by slot, with the PIN from a file, from an object', async () => {
    const pkcs11 = { modulePath: token.modulePath, slotIndex: 0, keyLabel: 'p256' };
    const pinFile = directory.file(`${token.pin}\n`);
    const { info } = await expectSigns(
      await SignerFactory.createFromConfig({ signerType: 'pkcs11', pkcs11: { ...pkcs11, pinFile } }),
    );
    expect(info).toMatchObject({ signerType: 'pkcs11', algorithm: 'p256' });
  });

  test('the expected public key is checked', async () => {
    const { key } = await expectSigns(
      await SignerFactory.createFromEnv({ ...env, ERST_PKCS11_KEY_LABEL: 'p256' }),
    );
    const pinned = { ...env, ERST_PKCS11_KEY_LABEL: 'p256', ERST_PKCS11_PUBLIC_KEY_PEM: key.toPem() };
    await expectSigns(await SignerFactory.createFromEnv(pinned));
    const { signer } = await SoftwareSigner.generate();
    const other = (await signer.publicKey()).toPem();
    await expect(
      SignerFactory.createFromEnv({ ...pinned, ERST_PKCS11_PUBLIC_KEY_PEM: other }),
    ).rejects.toMatchObject({ code: 'key-mismatch' });
  });

  test('the key must be of the algorithm that is set', async () => {
    const settings = { ...env, ERST_PKCS11_KEY_LABEL: 'p256', ERST_SIGNER_ALGORITHM: 'ed25519' };
    await expect(SignerFactory.createFromEnv(settings)).rejects.toMatchObject({ code: 'key-mismatch' });
  });
});

describe('remote', () => {
  let running: TestBridge;
  let credentials: RemoteCredentials;
  let served: Signer;
  beforeAll(async () => {
    served = (await SoftwareSigner.generate('secp256k1')).signer;
    running = await startBridge({ keys: { treasury: served } });
    const link = await running.bridge.pair({ name: 'factory', keys: ['*'] });
    credentials = await RemoteSigner.pair(link);
  });
  afterAll(() => running.remove());

  const variables = () => ({
    ERST_SIGNER_TYPE: 'remote',
    ERST_REMOTE_URL: credentials.url,
    ERST_REMOTE_BRIDGE_KEY: credentials.bridgeKey,
    ERST_REMOTE_KEY: 'treasury',
  });

  test('with the identity alone in a file, and with all credentials in it', async () => {
    const identity = {
      ...variables(),
      ERST_REMOTE_IDENTITY_PATH: directory.file(`${credentials.identity}\n`),
    };
    const all = {
      ERST_SIGNER_TYPE: 'remote',
      ERST_REMOTE_KEY: 'treasury',
      ERST_REMOTE_IDENTITY_PATH: directory.file(JSON.stringify(credentials)),
    };
    for (const env of [identity, all]) {
      const { info, key } = await expectSigns(await SignerFactory.createFromEnv(env));
      expect(info).toMatchObject({ signerType: 'remote', algorithm: 'secp256k1' });
      expect(key.equals(await served.publicKey())).toBe(true);
    }
  });

  test('from what pairing gave', async () => {
    const config = { signerType: 'remote', remote: { ...credentials, key: 'treasury' } } as const;
    await expectSigns(await SignerFactory.createFromConfig(config));
  });

  test('a key that was pinned at pairing stays pinned', async () => {
    const { signer } = await SoftwareSigner.generate('secp256k1');
    const spki = Buffer.from((await signer.publicKey()).spki).toString('base64url');
    const keys = { treasury: { algorithm: 'secp256k1', spki } } as const;
    const config = { signerType: 'remote', remote: { ...credentials, keys, key: 'treasury' } } as const;
    await expect(SignerFactory.createFromConfig(config)).rejects.toMatchObject({ code: 'key-mismatch' });
  });

  test('the key must be of the algorithm that is set', async () => {
    const env = {
      ...variables(),
      ERST_SIGNER_ALGORITHM: 'ed25519',
      ERST_REMOTE_IDENTITY_PATH: directory.file(credentials.identity),
    };
    await expect(SignerFactory.createFromEnv(env)).rejects.toMatchObject({ code: 'key-mismatch' });
  });

  test('says which setting is missing or does not fit', async () => {
    const { ERST_REMOTE_URL: _, ...withoutUrl } = variables();
    const path = directory.file(credentials.identity);
    await expect(
      SignerFactory.createFromEnv({ ...withoutUrl, ERST_REMOTE_IDENTITY_PATH: path }),
    ).rejects.toMatchObject({
      setting: 'ERST_REMOTE_URL',
      message: expect.stringMatching(/export ERST_REMOTE_URL=/),
    });
    const whole = directory.file(JSON.stringify(credentials));
    const otherBridge = {
      ...variables(),
      ERST_REMOTE_IDENTITY_PATH: whole,
      ERST_REMOTE_BRIDGE_KEY: 'A'.repeat(43),
    };
    await expect(SignerFactory.createFromEnv(otherBridge)).rejects.toMatchObject({
      setting: 'ERST_REMOTE_BRIDGE_KEY',
    });
    for (const content of ['garbage', '{"url":1}', '{', '']) {
      const env = { ...variables(), ERST_REMOTE_IDENTITY_PATH: directory.file(content) };
      await expect(SignerFactory.createFromEnv(env)).rejects.toMatchObject({
        setting: 'ERST_REMOTE_IDENTITY_PATH',
      });
    }
    for (const identity of ['short', 5, null]) {
      const config = { signerType: 'remote', remote: { ...credentials, identity, key: 'treasury' } } as const;
      await expect(SignerFactory.createFromConfig(config)).rejects.toMatchObject({ code: 'invalid-config' });
    }
  });
});
