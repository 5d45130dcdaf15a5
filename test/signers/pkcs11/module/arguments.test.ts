// What never reaches the binding. Each case is refused before any call: the module is not even needed.

import { describe, expect, it } from 'vitest';
import {
  checkFilter,
  checkIdentity,
  checkImportedKey,
  checkPin,
  checkSignRequest,
  checkTokenInitialization,
  checkTokenOptions,
  slotOf,
} from '../../../../src/signers/pkcs11/module/arguments.js';

const key = { algorithm: 'p256', label: 'k', idHex: '01' } as const;
const digest = new Uint8Array(32);
const secret = 'very secret PIN';

describe('arguments', () => {
  it('that are right', () => {
    expect(slotOf('00000000000000ff')).toEqual(Buffer.from([0, 0, 0, 0, 0, 0, 0, 255]));
    checkIdentity(key);
    checkIdentity({ algorithm: 'ed25519', label: 'ü'.repeat(127), idHex: '' });
    checkFilter({});
    checkFilter({ label: '', idHex: '' });
    checkSignRequest({ key, input: digest });
    checkSignRequest({ key: { ...key, algorithm: 'ed25519' }, input: new Uint8Array() });
    checkSignRequest({ key, input: Buffer.from(digest), contextPin: '1' });
    checkPin('ü'.repeat(512), 'pin');
    checkTokenOptions({ sessions: 1024, blocking: true });
    checkImportedKey({ ...key, privateKey: digest, publicPoint: Uint8Array.of(4, ...digest, ...digest) });
    checkTokenInitialization({ soPin: '1', userPin: '2', label: 'ü'.repeat(16) });
  });

  const wrong: [string, (value: never) => unknown, unknown[]][] = [
    ['slot', slotOf, [undefined, 1, '', '1', '0011', 'zz'.repeat(8), '00'.repeat(9), 'FF'.repeat(8), ['00']]],
    [
      'key',
      checkIdentity,
      [
        { ...key, algorithm: 'toString' },
        { ...key, algorithm: 'rsa' },
        { ...key, algorithm: ['p256'] },
        { ...key, label: 1 },
        { ...key, label: 'x'.repeat(256) },
        { ...key, label: 'ü'.repeat(128) },
        { ...key, idHex: undefined },
        { ...key, idHex: '1' },
        { ...key, idHex: '0g' },
        { ...key, idHex: '01 x' },
        { ...key, idHex: '01'.repeat(256) },
        undefined,
      ],
    ],
    ['filter', checkFilter, [{ label: 1 }, { idHex: 1 }, { idHex: 'x' }, { label: 'x'.repeat(256) }]],
    [
      'request',
      checkSignRequest,
      [
        { key: { ...key, label: null }, input: digest },
        { key, input: new Uint8Array(31) },
        { key, input: new Uint8Array() },
        { key, input: new Uint8Array(33) },
        { key: { ...key, algorithm: 'secp256k1' }, input: new Uint8Array(64) },
        { key, input: [...digest] },
        { key, input: digest.buffer },
        { key, input: 'a'.repeat(32) },
        { key, input: digest, contextPin: '' },
        { key, input: digest, contextPin: 1234 },
      ],
    ],
    ['pin', (pin) => checkPin(pin, 'pin'), ['', undefined, 1234, Buffer.from('1'), 'x'.repeat(1025)]],
    [
      'options',
      checkTokenOptions,
      [
        { sessions: 0, blocking: false },
        { sessions: 1025, blocking: false },
        { sessions: 1.5, blocking: false },
        { sessions: '4', blocking: false },
        { sessions: Number.NaN, blocking: false },
        { sessions: 4, blocking: 1 },
      ],
    ],
    [
      'imported key',
      checkImportedKey,
      [
        { ...key, privateKey: new Uint8Array(31), publicPoint: new Uint8Array(65).fill(4) },
        { ...key, privateKey: 'a'.repeat(32), publicPoint: new Uint8Array(65).fill(4) },
        { ...key, privateKey: digest, publicPoint: new Uint8Array(33).fill(2) },
        { ...key, privateKey: digest, publicPoint: new Uint8Array(65).fill(2) },
        { ...key, algorithm: 'ed25519', privateKey: digest, publicPoint: new Uint8Array(33) },
      ],
    ],
    [
      'initialization',
      checkTokenInitialization,
      [
        { soPin: '', userPin: '1', label: 'x' },
        { soPin: '1', userPin: '', label: 'x' },
        { soPin: '1', userPin: '1', label: '' },
        { soPin: '1', userPin: '1', label: 'x'.repeat(33) },
        { soPin: '1', userPin: '1', label: 'ü'.repeat(17) },
      ],
    ],
  ];

  it.each(wrong)('that are wrong: %s', (_, check, values) => {
    for (const value of values) {
      let error: unknown;
      try {
        check(value as never);
      } catch (thrown) {
        error = thrown;
      }
      expect(error instanceof TypeError || error instanceof RangeError, JSON.stringify(value)).toBe(true);
    }
  });

  it('are not shown where they are secret', () => {
    const long = secret.repeat(100);
    expect(() => checkPin(long, 'pin')).toThrow(RangeError);
    expect(() => checkPin(long, 'pin')).not.toThrow(secret);
    expect(() => checkSignRequest({ key, input: digest, contextPin: [secret] as never })).not.toThrow(secret);
  });
});
