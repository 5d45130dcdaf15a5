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

const edges = (m: bigint): bigint[] => {
  const numbers = [0n, 1n, 2n, 3n, m - 1n, m - 2n, (m - 1n) / 2n, (m + 1n) / 2n];
  for (let bit = 0n; bit < 256n; bit++) {
    numbers.push(2n ** bit - 1n, 2n ** bit, 2n ** bit + 1n, m - 2n ** bit);
    // runs of ones that end at a limb of 30 bits
    numbers.push(2n ** 256n - 2n ** bit, (2n ** bit - 1n) << (30n * (bit % 8n)));
  }
  return numbers.filter((x) => x >= 0n && x < m);
};

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
      for (const x of edges(m)) check(x);
    });

    it('inverts any number', () => {
      fc.assert(
        fc.property(edgeBytes(32), (bytes) => check(fromLittleEndian(bytes) % m)),
        repeatable(3000),
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

describe('modInversePair', () => {
  const pairs = moduli.flatMap((first) => moduli.map((second) => [first, second] as const));
  const check = (x: bigint, y: bigint, [[nameX, m], [nameY, n]]: (typeof pairs)[number]) => {
    bytesAt(place(2), 32).set(littleEndian(x));
    bytesAt(place(3), 32).set(littleEndian(y));
    call('modInversePair', place(0), place(2), address(nameX), place(1), place(3), address(nameY));
    const [inverseX, inverseY] = [
      fromLittleEndian(bytesAt(place(0), 32)),
      fromLittleEndian(bytesAt(place(1), 32)),
    ];
    expect(inverseX < m && inverseY < n).toBe(true);
    expect((x * inverseX) % m, String(x)).toBe(x === 0n ? 0n : 1n);
    expect((y * inverseY) % n, String(y)).toBe(y === 0n ? 0n : 1n);
  };

  it('inverts numbers at the edges, with any other', () => {
    for (const pair of pairs) {
      const [xs, ys] = [edges(pair[0][1]), edges(pair[1][1])];
      for (const [i, x] of xs.entries()) check(x, ys[(7 * i) % ys.length]!, pair);
    }
  });

  it('inverts any numbers modulo any two moduli', () => {
    fc.assert(
      fc.property(edgeBytes(32), edgeBytes(32), fc.constantFrom(...pairs), (x, y, pair) =>
        check(fromLittleEndian(x) % pair[0][1], fromLittleEndian(y) % pair[1][1], pair),
      ),
      repeatable(3000),
    );
  });

  it('may write over its operands', () => {
    const [[name, m]] = moduli as [[string, bigint]];
    bytesAt(place(0), 32).set(littleEndian(123n));
    bytesAt(place(1), 32).set(littleEndian(456n));
    call('modInversePair', place(1), place(0), address(name), place(0), place(1), address(name));
    expect((123n * fromLittleEndian(bytesAt(place(1), 32))) % m).toBe(1n);
    expect((456n * fromLittleEndian(bytesAt(place(0), 32))) % m).toBe(1n);
  });
});
