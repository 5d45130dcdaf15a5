import { describe, expect, test } from 'vitest';
import { copyMessage, copyMessages } from '../../src/signers/sign-request.js';

const wrong = <T>(value: unknown) => value as T;

describe('copyMessage', () => {
  test('copies', () => {
    const data = Uint8Array.of(1, 2, 3);
    const copy = copyMessage('ed25519', data);
    data.fill(0);
    expect(copy).toEqual(Uint8Array.of(1, 2, 3));
    expect(copyMessage('ed25519', Buffer.from('abc')).constructor).toBe(Uint8Array);
  });

  test.each(['secp256k1', 'p256'] as const)('takes digests of 32 bytes only, %s', (algorithm) => {
    expect(copyMessage(algorithm, new Uint8Array(32), { prehashed: true })).toHaveLength(32);
    for (const length of [0, 31, 33]) {
      const call = () => copyMessage(algorithm, new Uint8Array(length), { prehashed: true });
      expect(call).toThrow(RangeError);
      expect(call).toThrow(`prehashed data must be a digest of 32 bytes, got ${length}`);
    }
  });

  test('takes no digests for Ed25519', () => {
    expect(() => copyMessage('ed25519', new Uint8Array(32), { prehashed: true })).toThrow(TypeError);
  });

  test('checks its options', () => {
    const data = new Uint8Array(32);
    for (const options of [
      null,
      5,
      { prehashed: 1 },
      { prehashed: null },
      { signal: {} },
      { signal: null },
    ]) {
      expect(() => copyMessage('p256', data, wrong(options))).toThrow(TypeError);
      expect(() => copyMessages('p256', [], wrong(options))).toThrow(TypeError);
    }
    const signal = new AbortController().signal;
    expect(copyMessage('p256', data, { prehashed: false, signal })).toEqual(data);
  });
});

describe('copyMessages', () => {
  test('copies the list and each message', () => {
    const messages = [Uint8Array.of(1), Uint8Array.of(2)];
    const copies = copyMessages('p256', messages);
    messages[0]!.fill(9);
    messages.pop();
    expect(copies).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
  });

  test('takes an array of Uint8Arrays without holes', () => {
    const hole: Uint8Array[] = [new Uint8Array(1)];
    hole.length = 2;
    for (const messages of [
      undefined,
      null,
      'text',
      new Uint8Array(2),
      { length: 0 },
      hole,
      ['a'],
      [undefined],
    ]) {
      expect(() => copyMessages('p256', wrong(messages))).toThrow(TypeError);
    }
  });
});
