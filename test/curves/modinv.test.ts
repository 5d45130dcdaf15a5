// Inversion by safegcd against BigInt, on the debug build, which exports it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { debugCurves } from './debug-curves.js';
import { edgeBytes, fromLittleEndian, littleEndian, repeatable } from './edge-inputs.js';

const { address, call, place, bytesAt } = debugCurves();

const moduli: [string, bigint][] = [
  ['MODULUS_25519', 2n ** 255n - 19n],
  ['MODULUS_SECP256K1_P', 2n ** 256n - 2n ** 32n - 977n],
  ['MODULUS_SECP256K1_N', 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n],
];

describe.each(moduli)('modulo %s', (name, m) => {
  describe.each(['modInverse', 'modInverseVarTime'])('%s', (operation) => {
    const inverse = (x: bigint, out = place(0)): bigint => {
      bytesAt(place(1), 32).set(littleEndian(x));
      call(operation, out, place(1), address(name));
      return fromLittleEndian(bytesAt(out, 32));
    };
    const check = (x: bigint) => {
      const y = inverse(x);
      expect(y < m).toBe(true);
      expect((x * y) % m, String(x)).toBe(x === 0n ? 0n : 1n);
    };

    it('inverts numbers at the edges', () => {
      const edges = [0n, 1n, 2n, 3n, m - 1n, m - 2n, (m - 1n) / 2n, (m + 1n) / 2n];
      for (let bit = 0n; bit < 256n; bit++) {
        edges.push(
          ...[2n ** bit - 1n, 2n ** bit, 2n ** bit + 1n, m - 2n ** bit].filter((x) => x >= 0n && x < m),
        );
      }
      for (const x of edges) check(x);
    });

    it('inverts any number', () => {
      fc.assert(
        fc.property(edgeBytes(32), (bytes) => check(fromLittleEndian(bytes) % m)),
        repeatable(1500),
      );
    });

    it('inverts what has the inverse of an edge', () => {
      for (const x of [2n, 3n, m - 2n, 2n ** 128n, 2n ** 255n % m]) expect(inverse(inverse(x))).toBe(x);
    });

    it('may write over its operand', () => {
      expect((inverse(12345n, place(1)) * 12345n) % m).toBe(1n);
    });
  });
});
