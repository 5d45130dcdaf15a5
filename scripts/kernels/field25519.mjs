// Kernels for the field of integers modulo p = 2^255 - 19: assembly/ed25519/field-kernels.ts.
//
// Nine limbs of 29 bits, 2^261 = 1216 (mod p). Three classes bound the limbs of an element in memory, so that sums
// and differences need no carries before they are multiplied:
//   Field   what multiplications and carried operations write
//   Sum     a sum of two Field, or a negated Field
//   Loose   a difference of two Field, or 2a + b
// Each is a subclass of the next: the compiler checks that an operand's class is one that the kernel accepts.

import { Kernel } from './core.mjs';
import {
  BITS,
  carry,
  indices,
  LIMBS,
  limbsOf,
  loadBytes,
  nameAll,
  productColumns,
  split,
  squareColumns,
  storeBytes,
  subtractOnce,
  uniform,
  writeLimbs,
} from './limbs.mjs';
import { bytesAt, elementOf, means, meansReduced } from './meaning.mjs';

export const P = 2n ** 255n - 19n;
export const FOLD = 1216n; // 2^261 mod p
export const FIELD = uniform(2n ** 29n + 2n ** 14n);
const SUM = FIELD.map((max) => 2n * max);
export const LOOSE = FIELD.map((max) => 3n * max);
const BOUNDS = { Field: FIELD, Sum: SUM, Loose: LOOSE };

/** 128p in limbs of nearly 2^30: added before a Field is subtracted, no limb goes below zero. */
export const BIAS = indices(LIMBS).map((i) => (i === 0 ? 2n ** 30n - 2432n : 2n ** 30n - 2n));

export const output = 'assembly/ed25519/field-kernels.ts';

export function generate({ bias = BIAS } = {}) {
  const carried = (k, values) => {
    const named = nameAll(k, 'x', values);
    const over = named.map((value) => k.shr(value, BITS));
    const wrapped = k.mul(over[LIMBS - 1], k.constant(FOLD));
    return named.map((value, i) => k.add(k.low(value, BITS), i === 0 ? wrapped : over[i - 1]));
  };
  const withBias = (k, a) => a.map((limb, i) => k.add(limb, k.constant(bias[i])));
  const difference = (k, a, b) => withBias(k, a).map((limb, i) => k.sub(limb, b[i]));
  const sum = (k, a, b) => a.map((limb, i) => k.add(limb, b[i]));
  const doubled = (k, a) => a.map((limb) => k.shl(limb, 1));

  /** `doc` is the equation that is proved, modulo p, of what `compute` gives. */
  const operation = (name, doc, out, operands, compute) => {
    const k = new Kernel();
    const limbs = operands.map(([operand, type]) => limbsOf(k, operand, BOUNDS[type]));
    writeLimbs(k, 'out', compute(k, ...limbs), BOUNDS[out]);
    means(k, doc, P);
    const parameters = [['out', out], ...operands].map(([operand, type]) => `${operand}: ${type}`);
    const asserts = operands.map(([operand, type]) => `  if (!ASC_NO_ASSERT) assert${type}(${operand});\n`);
    return `/** ${doc} */
export function ${name}(${parameters.join(', ')}): void {
${asserts.join('')}${k.body()}}
`;
  };
  const product = (k, a, b) => reduce(k, productColumns(k, a, b));
  const square = (k, a) => reduce(k, squareColumns(k, a));

  const F = (name) => [name, 'Field'];
  const S = (name) => [name, 'Sum'];
  const kernels = [
    operation('mul', 'out = a * b', 'Field', [['a', 'Loose'], S('b')], (k, a, b) =>
      product(k, nameAll(k, 'a', a), nameAll(k, 'b', b)),
    ),
    operation('sqr', 'out = a^2', 'Field', [S('a')], (k, a) => square(k, nameAll(k, 'a', a))),
    operation('mulSum', 'out = (a + b) * c', 'Field', [F('a'), F('b'), S('c')], (k, a, b, c) =>
      product(k, nameAll(k, 'a', sum(k, a, b)), nameAll(k, 'b', c)),
    ),
    operation('mulDifference', 'out = (a - b) * c', 'Field', [F('a'), F('b'), S('c')], (k, a, b, c) =>
      product(k, nameAll(k, 'a', difference(k, a, b)), nameAll(k, 'b', c)),
    ),
    operation('sqrSum', 'out = (a + b)^2', 'Field', [F('a'), F('b')], (k, a, b) =>
      square(k, nameAll(k, 'a', sum(k, a, b))),
    ),
    operation('add', 'out = a + b', 'Sum', [F('a'), F('b')], sum),
    operation('addCarried', 'out = a + b', 'Field', [F('a'), F('b')], (k, a, b) => carried(k, sum(k, a, b))),
    operation('sub', 'out = a - b', 'Loose', [F('a'), F('b')], difference),
    operation('subCarried', 'out = a - b', 'Field', [F('a'), F('b')], (k, a, b) =>
      carried(k, difference(k, a, b)),
    ),
    operation('doubleAdd', 'out = 2a + b', 'Loose', [F('a'), F('b')], (k, a, b) => sum(k, doubled(k, a), b)),
    operation('doubleSubCarried', 'out = 2a - b', 'Field', [F('a'), ['b', 'Loose']], (k, a, b) =>
      carried(
        k,
        doubled(k, withBias(k, a)).map((limb, i) => k.sub(limb, b[i])),
      ),
    ),
    operation('negCarried', 'out = -a', 'Field', [F('a')], (k, a) =>
      carried(
        k,
        a.map((limb, i) => k.sub(k.constant(bias[i]), limb)),
      ),
    ),
    negIf(bias),
    swapIf(),
    copy(),
    fromBytes(),
    toBytes(),
  ];
  return [header(), classes(), constants(), ...kernels].join('\n');
}

/** Columns 0 ... 16 of a product, down to the bounds of a Field. */
function reduce(k, columns) {
  carry(k, columns, LIMBS, 2 * LIMBS - 1, 'h');
  const folded = indices(LIMBS).map((i) =>
    k.let(`f${i}`, k.add(columns[i], k.mul(columns[i + LIMBS], k.constant(FOLD)))),
  );
  carry(k, folded, 0, LIMBS - 1, 'l');
  const over = k.shr(folded[LIMBS - 1], BITS);
  folded[LIMBS - 1] = k.low(folded[LIMBS - 1], BITS);
  folded[0] = k.let('rs0', k.add(folded[0], k.mul(over, k.constant(FOLD))));
  carry(k, folded, 0, 2, 'r');
  return folded;
}

/** The bias is below the bound of a Sum, so a negated Field is a Sum without a carry. */
function negIf(bias) {
  const k = new Kernel();
  const a = nameAll(k, 'a', limbsOf(k, 'a', FIELD));
  const negated = nameAll(
    k,
    'n',
    a.map((limb, i) => k.sub(k.constant(bias[i]), limb)),
  );
  writeLimbs(
    k,
    'out',
    a.map((limb, i) => k.select('mask', negated[i], limb)),
    SUM,
  );
  means(k, 'out = mask ? -a : a', P);
  return `/** out = mask ? -a : a, where mask is all zeros or all ones, without a branch. */
export function negIf(out: Sum, a: Field, mask: u64): void {
  if (!ASC_NO_ASSERT) assertField(a);
${k.body()}}
`;
}

function swapIf() {
  const k = new Kernel();
  const a = nameAll(k, 'a', limbsOf(k, 'a', FIELD));
  const b = nameAll(k, 'b', limbsOf(k, 'b', FIELD));
  writeLimbs(
    k,
    'a',
    a.map((limb, i) => k.select('mask', b[i], limb)),
    FIELD,
  );
  writeLimbs(
    k,
    'b',
    a.map((limb, i) => k.select('mask', limb, b[i])),
    FIELD,
  );
  means(k, 'a = mask ? b : a', P);
  means(k, 'b = mask ? a : b', P);
  return `/** Swaps a and b where mask is all ones, without a branch; leaves them where it is zero. */
export function swapIf(a: Field, b: Field, mask: u64): void {
  if (!ASC_NO_ASSERT) assertField(a);
  if (!ASC_NO_ASSERT) assertField(b);
${k.body()}}
`;
}

function copy() {
  const k = new Kernel();
  writeLimbs(k, 'out', limbsOf(k, 'a', FIELD), FIELD);
  means(k, 'out = a', P);
  return `export function copy(out: Field, a: Field): void {\n${k.body()}}\n`;
}

function fromBytes() {
  const k = new Kernel();
  writeLimbs(k, 'out', loadBytes(k, 'bytes', { totalBits: 255 }), FIELD);
  means(k, 'out = bytes', P, bytesAt(255));
  return `/** out = the low 255 bits of the 32 little-endian bytes; values from p to 2^255 - 1 are accepted. */
export function fromBytes(out: Field, bytes: usize): void {
${k.body()}}
`;
}

/** After the first pass the value is below 2^255 + 19 * 2^7 < 2p. */
function toBytes() {
  const k = new Kernel();
  const top = LIMBS - 1;
  const x = nameAll(k, 'a', limbsOf(k, 'a', FIELD));
  carry(k, x, 0, top, 'u');
  const over = k.let('uover', k.shr(x[top], 23));
  x[top] = k.let('utop', k.low(x[top], 23));
  x[0] = k.let('ulow', k.add(x[0], k.mul(over, k.constant(19n))));
  const reduction = subtractOnce(k, x, [19n], 23);
  storeBytes(k, 'bytes', x);
  meansReduced(k, 'bytes = a', P, elementOf, reduction);
  return `/** Writes a, fully reduced, as 32 little-endian bytes. */
export function toBytes(bytes: usize, a: Field): void {
  if (!ASC_NO_ASSERT) assertField(a);
${k.body()}}
`;
}

const header =
  () => `// Generated by scripts/kernels/generate.mjs from field25519.mjs: edit that, then run it again.
//
// Integers modulo p = 2^255 - 19 in nine limbs of 29 bits, least significant first. Every kernel keeps its limbs in
// locals, has neither branch nor loop, reads a limb of its operands before it writes that limb (so out may be any
// operand), and was proved, for all operands within the bounds of their classes, not to overflow (by intervals) and to
// compute what its comment says (as an identity of polynomials modulo p).
`;

/** RFC 8032 §5.1, computed from the definitions there. */
function constants() {
  const power = (base, exponent) => {
    let result = 1n;
    for (let b = base, e = exponent; e > 0n; b = (b * b) % P, e >>= 1n) if (e & 1n) result = (result * b) % P;
    return result;
  };
  const over = (a, b) => (a * power(b, P - 2n)) % P;
  const d = over(P - 121665n, 121666n);
  const baseY = over(4n, 5n);
  const sqrtMinusOne = power(2n, (P - 1n) / 4n);
  const evenRoot = (square) => {
    let root = power(square, (P + 3n) / 8n);
    if ((root * root) % P !== square) root = (root * sqrtMinusOne) % P;
    return root & 1n ? P - root : root;
  };
  const baseX = evenRoot(over(baseY ** 2n - 1n, d * baseY ** 2n + 1n));
  const values = {
    ONE: ['1', 1n],
    D: ['d = -121665/121666, of the curve -x^2 + y^2 = 1 + d x^2 y^2', d],
    D2: ['2d', (2n * d) % P],
    SQRT_MINUS_ONE: ['2^((p-1)/4)', sqrtMinusOne],
    BASE_X: ['x of the base point', baseX],
    BASE_Y: ['y of the base point', baseY],
  };
  return Object.entries(values)
    .map(([name, [what, value]]) => {
      const words = split(value).map((limb) => `0x${limb.toString(16).padStart(8, '0')}`);
      const lines = [words.slice(0, 5), words.slice(5)].map((line) => `    ${line.join(', ')},\n`).join('');
      return `/** ${what} */
export const ${name} = changetype<Field>(
  memory.data<u32>([
${lines}  ]),
);
`;
    })
    .join('');
}

function classes() {
  const describe = {
    Loose: 'A difference of two Field, or 2a + b',
    Sum: 'A sum of two Field, or a negated one',
    Field: 'What multiplications and carried operations write',
  };
  const parent = { Loose: '', Sum: ' extends Loose', Field: ' extends Sum' };
  const limbs = indices(LIMBS)
    .map((i) => `  l${i}: u32;\n`)
    .join('');
  return Object.keys(describe)
    .map((name) => {
      const body = name === 'Loose' ? `{\n${limbs}}` : '{}';
      const max = `0x${BOUNDS[name][0].toString(16)}`;
      const checks = indices(LIMBS)
        .map((i) => `  assert(a.l${i} <= ${max});\n`)
        .join('');
      return `/** ${describe[name]}: limbs at most ${max}. */
@unmanaged
export class ${name}${parent[name]} ${body}

function assert${name}(a: ${name}): void {
${checks}}
`;
    })
    .join('\n');
}
