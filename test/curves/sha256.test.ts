// SHA-256 and HMAC-SHA-256 of the compiled curves against @noble/hashes.

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { withCurves } from '../../src/curves/wasm.js';
import { debugCurves } from './debug-curves.js';
import { hex } from './edge-inputs.js';

const pattern = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, i) => (i * 167 + (i >> 3) * 29 + seed) & 0xff);

function digestOf(message: Uint8Array): string {
  return withCurves((curves) => {
    curves.run.secp256k1HashStart();
    curves.hold(message);
    curves.feed(curves.run.secp256k1Absorb);
    curves.run.secp256k1HashFinish();
    return hex(curves.take('digest', 32));
  });
}

describe('SHA-256', () => {
  it('gives the digests of FIPS 180-4', () => {
    expect(digestOf(new Uint8Array())).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(digestOf(Buffer.from('abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(digestOf(Buffer.from('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'))).toBe(
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    );
    expect(digestOf(new Uint8Array(1_000_000).fill(0x61))).toBe(
      'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
    );
  });

  it('agrees on all lengths up to 300', () => {
    for (let length = 0; length <= 300; length++) {
      for (const message of [pattern(length, length), new Uint8Array(length).fill(0xff)]) {
        expect(digestOf(message), String(length)).toBe(hex(sha256(message)));
      }
    }
  });

  it.each([65_472, 65_535, 65_536, 65_537, 65_591, 65_592, 131_072, 200_063])(
    'agrees on %i bytes',
    (length) => {
      const message = pattern(length, 1);
      expect(digestOf(message)).toBe(hex(sha256(message)));
    },
  );
});

describe('HMAC-SHA-256', () => {
  const { call, place, bytesAt } = debugCurves();
  const [out, keyed, key, message] = [place(0), place(1), place(3), place(4)];

  it('agrees on all lengths up to 300', () => {
    for (let length = 0; length <= 300; length++) {
      const [keyBytes, messageBytes] = [pattern(32, length), pattern(length, 2 * length)];
      bytesAt(key, 32).set(keyBytes);
      bytesAt(message, length).set(messageBytes);
      call('hmacKey', keyed, key);
      call('hmac', out, keyed, message, length);
      const expected = hex(hmac(sha256, keyBytes, messageBytes));
      expect(hex(bytesAt(out, 32)), String(length)).toBe(expected);
      if (length !== 32) continue;
      call('hmac32', message, keyed, message);
      expect(hex(bytesAt(message, 32))).toBe(expected);
    }
  });
});
