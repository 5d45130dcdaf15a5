// The generator of kernels that compute in lanes: what it refuses beyond what the scalar one does.

import { describe, expect, it } from 'vitest';
import { BoundError } from '../../scripts/kernels/core.mjs';
import { BIAS } from '../../scripts/kernels/field25519.mjs';
import { generate } from '../../scripts/kernels/field25519-lanes.mjs';
import { LaneKernel } from '../../scripts/kernels/lanes.mjs';
import { ProofError } from '../../scripts/kernels/polynomial.mjs';

const kernel = () => new LaneKernel((n, bits) => `n${n}_${bits}`);

describe('lanes', () => {
  it('multiply what fits 32 bits, into 64', () => {
    const k = kernel();
    const a = k.limb('a', [0n, 2n ** 32n - 1n]);
    expect(k.mul(a, a).text).toBe('i64x2.extmul_low_i32x4_u(a, a)');
    expect(() => k.mul(a, k.read('b', [0n, 2n ** 32n]))).toThrow(BoundError);
    expect(() => k.mul(k.read('c', [0n, 2n ** 32n]), a)).toThrow(BoundError);
  });

  it('pack a factor that fills them', () => {
    const k = kernel();
    const product = k.mul(k.read('a', [0n, 5n]), k.number(1216n));
    expect(product.text).toBe('i64x2.extmul_low_i32x4_u(i32x4.shuffle(a, a, 0, 2, 0, 2), n1216_32)');
  });

  it('refuse packed values that may leave 32 bits, also once they have a name', () => {
    const k = kernel();
    const a = k.let('a0', k.limb('a', [0n, 2n ** 31n]));
    expect(k.add(a, k.limb('b', [0n, 2n ** 31n - 1n])).text).toBe('i32x4.add(a0, b)');
    expect(() => k.add(a, a)).toThrow(BoundError);
    expect(() => k.shl(a, 1)).toThrow(BoundError);
    expect(() => k.limb('c', [0n, 2n ** 32n])).toThrow(BoundError);
  });

  it('do not mix packed values with others', () => {
    const k = kernel();
    const [packed, wide] = [k.limb('a', [1n, 1n]), k.read('b', [1n, 1n])];
    expect(() => k.add(packed, wide)).toThrow(TypeError);
    expect(() => k.sub(wide, packed)).toThrow(TypeError);
  });

  it('refuse a word whose halves would need different code', () => {
    const k = kernel();
    const [small, large] = [k.limb('a', [0n, 1n]), k.limb('b', [0n, 7n])];
    const word = k.letWord('x', k.word('a.w0', small, large));
    const low = word.map((limb) => k.low(limb, 1)); // nothing to be done in the lower half
    expect(() => k.letWord('y', low)).toThrow(TypeError);
    expect(() => k.emitWord(['out.l0', 'out.l1'], low, 7n, (text) => text)).toThrow(TypeError);
  });

  it('know the carries of the two halves apart, though they have one text', () => {
    const k = kernel();
    const limbs = ['a.l0', 'a.l1'].map((name) => k.limb(name, [0n, 2n ** 31n]));
    const word = k.letWord('x', k.word('a.w0', ...limbs));
    const [lower, upper] = k.each((limb) => k.shr(limb, 29), word);
    expect(lower!.text).toBe(upper!.text);
    expect(lower!.polynomial.key).not.toBe(upper!.polynomial.key);
  });

  it('know the lanes apart where they are shuffled', () => {
    const k = kernel();
    const read = (name: string) =>
      k.letWord(name, k.word(name, ...['e0', 'o0', 'e1', 'o1'].map((limb) => k.limb(name + limb, [0n, 1n]))));
    const [a, b] = [read('a'), read('b')];
    const shuffled = k.shuffle(a, b, 1, 4, 3, 6);
    expect(shuffled.map(({ text }) => text)).toEqual(new Array(4).fill('i32x4.shuffle(a, b, 1, 4, 3, 6)'));
    const from = [a[1], b[0], a[3], b[2]];
    expect(shuffled.map(({ polynomial }) => polynomial.key)).toEqual(
      from.map((limb) => limb!.polynomial.key),
    );
    expect(k.shuffle(a.slice(0, 2), b.slice(0, 2), 1, 4, 3, 6)).toHaveLength(2);
    const moved = k.shuffleHalves(a, b, 2, 1, 2);
    expect(moved[0]!.text).toBe('i64x2.shuffle(a, b, 1, 2)');
    const halves = [a[2], a[3], b[0], b[1]];
    expect(moved.map(({ polynomial }) => polynomial.key)).toEqual(halves.map((limb) => limb!.polynomial.key));
  });

  it('check the bounds of both halves', () => {
    const k = kernel();
    const word = k.letWord('x', k.word('a.w0', k.limb('a', [0n, 1n]), k.limb('b', [0n, 7n])));
    expect(() => k.emitWord(['out.l0', 'out.l1'], word, 6n, (text) => text)).toThrow(BoundError);
  });
});

describe('the kernels for pairs', () => {
  it('are refused with a bias that is one bit narrower in one limb', () => {
    for (let limb = 0; limb < BIAS.length - 1; limb++) {
      const narrow = BIAS.with(limb, BIAS[limb]! - 2n ** 29n).with(limb + 1, BIAS[limb + 1]! + 1n);
      expect(() => generate({ bias: narrow }), `limb ${limb}`).toThrow(BoundError);
    }
  });

  it('are refused with a bias that is no multiple of p', () => {
    for (let limb = 0; limb < BIAS.length; limb++)
      expect(() => generate({ bias: BIAS.with(limb, BIAS[limb]! + 1n) }), `limb ${limb}`).toThrow(ProofError);
  });
});
