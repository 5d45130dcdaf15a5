// The API of Ed25519: what it takes, what it refuses and how, and what a prepared key does.

import { Buffer } from 'node:buffer';
import vm from 'node:vm';
import { ed25519 as noble } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { ed25519 } from '../../src/curves/index.js';
import { hex } from './edge-inputs.js';

const secretKey = new Uint8Array(32).fill(1);
const publicKey = ed25519.getPublicKey(secretKey);
const message = new TextEncoder().encode('to be signed');
const signature = ed25519.sign(message, secretKey);

/** What is not bytes at all. */
const notBytes: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a string', '00'.repeat(32)],
  ['a number', 32],
  ['a bigint', 32n],
  ['an array', new Array(32).fill(0)],
  ['an ArrayBuffer', new ArrayBuffer(32)],
  ['a DataView', new DataView(new ArrayBuffer(32))],
  ['words', new Uint32Array(8)],
  ['signed bytes', new Int8Array(32)],
  ['clamped bytes', new Uint8ClampedArray(32)],
  ['what looks like bytes', { length: 32, BYTES_PER_ELEMENT: 1, constructor: Uint8Array }],
  ['what inherits from bytes', Object.create(Uint8Array.prototype)],
  ['a proxy of bytes', new Proxy(new Uint8Array(32), {})],
];
const otherLengths = (length: number) =>
  [0, 1, length - 1, length + 1, 2 * length].map((n) => new Uint8Array(n));

/** Each function with one argument replaced, in ours and in noble's. */
type Call = (curve: typeof ed25519 | typeof noble, value: never) => unknown;
const fixed: [string, number, Call][] = [
  ['getPublicKey(secretKey)', 32, (curve, value) => curve.getPublicKey(value)],
  ['sign(…, secretKey)', 32, (curve, value) => curve.sign(message, value)],
  ['verify(signature, …)', 64, (curve, value) => curve.verify(value, message, publicKey)],
  ['verify(…, publicKey)', 32, (curve, value) => curve.verify(signature, message, value)],
];
const anyLength: [string, Call][] = [
  ['sign(message, …)', (curve, value) => curve.sign(value, secretKey)],
  ['verify(…, message, …)', (curve, value) => curve.verify(signature, value, publicKey)],
];

describe.each(fixed)('%s', (_name, length, call) => {
  it.each(notBytes)('refuses %s with a TypeError', (_what, value) => {
    expect(() => call(ed25519, value as never)).toThrow(TypeError);
    expect(() => call(noble, value as never)).toThrow();
  });

  it('refuses other lengths with a RangeError', () => {
    for (const value of otherLengths(length)) {
      expect(() => call(ed25519, value as never)).toThrow(RangeError);
      expect(() => call(noble, value as never)).toThrow();
    }
  });

  it('refuses bytes whose buffer was transferred away', () => {
    const value = new Uint8Array(length);
    structuredClone(value.buffer, { transfer: [value.buffer] });
    expect(() => call(ed25519, value as never)).toThrow(RangeError);
  });
});

describe.each(anyLength)('%s', (_name, call) => {
  it.each(notBytes)('refuses %s with a TypeError', (_what, value) => {
    expect(() => call(ed25519, value as never)).toThrow(TypeError);
    expect(() => call(noble, value as never)).toThrow();
  });
});

describe('what is bytes', () => {
  const forms: [string, (bytes: Uint8Array) => Uint8Array][] = [
    ['a Buffer', (bytes) => Buffer.from(bytes)],
    ['a part of a larger array', (bytes) => Uint8Array.of(9, ...bytes, 9).subarray(1, 1 + bytes.length)],
    [
      'shared memory',
      (bytes) => {
        const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
        shared.set(bytes);
        return shared;
      },
    ],
    ['of another realm', (bytes) => vm.runInNewContext('Uint8Array').from(bytes)],
  ];

  it.each(forms)('%s', (_what, form) => {
    expect(hex(ed25519.getPublicKey(form(secretKey)))).toBe(hex(publicKey));
    expect(hex(ed25519.sign(form(message), form(secretKey)))).toBe(hex(signature));
    expect(ed25519.verify(form(signature), form(message), form(publicKey))).toBe(true);
    const item = { signature: form(signature), message: form(message), publicKey: form(publicKey) };
    expect(ed25519.verifyBatch([item])).toBe(true);
  });

  it('gives plain arrays of their own', () => {
    for (const bytes of [signature, publicKey, ed25519.prepare(secretKey).sign(message)]) {
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      expect(bytes.buffer.byteLength).toBe(bytes.length);
    }
  });

  it('is left as it was', () => {
    const inputs = [secretKey, message, signature, publicKey];
    const before = inputs.map(hex);
    ed25519.verify(signature, message, publicKey);
    ed25519.sign(message, secretKey);
    expect(inputs.map(hex)).toEqual(before);
  });
});

describe('options', () => {
  const bad: [string, unknown][] = [
    ['null', null],
    ['a boolean', true],
    ['a string', 'zip215'],
    ['an array', []],
    ['a context', { context: new Uint8Array(1) }],
    ['a context that is not bytes', { context: 'context' }],
    ['a context of null', { context: null }],
  ];

  it.each(bad)('%s is refused', (_what, options) => {
    for (const curve of [ed25519, noble]) {
      expect(() => curve.sign(message, secretKey, options as never)).toThrow();
      expect(() => curve.verify(signature, message, publicKey, options as never)).toThrow();
    }
    expect(() => ed25519.prepare(secretKey).sign(message, options as never)).toThrow();
  });

  it.each([null, 1, 0, 'true', {}])('zip215: %o is refused', (zip215) => {
    for (const curve of [ed25519, noble]) {
      expect(() => curve.verify(signature, message, publicKey, { zip215 } as never)).toThrow(TypeError);
    }
  });

  it('that say nothing are the defaults', () => {
    for (const options of [undefined, {}, { context: new Uint8Array(0) }, { context: undefined }]) {
      expect(hex(ed25519.sign(message, secretKey, options))).toBe(hex(signature));
      expect(ed25519.verify(signature, message, publicKey, options)).toBe(true);
    }
    expect(ed25519.verify(signature, message, publicKey, { zip215: undefined })).toBe(true);
  });
});

describe('keygen and utils', () => {
  it('makes a new key pair each time', () => {
    const [first, second] = [ed25519.keygen(), ed25519.keygen()];
    expect(first.secretKey.length).toBe(32);
    expect(hex(first.secretKey)).not.toBe(hex(second.secretKey));
    expect(hex(first.publicKey)).toBe(hex(noble.getPublicKey(first.secretKey)));
  });

  it('takes a seed as the secret key, without a copy, as noble does', () => {
    for (const curve of [ed25519, noble]) {
      expect(curve.keygen(secretKey).secretKey).toBe(secretKey);
      expect(curve.utils.randomSecretKey(secretKey)).toBe(secretKey);
      expect(() => curve.keygen(new Uint8Array(31))).toThrow(RangeError);
      expect(() => curve.keygen(null as never)).toThrow(TypeError);
    }
  });

  it('has the lengths of noble', () => {
    expect(ed25519.lengths).toEqual(noble.lengths);
    expect(
      Object.isFrozen(ed25519) && Object.isFrozen(ed25519.lengths) && Object.isFrozen(ed25519.utils),
    ).toBe(true);
  });

  it('isValid… never throws', () => {
    for (const value of [...notBytes.map(([, value]) => value), ...otherLengths(32)]) {
      expect(ed25519.utils.isValidSecretKey(value as never)).toBe(false);
      expect(ed25519.utils.isValidPublicKey(value as never)).toBe(false);
    }
    expect(ed25519.utils.isValidSecretKey(new Uint8Array(32))).toBe(true);
    expect(ed25519.utils.isValidPublicKey(publicKey)).toBe(true);
    for (const zip215 of [null, 1, 'yes', {}]) {
      expect(ed25519.utils.isValidPublicKey(publicKey, zip215 as never)).toBe(false);
      expect(noble.utils.isValidPublicKey(publicKey, zip215 as never)).toBe(false);
    }
  });
});

describe('a prepared key', () => {
  it('signs like the secret key', () => {
    const key = ed25519.prepare(secretKey);
    expect(hex(key.publicKey)).toBe(hex(publicKey));
    expect(hex(key.sign(message))).toBe(hex(signature));
    expect(key.signBatch([message, new Uint8Array(0)]).map(hex)).toEqual([
      hex(signature),
      hex(ed25519.sign(new Uint8Array(0), secretKey)),
    ]);
    expect(key.signBatch([])).toEqual([]);
  });

  it('does not depend on the secret key that it was made from, nor on what it gave out', () => {
    const own = secretKey.slice();
    const key = ed25519.prepare(own);
    own.fill(0);
    key.publicKey.fill(0);
    expect(hex(key.publicKey)).toBe(hex(publicKey));
    expect(hex(key.sign(message))).toBe(hex(signature));
  });

  it('is of no use after destroy', () => {
    const key = ed25519.prepare(secretKey);
    key.destroy();
    expect(() => key.sign(message)).toThrow(/destroyed/);
    expect(() => key.signBatch([message])).toThrow(/destroyed/);
    expect(() => key.signBatch([])).toThrow(/destroyed/);
    expect(hex(key.publicKey)).toBe(hex(publicKey));
    expect(() => key.destroy()).not.toThrow();
  });

  it('refuses what is not a message or a list of messages', () => {
    const key = ed25519.prepare(secretKey);
    for (const [, value] of notBytes) {
      expect(() => key.sign(value as never)).toThrow(TypeError);
      expect(() => key.signBatch([message, value] as never)).toThrow(TypeError);
    }
    for (const value of [undefined, null, message, 'messages', { 0: message, length: 1 }]) {
      expect(() => key.signBatch(value as never)).toThrow(TypeError);
    }
    for (const [, value] of notBytes) expect(() => ed25519.prepare(value as never)).toThrow(TypeError);
    for (const value of otherLengths(32)) expect(() => ed25519.prepare(value)).toThrow(RangeError);
  });
});

describe('verifyBatch', () => {
  const item = { signature, message, publicKey };

  it('refuses items that verify would throw at, before it looks at any', () => {
    const wrong = { ...item, signature: new Uint8Array(64) };
    for (const bad of [
      { ...item, signature: new Uint8Array(63) },
      { ...item, publicKey: new Uint8Array(31) },
    ]) {
      expect(() => ed25519.verifyBatch([wrong, bad])).toThrow(RangeError);
    }
    for (const bad of [{ ...item, message: 'text' }, {}, null, undefined, [signature, message, publicKey]]) {
      expect(() => ed25519.verifyBatch([wrong, bad as never])).toThrow(TypeError);
    }
    // biome-ignore lint/suspicious/noSparseArray: a hole is not an item
    expect(() => ed25519.verifyBatch([item, , item] as never)).toThrow(TypeError);
  });

  it.each([undefined, null, 'items', item, new Set([item])])('refuses %o in place of an array', (items) => {
    expect(() => ed25519.verifyBatch(items as never)).toThrow(TypeError);
  });

  it('reads each field once', () => {
    let reads = 0;
    const shifty = {
      get signature() {
        reads++;
        return reads === 1 ? signature : new Uint8Array(64);
      },
      message,
      publicKey,
    };
    expect(ed25519.verifyBatch([shifty])).toBe(true);
    expect(reads).toBe(1);
  });
});

it('errors do not show the value that they refuse', () => {
  const secret = 'deadbeef'.repeat(8);
  for (const call of [
    () => ed25519.getPublicKey(secret as never),
    () => ed25519.sign(message, secret as never),
    () => ed25519.prepare([...secretKey] as never),
  ]) {
    expect(call).toThrow(TypeError);
    try {
      call();
    } catch (error) {
      expect(String(error)).not.toContain('dead');
      expect(String(error)).not.toContain('1,1');
    }
  }
});
