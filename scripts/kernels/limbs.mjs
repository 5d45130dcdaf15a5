// What the two fields share: elements of nine 29-bit limbs in 32-bit words, read into locals, multiplied into
// seventeen 64-bit columns, carried, and packed into four 64-bit words. A bound is one largest value per limb.

export const LIMBS = 9;
export const BITS = 29;
export const MASK = (1n << 29n) - 1n;

export const indices = (count) => Array.from({ length: count }, (_, i) => i);

/** The nine limbs of an integer below 2^261. */
export const split = (x) => indices(LIMBS).map((i) => (x >> BigInt(BITS * i)) & MASK);

/** The integer that limbs stand for. */
export const join = (limbs) => limbs.reduce((x, limb, i) => x + (limb << BigInt(BITS * i)), 0n);

/** The same bound for all nine limbs. */
export const uniform = (max) => indices(LIMBS).map(() => max);

export const limbAt = (name, i) => `${name}.l${i}`;

/** Expressions for the limbs of the element `name`, to be used once each. */
export const limbsOf = (k, name, bound) =>
  indices(LIMBS).map((i) => k.read(limbAt(name, i), [0n, bound[i]], 'u32'));

/** Writes the limbs of the element `name`; throws where one could exceed its bound. */
export function writeLimbs(k, name, limbs, bound) {
  for (const [i, limb] of limbs.entries()) k.write(limbAt(name, i), limb, bound[i]);
}

/** Names the values v0 ... v8 (or more). */
export const nameAll = (k, prefix, values) => values.map((value, i) => k.let(`${prefix}${i}`, value));

/** Columns 0 ... 16 of a * b. */
export function productColumns(k, a, b) {
  return indices(2 * LIMBS - 1).map((column) => {
    const rows = indices(LIMBS).filter((i) => column - i >= 0 && column - i < LIMBS);
    return k.let(`c${column}`, k.add(...rows.map((i) => k.mul(a[i], b[column - i]))));
  });
}

/** Columns 0 ... 16 of a * a. */
export function squareColumns(k, a) {
  const doubled = a.slice(0, LIMBS - 1).map((limb, i) => k.let(`d${i}`, k.shl(limb, 1)));
  return indices(2 * LIMBS - 1).map((column) => {
    const rows = indices(LIMBS).filter((i) => i <= column - i && column - i < LIMBS);
    const terms = rows.map((i) => (i === column - i ? k.mul(a[i], a[i]) : k.mul(doubled[i], a[column - i])));
    return k.let(`c${column}`, k.add(...terms));
  });
}

/**
 * Carries limb by limb from values[from] up to values[to], which takes the last carry and is not masked.
 * `tag` keeps the names of this pass apart from those of the others. Changes the array in place.
 */
export function carry(k, values, from, to, tag, bits = BITS) {
  for (let i = from; i < to; i++) {
    const over = k.let(`${tag}q${i}`, k.shr(values[i], bits));
    values[i] = k.let(`${tag}${i}`, k.low(values[i], bits));
    values[i + 1] = values[i + 1] === undefined ? over : k.let(`${tag}s${i + 1}`, k.add(values[i + 1], over));
  }
}

/** Bits start ... start + 63 of the integer that carried limbs stand for. */
export function packWord(k, limbs, start, bits = BITS) {
  let packed;
  for (const [i, limb] of limbs.entries()) {
    const shift = bits * i - start;
    if (shift >= 64 || shift <= -bits) continue;
    if (packed === undefined) packed = k.shr(limb, -shift);
    else packed = k.join(k.shl(k.low(limb, 64 - shift), shift), packed, shift);
  }
  return packed;
}

/** Writes carried limbs, each below 2^29 and the top one as the total size allows, as 32 little-endian bytes. */
export function storeBytes(k, pointer, limbs, bits = BITS) {
  for (let word = 0; word < 4; word++) k.store64(pointer, packWord(k, limbs, 64 * word, bits), 8 * word);
}

/** The low `totalBits` of the little-endian integer in `bytes` bytes at `pointer`, as limbs. */
export function loadBytes(k, pointer, { bits = BITS, bytes = 32, totalBits = 8 * bytes } = {}) {
  return indices(Math.ceil(totalBits / bits)).map((i) => {
    const byte = Math.min((bits * i) >> 3, bytes - 8);
    const word = k.load64(pointer, byte);
    return k.low(k.shr(word, bits * i - 8 * byte), Math.min(bits, totalBits - bits * i));
  });
}

/** n * value for a small n: by shifts where one or two of them do. */
export function times(k, value, n) {
  if (BigInt(n) === 3n) return k.add(value, k.shl(value, 1));
  const bits = n.toString(2).length - 1;
  return BigInt(n) === 1n << BigInt(bits) ? k.shl(value, bits) : k.mul(value, k.constant(n));
}

/**
 * x - m where x >= m, for carried limbs of x below 2m, m = 2^w - complement: x + complement reaches 2^w just where
 * x >= m. The top limb takes `topBits`. Changes x in place, and gives what meaning.mjs needs to prove it.
 */
export function subtractOnce(k, x, complement, topBits) {
  const before = [...x];
  const top = x.length - 1;
  const remainders = [];
  let quotient;
  for (const i of indices(x.length)) {
    const addend = complement[i] ? [k.constant(complement[i])] : [];
    const raised = k.add(x[i], ...addend, ...(i === 0 ? [] : [quotient]));
    const bits = i === top ? topBits : BITS;
    remainders.push(k.low(raised, bits));
    quotient = k.let(i === top ? 'once' : `q${i}`, k.shr(raised, bits));
  }
  for (const [i, limb] of complement.entries()) {
    x[i] = k.let(`w${i}`, k.add(x[i], times(k, quotient, limb)));
  }
  carry(k, x, 0, top, 'y');
  x[top] = k.let('ytop', k.low(x[top], topBits));
  return { before, offset: join(complement), weight: BITS * top + topBits, quotient, remainders };
}
