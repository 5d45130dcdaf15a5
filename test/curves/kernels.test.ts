// The kernel generator: what it cannot prove it does not write, and what is committed is what it writes.

import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { BoundError, Kernel } from '../../scripts/kernels/core.mjs';
import { BIAS, generate } from '../../scripts/kernels/field25519.mjs';
import { ProofError } from '../../scripts/kernels/polynomial.mjs';

const p = 2n ** 255n - 19n;
const integerOf = (limbs: bigint[]) => limbs.reduce((x, limb, i) => x + (limb << BigInt(29 * i)), 0n);

describe('interval analysis', () => {
  it('refuses what may leave 64 bits', () => {
    const k = new Kernel('u64');
    const a = k.read('a', [0n, 2n ** 32n]);
    const b = k.read('b', [0n, 2n ** 31n]);
    expect(() => k.mul(a, b)).not.toThrow();
    expect(() => k.mul(a, a)).toThrow(BoundError);
    expect(() => k.add(k.mul(a, b), k.mul(a, b))).toThrow(BoundError);
    expect(() => k.shl(a, 32)).toThrow(BoundError);
  });

  it('refuses what may go below zero', () => {
    const k = new Kernel('u64');
    const a = k.read('a', [5n, 10n]);
    expect(() => k.sub(a, k.constant(5n))).not.toThrow();
    expect(() => k.sub(a, k.constant(6n))).toThrow(BoundError);
  });

  it('refuses to write what may not fit its bound', () => {
    const k = new Kernel('u64');
    const a = k.read('a', [0n, 2n ** 29n]);
    expect(() => k.write('out', a, 2n ** 29n)).not.toThrow();
    expect(() => k.write('out', a, 2n ** 29n - 1n)).toThrow(BoundError);
  });

  it('refuses to join bits that may overlap', () => {
    const k = new Kernel('u64');
    const low = k.read('low', [0n, 2n ** 20n]);
    expect(() => k.join(k.shl(low, 21), low, 21)).not.toThrow();
    expect(() => k.join(k.shl(low, 20), low, 20)).toThrow(BoundError);
  });

  it('keeps the sign of signed carries', () => {
    const k = new Kernel('i64');
    const carry = k.shr(k.read('a', [-5n, 300n]), 8);
    expect([carry.lo, carry.hi]).toEqual([-1n, 1n]);
    const rest = k.low(k.read('a', [-5n, 300n]), 8);
    expect([rest.lo, rest.hi]).toEqual([0n, 255n]);
  });

  it('refuses a name twice', () => {
    const k = new Kernel('u64');
    k.let('a', k.constant(1n));
    expect(() => k.let('a', k.constant(2n))).toThrow(/already/);
  });
});

describe('the field kernels', () => {
  it('are refused with a bias that is one bit narrower in one limb', () => {
    for (let limb = 0; limb < BIAS.length - 1; limb++) {
      // Still the same multiple of p: the limb loses 2^29, the next one gains 1.
      const narrow = BIAS.with(limb, BIAS[limb]! - 2n ** 29n).with(limb + 1, BIAS[limb + 1]! + 1n);
      expect(integerOf(narrow)).toBe(integerOf(BIAS));
      expect(() => generate({ bias: narrow }), `limb ${limb}`).toThrow(/a\.l\d .* may leave u32/);
      expect(() => generate({ bias: narrow }), `limb ${limb}`).toThrow(BoundError);
    }
  });

  it('are refused with a bias that is half as large', () => {
    const half = BIAS.map((limb) => limb / 2n);
    expect(integerOf(half) % p).toBe(0n);
    expect(() => generate({ bias: half })).toThrow(BoundError);
  });

  it('are refused with a bias that is no multiple of p', () => {
    expect(() => generate({ bias: BIAS.with(0, BIAS[0]! + 1n) })).toThrow(ProofError);
  });
});

it('what is committed is what the generator writes', () => {
  execFileSync('node', ['scripts/kernels/generate.mjs', '--check']);
});
