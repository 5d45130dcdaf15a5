import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/errors.js';
import { checkConfig, configFromEnv, type SignerConfig } from '../../../src/signers/config/config.js';

const bridgeKey = 'kE7mDm5hOAeXbPgVqwOY6Q0d9yd8sbZyQwM1p9Yq7Xs';
const publicPem = '-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----';
const privatePem = '-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----';
const certificatePem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
const software = { ERST_SOFTWARE_PRIVATE_KEY_PATH: '/key.pem' };
const pkcs11 = { ERST_SIGNER_TYPE: 'pkcs11', ERST_PKCS11_MODULE: '/module.so' };
const remote = {
  ERST_SIGNER_TYPE: 'remote',
  ERST_REMOTE_URL: 'wss://bridge.example/',
  ERST_REMOTE_BRIDGE_KEY: bridgeKey,
  ERST_REMOTE_IDENTITY_PATH: '/identity',
  ERST_REMOTE_KEY: 'treasury',
};

type Env = Record<string, string | undefined>;
const without = (env: Env, name: string): Env => ({ ...env, [name]: undefined });

function errorOf(call: () => unknown): ConfigError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error('nothing was thrown');
}

function expectRefused(env: Env, setting: string, message: RegExp) {
  const error = errorOf(() => configFromEnv(env));
  expect(error.setting).toBe(setting);
  expect(error.code).toBe('invalid-config');
  expect(error.message).toContain(setting);
  expect(error.message).toMatch(message);
}

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

describe('configFromEnv refuses, naming the variable and showing a line', () => {
  const keyPath = 'ERST_SOFTWARE_PRIVATE_KEY_PATH';
  test.each<[string, Env, string, RegExp]>([
    [
      'nothing',
      {},
      keyPath,
      /\(or ERST_SOFTWARE_PRIVATE_KEY_PEM\) is missing.*export ERST_SOFTWARE_PRIVATE_KEY_PATH=\S/,
    ],
    [
      'an unknown type',
      { ERST_SIGNER_TYPE: 'hsm' },
      'ERST_SIGNER_TYPE',
      /one of software, pkcs11, remote.*export ERST_SIGNER_TYPE=software/,
    ],
    [
      'a type in capitals',
      { ERST_SIGNER_TYPE: 'PKCS11' },
      'ERST_SIGNER_TYPE',
      /one of software, pkcs11, remote/,
    ],
    ['an empty type', { ...software, ERST_SIGNER_TYPE: '' }, 'ERST_SIGNER_TYPE', /empty/],
    ['a type that every object has', { ERST_SIGNER_TYPE: 'constructor' }, 'ERST_SIGNER_TYPE', /one of/],
    [
      'a forgotten type',
      { ERST_PKCS11_MODULE: '/m.so' },
      'ERST_SIGNER_TYPE',
      /ERST_PKCS11_MODULE is set.*export ERST_SIGNER_TYPE=pkcs11/,
    ],
    ['a forgotten type', { ERST_REMOTE_KEY: 'k' }, 'ERST_SIGNER_TYPE', /export ERST_SIGNER_TYPE=remote/],
    [
      'an unknown algorithm',
      { ...software, ERST_SIGNER_ALGORITHM: 'rsa' },
      'ERST_SIGNER_ALGORITHM',
      /one of ed25519, secp256k1, p256/,
    ],
    [
      'PEM and path',
      { ...software, ERST_SOFTWARE_PRIVATE_KEY_PEM: privatePem },
      'ERST_SOFTWARE_PRIVATE_KEY_PEM',
      /PATH and ERST_SOFTWARE_PRIVATE_KEY_PEM are both set/,
    ],
    [
      'two passphrases',
      { ...software, ERST_SOFTWARE_PASSPHRASE: 'a', ERST_SOFTWARE_PASSPHRASE_FILE: '/b' },
      'ERST_SOFTWARE_PASSPHRASE_FILE',
      /both set/,
    ],
    ['a PEM as path', { [keyPath]: privatePem }, keyPath, /goes into ERST_SOFTWARE_PRIVATE_KEY_PEM/],
    [
      'a path as PEM',
      { ERST_SOFTWARE_PRIVATE_KEY_PEM: '/key.pem' },
      'ERST_SOFTWARE_PRIVATE_KEY_PEM',
      /a path goes into ERST_SOFTWARE_PRIVATE_KEY_PATH/,
    ],
    ['an empty path', { [keyPath]: ' ' }, keyPath, /empty/],
    [
      'an empty passphrase',
      { ...software, ERST_SOFTWARE_PASSPHRASE: '' },
      'ERST_SOFTWARE_PASSPHRASE',
      /empty/,
    ],
    [
      'no module',
      { ERST_SIGNER_TYPE: 'pkcs11' },
      'ERST_PKCS11_MODULE',
      /missing.*export ERST_PKCS11_MODULE=\/\S/,
    ],
    [
      'a URI without module',
      { ERST_SIGNER_TYPE: 'pkcs11', ERST_PKCS11_URI: 'pkcs11:token=t' },
      'ERST_PKCS11_MODULE',
      /missing/,
    ],
    [
      'two PINs',
      { ...pkcs11, ERST_PKCS11_PIN: '1', ERST_PKCS11_PIN_FILE: '/p' },
      'ERST_PKCS11_PIN_FILE',
      /ERST_PKCS11_PIN and ERST_PKCS11_PIN_FILE are both set/,
    ],
    [
      'two PINs',
      { ...pkcs11, ERST_PKCS11_PIN_FILE: '/p', ERST_PKCS11_PIN_COMMAND: 'p' },
      'ERST_PKCS11_PIN_COMMAND',
      /both set/,
    ],
    [
      'two tokens',
      { ...pkcs11, ERST_PKCS11_TOKEN_LABEL: 't', ERST_PKCS11_SLOT: '0' },
      'ERST_PKCS11_SLOT',
      /both set/,
    ],
    [
      'two keys',
      { ...pkcs11, ERST_PKCS11_KEY_LABEL: 'k', ERST_PKCS11_KEY_ID: '01' },
      'ERST_PKCS11_KEY_ID',
      /both set/,
    ],
    [
      'two keys',
      { ...pkcs11, ERST_PKCS11_KEY_ID: '01', ERST_PKCS11_PIV_SLOT: '9a' },
      'ERST_PKCS11_PIV_SLOT',
      /both set/,
    ],
    [
      'a token beside a URI',
      { ...pkcs11, ERST_PKCS11_TOKEN_LABEL: 't', ERST_PKCS11_URI: 'pkcs11:' },
      'ERST_PKCS11_URI',
      /both set/,
    ],
    [
      'a key beside a URI',
      { ...pkcs11, ERST_PKCS11_PIV_SLOT: '9a', ERST_PKCS11_URI: 'pkcs11:' },
      'ERST_PKCS11_URI',
      /both set/,
    ],
    [
      'a slot that is no position',
      { ...pkcs11, ERST_PKCS11_SLOT: 'first' },
      'ERST_PKCS11_SLOT',
      /whole number.*export ERST_PKCS11_SLOT=0/,
    ],
    ['a negative slot', { ...pkcs11, ERST_PKCS11_SLOT: '-1' }, 'ERST_PKCS11_SLOT', /whole number/],
    ['a slot in hex', { ...pkcs11, ERST_PKCS11_SLOT: '0x1' }, 'ERST_PKCS11_SLOT', /whole number/],
    ['a slot with a fraction', { ...pkcs11, ERST_PKCS11_SLOT: '1.5' }, 'ERST_PKCS11_SLOT', /whole number/],
    [
      'a slot beyond numbers',
      { ...pkcs11, ERST_PKCS11_SLOT: '9'.repeat(30) },
      'ERST_PKCS11_SLOT',
      /whole number/,
    ],
    [
      'an id that is not hex',
      { ...pkcs11, ERST_PKCS11_KEY_ID: 'mykey' },
      'ERST_PKCS11_KEY_ID',
      /hex digits.*export ERST_PKCS11_KEY_ID=01/,
    ],
    ['an id of odd length', { ...pkcs11, ERST_PKCS11_KEY_ID: '1' }, 'ERST_PKCS11_KEY_ID', /hex digits/],
    [
      'a PIV slot that is none',
      { ...pkcs11, ERST_PKCS11_PIV_SLOT: '9b' },
      'ERST_PKCS11_PIV_SLOT',
      /9a, 9c, 9d, 9e, 82 to 95, or f9/,
    ],
    [
      'a PIV slot that is none',
      { ...pkcs11, ERST_PKCS11_PIV_SLOT: '96' },
      'ERST_PKCS11_PIV_SLOT',
      /PIV slot/,
    ],
    [
      'a PIV slot that is none',
      { ...pkcs11, ERST_PKCS11_PIV_SLOT: '81' },
      'ERST_PKCS11_PIV_SLOT',
      /PIV slot/,
    ],
    [
      'an empty expected public key',
      { ...pkcs11, ERST_PKCS11_PUBLIC_KEY_PEM: '' },
      'ERST_PKCS11_PUBLIC_KEY_PEM',
      /empty/,
    ],
    [
      'a public key that is a path',
      { ...pkcs11, ERST_PKCS11_PUBLIC_KEY_PEM: '/pub.pem' },
      'ERST_PKCS11_PUBLIC_KEY_PEM',
      /BEGIN PUBLIC KEY/,
    ],
    [
      'a URI that is none',
      { ...pkcs11, ERST_PKCS11_URI: 'token=t' },
      'ERST_PKCS11_URI',
      /starts with pkcs11:/,
    ],
    [
      'several URIs of which one is none',
      { ...pkcs11, ERST_PKCS11_URI: 'pkcs11:token=a token=b' },
      'ERST_PKCS11_URI',
      /white space between/,
    ],
    [
      'several URIs of which one has no module',
      { ERST_SIGNER_TYPE: 'pkcs11', ERST_PKCS11_URI: 'pkcs11:?module-path=/a.so pkcs11:token=b' },
      'ERST_PKCS11_MODULE',
      /missing/,
    ],
    [
      'two PINs',
      { ...pkcs11, ERST_PKCS11_PIN: '1', ERST_PKCS11_PIN_CREDENTIAL: 'p' },
      'ERST_PKCS11_PIN_CREDENTIAL',
      /both set/,
    ],
    [
      'a credential that is a path',
      { ...pkcs11, ERST_PKCS11_PIN_CREDENTIAL: '/run/pin' },
      'ERST_PKCS11_PIN_CREDENTIAL',
      /not a path.*export ERST_PKCS11_PIN_CREDENTIAL=token-pin/,
    ],
    ...['true', '1', 'YES', 'on'].map((value): [string, Env, string, RegExp] => [
      'a flag in other words',
      { ...pkcs11, ERST_PKCS11_IN_PROCESS: value },
      'ERST_PKCS11_IN_PROCESS',
      /must be yes or no\. Example: export ERST_PKCS11_IN_PROCESS=yes$/,
    ]),
    ['an empty flag', { ...pkcs11, ERST_PKCS11_IN_PROCESS: '' }, 'ERST_PKCS11_IN_PROCESS', /empty/],
    [
      'processes beside the module in this one',
      { ...pkcs11, ERST_PKCS11_IN_PROCESS: 'yes', ERST_PKCS11_PROCESSES: '2' },
      'ERST_PKCS11_PROCESSES',
      /ERST_PKCS11_IN_PROCESS says that no process is started/,
    ],
    ...(
      [
        ['PROCESSES', '0', 'from 1 to 16'],
        ['PROCESSES', '17', 'from 1 to 16'],
        ['SESSIONS', '0', 'from 1 to 128'],
        ['SESSIONS', '129', 'from 1 to 128'],
        ['SESSIONS', 'many', 'from 1 to 128'],
        ['TIMEOUT_MS', '99', 'from 100 to 600000'],
        ['TIMEOUT_MS', '20s', 'from 100 to 600000'],
        ['QUEUE', '65537', 'from 1 to 65536'],
        ['QUEUE', '', 'it is empty'],
      ] as const
    ).map(([name, value, words]): [string, Env, string, RegExp] => [
      'a number out of bounds',
      { ...pkcs11, [`ERST_PKCS11_${name}`]: value },
      `ERST_PKCS11_${name}`,
      new RegExp(`${words}.*export ERST_PKCS11_${name}=\\d`),
    ]),
    [
      'an attestation root that is a path',
      { ...pkcs11, ERST_PKCS11_ATTESTATION_ROOT_PEM: '/root.pem' },
      'ERST_PKCS11_ATTESTATION_ROOT_PEM',
      /BEGIN CERTIFICATE/,
    ],
    ...['ERST_REMOTE_IDENTITY_PATH', 'ERST_REMOTE_KEY'].map((name): [string, Env, string, RegExp] => [
      `no ${name}`,
      without(remote, name),
      name,
      new RegExp(`is missing.*export ${name}=\\S`),
    ]),
    [
      'an address of another kind',
      { ...remote, ERST_REMOTE_URL: 'https://bridge.example/' },
      'ERST_REMOTE_URL',
      /wss:\/\/ or ws:\/\//,
    ],
    [
      'a bridge key that is none',
      { ...remote, ERST_REMOTE_BRIDGE_KEY: 'abc' },
      'ERST_REMOTE_BRIDGE_KEY',
      /43 characters/,
    ],
    [
      'a bridge key of another encoding',
      { ...remote, ERST_REMOTE_BRIDGE_KEY: `${bridgeKey}=` },
      'ERST_REMOTE_BRIDGE_KEY',
      /base64url/,
    ],
    [
      'a typing mistake',
      { ...pkcs11, ERST_PKCS11_MODUEL: '/m' },
      'ERST_PKCS11_MODUEL',
      /Did you mean ERST_PKCS11_MODULE\?.*export ERST_PKCS11_MODULE=/,
    ],
    [
      'a typing mistake in the family',
      { ...software, ERST_PCKS11_PIN: '1' },
      'ERST_PCKS11_PIN',
      /Did you mean ERST_PKCS11_PIN\?/,
    ],
    [
      'two typing mistakes',
      { ...software, ERST_PKSC11_PINN: '1' },
      'ERST_PKSC11_PINN',
      /Did you mean ERST_PKCS11_PIN\?/,
    ],
    ['a typing mistake in ERST_LOG', { ...software, ERST_LOGS: '1' }, 'ERST_LOGS', /Did you mean ERST_LOG\?/],
    [
      'an unknown variable of a family',
      { ...software, ERST_SIGNER_FLAVOUR: '1' },
      'ERST_SIGNER_FLAVOUR',
      /Known are: ERST_SIGNER_TYPE, /,
    ],
  ])('%s: %j', (_, env, setting, message) => expectRefused(env, setting, message));

  test('no message repeats a secret', () => {
    const secret = 'hunter2hunter2';
    const envs: Env[] = [
      { ...software, ERST_SOFTWARE_PRIVATE_KEY_PEM: `-----BEGIN ${secret}` },
      { ERST_SOFTWARE_PRIVATE_KEY_PEM: secret },
      { ERST_SOFTWARE_PRIVATE_KEY_PATH: `-----BEGIN PRIVATE KEY----- ${secret}` },
      { ...pkcs11, ERST_PKCS11_PIN: secret, ERST_PKCS11_PIN_FILE: secret },
      { ...pkcs11, ERST_PKCS11_URI: `pkcs12:?pin-value=${secret}` },
      { ...software, ERST_PKCS11_PINN: secret },
      { ERST_PKCS11_PIN: secret },
      { ...software, ERST_SOFTWARE_PASSPHRASE: secret, ERST_SOFTWARE_PASSPHRASE_FILE: secret },
    ];
    for (const env of envs) expect(errorOf(() => configFromEnv(env)).message).not.toContain(secret);
  });

  test('every example is a line that would do', () => {
    // An example is only good if the same variable accepts it; shell quotes and substitutions are the shell's.
    const wrongs: Env[] = [
      { ERST_SIGNER_TYPE: 'x' },
      { ...software, ERST_SIGNER_ALGORITHM: 'x' },
      {},
      { ...pkcs11, ERST_PKCS11_SLOT: 'x' },
      { ...pkcs11, ERST_PKCS11_KEY_ID: 'x' },
      { ...pkcs11, ERST_PKCS11_PIV_SLOT: 'x' },
      { ...pkcs11, ERST_PKCS11_URI: 'x' },
      { ...pkcs11, ERST_PKCS11_PIN_CREDENTIAL: '/x' },
      { ...pkcs11, ERST_PKCS11_IN_PROCESS: 'x' },
      { ...pkcs11, ERST_PKCS11_PROCESSES: 'x' },
      { ...pkcs11, ERST_PKCS11_SESSIONS: 'x' },
      { ...pkcs11, ERST_PKCS11_TIMEOUT_MS: 'x' },
      { ...pkcs11, ERST_PKCS11_QUEUE: 'x' },
      without(pkcs11, 'ERST_PKCS11_MODULE'),
      { ...remote, ERST_REMOTE_URL: 'x' },
      { ...remote, ERST_REMOTE_BRIDGE_KEY: 'x' },
      without(remote, 'ERST_REMOTE_KEY'),
      without(remote, 'ERST_REMOTE_IDENTITY_PATH'),
    ];
    for (const env of wrongs) {
      const { message } = errorOf(() => configFromEnv(env));
      const [, name, value] = /Example: export (\w+)=(.+)$/.exec(message) ?? [];
      const example = value!.replace(/^"(.*)"$/, '$1');
      const base = env.ERST_SIGNER_TYPE === 'x' ? software : env;
      expect(() => configFromEnv({ ...base, [name!]: example }), message).not.toThrow();
    }
  });
});

describe('checkConfig', () => {
  const bad = (config: unknown) => config as SignerConfig;

  test('copies what it accepts', () => {
    const config = { signerType: 'software', software: { privateKeyPath: '/key.pem' } } as const;
    const checked = checkConfig(config);
    expect(checked).toEqual(config);
    expect(checked.software).not.toBe(config.software);
  });

  test('accepts what pairing gave', () => {
    const credentials = { url: 'ws://localhost:1/', bridgeKey, identity: {}, client: 'me', keys: {} };
    const config = {
      signerType: 'remote',
      remote: { ...credentials, key: 'k', allowPlainWs: true },
    } as const;
    expect(checkConfig(config)).toEqual(config);
  });

  test('accepts replicas', () => {
    const replicas = [{ tokenLabel: 'b', pinFile: '/b' }, { uri: 'pkcs11:token=c?module-path=/c.so' }];
    const config = {
      signerType: 'pkcs11',
      pkcs11: { modulePath: '/m', tokenLabel: 'a', keyLabel: 'k', replicas },
    } as const;
    expect(checkConfig(config)).toEqual(config);
  });

  test.each<[string, unknown, string, RegExp]>([
    ...(
      [
        ['no list', { tokenLabel: 'b' }, '', /a list of objects.*replicas: \[\{ tokenLabel/],
        ['no object in the list', ['b'], '', /a list of objects/],
        [
          'an unknown field',
          [{}, { tokenLable: 'b' }],
          '[1].tokenLable',
          /Did you mean pkcs11.replicas\[1\].tokenLabel\?/,
        ],
        ['another key', [{ publicKeyPem: publicPem }], '[0].publicKeyPem', /not a known field/],
        ['replicas of its own', [{ replicas: [] }], '[0].replicas', /not a known field/],
        [
          'a wrong value',
          [{ pivSlot: '9b' }],
          '[0].pivSlot',
          /^pkcs11.replicas\[0\].pivSlot must be a PIV slot/,
        ],
        [
          'two PINs',
          [{ pin: '1', pinFile: '/p' }],
          '[0].pinFile',
          /replicas\[0\].pin and pkcs11.replicas\[0\].pinFile are both set/,
        ],
      ] as const
    ).map(([what, replicas, where, message]): [string, unknown, string, RegExp] => [
      `in replicas, ${what}`,
      { signerType: 'pkcs11', pkcs11: { modulePath: '/m', replicas } },
      `pkcs11.replicas${where}`,
      message,
    ]),
    [
      'a flag as text',
      { signerType: 'pkcs11', pkcs11: { modulePath: '/m', inProcess: 'yes' } },
      'pkcs11.inProcess',
      /true or false.*inProcess: true/,
    ],
    [
      'a number as text',
      { signerType: 'pkcs11', pkcs11: { modulePath: '/m', timeoutMs: '20000' } },
      'pkcs11.timeoutMs',
      /whole number.*timeoutMs: 20_000/,
    ],
    [
      'nothing',
      {},
      'software.privateKeyPath',
      /\(or software.privateKeyPem\) is missing.*software: \{ privateKeyPath: '\/path/,
    ],
    ['an unknown type', { signerType: 'hsm' }, 'signerType', /signerType: 'software'/],
    ['a type that is no string', { signerType: 1 }, 'signerType', /a string/],
    ['null as type', { signerType: null, software: {} }, 'software.privateKeyPath', /missing/],
    ['an unknown algorithm', { algorithm: 'rsa' }, 'algorithm', /one of ed25519/],
    ['an unknown field', { signertype: 'software' }, 'signertype', /Did you mean signerType\?/],
    [
      'an unknown field',
      { flavour: 1 },
      'flavour',
      /Known are: signerType, algorithm, software, pkcs11, remote/,
    ],
    ['a field one level too high', { privateKeyPath: '/k' }, 'privateKeyPath', /not a known field/],
    [
      'a section that is no object',
      { software: '/key.pem' },
      'software',
      /must be an object.*software: \{ privateKeyPath/,
    ],
    ['a section that is null', { software: null }, 'software', /must be an object/],
    [
      'an unknown field of a section',
      { software: { privatKeyPath: '/k' } },
      'software.privatKeyPath',
      /Did you mean software.privateKeyPath\?/,
    ],
    [
      'an unknown field of another section',
      { software: { privateKeyPath: '/k' }, pkcs11: { pni: '1' } },
      'pkcs11.pni',
      /Did you mean pkcs11.pin\?/,
    ],
    ['a field that is no string', { software: { privateKeyPath: 1 } }, 'software.privateKeyPath', /a string/],
    [
      'a slot as text',
      { signerType: 'pkcs11', pkcs11: { modulePath: '/m', slotIndex: '0' } },
      'pkcs11.slotIndex',
      /whole number.*slotIndex: 0/,
    ],
    [
      'two keys',
      { signerType: 'pkcs11', pkcs11: { modulePath: '/m', keyLabel: 'k', pivSlot: '9a' } },
      'pkcs11.pivSlot',
      /pkcs11.keyLabel and pkcs11.pivSlot are both set/,
    ],
    ['no module', { signerType: 'pkcs11' }, 'pkcs11.modulePath', /pkcs11: \{ modulePath: '/],
    [
      'an algorithm in the wrong place',
      { signerType: 'pkcs11', pkcs11: { modulePath: '/m', algorithm: 'p256' } },
      'pkcs11.algorithm',
      /not a known field/,
    ],
    [
      'two identities',
      { signerType: 'remote', remote: { identity: 'x', identityPath: '/i' } },
      'remote.identity',
      /both set/,
    ],
    [
      'no address beside an identity',
      { signerType: 'remote', remote: { identity: 'x', key: 'k' } },
      'remote.url',
      /missing/,
    ],
    [
      'no bridge key',
      { signerType: 'remote', remote: { identity: 'x', key: 'k', url: 'ws://localhost/' } },
      'remote.bridgeKey',
      /missing/,
    ],
    [
      'allowPlainWs as text',
      { signerType: 'remote', remote: { allowPlainWs: 'yes' } },
      'remote.allowPlainWs',
      /true or false/,
    ],
  ])('refuses %s: %j', (_, config, setting, message) => {
    const error = errorOf(() => checkConfig(bad(config)));
    expect(error.setting).toBe(setting);
    expect(error.message).toMatch(message);
  });

  test.each([undefined, null, 'software', 5, []])('takes an object only: %j', (config) => {
    expect(() => checkConfig(bad(config))).toThrow(TypeError);
  });
});
