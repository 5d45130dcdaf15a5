// Wrong arguments to secp256k1.

import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { secp256k1 } from '../../src/curves/secp256k1.js';
import { hex } from './edge-inputs.js';
import { bigEndian, n } from './secp256k1-inputs.js';
import { utf8 } from './secp256k1-peer.js';

describe('wrong arguments', () => {
  const [key, message] = [bigEndian(1n), utf8('m')];
  const publicKey = noble.getPublicKey(key);
  const signature = noble.sign(message, key);
  const recovered = noble.sign(message, key, { format: 'recovered' });
  const noBytes: unknown[] = [
    undefined,
    null,
    0,
    1n,
    'ab'.repeat(32),
    [1, 2],
    {},
    new ArrayBuffer(32),
    new Uint16Array(16),
    new Int8Array(32),
    new DataView(new ArrayBuffer(32)),
    { length: 32, 0: 1 },
    new Array(32).fill(1),
  ];
  const calls: Record<string, [ours: (value: never) => unknown, theirs: (value: never) => unknown]> = {
    'getPublicKey(key)': [(x) => secp256k1.getPublicKey(x), (x) => noble.getPublicKey(x)],
    'sign(message)': [(x) => secp256k1.sign(x, key), (x) => noble.sign(x, key)],
    'sign(key)': [(x) => secp256k1.sign(message, x), (x) => noble.sign(message, x)],
    'verify(signature)': [
      (x) => secp256k1.verify(x, message, publicKey),
      (x) => noble.verify(x, message, publicKey),
    ],
    'verify(message)': [
      (x) => secp256k1.verify(signature, x, publicKey),
      (x) => noble.verify(signature, x, publicKey),
    ],
    'verify(publicKey)': [
      (x) => secp256k1.verify(signature, message, x),
      (x) => noble.verify(signature, message, x),
    ],
    'recoverPublicKey(signature)': [
      (x) => secp256k1.recoverPublicKey(x, message),
      (x) => noble.recoverPublicKey(x, message),
    ],
    'recoverPublicKey(message)': [
      (x) => secp256k1.recoverPublicKey(recovered, x),
      (x) => noble.recoverPublicKey(recovered, x),
    ],
  };

  it.each(Object.entries(calls))('%s is a TypeError for what is no Uint8Array', (_name, [ours, theirs]) => {
    for (const value of noBytes) {
      expect(() => ours(value as never), String(value)).toThrow(TypeError);
      expect(() => theirs(value as never), String(value)).toThrow();
    }
  });

  it('seeds and prepared keys are checked too', () => {
    for (const value of noBytes) {
      if (value !== undefined) {
        expect(() => secp256k1.keygen(value as never)).toThrow(TypeError);
        expect(() => secp256k1.utils.randomSecretKey(value as never)).toThrow(TypeError);
      }
      expect(() => secp256k1.prepare(value as never)).toThrow(TypeError);
      expect(() => secp256k1.utils.convertPublicKey(value as never, true)).toThrow(TypeError);
      expect(secp256k1.utils.isValidSecretKey(value as never)).toBe(false);
      expect(secp256k1.utils.isValidPublicKey(value as never)).toBe(false);
    }
    for (const length of [0, 32, 47, 49]) {
      expect(() => secp256k1.keygen(new Uint8Array(length))).toThrow(RangeError);
      expect(() => secp256k1.utils.randomSecretKey(new Uint8Array(length))).toThrow(RangeError);
    }
  });

  it('lengths are checked', () => {
    for (const length of [0, 1, 31, 33, 64]) {
      const bytes = new Uint8Array(length).fill(1);
      expect(() => secp256k1.getPublicKey(bytes)).toThrow(RangeError);
      expect(() => secp256k1.sign(message, bytes)).toThrow(RangeError);
      expect(() => secp256k1.prepare(bytes)).toThrow(RangeError);
      expect(secp256k1.utils.isValidSecretKey(bytes)).toBe(false);
      expect(() => secp256k1.sign(bytes, key, { prehash: false })).toThrow(RangeError);
      expect(() => secp256k1.verify(signature, bytes, publicKey, { prehash: false })).toThrow(RangeError);
      expect(() => secp256k1.recoverPublicKey(recovered, bytes, { prehash: false })).toThrow(RangeError);
      expect(() => secp256k1.sign(message, key, { extraEntropy: bytes })).toThrow(RangeError);
    }
    for (const length of [0, 63, 65, 70]) {
      expect(() => secp256k1.verify(new Uint8Array(length), message, publicKey)).toThrow(RangeError);
      expect(() => noble.verify(new Uint8Array(length), message, publicKey)).toThrow();
    }
    for (const length of [0, 64, 66]) {
      const bytes = new Uint8Array(length);
      expect(() => secp256k1.verify(bytes, message, publicKey, { format: 'recovered' })).toThrow(RangeError);
      expect(() => noble.verify(bytes, message, publicKey, { format: 'recovered' })).toThrow();
      expect(() => secp256k1.recoverPublicKey(bytes, message)).toThrow(RangeError);
      expect(() => noble.recoverPublicKey(bytes, message)).toThrow();
    }
    for (const length of [0, 32, 34, 64, 66]) {
      expect(() => secp256k1.utils.convertPublicKey(new Uint8Array(length), true)).toThrow(RangeError);
    }
  });

  it('keys out of range are a RangeError, on every way in', () => {
    for (const value of [0n, n, n + 1n, 2n ** 256n - 1n]) {
      const bytes = bigEndian(value);
      expect(() => secp256k1.getPublicKey(bytes)).toThrow(RangeError);
      expect(() => secp256k1.sign(message, bytes)).toThrow(RangeError);
      expect(() => secp256k1.prepare(bytes)).toThrow(RangeError);
      expect(secp256k1.utils.isValidSecretKey(bytes)).toBe(false);
    }
  });

  it('options are checked as noble checks them', () => {
    const wrong: unknown[] = [
      null,
      1,
      'compact',
      [],
      true,
      { prehash: 1 },
      { prehash: null },
      { lowS: 'yes' },
      { lowS: null },
      { format: 'hex' },
      { format: null },
      { format: 'DER' },
    ];
    for (const options of wrong as never[]) {
      for (const curve of [secp256k1, noble]) {
        expect(() => curve.sign(message, key, options), JSON.stringify(options)).toThrow();
        expect(() => curve.verify(signature, message, publicKey, options), JSON.stringify(options)).toThrow();
        expect(() => curve.recoverPublicKey(recovered, message, options), JSON.stringify(options)).toThrow();
      }
    }
    for (const extraEntropy of [1, 'ab', {}, [1]]) {
      expect(() => secp256k1.sign(message, key, { extraEntropy } as never)).toThrow(TypeError);
      expect(() => noble.sign(message, key, { extraEntropy } as never)).toThrow();
    }
    for (const options of [
      undefined,
      {},
      { unknown: 1 },
      { prehash: undefined, lowS: undefined, format: undefined },
    ]) {
      expect(hex(secp256k1.sign(message, key, options as never))).toBe(hex(signature));
      expect(secp256k1.verify(signature, message, publicKey, options as never)).toBe(true);
      expect(hex(secp256k1.recoverPublicKey(recovered, message, options as never))).toBe(hex(publicKey));
    }
    for (const compressed of [null, 0, 'true']) {
      expect(() => secp256k1.getPublicKey(key, compressed as never)).toThrow(TypeError);
      expect(() => noble.getPublicKey(key, compressed as never)).toThrow();
      expect(() => secp256k1.utils.convertPublicKey(publicKey, compressed as never)).toThrow(TypeError);
    }
  });

  it('a Buffer and a view into a larger buffer are bytes like others', () => {
    const large = new Uint8Array(100).fill(0xee);
    large.set(key, 10);
    expect(hex(secp256k1.sign(Buffer.from(message), large.subarray(10, 42)))).toBe(hex(signature));
    expect(secp256k1.verify(Buffer.from(signature), message, Buffer.from(publicKey))).toBe(true);
  });
});
