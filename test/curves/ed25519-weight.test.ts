// The weights of a batch against BigInt, on the debug build, which exports them.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { debugCurves } from './debug-curves.js';
import { edgeBytes, fromLittleEndian, repeatable } from './edge-inputs.js';

const { call, place, bytesAt } = debugCurves();
const digits = [1n, 3n, 5n, 7n, -1n, -3n, -5n, -7n];

function weight(random: Uint8Array): bigint {
  bytesAt(place(1), 32).fill(0xff).set(random);
  call('scalar25519Weight', place(0), place(1));
  return fromLittleEndian(bytesAt(place(0), 32));
}

it('is the sum of 22 digits, the last of which is positive', () => {
  fc.assert(
    fc.property(edgeBytes(22), (random) => {
      let expected = 0n;
      for (const [i, byte] of random.entries()) {
        const digit = digits[(byte >> 3) & (i === 21 ? 3 : 7)]!;
        expected += digit << BigInt(11 * i + (byte & 7));
      }
      expect(weight(random)).toBe(expected);
      expect(expected > 0n && expected < 2n ** 242n).toBe(true);
    }),
    repeatable(2_000),
  );
});

it('is another one for every choice of the six bits of two neighboring digits', () => {
  for (const first of [0, 20]) {
    const seen = new Set<bigint>();
    const random = new Uint8Array(22);
    for (let low = 0; low < 64; low++) {
      for (let high = 0; high < (first === 20 ? 32 : 64); high++) {
        random.set([low, high], first);
        seen.add(weight(random));
      }
    }
    expect(seen.size).toBe(first === 20 ? 2048 : 4096);
  }
});
