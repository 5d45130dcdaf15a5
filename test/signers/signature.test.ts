import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex } from '../../src/bytes.js';
import { SignerError } from '../../src/errors.js';
import { Signature } from '../../src/signers/signature.js';

const filled = (r: number, s: number) =>
  Uint8Array.from([...new Uint8Array(32).fill(r), ...new Uint8Array(32).fill(s)]);

/** Bytes that are often 00, 7f, 80 or ff, where DER's minimal integers have their edges. */
const edgeBytes = fc
  .array(fc.oneof(fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xff), fc.nat(255)), {
    minLength: 64,
    maxLength: 64,
  })
  .map((bytes) => Uint8Array.from(bytes));
const leadingZeros = fc.tuple(edgeBytes, fc.nat(32), fc.nat(32)).map(([bytes, r, s]) => {
  bytes.fill(0, 0, r);
  bytes.fill(0, 32, 32 + s);
  return bytes;
});

describe('Signature', () => {
  test('keeps a copy of its bytes', () => {
    const bytes = filled(1, 2);
    const signature = Signature.fromBytes('ed25519', bytes);
    bytes.fill(9);
    signature.bytes.fill(9);
    expect(signature.bytes).toEqual(filled(1, 2));
    expect(() => Object.assign(signature, { recovery: 1 })).toThrow(TypeError);
  });

  test('keeps a copy of a Buffer, whose slice is a view of it', () => {
    const buffer = Buffer.from(filled(1, 2));
    const signature = Signature.fromBytes('ed25519', buffer);
    buffer.fill(9);
    expect(signature.bytes).toEqual(filled(1, 2));
    signature.bytes.fill(9);
    expect(signature.bytes).toEqual(filled(1, 2));
  });

  test('goes through DER and back', () => {
    fc.assert(
      fc.property(leadingZeros, fc.constantFrom('secp256k1', 'p256'), (bytes, algorithm) => {
        const der = Signature.fromBytes(algorithm, bytes).toDer();
        expect(der.length).toBeLessThanOrEqual(72);
        expect(Signature.fromDer(algorithm, der).bytes).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test('writes minimal DER', () => {
    const der = (r: string, s: string) =>
      Signature.fromBytes('p256', fromHex(r.padStart(64, '0') + s.padStart(64, '0'))).toDer();
    expect(der('01', '7f')).toEqual(fromHex('300602010102017f'));
    expect(der('80', '00')).toEqual(fromHex('30070202008002 0100'.replace(' ', '')));
    expect(der('ff'.repeat(32), '80'.repeat(32))).toEqual(
      fromHex(`3046022100${'ff'.repeat(32)}022100${'80'.repeat(32)}`),
    );
  });

  test.each([
    ['empty', ''],
    ['not a sequence', '3106020101020101'],
    ['truncated', '30060201010201'],
    ['trailing byte outside', '300602010102010100'],
    ['trailing byte inside', '3007020101020101 00'],
    ['one integer', '3003020101'],
    ['three integers', '3009020101020101020101'],
    ['length in long form without need', '308106020101020101'],
    ['indefinite length', '30800201010201010000'],
    ['needless leading zero', '300702020001020101'],
    ['negative integer', '3006020180020101'],
    ['empty integer', '30050200020101'],
    ['33 bytes', `302602210${'1'.padEnd(65, '1')}020101`],
    ['33 bytes of s', `30260201010221${'1'.padEnd(66, '1')}`],
    ['33 bytes after a zero', `3027022200ff${'00'.repeat(32)}020101`],
    ['an octet string in place of s', '3006020101040101'],
    ['a length beyond what a signature has', '30847fffffff020101020101'],
  ])('refuses DER: %s', (_, hex) => {
    const call = () => Signature.fromDer('secp256k1', fromHex(hex.replace(' ', '')));
    expect(call).toThrow(SignerError);
    expect(call).toThrow(expect.objectContaining({ code: 'signature-invalid' }));
  });

  test('refuses every truncation and every flipped bit, or reads what it says', () => {
    const der = Signature.fromBytes('secp256k1', filled(0x9a, 0x7b)).toDer();
    for (let length = 0; length < der.length; length++) {
      expect(() => Signature.fromDer('secp256k1', der.subarray(0, length))).toThrow(SignerError);
    }
    for (let bit = 0; bit < der.length * 8; bit++) {
      const damaged = der.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      try {
        expect(Signature.fromDer('secp256k1', damaged).toDer()).toEqual(damaged);
      } catch (error) {
        expect(error).toMatchObject({ name: 'SignerError', code: 'signature-invalid' });
      }
    }
  });

  test('gives recovery‖r‖s where there is a recovery id', () => {
    const signature = Signature.fromBytes('secp256k1', filled(1, 2), 3);
    expect(signature.recovery).toBe(3);
    expect(signature.toRecovered()).toEqual(Uint8Array.from([3, ...filled(1, 2)]));
    expect(() => Signature.fromBytes('secp256k1', filled(1, 2)).toRecovered()).toThrow(TypeError);
    expect(() => Signature.fromBytes('ed25519', filled(1, 2)).toRecovered()).toThrow(TypeError);
  });

  test('has no DER for Ed25519, and says so', () => {
    expect(() => Signature.fromBytes('ed25519', filled(1, 2)).toDer()).toThrow(
      /Ed25519 signatures have no DER form/,
    );
    expect(() => Signature.fromDer('ed25519', new Uint8Array(8))).toThrow(TypeError);
  });

  test('takes arguments of the right type and length only', () => {
    const wrong = <T>(value: unknown) => value as T;
    expect(() => Signature.fromBytes(wrong('rsa'), filled(1, 2))).toThrow(TypeError);
    expect(() => Signature.fromBytes('p256', wrong('text'))).toThrow(TypeError);
    expect(() => Signature.fromBytes('p256', wrong([1, 2]))).toThrow(TypeError);
    for (const length of [0, 63, 65]) {
      expect(() => Signature.fromBytes('p256', new Uint8Array(length))).toThrow(RangeError);
    }
    for (const recovery of [-1, 4, 1.5, Number.NaN, '1', null]) {
      expect(() => Signature.fromBytes('secp256k1', filled(1, 2), wrong(recovery))).toThrow(RangeError);
    }
    expect(() => Signature.fromBytes('ed25519', filled(1, 2), 0)).toThrow(TypeError);
    expect(() => Signature.fromDer('p256', wrong('30'))).toThrow(TypeError);
    expect(() => Signature.fromDer(wrong('rsa'), new Uint8Array(8))).toThrow(TypeError);
  });
});
