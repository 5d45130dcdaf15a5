// Order statistics, and the ratio of two cells that were timed in the same rounds. A round that a neighbor on the machine
// slowed down slowed both cells, so the ratio within a round says more than the ratio of two medians.

/** The value below which a part of `share` (0 to 1) of the numbers lies, interpolated between neighbors. */
export function quantile(numbers, share) {
  if (numbers.length === 0) throw new RangeError('no numbers');
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at));
}

export const median = (numbers) => quantile(numbers, 0.5);

export const summary = (numbers) => ({
  median: median(numbers),
  quartiles: [quantile(numbers, 0.25), quantile(numbers, 0.75)],
});

/** How many times as long `theirs` took as `ours`, round by round. */
export function pairedRatios(ours, theirs) {
  if (ours.length !== theirs.length) throw new RangeError('not the same rounds');
  return theirs.map((time, round) => time / ours[round]);
}
