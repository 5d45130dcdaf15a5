import { afterEach, describe, expect, test, vi } from 'vitest';
import { utf8 } from '../../src/bytes.js';
import { ConfigError, KeyError, SignerError } from '../../src/errors.js';
import { SignerFactory as BrowserFactory } from '../../src/signers/factory.browser.js';
import { SignerFactory } from '../../src/signers/factory.node.js';
import { verifySignature } from '../../src/signers/verify.js';
import { genpkey, opensslText, temporaryDirectory } from './openssl.js';

const directory = temporaryDirectory();
const pems = { ed25519: opensslText(genpkey.ed25519), secp256k1: opensslText(genpkey.secp256k1) };
const encrypted = opensslText(['pkcs8', '-topk8', '-passout', 'pass:secret'], pems.ed25519);

afterEach(() => vi.unstubAllEnvs());

describe.each(['ed25519', 'secp256k1'] as const)('SignerFactory, software, %s', (algorithm) => {
  test.each([
    ['path', () => ({ ERST_SOFTWARE_PRIVATE_KEY_PATH: directory.file(pems[algorithm]) })],
    ['PEM', () => ({ ERST_SOFTWARE_PRIVATE_KEY_PEM: pems[algorithm] })],
    ['PEM with \\n', () => ({ ERST_SOFTWARE_PRIVATE_KEY_PEM: pems[algorithm].replaceAll('\n', '\\n') })],
    [
      'type and algorithm',
      () => ({
        ERST_SIGNER_TYPE: 'software',
        ERST_SIGNER_ALGORITHM: algorithm,
        ERST_SOFTWARE_PRIVATE_KEY_PEM: pems[algorithm],
      }),
    ],
  ])('from the environment: %s', async (_, env) => {
    const signer = await SignerFactory.createFromEnv(env());
    const data = utf8('data');
    expect(signer.signerInfo()).toMatchObject({ signerType: 'software', algorithm });
    const key = await signer.publicKey();
    expect(key.toPem()).toBe(opensslText(['pkey', '-pubout'], pems[algorithm]));
    expect(await verifySignature(key, data, await signer.sign(data))).toBe(true);
  });

  test('the key must be of the algorithm that is set', async () => {
    const other = algorithm === 'ed25519' ? 'secp256k1' : 'ed25519';
    const env = { ERST_SIGNER_ALGORITHM: other, ERST_SOFTWARE_PRIVATE_KEY_PEM: pems[algorithm] };
    await expect(SignerFactory.createFromEnv(env)).rejects.toMatchObject({ code: 'key-mismatch' });
    const config = { algorithm: 'p256', software: { privateKeyPem: pems[algorithm] } } as const;
    await expect(SignerFactory.createFromConfig(config)).rejects.toMatchObject({ code: 'key-mismatch' });
  });
});

describe('SignerFactory, software', () => {
  test('reads the environment of the process by default', async () => {
    vi.stubEnv('ERST_SOFTWARE_PRIVATE_KEY_PEM', pems.ed25519);
    const signer = await SignerFactory.createFromEnv();
    expect(signer.signerInfo().algorithm).toBe('ed25519');
  });

  test('opens an encrypted key by passphrase, file or command', async () => {
    const base = { ERST_SOFTWARE_PRIVATE_KEY_PEM: encrypted };
    for (const env of [
      { ERST_SOFTWARE_PASSPHRASE: 'secret' },
      { ERST_SOFTWARE_PASSPHRASE_FILE: directory.file('secret\n') },
      { ERST_SOFTWARE_PASSPHRASE_COMMAND: 'echo secret' },
    ]) {
      const signer = await SignerFactory.createFromEnv({ ...base, ...env });
      expect((await signer.publicKey()).toPem()).toBe(opensslText(['pkey', '-pubout'], pems.ed25519));
    }
  });

  test('names the setting that a bad key came from', async () => {
    const missing = `${directory.path}/absent.pem`;
    const cases: [Record<string, string>, string, string][] = [
      [
        { ERST_SOFTWARE_PRIVATE_KEY_PATH: missing },
        'key-unreadable',
        `ERST_SOFTWARE_PRIVATE_KEY_PATH: Cannot read the private key in ${missing}`,
      ],
      [
        { ERST_SOFTWARE_PRIVATE_KEY_PEM: encrypted },
        'wrong-passphrase',
        'ERST_SOFTWARE_PRIVATE_KEY_PEM: The private key is encrypted',
      ],
      [
        { ERST_SOFTWARE_PRIVATE_KEY_PEM: encrypted, ERST_SOFTWARE_PASSPHRASE: 'x' },
        'wrong-passphrase',
        'ERST_SOFTWARE_PRIVATE_KEY_PEM: The private key does not open',
      ],
      [{ ERST_SOFTWARE_PRIVATE_KEY_PEM: pems.ed25519 + pems.ed25519 }, 'invalid-key', 'several PEM blocks'],
    ];
    for (const [env, code, text] of cases) {
      const error = await SignerFactory.createFromEnv(env).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(KeyError);
      expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
    }
    await expect(SignerFactory.createFromConfig({ software: { privateKeyPath: missing } })).rejects.toThrow(
      /^software.privateKeyPath: /,
    );
  });

  test('rejects wrong configurations, never throws', async () => {
    const wrong = <T>(value: unknown) => value as T;
    await expect(SignerFactory.createFromEnv({})).rejects.toBeInstanceOf(ConfigError);
    await expect(SignerFactory.createFromConfig({})).rejects.toBeInstanceOf(ConfigError);
    for (const config of [undefined, null, 'software', 1]) {
      await expect(SignerFactory.createFromConfig(wrong(config))).rejects.toThrow(TypeError);
    }
  });

  test('needs neither pkcs11js nor ws', async () => {
    vi.resetModules();
    for (const name of ['pkcs11js', 'ws']) {
      vi.doMock(name, () => {
        throw new Error(`${name} was loaded`);
      });
    }
    try {
      const fresh = await import('../../src/signers/factory.node.js');
      const signer = await fresh.SignerFactory.createFromEnv({ ERST_SOFTWARE_PRIVATE_KEY_PEM: pems.ed25519 });
      expect(signer.signerInfo().signerType).toBe('software');
    } finally {
      vi.doUnmock('pkcs11js');
      vi.doUnmock('ws');
      vi.resetModules();
    }
  });
});

describe('SignerFactory in browsers', () => {
  test('makes a software signer from PEM', async () => {
    const signer = await BrowserFactory.createFromConfig({ software: { privateKeyPem: pems.secp256k1 } });
    expect(signer.signerInfo()).toMatchObject({ signerType: 'software', algorithm: 'secp256k1' });
  });

  test.each([
    ['pkcs11', { signerType: 'pkcs11' }, /bridge/],
    ['pkcs11, complete', { signerType: 'pkcs11', pkcs11: { modulePath: '/m.so' } }, /bridge/],
    [
      'a key file',
      { software: { privateKeyPath: '/k' } },
      /software.privateKeyPath.*Use software.privateKeyPem/,
    ],
    [
      'a passphrase file',
      { software: { privateKeyPem: encrypted, passphraseFile: '/k' } },
      /Use software.passphrase/,
    ],
    [
      'a passphrase command',
      { software: { privateKeyPem: encrypted, passphraseCommand: 'x' } },
      /Use software.passphrase/,
    ],
    ['an encrypted key', { software: { privateKeyPem: encrypted, passphrase: 'secret' } }, /Node only/],
    [
      'an identity file',
      { signerType: 'remote', remote: { identityPath: '/i', key: 'k' } },
      /Use remote.identity/,
    ],
  ] as const)('%s is unsupported there', async (_, config, message) => {
    const error = await BrowserFactory.createFromConfig(config).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(SignerError);
    expect(error).toMatchObject({ code: 'unsupported-runtime', message: expect.stringMatching(message) });
  });

  test('pkcs11 from an environment is unsupported there', async () => {
    await expect(BrowserFactory.createFromEnv({ ERST_SIGNER_TYPE: 'pkcs11' })).rejects.toMatchObject({
      code: 'unsupported-runtime',
    });
  });
});
