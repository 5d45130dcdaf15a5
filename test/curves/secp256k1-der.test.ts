// DER signatures: the set that is accepted is exactly noble's.

import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDer, encodeDer } from '../../src/curves/der.js';
import { secp256k1 } from '../../src/curves/secp256k1.js';
import { edgeBytes, fromHex, hex, repeatable } from './edge-inputs.js';
import { bigEndian, edgeScalars, n } from './secp256k1-inputs.js';

const message = bigEndian(1n);
const publicKey = noble.getPublicKey(bigEndian(1n));
const options = { prehash: false, lowS: false, format: 'der' } as const;

/** r‖s as noble decodes it; undefined where it refuses. */
function nobleDecode(der: Uint8Array): string | undefined {
  try {
    return hex(noble.Signature.fromBytes(der, 'der').toBytes('compact'));
  } catch {
    return undefined;
  }
}

/** Ours, with the ranges that the verification checks. */
function ourDecode(der: Uint8Array): string | undefined {
  const compact = decodeDer(der);
  if (compact === undefined) return undefined;
  const text = hex(compact);
  const inRange = [text.slice(0, 64), text.slice(64)]
    .map((half) => BigInt(`0x${half}`))
    .every((x) => x > 0n && x < n);
  return inRange ? text : undefined;
}

const agree = (der: Uint8Array): void => {
  expect(ourDecode(der), hex(der)).toBe(nobleDecode(der));
};

const integers = [
  ...edgeScalars.slice(0, 60),
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  2n ** 247n,
  2n ** 248n - 1n,
  2n ** 255n,
];

describe('encoding', () => {
  it('agrees for integers of every size', () => {
    for (const r of integers) {
      for (const s of [1n, 0x80n, n - 1n, r]) {
        const compact = concatBytes(bigEndian(r), bigEndian(s));
        const der = encodeDer(compact);
        expect(hex(der)).toBe(hex(noble.Signature.fromBytes(compact).toBytes('der')));
        expect(hex(decodeDer(der)!)).toBe(hex(compact));
      }
    }
  });
});

describe('decoding', () => {
  const signatures = [
    noble.sign(message, bigEndian(1n), options),
    noble.sign(bigEndian(2n), bigEndian(1n), options),
    encodeDer(concatBytes(bigEndian(1n), bigEndian(1n))),
    encodeDer(concatBytes(bigEndian(n - 1n), bigEndian(n - 1n))),
    encodeDer(concatBytes(bigEndian(0x80n), bigEndian(0xffn << 120n))),
  ];

  it('agrees on every change of a single byte, and each way through verify', () => {
    for (const [index, signature] of signatures.entries()) {
      for (let at = 0; at < signature.length; at++) {
        for (let value = 0; value < 256; value++) {
          const damaged = signature.slice();
          damaged[at] = value;
          agree(damaged);
          const header = at < 6 || signature[at - 1] === 0x02 || signature[at] === 0x02;
          if (index === 0 && header && value % 16 < 4) {
            const expected = noble.verify(damaged, message, publicKey, options);
            expect(secp256k1.verify(damaged, message, publicKey, options)).toBe(expected);
          }
        }
      }
    }
  });

  it('agrees on every truncation, insertion, removal and lengthening', () => {
    for (const signature of signatures) {
      for (let at = 0; at <= signature.length; at++) {
        agree(signature.slice(0, at));
        agree(concatBytes(signature.slice(0, at), signature.slice(at + 1)));
        for (const value of [0, 1, 2, 0x30, 0x7f, 0x80, 0x81, 0xff]) {
          const inserted = concatBytes(signature.slice(0, at), Uint8Array.of(value), signature.slice(at));
          agree(inserted);
          for (const header of [1, 3]) {
            const adjusted = inserted.slice();
            adjusted[1] = inserted.length - 2;
            if (header === 3) adjusted[3]! += 1;
            agree(adjusted);
          }
        }
      }
      for (const length of [71, 72, 73, 80, 81, 200]) {
        const longer = new Uint8Array(length);
        longer.set(signature.subarray(0, length));
        agree(longer);
      }
    }
  });

  it('agrees on anything that looks like DER', () => {
    const integer = fc
      .record({
        tag: fc.constantFrom(0x02, 0x02, 0x02, 0x02, 0x03),
        length: fc.constantFrom(0, 0, 0, 0, 1, -1),
        content: fc.oneof(
          fc.integer({ min: 0, max: 34 }).chain(edgeBytes),
          fc.constantFrom(...integers.map((x) => bigEndian(x, 33)), ...integers.map((x) => bigEndian(x))),
        ),
      })
      .map(({ tag, length, content }) => [tag, Math.max(0, content.length + length), ...content]);
    const sequence = fc
      .record({
        r: integer,
        s: integer,
        tail: fc.constantFrom([], [], [], [0]),
        length: fc.constantFrom(0, 0, 0, 1, -1),
      })
      .map(({ r, s, tail, length }) => {
        const body = [...r, ...s, ...tail];
        return Uint8Array.from([0x30, body.length + length, ...body]);
      });
    fc.assert(fc.property(sequence, agree), repeatable(3000));
  });

  it.each([
    ['long form of a short length', '308106020101020101'],
    ['long form in two bytes', '30820006020101020101'],
    ['indefinite length', '30800201010201010000'],
    ['a zero in front of r', '300702020001020101'],
    ['a negative r', '3006020181020101'],
    ['an empty r', '30050200020101'],
    ['no s', '3003020101'],
    ['a third integer', '3009020101020101020101'],
    ['bytes behind the sequence', '300602010102010100'],
    ['nothing', ''],
    ['a tag alone', '30'],
  ])('refuses %s', (_name, der) => {
    expect(decodeDer(fromHex(der))).toBeUndefined();
    expect(nobleDecode(fromHex(der))).toBeUndefined();
    expect(secp256k1.verify(fromHex(der), message, publicKey, options)).toBe(false);
  });
});
