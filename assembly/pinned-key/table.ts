// The multiples d 256^i P of a point for 1 <= d <= 128 and 0 <= i < 32, affine: u P is a sum of at most 32 of them, without a
// doubling. A digit is in [-127, 128], and u or n - u is at most 2^255, so that no carry leaves the last.

import { ORDER } from './curve';
import { sub256 } from './numbers';
import { addLater, addWaiting, Affine, AFFINE_BYTES, copyPoint, copySigned, double } from './point';

const WINDOWS: usize = 32;
const MULTIPLES: usize = 128;

// @ts-ignore: decorator
@inline
function entry(table: usize, window: usize, multiple: usize): Affine {
  return changetype<Affine>(table + (window * MULTIPLES + multiple - 1) * AFFINE_BYTES);
}

/** Completes the table of the point that is its first entry. */
export function buildTable(table: usize): void {
  for (let window: usize = 0; window < WINDOWS; window++) {
    if (window > 0) double(entry(table, window, 1), entry(table, window - 1, MULTIPLES));
    for (let m: usize = 1; m < MULTIPLES; m <<= 1) double(entry(table, window, 2 * m), entry(table, window, m));
  }
  // from the multiples up to m those below 2m: an inversion for all windows
  for (let m: usize = 2; m < MULTIPLES; m <<= 1) {
    for (let window: usize = 0; window < WINDOWS; window++) {
      for (let k: usize = 1; k < m; k++) {
        const sum = entry(table, window, m + k);
        copyPoint(sum, entry(table, window, k));
        addLater(sum, entry(table, window, m)); // never equal or opposite
      }
    }
    addWaiting();
  }
}

/** Copies the points of which u P is the sum to `points`; gives the end of them. Changes u. */
export function takeMultiples(points: usize, table: usize, u: usize): usize {
  const flipped = load<i64>(u, 24) < 0;
  if (flipped) sub256(u, ORDER, u);
  let carry = 0;
  for (let window: usize = 0; window < WINDOWS; window++) {
    let digit = <i32>load<u8>(u + window) + carry;
    carry = i32(digit > 128);
    digit -= carry << 8;
    if (digit == 0) continue;
    copySigned(changetype<Affine>(points), entry(table, window, abs(digit)), (digit < 0) != flipped);
    points += AFFINE_BYTES;
  }
  if (!ASC_NO_ASSERT) assert(carry == 0);
  return points;
}
