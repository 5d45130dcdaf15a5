import { describe, expect, test } from 'vitest';
import { configFromEnv, type SignerConfig } from '../../../src/signers/config/config.js';
import {
  bridgeKey,
  certificatePem,
  type Env,
  pkcs11,
  privatePem,
  publicPem,
  remote,
  software,
  without,
} from './examples.js';

describe('configFromEnv reads every variable', () => {
  test.each<[string, Env, SignerConfig]>([
    ['software by default', software, { signerType: 'software', software: { privateKeyPath: '/key.pem' } }],
    [
      'software',
      {
        ERST_SIGNER_TYPE: 'software',
        ERST_SIGNER_ALGORITHM: 'secp256k1',
        ERST_SOFTWARE_PRIVATE_KEY_PEM: privatePem,
        ERST_SOFTWARE_PASSPHRASE: ' with spaces ',
      },
      {
        signerType: 'software',
        algorithm: 'secp256k1',
        software: { privateKeyPem: privatePem, passphrase: ' with spaces ' },
      },
    ],
    [
      'passphrase from a file',
      { ...software, ERST_SOFTWARE_PASSPHRASE_FILE: '/run/passphrase' },
      { signerType: 'software', software: { privateKeyPath: '/key.pem', passphraseFile: '/run/passphrase' } },
    ],
    [
      'passphrase from a command',
      { ...software, ERST_SOFTWARE_PASSPHRASE_COMMAND: 'pass show key' },
      {
        signerType: 'software',
        software: { privateKeyPath: '/key.pem', passphraseCommand: 'pass show key' },
      },
    ],
    [
      'pkcs11 by labels',
      {
        ...pkcs11,
        ERST_SIGNER_ALGORITHM: 'p256',
        ERST_PKCS11_PIN: ' 123456 ',
        ERST_PKCS11_TOKEN_LABEL: 'YubiKey PIV',
        ERST_PKCS11_KEY_LABEL: 'MySigningKey',
        ERST_PKCS11_PUBLIC_KEY_PEM: publicPem,
      },
      {
        signerType: 'pkcs11',
        algorithm: 'p256',
        pkcs11: {
          modulePath: '/module.so',
          pin: ' 123456 ',
          tokenLabel: 'YubiKey PIV',
          keyLabel: 'MySigningKey',
          publicKeyPem: publicPem,
        },
      },
    ],
    [
      'pkcs11 by slot and id',
      { ...pkcs11, ERST_PKCS11_PIN_FILE: '/pin', ERST_PKCS11_SLOT: ' 0 ', ERST_PKCS11_KEY_ID: '01aF' },
      {
        signerType: 'pkcs11',
        pkcs11: { modulePath: '/module.so', pinFile: '/pin', slotIndex: 0, keyIdHex: '01aF' },
      },
    ],
    [
      'pkcs11 by PIV slot',
      { ...pkcs11, ERST_PKCS11_PIN_COMMAND: 'pass show pin', ERST_PKCS11_PIV_SLOT: '9c' },
      {
        signerType: 'pkcs11',
        pkcs11: { modulePath: '/module.so', pinCommand: 'pass show pin', pivSlot: '9c' },
      },
    ],
    [
      'pkcs11 with a systemd credential, and how the module runs',
      {
        ...pkcs11,
        ERST_PKCS11_PIN_CREDENTIAL: 'token-pin',
        ERST_PKCS11_IN_PROCESS: 'no',
        ERST_PKCS11_PROBE: 'no',
        ERST_PKCS11_PROCESSES: '2',
        ERST_PKCS11_SESSIONS: ' 128 ',
        ERST_PKCS11_TIMEOUT_MS: '600000',
        ERST_PKCS11_QUEUE: '1',
        ERST_PKCS11_ATTESTATION_ROOT_PEM: certificatePem.replaceAll('\n', '\\n'),
      },
      {
        signerType: 'pkcs11',
        pkcs11: {
          modulePath: '/module.so',
          pinCredential: 'token-pin',
          inProcess: false,
          probe: false,
          processes: 2,
          maxSessions: 128,
          timeoutMs: 600_000,
          maxQueue: 1,
          attestationRootPem: certificatePem,
        },
      },
    ],
    [
      'pkcs11 in this process',
      { ...pkcs11, ERST_PKCS11_IN_PROCESS: ' yes ' },
      { signerType: 'pkcs11', pkcs11: { modulePath: '/module.so', inProcess: true } },
    ],
    [
      'pkcs11 by several URIs, with white space between',
      {
        ERST_SIGNER_TYPE: 'pkcs11',
        ERST_PKCS11_URI: ' pkcs11:token=a?module-path=/a.so\n\tpkcs11:token=b?module-path=/b.so ',
      },
      {
        signerType: 'pkcs11',
        pkcs11: { uri: 'pkcs11:token=a?module-path=/a.so\n\tpkcs11:token=b?module-path=/b.so' },
      },
    ],
    [
      'pkcs11 by URI, with the module in it',
      { ERST_SIGNER_TYPE: 'pkcs11', ERST_PKCS11_URI: 'pkcs11:token=t;object=k?module-path=/module.so' },
      { signerType: 'pkcs11', pkcs11: { uri: 'pkcs11:token=t;object=k?module-path=/module.so' } },
    ],
    [
      'pkcs11 by URI, with the module beside it',
      { ...pkcs11, ERST_PKCS11_URI: 'pkcs11:token=t' },
      { signerType: 'pkcs11', pkcs11: { modulePath: '/module.so', uri: 'pkcs11:token=t' } },
    ],
    [
      'remote',
      remote,
      {
        signerType: 'remote',
        remote: { url: 'wss://bridge.example/', bridgeKey, identityPath: '/identity', key: 'treasury' },
      },
    ],
    [
      'remote with all else in the identity file',
      {
        ERST_SIGNER_TYPE: 'remote',
        ERST_REMOTE_IDENTITY_PATH: '/credentials.json',
        ERST_REMOTE_KEY: 'treasury',
      },
      { signerType: 'remote', remote: { identityPath: '/credentials.json', key: 'treasury' } },
    ],
  ])('%s', (_, env, expected) => {
    expect(configFromEnv(env)).toEqual(expected);
  });

  test.each(['9a', '9c', '9d', '9e', '82', '8f', '90', '95', 'f9', '9A', 'F9'])('PIV slot %s', (slot) => {
    expect(configFromEnv({ ...pkcs11, ERST_PKCS11_PIV_SLOT: slot }).pkcs11?.pivSlot).toBe(slot);
  });

  test('white space around a value is ignored, except in secrets', () => {
    const config = configFromEnv({
      ERST_SIGNER_TYPE: ' software ',
      ERST_SOFTWARE_PRIVATE_KEY_PATH: ' /key.pem\n',
    });
    expect(config).toEqual({ signerType: 'software', software: { privateKeyPath: '/key.pem' } });
  });

  test('a PEM may have its line feeds written as \\n', () => {
    const read = (pem: string) =>
      configFromEnv({ ERST_SOFTWARE_PRIVATE_KEY_PEM: pem }).software?.privateKeyPem;
    expect(read(privatePem.replaceAll('\n', '\\n'))).toBe(privatePem);
    expect(read(privatePem.replaceAll('\n', '\\r\\n'))).toBe(privatePem);
    expect(read(`${privatePem}\n`)).toBe(privatePem);
  });

  test('settings of types that are not chosen, and variables of others, are not looked at', () => {
    const noise = {
      ERST_PKCS11_SLOT: 'nonsense',
      ERST_REMOTE_URL: '',
      ERST_LOG: 'debug',
      ERST_PKCS11_SO_PIN_FILE: '/so-pin',
      ERST_RPC_URL: 'x',
      PATH: '/bin',
    };
    expect(configFromEnv({ ...software, ...noise })).toEqual(configFromEnv(software));
    expect(configFromEnv({ ...without(pkcs11, 'nothing'), ERST_SOFTWARE_PASSPHRASE: '' }).signerType).toBe(
      'pkcs11',
    );
  });
});
