import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, fromHex } from '../../../src/bytes.js';
import { DerError, DerReader, derEncode, derUnsigned, TAG } from '../../../src/signers/encoding/der.js';

const reader = (hex: string) => new DerReader(fromHex(hex));

describe('DER', () => {
  test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 100_000])(
    'reads back an element of %i bytes',
    (length) => {
      const contents = new Uint8Array(length).fill(7);
      const der = derEncode(
        TAG.octetString,
        contents.subarray(0, length >> 1),
        contents.subarray(length >> 1),
      );
      const back = new DerReader(der);
      expect(back.read(TAG.octetString)).toEqual(contents);
      back.end();
    },
  );

  test('refuses every truncation of an element', () => {
    const der = derEncode(
      TAG.sequence,
      derUnsigned(Uint8Array.of(5)),
      derEncode(TAG.octetString, new Uint8Array(200)),
    );
    for (let length = 0; length < der.length; length++) {
      expect(() => new DerReader(der.subarray(0, length)).read(TAG.sequence)).toThrow(DerError);
    }
  });

  test.each([
    ['a length in long form below 128', '04810100'],
    ['a length with a leading zero', '0482000100'],
    ['an indefinite length', '0480010000'],
    ['a length of four bytes', '048400000001ff'],
    ['another tag', '0500'],
    ['nothing', ''],
  ])('refuses %s', (_, hex) => {
    expect(() => reader(hex).read(TAG.octetString)).toThrow(DerError);
  });

  test('reads minimal non-negative integers only', () => {
    expect(reader('020100').unsigned()).toEqual(new Uint8Array());
    expect(reader('02020080').unsigned()).toEqual(Uint8Array.of(0x80));
    for (const hex of ['0200', '020180', '0202007f', '02020000'])
      expect(() => reader(hex).unsigned()).toThrow(DerError);
    expect(reader('0206ffffffffffff'.replace('ff', '7f')).smallUnsigned()).toBe(0x7fffffffffff);
    expect(() => reader('020701000000000000').smallUnsigned()).toThrow(DerError);
  });

  test('reads bit strings of whole bytes only', () => {
    expect(reader('0302000a').bitString()).toEqual(Uint8Array.of(10));
    for (const hex of ['0300', '0302010a']) expect(() => reader(hex).bitString()).toThrow(DerError);
  });

  test('ends where the bytes end', () => {
    const back = reader('050000');
    expect(back.optional(TAG.oid)).toBeUndefined();
    expect(back.optional(TAG.null)).toEqual(new Uint8Array());
    expect(() => back.end()).toThrow(DerError);
  });

  test('integers go through and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const first = bytes.findIndex((byte) => byte !== 0);
        const magnitude = first < 0 ? new Uint8Array() : bytes.slice(first);
        expect(new DerReader(derUnsigned(bytes)).unsigned()).toEqual(magnitude);
      }),
    );
  });

  test('never fails with anything but a DerError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          const sequence = new DerReader(concatBytes(Uint8Array.of(0x30), bytes)).enter();
          sequence.smallUnsigned();
          sequence.bitString();
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      }),
    );
  });
});
