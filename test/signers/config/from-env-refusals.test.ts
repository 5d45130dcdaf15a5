import { describe, expect, test } from 'vitest';
import { configFromEnv } from '../../../src/signers/config/config.js';
import {
  bridgeKey,
  type Env,
  errorOf,
  expectRefused,
  pkcs11,
  privatePem,
  remote,
  software,
  without,
} from './examples.js';

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
