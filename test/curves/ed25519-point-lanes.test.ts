// Points in two lanes against @noble/curves, on the debug build: the formulas have no exceptions, so equal, opposite and
// neutral points and those of small order are added as any others, with any Z.

import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { debugCurves } from './debug-curves.js';
import { repeatable } from './edge-inputs.js';

const { address, bytesAt, call } = debugCurves();
const { Point } = ed25519;
type Affine = { x: bigint; y: bigint };

const p = 2n ** 255n - 19n;
const mod = (x: bigint) => ((x % p) + p) % p;
const MASK = 2n ** 29n - 1n;

const [P, Q, CACHED, SINGLE] = [0, 1, 2, 3].map((i) => address('MESSAGE') + 160 * i) as [
  number,
  number,
  number,
  number,
];
const limbsAt = (at: number, count: number) => new Uint32Array(bytesAt(at, 4 * count).buffer, at, count);
const join = (limbs: number[]) => mod(limbs.reduceRight((x, limb) => (x << 29n) + BigInt(limb), 0n));
const lane = (at: number, odd: number) => join([...limbsAt(at, 18)].filter((_, i) => i % 2 === odd));

/** Writes x, y, 1 and xy, times z. */
function put(at: number, { x, y }: Affine, z: bigint): void {
  const coordinates = [x * z, y * z, x * y * z, z].map(mod); // X, Y, T, Z
  for (const [i, value] of coordinates.entries()) {
    const limbs = limbsAt(at + 80 * (i >> 1), 20);
    for (let j = 0; j < 9; j++) limbs[2 * j + (i & 1)] = Number((value >> BigInt(29 * j)) & MASK);
  }
}

function expectPoint(at: number, { x, y }: Affine): void {
  const [X, Y, T, Z] = [lane(at, 0), lane(at, 1), lane(at + 80, 0), lane(at + 80, 1)];
  expect(Z).not.toBe(0n);
  expect([X, Y, T]).toEqual([mod(x * Z), mod(y * Z), mod(x * y * Z)]);
}

const small = ED25519_TORSION_SUBGROUP.map((encoding) => Point.fromHex(encoding, true));
const usual = [1n, 2n, 3n, 2n ** 200n + 7n].map((n) => Point.BASE.multiply(n));
const points = [...small, ...usual, ...usual.map((point) => point.negate()), usual[2]!.add(small[3]!)];

const element = fc.oneof(fc.constantFrom(1n, 2n, p - 1n, 2n ** 254n), fc.bigInt({ min: 1n, max: p - 1n }));
const scales = fc.tuple(element, element);

it('every point is added to every point, and subtracted', () => {
  fc.assert(
    fc.property(scales, ([first, second]) => {
      for (const a of points) {
        for (const b of points) {
          put(Q, b.toAffine(), second);
          call('ed25519ToLaneCached', CACHED, Q);
          put(P, a.toAffine(), first);
          call('ed25519AddLaneCached', P, CACHED);
          expectPoint(P, a.add(b).toAffine());
          put(P, a.toAffine(), first);
          call('ed25519SubtractLaneCached', P, CACHED);
          expectPoint(P, a.subtract(b).toAffine());
        }
      }
    }),
    repeatable(4),
  );
});

it('every point is doubled, with the T that an addition needs', () => {
  fc.assert(
    fc.property(element, (z) => {
      for (const a of points) {
        put(P, a.toAffine(), z);
        call('ed25519DoubleLanes', P);
        expectPoint(P, a.double().toAffine());
        call('ed25519ToLaneCached', CACHED, P);
        call('ed25519AddLaneCached', P, CACHED);
        expectPoint(P, a.double().double().toAffine());
      }
    }),
    repeatable(20),
  );
});

it('coordinates are joined to lanes and split again', () => {
  const limbs = limbsAt(SINGLE, 36); // X, Y, Z, T
  for (let i = 0; i < 36; i++) limbs[i] = 1000 + i;
  const [x, y, z, t] = [0, 9, 18, 27].map((from) => join([...limbs.subarray(from, from + 9)]));
  call('ed25519JoinLanes', P, SINGLE);
  expect([lane(P, 0), lane(P, 1), lane(P + 80, 0), lane(P + 80, 1)]).toEqual([x, y, t, z]);
  const before = [...limbs.subarray(0, 27)];
  limbs.fill(0);
  call('ed25519SplitLanes', SINGLE, SINGLE + 36, SINGLE + 72, P);
  expect([...limbs.subarray(0, 27)]).toEqual(before);
  expect([...limbs.subarray(27)]).toEqual(new Array(9).fill(0));
});
