// Times cells beside each other, in Node and in pages alike. A cell is { call, per, async }: `call(i)` does its work on
// item i, which is `per` operations. In a round every cell runs for one block; rounds alternate in direction, so that no
// cell always follows the same one.

import { ITEMS } from './items.mjs';

/** `block`: milliseconds that a cell runs in a round. `warmUp`: operations before the first round. */
export const thorough = { rounds: 25, block: 12, warmUp: 400 };
export const quick = { rounds: 9, block: 4, warmUp: 400 };
/** Clocks in browsers may tick in milliseconds. */
export const inBrowsers = { rounds: 15, block: 40, warmUp: 400 };

/** For every cell the microseconds per operation of each round. */
export async function measure(cells, { rounds, block, warmUp }) {
  const prepared = [];
  for (const cell of cells) prepared.push({ cell, calls: await callsIn(cell, block, warmUp), times: [] });
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? prepared : prepared.toReversed();
    for (const { cell, calls, times } of order) {
      times.push(((await milliseconds(cell, calls)) * 1000) / (calls * (cell.per ?? 1)));
    }
  }
  return prepared.map(({ times }) => times);
}

/** Warms the cell up until optimizing compilers are done with it, and counts the calls that fill a block. */
async function callsIn(cell, block, warmUp) {
  await milliseconds(cell, Math.ceil(warmUp / (cell.per ?? 1)));
  for (let calls = 1; ; calls *= 2) {
    const took = await milliseconds(cell, calls);
    if (took >= block) return Math.max(1, Math.round((calls * block) / took));
  }
}

async function milliseconds({ call, async }, calls) {
  const start = performance.now();
  if (async) for (let i = 0; i < calls; i++) await call(i % ITEMS);
  else for (let i = 0; i < calls; i++) call(i % ITEMS);
  return performance.now() - start;
}
