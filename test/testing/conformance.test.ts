// The suite can fail: one signer per rule that breaks just this rule, and the suite names it.

import { describe, expect, test } from 'vitest';
import { SoftwareSigner } from '../../src/signers/software.node.js';
import type { Algorithm } from '../../src/signers/types.js';
import { ConformanceError, signerConformance } from '../../src/testing/index.js';
import { lifeBreakages } from './breakages-life.js';
import { refusalBreakages } from './breakages-refusals.js';
import { signatureBreakages } from './breakages-signatures.js';
import type { Breakage } from './broken-signers.js';

const breakages = [...signatureBreakages, ...refusalBreakages, ...lifeBreakages];

async function conformance(algorithm: Algorithm, pem: string, { broken, target }: Partial<Breakage>) {
  const create = async () => {
    const signer = await SoftwareSigner.fromPem(pem);
    return broken ? broken(signer) : signer;
  };
  return signerConformance({ algorithm, create, batchSize: 120, ...target });
}

/** Runs `work` with no listener for unhandled rejections but its own; vitest's would fail the whole run. */
async function withoutRunnersListeners(work: () => Promise<void>): Promise<void> {
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  try {
    await work();
  } finally {
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
}

describe('signerConformance', async () => {
  const pems = {
    ed25519: (await SoftwareSigner.generate('ed25519')).privateKeyPem,
    secp256k1: (await SoftwareSigner.generate('secp256k1')).privateKeyPem,
  };

  for (const breakage of breakages) {
    const { rule, how, algorithm = 'ed25519' } = breakage;
    test(`catches a signer that ${how} (${rule})`, async () => {
      const cases = await conformance(algorithm, pems[algorithm], breakage);
      const found = cases.find(({ name }) => name === rule);
      await withoutRunnersListeners(async () => {
        await expect(found?.run()).rejects.toThrow(breakage.error ?? ConformanceError);
      });
    });
  }

  test('has a broken signer for every rule', async () => {
    const names = new Set<string>();
    for (const algorithm of ['ed25519', 'secp256k1'] as const) {
      const cases = await conformance(algorithm, pems[algorithm], { target: { maxDataBytes: 100 } });
      for (const { name } of cases) names.add(name);
    }
    expect(new Set(breakages.map(({ rule }) => rule))).toEqual(names);
  });

  test('refuses a target whose signers have different keys', async () => {
    const create = async () => (await SoftwareSigner.generate()).signer;
    const cases = signerConformance({ algorithm: 'ed25519', create });
    const found = cases.find(({ name }) => name === 'two signers for one key work side by side');
    await expect(found?.run()).rejects.toThrow('different public keys');
  });

  test('leaves out rules of other algorithms and of limits that are not stated', async () => {
    const cases = await conformance('ed25519', pems.ed25519, {});
    expect(cases.map(({ name }) => name).filter((name) => /ECDSA|secp256k1|longer data/.test(name))).toEqual(
      [],
    );
  });
});
