// Keys, scalars and signatures with known secrets, so that every sum u G + v Q can be had, for a curve of the library.

import type { ECDSA } from '@noble/curves/abstract/weierstrass.js';

export const mod = (x: bigint, m: bigint) => ((x % m) + m) % m;

export function bigEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * (31 - i))) & 0xffn));
}

export function signed(z: bigint, r: bigint, s: bigint) {
  const signature = new Uint8Array(64);
  signature.set(bigEndian(r));
  signature.set(bigEndian(s), 32);
  return { message: bigEndian(z), signature };
}

export function inputsOf(library: ECDSA) {
  const { Point } = library;
  const G = Point.BASE;
  const p = Point.Fp.ORDER;
  const n = Point.Fn.ORDER;

  const multiple = (scalar: bigint) => (mod(scalar, n) === 0n ? Point.ZERO : G.multiply(mod(scalar, n)));

  /** x and y. */
  const coordinates = (point: typeof G): Uint8Array => point.toBytes(false).slice(1);

  /** Scalars whose digits of eight bits carry, are all alike, or are at the ends of their range. */
  const edgeScalars: readonly bigint[] = [
    ...new Set(
      [
        ...[1n, 2n, 3n, 127n, 128n, 129n, 255n, 256n, 257n, 2n ** 255n, 2n ** 255n - 1n, 2n ** 255n + 1n],
        ...[(n - 1n) / 2n, (n + 1n) / 2n, p - n, p - n - 1n, p - n + 1n, n - 2n ** 255n],
        ...[0x01n, 0x7fn, 0x80n, 0x81n, 0xffn].map((digit) => digit * ((2n ** 256n - 1n) / 255n)),
        ...[0x0180n, 0x80ffn, 0x7f80n, 0xff00n].map((digits) => digits * ((2n ** 256n - 1n) / 0xffffn)),
        ...[8n, 64n, 127n, 128n, 248n].flatMap((bit) => [2n ** bit, 2n ** bit - 1n, 0x80n << (bit - 8n)]),
      ]
        .flatMap((x) => [x, -x])
        .map((x) => mod(x, n))
        .filter((x) => x !== 0n),
    ),
  ];

  /** r, s and the digest z of a signature for which z / s = u and r / s = v, where u G + v Q has this x. */
  const signatureFor = (x: bigint, u: bigint, v: bigint) => {
    const r = x % n;
    const s = mod(r * Point.Fn.inv(v), n);
    return signed(mod(u * s, n), r, s);
  };

  /** By the library's own verification. */
  const libraryVerifies = (
    { message, signature }: { message: Uint8Array; signature: Uint8Array },
    point: typeof G,
  ): boolean =>
    library.verify(signature, message, point.toBytes(false), {
      prehash: false,
      lowS: false,
      format: 'compact',
    });

  return { Point, G, p, n, multiple, coordinates, edgeScalars, signatureFor, libraryVerifies };
}
