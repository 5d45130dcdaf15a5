// Nothing is timed that gives a wrong result: every cell of ours passes, and one that is wrong once stops the row.

import { describe, expect, it } from 'vitest';
import { compare, load, OURS } from '../../bench/compare.mjs';
import { ours } from '../../bench/contenders/erst-hsm.mjs';
import { operations } from '../../bench/operations.mjs';
import * as curves from '../../src/curves/index.js';

const once = { rounds: 2, block: 0, warmUp: 1, clock: 'wall' } as const;
const named = (name: string, changed: object) => ours(name, () => ({ ...curves, ...changed }));
const operation = (id: string) => operations.find((one) => one.id === id)!;

async function rowWith(id: string, changed: object) {
  const { loaded } = await load([ours(OURS, () => curves), named('another', changed)]);
  return compare(operation(id), loaded, once);
}

describe('a row', () => {
  it.each(operations.map(({ id }) => id))(
    '%s: has ours, and how many times as long the other takes',
    async (id) => {
      const { cells } = await rowWith(id, {});
      expect(cells[0]).toMatchObject({ name: OURS });
      expect(cells[0]!.ratio).toBeUndefined();
      const another = cells.find(({ name }) => name === 'another')!;
      expect(another.ratio!.median).toBeGreaterThan(0);
      expect(another.rounds).toHaveLength(once.rounds);
    },
  );

  it('compares a batch with single calls, its own and those of the others', async () => {
    const { cells } = await rowWith('ed25519.verifyBatch', {});
    expect(cells.map(({ name }) => name)).toEqual([
      OURS,
      `${OURS}, one by one`,
      'another',
      'another, one by one',
    ]);
  });
});

describe('a contender is not timed', () => {
  const { ed25519, secp256k1 } = curves;

  it('if one of its signatures is another one', async () => {
    let calls = 0;
    const sign = (message: Uint8Array, secretKey: Uint8Array) => {
      const signature = ed25519.sign(message, secretKey);
      return ++calls === 40 ? signature.with(0, signature[0]! ^ 1) : signature;
    };
    await expect(rowWith('ed25519.signFromSeed', { ed25519: { ...ed25519, sign } })).rejects.toThrow(
      'another gives a wrong result: ed25519.signFromSeed, item 39',
    );
  });

  it('if it refuses what is right', async () => {
    const verify = () => false;
    await expect(rowWith('secp256k1.verify', { secp256k1: { ...secp256k1, verify } })).rejects.toThrow(
      'wrong result',
    );
  });

  it('if it accepts what is wrong, alone or in a batch', async () => {
    const changed = { ed25519: { ...ed25519, verify: () => true, verifyBatch: () => true } };
    await expect(rowWith('ed25519.verify', changed)).rejects.toThrow('another accepts a signature');
    await expect(rowWith('ed25519.verifyBatch', changed)).rejects.toThrow('another accepts a signature');
  });

  it('if it is not here, which is said', async () => {
    const absent = {
      name: 'absent',
      kind: 'native',
      load: () => Promise.reject(new Error('no addon\nhere')),
    };
    expect(await load([absent])).toEqual({ loaded: [], missing: [{ name: 'absent', reason: 'no addon' }] });
  });
});
