// Kernels that compute two things side by side, in the two lanes of a v128. What core.mjs proves of a value holds in
// either lane, since all that is done to one is done to the other.
//
// A value of type u64 fills both lanes. One of type u32 is packed: a v128 has the limb of both elements in its words 0
// and 1, or two limbs of both in four words. Products of packed values are u64; a factor that is not packed yet, but
// fits 32 bits, is packed first. Constants come from memory: some engines build a v128 constant anew wherever it is
// used, which takes as long as three additions.

import { BoundError, Kernel } from './core.mjs';

const ATOM = 4;
const WORD = 2n ** 32n - 1n;
const lanes = ({ type }) => (type === 'u32' ? 'i32x4' : 'i64x2');
const factor = ({ text, packed }) => (packed ? text : `i32x4.shuffle(${text}, ${text}, 0, 2, 0, 2)`);

/** `constant` gives the name of the v128 that has the number in every 32-bit or in every 64-bit word. */
const notation = (constant) => ({
  add: ([first, ...others]) => [
    others.reduce((sum, term) => `${lanes(first)}.add(${sum}, ${term.text})`, first.text),
    ATOM,
  ],
  sub: (a, b) => [`${lanes(a)}.sub(${a.text}, ${b.text})`, ATOM],
  mul: (a, b) => [`i64x2.extmul_low_i32x4_u(${factor(a)}, ${factor(b)})`, ATOM],
  shl: (a, bits) => [`${lanes(a)}.shl(${a.text}, ${bits})`, ATOM],
  shr: (a, bits) => [`${lanes(a)}.shr_u(${a.text}, ${bits})`, ATOM],
  mask: (a, mask) => [`v128.and(${a.text}, ${constant(mask, a.type === 'u32' ? 32 : 64)})`, ATOM],
  select: (mask, a, b) => [`v128.xor(${b.text}, v128.and(v128.xor(${a.text}, ${b.text}), ${mask}))`, ATOM],
  constant: (n) => [constant(n, 32), ATOM],
});

export class LaneKernel extends Kernel {
  constructor(constant) {
    super('u64', { notation: notation(constant), wordType: 'v128' });
  }

  /** A limb of both elements in memory. */
  limb(name, interval) {
    return this.read(name, interval, 'u32');
  }

  /** A number in words of 32 bits, read as `text`. */
  number(n, text) {
    const value = this.constant(n);
    if ((text ?? value.text) === undefined) throw new Error(`no v128 has the number ${n}`);
    return like(value, { text: text ?? value.text, type: 'u32' });
  }

  /** Keeps a packed value packed. */
  let(name, value) {
    return like(super.let(name, value), { type: value.type });
  }

  add(...terms) {
    ofOneType(terms);
    return super.add(...terms);
  }

  sub(a, b) {
    ofOneType([a, b]);
    return super.sub(a, b);
  }

  mul(a, b) {
    for (const { text, lo, hi } of [a, b])
      if (lo < 0n || hi > WORD) throw new BoundError(`${text} in [${lo}, ${hi}] may leave u32`);
    return super.mul(...[a, b].map((value) => like(value, { type: 'u64', packed: value.type === 'u32' })));
  }

  /**
   * The next six are for words with two limbs, which are lists of the value in the lower half and of that in the upper
   * half: two values with one text. Where the lanes do not go the same way, there are four: the even and the odd lane's in
   * the lower half, and those in the upper half. Where there is no upper half, what is in it is ignored.
   */
  word(text, ...limbs) {
    return limbs.map((limb) => like(limb, { text }));
  }

  each(operation, ...words) {
    return words[0].map((_, half) =>
      operation.apply(
        this,
        words.map((word) => word[half]),
      ),
    );
  }

  /** Four values of two words, by the indices that i32x4.shuffle takes. */
  shuffle(a, b, ...lanes) {
    const text = `i32x4.shuffle(${a[0].text}, ${b[0].text}, ${lanes.join(', ')})`;
    const chosen = lanes.map((lane) => (lane < 4 ? a[lane] : b[lane - 4]));
    return this.word(text, ...chosen.filter((limb) => limb !== undefined));
  }

  /** Two halves of two words, by the indices that i64x2.shuffle takes; a half has one value, or one for each lane. */
  shuffleHalves(a, b, lanes, ...halves) {
    const chosen = halves.flatMap((half) => {
      const start = lanes * (half & 1);
      return (half < 2 ? a : b).slice(start, start + lanes);
    });
    return this.word(`i64x2.shuffle(${a[0].text}, ${b[0].text}, ${halves.join(', ')})`, ...chosen);
  }

  letWord(name, word) {
    oneText(word);
    const lower = this.let(name, word[0]);
    return word.map((value) => like(value, { text: name, binding: lower.binding, places: [] }));
  }

  emitWord(targets, word, max, statement) {
    oneText(word);
    for (const [i, value] of word.entries())
      this.emit(targets[i], value, max, (text) => (i === 0 ? statement(text) : undefined));
  }
}

/** The same value with other properties. */
const like = (value, properties) =>
  Object.assign(Object.create(Object.getPrototypeOf(value)), value, properties);

function ofOneType(values) {
  if (new Set(values.map(lanes)).size > 1) throw new TypeError('packed values and others do not mix');
}

function oneText(word) {
  for (const { text } of word)
    if (text !== word[0].text) throw new TypeError(`${word[0].text} is not what all have: ${text}`);
}
