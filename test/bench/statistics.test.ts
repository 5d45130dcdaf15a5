// The arithmetic behind the figures: medians, ratios within a round, verdicts, and that blocks count what they ran.

import { describe, expect, it } from 'vitest';
import { measure } from '../../bench/measure.mjs';
import { fails, judge, requirements } from '../../bench/requirements.mjs';
import { median, pairedRatios, quantile, summary } from '../../bench/statistics.mjs';

describe('order statistics', () => {
  it('take the middle, and leave the list as it is', () => {
    const numbers = [9, 1, 5];
    expect(median(numbers)).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(numbers).toEqual([9, 1, 5]);
  });

  it('interpolate quartiles', () => {
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
    expect(summary([4, 1, 3, 2])).toEqual({ median: 2.5, quartiles: [1.75, 3.25] });
    expect(summary([7])).toEqual({ median: 7, quartiles: [7, 7] });
  });

  it('sort by value, not as text', () => expect(median([100, 20, 3])).toBe(20));

  it('have no answer for nothing', () => expect(() => median([])).toThrow(RangeError));
});

describe('paired ratios', () => {
  it('are those of each round, so a slow round slows both and changes nothing', () => {
    expect(pairedRatios([10, 40, 10], [20, 80, 20])).toEqual([2, 2, 2]);
  });

  it('differ from the ratio of the medians', () => {
    const [ours, theirs] = [
      [1, 2, 30],
      [3, 10, 60],
    ];
    expect(median(pairedRatios(ours!, theirs!))).toBe(3);
    expect(median(theirs!) / median(ours!)).toBe(5);
  });

  it('need the same rounds', () => expect(() => pairedRatios([1], [1, 2])).toThrow(RangeError));
});

describe('rounds', () => {
  const method = { rounds: 4, block: 1, warmUp: 10, clock: 'wall' } as const;

  it('alternate in direction, after the warm-up of each cell', async () => {
    const order: string[] = [];
    const cell = (name: string) => ({
      call: () => {
        if (order.at(-1) !== name) order.push(name);
        const end = performance.now() + 2; // longer than a block: one call each
        while (performance.now() < end);
      },
    });
    await measure([cell('a'), cell('b')], method);
    expect(order.join('')).toBe('abababa'); // warm-up a, b; then ab, ba, ab, ba
  });

  it('count an operation of a batch, not the batch', async () => {
    const call = () => {
      const end = performance.now() + 1;
      while (performance.now() < end);
    };
    const [one, each] = await measure([{ call }, { call, per: 10 }], method);
    expect(median(pairedRatios(each!, one!))).toBeGreaterThan(4);
  });

  it('wait for asynchronous cells', async () => {
    const call = () => new Promise<void>((resolve) => setTimeout(resolve, 2));
    const [times] = await measure([{ call, async: true }], method);
    expect(median(times!)).toBeGreaterThan(1000);
  });
});

describe('requirements', () => {
  const rows = (ratio: number) =>
    requirements.map(({ id, against }) => ({ id, cells: [{ name: against, ratio: { median: ratio } }] }));

  it('are met by ratios that reach what must be, and missed below', () => {
    const required = { id: 'x', against: 'y', must: 2, aim: 3 };
    expect(fails({ ...required, ratio: 2 })).toBe(false);
    expect(fails({ ...required, ratio: 1.99 })).toBe(true);
    expect(fails({ id: 'x', against: 'y', aim: 3, ratio: 1 })).toBe(false);
  });

  it('are missed where nothing was measured', () => {
    const verdicts = judge(rows(100).slice(0, 1), () => true);
    expect(verdicts[0]!.ratio).toBe(100);
    expect(verdicts.filter(fails)).toHaveLength(requirements.slice(1).filter(({ must }) => must).length);
  });

  it('ask for no less than they must', () => {
    for (const { must = 0, aim = Number.POSITIVE_INFINITY } of requirements)
      expect(aim).toBeGreaterThan(must);
  });
});
