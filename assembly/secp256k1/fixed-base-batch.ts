// k G for many secret k at once, as in fixed-base.ts but with affine additions: 5M + 1S each, as all that happen at the
// same time share the inversion of their differences (Montgomery's trick, https://doi.org/10.1090/S0025-5718-1987-0866113-7).
//
// The windows 0 ... 41 of a scalar are cut into chains of equal length, which are summed side by side, then merged, then
// window 42 is added. No two points that meet are equal or opposite, so no difference is 0, which would spoil the whole
// batch: the sum S of windows a ... b - 1 is 64^a times an odd number, and |S| < 64^b. To it is added T, window b or the
// sum of windows b ... c - 1, a multiple of 64^b other than 0. So T +- S is not 0, and below 64^42 < n in size. For window
// 42, see fixed-base.ts.

import { copyField, FIELD_BYTES, invert, ONE, toBytes } from './field';
import { Field, mul, sub } from './field-kernels';
import { buildTable, DIGITS_BYTES, recode, selectEntry, WINDOWS } from './fixed-base';
import { addAffine, Affine, AFFINE_BYTES } from './point';
import { BATCH_MULT, MULT_SPACE } from './space';

const CHAINED: usize = WINDOWS - 1;

/** The product of the differences so far, then the inverse of that of those that are left. */
const RUNNING = changetype<Field>(MULT_SPACE + 120);
const INVERSE = changetype<Field>(MULT_SPACE + 160);

const DIGITS = BATCH_MULT; // 64 * DIGITS_BYTES
const ADDITIONS = BATCH_MULT + 2560; // 201 * ADDITION_BYTES

/** A sum, what is added to it, their difference in x, and the product of the differences before this one. */
@unmanaged
class Addition {
  get sum(): Affine { return changetype<Affine>(changetype<usize>(this)); }
  get entry(): Affine { return changetype<Affine>(changetype<usize>(this) + AFFINE_BYTES); }
  get difference(): Field { return changetype<Field>(changetype<usize>(this) + 2 * AFFINE_BYTES); }
  get product(): Field { return changetype<Field>(changetype<usize>(this) + 2 * AFFINE_BYTES + FIELD_BYTES); }
}
const ADDITION_BYTES: usize = 240;

/** Many chains make few inversions; 64 * 3, 32 * 6 and 13 * 14 of them are what there is space for. */
function chainsFor(count: usize): usize {
  return count > 32 ? 3 : count > 13 ? 6 : 14;
}

/** The x and y of k G, 32 normalized little-endian bytes each, for every k in [1, n - 1] at `scalars`. */
export function multiplyBaseBatch(points: usize, scalars: usize, count: usize): void {
  buildTable();
  const chains = chainsFor(count), length = CHAINED / chains;
  for (let i: usize = 0; i < count; i++) recode(DIGITS + i * DIGITS_BYTES, scalars + 32 * i);
  for (let step: usize = 0; step < length; step++) {
    for (let i: usize = 0; i < count; i++) {
      for (let chain: usize = 0; chain < chains; chain++) {
        const addition = additionAt(i * chains + chain);
        selectEntry(step == 0 ? addition.sum : addition.entry, DIGITS + i * DIGITS_BYTES, chain * length + step);
      }
    }
    if (step > 0) addAll(count, chains, 1, chains);
  }
  for (let gap: usize = 1; gap < chains; gap <<= 1) {
    for (let i: usize = 0; i < count * chains - gap; i++) copyAffine(additionAt(i).entry, additionAt(i + gap).sum);
    addAll(count, chains, gap << 1, chains - gap);
  }
  for (let i: usize = 0; i < count; i++) {
    selectEntry(additionAt(i * chains).entry, DIGITS + i * DIGITS_BYTES, CHAINED);
  }
  addAll(count, chains, chains, 1);
  for (let i: usize = 0; i < count; i++) {
    const sum = additionAt(i * chains).sum;
    toBytes(points + 64 * i, sum.x);
    toBytes(points + 64 * i + 32, sum.y);
  }
}

function additionAt(i: usize): Addition {
  return changetype<Addition>(ADDITIONS + i * ADDITION_BYTES);
}

function copyAffine(to: Affine, from: Affine): void {
  copyField(to.x, from.x);
  copyField(to.y, from.y);
}

/** sum += entry for the chains 0, step, 2 step, ... below `end` of every scalar. */
function addAll(count: usize, chains: usize, step: usize, end: usize): void {
  copyField(RUNNING, ONE);
  for (let i: usize = 0; i < count; i++) {
    for (let chain: usize = 0; chain < end; chain += step) {
      const addition = additionAt(i * chains + chain);
      sub(addition.difference, addition.entry.x, addition.sum.x);
      copyField(addition.product, RUNNING);
      mul(RUNNING, RUNNING, addition.difference);
    }
  }
  invert(RUNNING, RUNNING);
  for (let i = count; i-- > 0; ) {
    for (let chain = (end + step - 1) / step * step; chain > 0; ) {
      chain -= step;
      const addition = additionAt(i * chains + chain);
      mul(INVERSE, RUNNING, addition.product);
      mul(RUNNING, RUNNING, addition.difference);
      addAffine(addition.sum, addition.entry, addition.difference, INVERSE);
    }
  }
}
