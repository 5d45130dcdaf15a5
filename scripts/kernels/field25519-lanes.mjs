// Kernels for two elements modulo p = 2^255 - 19 at a time: assembly/ed25519/field-lanes-kernels.ts.
//
// The limbs are those of field25519.mjs. A FieldPair has the same bounds; a SumPair is a sum of two of these, or a negated
// one, and a LoosePair a difference, or 2a + b, neither of them carried. In memory limb i of both elements lies side by side, so
// that a 128-bit word has two limbs of each, and five words have all nine; what fills up the fifth is ignored.

import { BIAS, curve, FIELD, FOLD, P } from './field25519.mjs';
import { LaneKernel } from './lanes.mjs';
import { BITS, carry, indices, LIMBS, limbAt, MASK, nameAll, split, squareColumns } from './limbs.mjs';
import { means } from './meaning.mjs';

const WORDS = 5;
const MAX = { FieldPair: FIELD[0], SumPair: 2n * FIELD[0], LoosePair: 3n * FIELD[0] };
const NAMES = { [`${MASK}:64`]: 'lowWide', [`${MASK}:32`]: 'low', [`${FOLD}:32`]: 'fold' };
const MEMORY = { lowWide: 'LOW_WIDE', low: 'LOW', fold: 'FOLD' };

export const output = 'assembly/ed25519/field-lanes-kernels.ts';

export function generate({ bias = BIAS } = {}) {
  const F = (name) => [name, 'FieldPair'];
  const S = (name) => [name, 'SumPair'];
  const L = (name) => [name, 'LoosePair'];
  const difference = (k, a, b) =>
    a.map((word, i) => k.each(k.sub, k.each(k.add, word, biasWord(k, bias, i, lanesOf(word, i))), b[i]));
  const sum = (k, a, b) => a.map((word, i) => k.each(k.add, word, b[i]));
  const select = (k, a, b) => a.map((word, i) => k.each((x, y) => k.select('mask', x, y), word, b[i]));

  return [
    header(),
    classes(),
    constants(bias),
    points(),
    operation('mulPair', ['out = a * b'], [F('out')], [L('a'), F('b')], (k) =>
      writeLimbs(k, F('out'), reduce(k, columns(k, readLimbs(k, L('a')), readLimbs(k, F('b'))))),
    ),
    operation('sqrPair', ['out = a^2'], [F('out')], [S('a')], (k) =>
      writeLimbs(k, F('out'), reduce(k, squareColumns(k, readLimbs(k, S('a'))))),
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
    crossing(
      'differenceAndSum',
      ['outEven = aOdd - aEven', 'outOdd = aOdd + aEven'],
      [F('out')],
      [F('a')],
      (k, a) => {
        const swapped = a.map((word, i) => k.letWord(`s${i}`, swap(k, word)));
        const out = a.map((word, i) =>
          even(k, difference(k, swapped, a)[i], k.each(k.add, word, swapped[i])),
        );
        writeLanes(k, F('out'), carried(k, out));
      },
    ),
    crossing(
      'exchangeOdd',
      ['outEven = aEven', 'outOdd = bOdd', 'otherEven = aOdd', 'otherOdd = bEven'],
      [F('out'), F('other')],
      [F('a'), F('b')],
      (k, a, b) => {
        writeLanes(
          k,
          F('out'),
          a.map((word, i) => even(k, word, b[i])),
        );
        writeLanes(
          k,
          F('other'),
          a.map((word, i) => k.shuffle(word, b[i], 1, 4, 3, 6)),
        );
      },
    ),
    crossing(
      'sumAndOdd',
      ['outEven = aEven + aOdd', 'outOdd = bOdd'],
      [S('out')],
      [F('a'), F('b')],
      (k, a, b) => {
        writeLanes(
          k,
          S('out'),
          a.map((word, i) => even(k, k.each(k.add, word, swap(k, word)), b[i])),
        );
      },
    ),
    crossing(
      'doublingDifferences',
      ['efEven = uEven - gOdd', 'efOdd = 2 uOdd - gEven', 'hgEven = gOdd', 'hgOdd = gEven'],
      [F('ef'), F('hg')],
      [F('u'), F('g')],
      (k, u, g) => {
        const hg = g.map((word, i) => k.letWord(`hg${i}`, swap(k, word)));
        const twice = u.map((word, i) => k.letWord(`t${i}`, even(k, word, k.each(k.add, word, word))));
        writeLanes(k, F('ef'), carried(k, difference(k, twice, hg)));
        writeLanes(k, F('hg'), hg);
      },
    ),
    crossing(
      'negateCached',
      ['outEven = aOdd', 'outOdd = aEven', 'otherEven = -bEven', 'otherOdd = bOdd'],
      [F('out'), S('other')],
      [F('a'), F('b')],
      (k, a, b) => {
        writeLanes(
          k,
          F('out'),
          a.map((word) => swap(k, word)),
        );
        writeLanes(
          k,
          S('other'),
          b.map((word, i) => even(k, k.each(k.sub, biasWord(k, bias, i, 2), word), word)),
        );
      },
    ),
  ].join('\n');
}

/** `equations` are what is proved, modulo p, of what `compute` writes; it is given the words of the operands. */
function operation(name, equations, results, operands, compute, read = readWords) {
  const k = new LaneKernel((n, bits) => NAMES[`${n}:${bits}`]);
  compute(k, ...(compute.length > 1 ? operands.map((operand) => read(k, operand)) : []));
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

/** An operation between the lanes: of an element `a` that is read or written, aEven and aOdd are one lane each. */
const crossing = (name, equations, results, operands, compute) =>
  operation(name, equations, results, operands, compute, readLanes);

/** The nine limbs, as multiplication takes them. */
const readLimbs = (k, [name, type]) =>
  indices(LIMBS).map((i) => k.let(`${name}${i}`, k.limb(limbAt(name, i), [0n, MAX[type]])));

/** The five words of two limbs each, as additions take them. */
const readWords = (k, [name, type]) =>
  indices(WORDS).map((i) => {
    const limbs = limbsOfWord(name, i).map((limb) => k.limb(limb, [0n, MAX[type]]));
    return k.letWord(`${name}${i}`, k.word(`${name}.w${i}`, ...limbs));
  });

/** The same five words, with the limbs of each lane by itself. */
const readLanes = (k, [name, type]) =>
  indices(WORDS).map((i) => {
    const limbs = lanesOfWord(name, i).map((limb) => k.limb(limb, [0n, MAX[type]]));
    return k.letWord(`${name}${i}`, k.word(`${name}.w${i}`, ...limbs));
  });

const lanesOfWord = (name, i) =>
  limbsOfWord(name, i).flatMap((limb) => ['Even', 'Odd'].map((lane) => limb.replace('.', `${lane}.`)));

function writeLanes(k, [name, type], words) {
  for (const [i, word] of words.entries())
    k.emitWord(lanesOfWord(name, i), word, MAX[type], (text) => `${name}.w${i} = ${text};`);
}

/** How many values stand for one limb in a word: 2 where the lanes are told apart. */
const lanesOf = (word, i) => word.length / limbsOfWord('', i).length;

const swap = (k, word) => k.shuffle(word, word, 1, 0, 3, 2);
/** The even lane of a, the odd one of b. */
const even = (k, a, b) => k.shuffle(a, b, 0, 5, 2, 7);

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

const biasWord = (k, bias, i, lanes = 1) =>
  bias
    .slice(2 * i, 2 * i + 2)
    .flatMap((limb) => indices(lanes).map(() => k.number(limb, `v128.load(BIAS, ${16 * i})`)));

/** Takes the excess of every limb to the next one, and that of the last one, times 1216, to the first. */
function carried(k, words) {
  const named = words.map((word, i) => k.letWord(`x${i}`, word));
  const over = named.map((word, i) =>
    k.letWord(
      `v${i}`,
      k.each((limb) => k.shr(limb, BITS), word),
    ),
  );
  const lanes = over[WORDS - 1].length;
  const wrapped = k.letWord(
    'wrapped',
    k.each((last) => k.add(...[10, 7, 6].map((bits) => k.shl(last, bits))), over[WORDS - 1]),
  );
  return named.map((word, i) => {
    const moved =
      i === 0
        ? k.shuffleHalves(wrapped, over[0], lanes, 0, 2)
        : k.shuffleHalves(over[i - 1], over[i], lanes, 1, 2);
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

/** A sum of two FieldPair, or a negated one: limbs at most ${hex(MAX.SumPair)}. */
@unmanaged
export class SumPair extends LoosePair {}

/** What multiplications and carried operations write: limbs at most ${hex(MAX.FieldPair)}. */
@unmanaged
export class FieldPair extends SumPair {}

/** Bytes of a pair. */
export const PAIR_BYTES: usize = ${16 * WORDS};

${['LoosePair', 'SumPair', 'FieldPair'].map(assertion).join('\n')}`;
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

/** Pairs that points are made of. */
function points() {
  const { d, baseX, baseY } = curve();
  const pairs = {
    D2_AND_TWO: ['(2d, 2)', (2n * d) % P, 2n],
    ZERO_AND_ONE: ['(0, 1)', 0n, 1n],
    BASE_XY: ['x and y of the base point', baseX, baseY],
    BASE_TZ: ['their product, and 1', (baseX * baseY) % P, 1n],
  };
  return Object.entries(pairs)
    .map(([name, [what, inEven, inOdd]]) => {
      const odd = split(inOdd);
      const words = [...split(inEven).flatMap((limb, i) => [limb, odd[i]]), 0n, 0n].map(hex);
      const lines = [words.slice(0, 8), words.slice(8, 16), words.slice(16)].map(
        (line) => `    ${line.join(', ')},\n`,
      );
      return `/** ${what} */
export const ${name} = changetype<FieldPair>(
  memory.data<u32>([
${lines.join('')}  ], 16),
);
`;
    })
    .join('');
}

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
