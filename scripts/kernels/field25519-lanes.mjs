// Kernels for two elements modulo p = 2^255 - 19 at a time: assembly/ed25519/field-lanes-kernels.ts.
//
// The limbs are those of field25519.mjs, with the same bounds. In memory limb i of both elements lies side by side, so
// that a 128-bit word has two limbs of each, and five words have all nine; what fills up the fifth is ignored.

import { BIAS, FIELD, FOLD, LOOSE, P } from './field25519.mjs';
import { LaneKernel } from './lanes.mjs';
import { BITS, carry, indices, LIMBS, limbAt, MASK, nameAll } from './limbs.mjs';
import { means } from './meaning.mjs';

const WORDS = 5;
const MAX = { FieldPair: FIELD[0], LoosePair: LOOSE[0] };
const NAMES = { [`${MASK}:64`]: 'lowWide', [`${MASK}:32`]: 'low', [`${FOLD}:32`]: 'fold' };
const MEMORY = { lowWide: 'LOW_WIDE', low: 'LOW', fold: 'FOLD' };

export const output = 'assembly/ed25519/field-lanes-kernels.ts';

export function generate({ bias = BIAS } = {}) {
  const F = (name) => [name, 'FieldPair'];
  const L = (name) => [name, 'LoosePair'];
  const difference = (k, a, b) =>
    a.map((word, i) => k.each(k.sub, k.each(k.add, word, biasWord(k, bias, i)), b[i]));
  const sum = (k, a, b) => a.map((word, i) => k.each(k.add, word, b[i]));
  const select = (k, a, b) => a.map((word, i) => k.each((x, y) => k.select('mask', x, y), word, b[i]));

  return [
    header(),
    classes(),
    constants(bias),
    operation('mulPair', ['out = a * b'], [F('out')], [L('a'), F('b')], (k) =>
      writeLimbs(k, F('out'), reduce(k, columns(k, readLimbs(k, L('a')), readLimbs(k, F('b'))))),
    ),
    operation(
      'sumAndDifference',
      ['sum = a + b', 'difference = a - b'],
      [F('sum'), L('difference')],
      [F('a'), F('b')],
      (k, a, b) => {
        writeWords(k, F('sum'), carried(k, sum(k, a, b)));
        writeWords(k, L('difference'), difference(k, a, b));
      },
    ),
    operation(
      'twiceSumAndDifference',
      ['sum = 2a + b', 'difference = 2a - b'],
      [L('sum'), F('difference')],
      [F('a'), F('b')],
      (k, a, b) => {
        const twice = a.map((word, i) =>
          k.letWord(
            `t${i}`,
            k.each((limb) => k.shl(limb, 1), word),
          ),
        );
        writeWords(k, L('sum'), sum(k, twice, b));
        writeWords(k, F('difference'), carried(k, difference(k, twice, b)));
      },
    ),
    operation('negatePairIf', ['out = mask ? -a : a'], [L('out')], [F('a')], (k, a) => {
      const negated = a.map((word, i) => k.letWord(`n${i}`, k.each(k.sub, biasWord(k, bias, i), word)));
      writeWords(k, L('out'), select(k, negated, a));
    }),
    operation('swapPairIf', ['a = mask ? b : a', 'b = mask ? a : b'], [], [F('a'), F('b')], (k, a, b) => {
      writeWords(k, F('a'), select(k, b, a));
      writeWords(k, F('b'), select(k, a, b));
    }),
  ].join('\n');
}

/** `equations` are what is proved, modulo p, of what `compute` writes; it is given the words of the operands. */
function operation(name, equations, results, operands, compute) {
  const k = new LaneKernel((n, bits) => NAMES[`${n}:${bits}`]);
  compute(k, ...(compute.length > 1 ? operands.map((operand) => readWords(k, operand)) : []));
  for (const equation of equations) means(k, equation, P);
  const body = k.body();
  const masked = equations.some((equation) => equation.includes('mask'));
  const parameters = [...results, ...operands].map(([parameter, type]) => `${parameter}: ${type}`);
  const asserts = operands.map(([operand, type]) => `  if (!ASC_NO_ASSERT) assert${type}(${operand});\n`);
  const loads = Object.entries(MEMORY)
    .filter(([constant]) => body.includes(`, ${constant})`))
    .map(([constant, address]) => `  const ${constant}: v128 = v128.load(${address});\n`);
  return `/** ${equations.join(', ')}${masked ? '; the mask is all ones or all zeros in each lane' : ''} */
export function ${name}(${[...parameters, ...(masked ? ['mask: v128'] : [])].join(', ')}): void {
${asserts.join('')}${loads.join('')}${body}}
`;
}

/** The nine limbs, as multiplication takes them. */
const readLimbs = (k, [name, type]) =>
  indices(LIMBS).map((i) => k.let(`${name}${i}`, k.limb(limbAt(name, i), [0n, MAX[type]])));

/** The five words of two limbs each, as additions take them. */
const readWords = (k, [name, type]) =>
  indices(WORDS).map((i) => {
    const limbs = limbsOfWord(name, i).map((limb) => k.limb(limb, [0n, MAX[type]]));
    return k.letWord(`${name}${i}`, k.word(`${name}.w${i}`, ...limbs));
  });

const limbsOfWord = (name, i) =>
  [2 * i, 2 * i + 1].filter((limb) => limb < LIMBS).map((limb) => limbAt(name, limb));

function writeWords(k, [name, type], words) {
  for (const [i, word] of words.entries())
    k.emitWord(limbsOfWord(name, i), word, MAX[type], (text) => `${name}.w${i} = ${text};`);
}

/** Writes nine limbs that fill lanes, two of them as one word; the last one also where no limb is. */
function writeLimbs(k, [name, type], limbs) {
  const named = nameAll(k, 'o', limbs);
  for (const i of indices(WORDS)) {
    const [lower, upper = lower] = [named[2 * i], named[2 * i + 1]];
    const statement = `${name}.w${i} = i32x4.shuffle(${lower.text}, ${upper.text}, 0, 2, 4, 6);`;
    for (const [half, target] of limbsOfWord(name, i).entries())
      k.emit(target, half === 0 ? lower : upper, MAX[type], () => (half === 0 ? statement : undefined));
  }
}

const biasWord = (k, bias, i) =>
  bias.slice(2 * i, 2 * i + 2).map((limb) => k.number(limb, `v128.load(BIAS, ${16 * i})`));

/** Takes the excess of every limb to the next one, and that of the last one, times 1216, to the first. */
function carried(k, words) {
  const named = words.map((word, i) => k.letWord(`x${i}`, word));
  const over = named.map((word, i) =>
    k.letWord(
      `v${i}`,
      k.each((limb) => k.shr(limb, BITS), word),
    ),
  );
  const [last] = over[WORDS - 1];
  const wrapped = k.let('wrapped', k.add(...[10, 7, 6].map((bits) => k.shl(last, bits))));
  return named.map((word, i) => {
    const [before, text, halves] =
      i === 0 ? [wrapped, wrapped.text, '0, 2'] : [over[i - 1][1], `v${i - 1}`, '1, 2'];
    const moved = k.word(`i64x2.shuffle(${text}, v${i}, ${halves})`, before, over[i][0]);
    return k.each(
      k.add,
      k.each((limb) => k.low(limb, BITS), word),
      moved,
    );
  });
}

/** Columns 0 ... 16 of a * b, by Karatsuba's method on thirds: a_i b_j + a_j b_i = (a_i + a_j)(b_i + b_j) - a_i b_i - a_j b_j. */
function columns(k, a, b) {
  const third = (limbs, i) => limbs.slice(3 * i, 3 * i + 3);
  const products = indices(3).map((i) => nameAll(k, `p${i}`, product(k, third(a, i), third(b, i))));
  const cross = (i, j) => {
    const sums = (limbs, name) =>
      nameAll(
        k,
        `${name}${i}${j}`,
        third(limbs, i).map((limb, t) => k.add(limb, third(limbs, j)[t])),
      );
    const together = nameAll(k, `k${i}${j}`, product(k, sums(a, 'u'), sums(b, 'w')));
    return nameAll(
      k,
      `m${i}${j}`,
      together.map((column, c) => k.sub(k.sub(column, products[i][c]), products[j][c])),
    );
  };
  const parts = [
    [products[0], 0],
    [cross(0, 1), 3],
    [products[1], 6],
    [cross(0, 2), 6],
    [cross(1, 2), 9],
    [products[2], 12],
  ];
  const column = (c) => k.add(...parts.flatMap(([part, start]) => part[c - start] ?? []));
  return nameAll(k, 'c', indices(2 * LIMBS - 1).map(column));
}

/** The columns of a product of thirds. */
const product = (k, a, b) =>
  indices(2 * a.length - 1).map((c) =>
    k.add(...a.flatMap((limb, i) => (b[c - i] === undefined ? [] : [k.mul(limb, b[c - i])]))),
  );

/** As in field25519.mjs; the last carry may exceed 32 bits, so shifts multiply it. */
function reduce(k, values) {
  carry(k, values, LIMBS, 2 * LIMBS - 1, 'h');
  const fold = k.number(FOLD);
  const folded = nameAll(
    k,
    'f',
    indices(LIMBS).map((i) => k.add(values[i], k.mul(values[i + LIMBS], fold))),
  );
  carry(k, folded, 0, LIMBS - 1, 'l');
  const over = k.let('over', k.shr(folded[LIMBS - 1], BITS));
  folded[LIMBS - 1] = k.low(folded[LIMBS - 1], BITS);
  folded[0] = k.let('rs0', k.add(folded[0], ...[10, 7, 6].map((bits) => k.shl(over, bits))));
  carry(k, folded, 0, 2, 'r');
  return folded;
}

const header =
  () => `// Generated by scripts/kernels/generate.mjs from field25519-lanes.mjs: edit that, then run it again.
//
// Pairs of integers modulo p = 2^255 - 19, computed side by side in the two lanes of 128-bit words, with the limbs of
// field-kernels.ts. Every kernel has neither branch nor loop, reads its operands before it writes (so a result may be
// any operand), and was proved, in either lane and for all operands within the bounds of their classes, not to
// overflow (by intervals) and to compute what its comment says (as an identity of polynomials modulo p).
`;

function classes() {
  const limbs = indices(LIMBS).map((i) => accessor(`l${i}`, 'load64_zero', 8 * i));
  const words = indices(WORDS).flatMap((i) => [accessor(`w${i}`, 'load', 16 * i), setter(`w${i}`, 16 * i)]);
  return `/** A difference of two FieldPair, 2a + b, or a negated one: limbs at most ${hex(MAX.LoosePair)}. */
@unmanaged
export class LoosePair {
${limbs.join('')}${words.join('')}}

/** What multiplications and carried operations write: limbs at most ${hex(MAX.FieldPair)}. */
@unmanaged
export class FieldPair extends LoosePair {}

/** Bytes of a pair. */
export const PAIR_BYTES: usize = ${16 * WORDS};

${['LoosePair', 'FieldPair'].map(assertion).join('\n')}`;
}

const hex = (n) => `0x${n.toString(16)}`;
const accessor = (name, load, at) =>
  `  @inline get ${name}(): v128 { return v128.${load}(changetype<usize>(this), ${at}); }\n`;
const setter = (name, at) =>
  `  @inline set ${name}(word: v128) { v128.store(changetype<usize>(this), word, ${at}); }\n`;
const assertion = (name) => `function assert${name}(a: ${name}): void {
  for (let i: usize = 0; i < ${8 * LIMBS}; i += 4) assert(load<u32>(changetype<usize>(a) + i) <= ${hex(MAX[name])});
}
`;

/** Constants as whole words: engines build a v128.const anew wherever it is used. */
function constants(bias) {
  const data = (name, ...lines) =>
    `const ${name}: usize = memory.data<u32>([\n${lines.map((words) => `  ${words.map(hex).join(', ')},\n`).join('')}], 16);\n`;
  const biasLines = indices(WORDS).map((i) => {
    const [lower, upper = 0n] = bias.slice(2 * i, 2 * i + 2);
    return [lower, lower, upper, upper];
  });
  return [
    data('LOW_WIDE', [MASK, 0n, MASK, 0n]),
    data('LOW', [MASK, MASK, MASK, MASK]),
    data('FOLD', [FOLD, FOLD, FOLD, FOLD]),
    data('BIAS', ...biasLines),
  ].join('');
}
