// Contenders side by side, in Node and in pages alike: their cells, made and checked, and a row of them measured.

import { allItems, damaged, ITEMS } from './items.mjs';
import { measure } from './measure.mjs';
import { median, pairedRatios, summary } from './statistics.mjs';

export const OURS = 'erst-hsm';

/** The contenders that load here, each with its cells; the others with the reason why not. */
export async function load(contenders) {
  const loaded = [];
  const missing = [];
  for (const contender of contenders) {
    try {
      loaded.push({ ...contender, cells: await contender.load() });
    } catch (error) {
      missing.push({ name: contender.name, reason: String(error?.message ?? error).split('\n')[0] });
    }
  }
  return { loaded, missing };
}

/** One row: every contender that does the operation, ours first, and how many times as long as ours it takes. */
export async function compare(operation, contenders, effort) {
  const items = allItems();
  const cells = [];
  for (const contender of contenders) cells.push(...(await cellsOf(contender, operation, items)));
  const rounds = await measure(cells, effort);
  const ours = rounds[cells.findIndex(({ name }) => name === OURS)];
  return {
    id: operation.id,
    curve: operation.curve,
    name: operation.name,
    cells: cells.map(({ name, kind }, i) => ({
      name,
      kind,
      microseconds: summary(rounds[i]),
      perSecond: Math.round(1e6 / median(rounds[i])),
      ...(name === OURS ? {} : { ratio: summary(pairedRatios(ours, rounds[i])) }),
      rounds: rounds[i],
    })),
  };
}

async function cellsOf(contender, operation, items) {
  const { name, kind } = contender;
  const cells = [];
  const make = contender.cells[operation.id];
  if (make !== undefined && operation.single !== undefined)
    cells.push({ name, kind, per: ITEMS, call: await checkedBatch(contender, operation, make, items) });
  else if (make !== undefined)
    cells.push({
      name,
      kind,
      async: contender.async,
      call: await checked(contender, operation, make, items),
    });
  const single = contender.cells[operation.single];
  if (single !== undefined)
    cells.push({
      name: make === undefined ? name : `${name}, one by one`,
      kind,
      async: contender.async,
      call: await checked(contender, operation, single, items),
    });
  return cells;
}

/** The cell, once it has given the right result for every item, and has refused what is wrong. */
async function checked(contender, operation, make, items) {
  const own = items[operation.over];
  const call = await make(own);
  const isValid = contender.isValid?.[operation.id];
  for (const [i, item] of own.entries()) {
    const result = await call(i);
    const right = isValid === undefined ? same(result, operation.gives(item)) : isValid(result, item);
    if (!right) throw new Error(`${contender.name} gives a wrong result: ${operation.id}, item ${i}`);
  }
  if (operation.gives(own[0]) === true) await checkRefusal(contender, operation, make, items, ITEMS);
  return call;
}

async function checkedBatch(contender, operation, make, items) {
  const own = items[operation.over];
  const call = await make(own);
  const result = await call();
  const expected = operation.batchGives(own);
  const right = Array.isArray(expected)
    ? expected.every((one, i) => same(result[i], one))
    : result === expected;
  if (!right) throw new Error(`${contender.name} gives a wrong result: ${operation.id}`);
  if (expected === true) await checkRefusal(contender, operation, make, items, 1);
  return call;
}

async function checkRefusal(contender, operation, make, items, calls) {
  const call = await make(damaged(items)[operation.over]);
  for (let i = 0; i < calls; i++) {
    if ((await call(i)) !== false)
      throw new Error(`${contender.name} accepts a signature of another message: ${operation.id}, item ${i}`);
  }
}

function same(result, expected) {
  if (!(expected instanceof Uint8Array)) return result === expected;
  return (
    result instanceof Uint8Array &&
    result.length === expected.length &&
    result.every((byte, i) => byte === expected[i])
  );
}
