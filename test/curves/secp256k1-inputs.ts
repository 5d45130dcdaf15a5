// Keys, scalars and signatures at the edges of secp256k1's arithmetic, for the differential tests.

import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { edgeBytes } from './edge-inputs.js';

export const p = 2n ** 256n - 2n ** 32n - 977n;
export const n = noble.Point.Fn.ORDER;
export const lambda = 0x5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72n;

export const mod = (x: bigint, m: bigint) => ((x % m) + m) % m;

export function bigEndian(value: bigint, length = 32): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn));
}

export function fromBigEndian(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The odd digits of the fixed base all alike, for each of their 64 values; the top window has four bits. */
const repeatedDigits = Array.from({ length: 64 }, (_, digit) => {
  let recoded = BigInt(digit % 16);
  for (let window = 0; window < 42; window++) recoded = recoded * 64n + BigInt(digit);
  return mod(2n * recoded - (2n ** 258n - 1n), n);
});

/** The scalar for which the last addition of the fixed base would be a doubling (assembly/secp256k1/fixed-base.ts). */
export const doubled = mod(2n ** 253n - 6n * (2n ** 256n - n), n);

/** Numbers in [1, n - 1] where carries, signs, windows or the endomorphism's halves are extreme. */
export const edgeScalars: readonly bigint[] = [
  ...new Set(
    [
      ...[1n, 2n, 3n, 4n, 5n, 7n, 8n, 15n, 16n, 31n, 32n, 33n, 63n, 64n, 65n],
      ...[(n - 1n) / 2n, (n + 1n) / 2n, (n - 3n) / 2n, p - n, p - n - 1n, p - n + 1n],
      ...[lambda, lambda * lambda, lambda + 1n, 2n * lambda, 3n * lambda, lambda * (n - 2n)],
      ...[doubled, doubled + 1n, doubled - 1n, doubled / 2n, 2n * doubled],
      ...[127n, 128n, 129n, 255n].flatMap((bit) => [2n ** bit, 2n ** bit - 1n, 2n ** bit + 1n]),
      ...[2n ** 256n - 2n ** 128n, (2n ** 128n - 1n) << 64n, 0x5555n * (2n ** 255n / 0xffffn)],
    ]
      .flatMap((x) => [x, -x])
      .map((x) => mod(x, n))
      .concat(repeatedDigits)
      .filter((x) => x !== 0n),
  ),
];

/** 32 bytes, some of which are no valid secret key. */
export const secretKeys: fc.Arbitrary<Uint8Array> = fc.oneof(
  edgeBytes(32),
  fc.constantFrom(...edgeScalars.map((x) => bigEndian(x))),
  fc.constantFrom(...[0n, n, n + 1n, 2n ** 256n - 1n].map((x) => bigEndian(x))),
);

export const validKeys = secretKeys.filter((key) => noble.utils.isValidSecretKey(key));

/** What a call gives, or that it throws. */
export function outcome<T>(call: () => T): T | 'throws' {
  try {
    return call();
  } catch {
    return 'throws';
  }
}
