import { describe, expect, test } from 'vitest';
import { checkConfig, type SignerConfig } from '../../../src/signers/config/config.js';
import { bridgeKey, errorOf, publicPem } from './examples.js';

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
