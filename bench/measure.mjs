// Times cells beside each other, in Node and in pages alike. A cell is { call, per, async }: `call(i)` does its work on
// item i, which is `per` operations. In a round every cell runs for one block; rounds alternate in direction, so that no
// cell always follows the same one.

import { ITEMS } from './items.mjs';

/**
 * `block`: milliseconds that a cell runs in a round. Many short blocks are better than few long ones: what else the machine
 * does then spoils some rounds, which the medians drop, and not a part of each. `warmUp`: calls before the first round.
 * `clock`: in Node the time that the process has had on a processor, so that waiting for one does not count. Browsers have
 * but the clock on the wall, which may tick in milliseconds.
 */
export const thorough = { rounds: 75, block: 3, warmUp: 400, clock: 'processor' };
export const quick = { rounds: 25, block: 1.5, warmUp: 400, clock: 'processor' };
export const inBrowsers = { rounds: 25, block: 30, warmUp: 400, clock: 'wall' };

const clocks = {
  wall: () => performance.now(),
  processor: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/** For every cell the microseconds per operation of each round. */
export async function measure(cells, { rounds, block, warmUp, clock }) {
  const now = clocks[clock];
  const prepared = [];
  for (const cell of cells)
    prepared.push({ cell, calls: await callsIn(cell, block, warmUp, now), times: [] });
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? prepared : prepared.toReversed();
    for (const { cell, calls, times } of order) {
      times.push(((await milliseconds(cell, calls, now)) * 1000) / (calls * (cell.per ?? 1)));
    }
  }
  return prepared.map(({ times }) => times);
}

/** Warms the cell up until optimizing compilers are done with it, and counts the calls that fill a block. */
async function callsIn(cell, block, warmUp, now) {
  await milliseconds(cell, Math.ceil(warmUp / (cell.per ?? 1)), now);
  for (let calls = 1; ; calls *= 2) {
    const took = await milliseconds(cell, calls, now);
    if (took >= block) return Math.max(1, Math.round((calls * block) / took));
  }
}

async function milliseconds({ call, async }, calls, now) {
  const start = now();
  if (async) for (let i = 0; i < calls; i++) await call(i % ITEMS);
  else for (let i = 0; i < calls; i++) call(i % ITEMS);
  return now() - start;
}
