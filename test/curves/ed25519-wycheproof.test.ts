// Project Wycheproof's Ed25519 vectors: encodings, S out of range, small orders, truncated and lengthened signatures.

import { ed25519 as noble } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { ed25519 } from '../../src/curves/ed25519.js';
import { fromHex } from './edge-inputs.js';
import { readVectors } from './vectors.js';

interface Wycheproof {
  numberOfTests: number;
  testGroups: {
    publicKey: { pk: string };
    tests: { tcId: number; comment: string; msg: string; sig: string; result: 'valid' | 'invalid' }[];
  }[];
}

const file = readVectors('wycheproof_ed25519.json');

describe.skipIf(file === undefined)('Wycheproof Ed25519', () => {
  const { numberOfTests, testGroups } = JSON.parse(file ?? '{}') as Wycheproof;

  const cases = (testGroups ?? []).flatMap(({ publicKey, tests }) =>
    tests.map(({ tcId, comment, msg, sig, result }) => ({
      label: `${tcId} ${comment}`,
      publicKey: fromHex(publicKey.pk),
      message: fromHex(msg),
      signature: fromHex(sig),
      valid: result === 'valid',
    })),
  );

  it('is read whole', () => expect(cases.length).toBe(numberOfTests));

  it('gives every result by the strict rules', () => {
    for (const { label, signature, message, publicKey, valid } of cases) {
      const verify = () => ed25519.verify(signature, message, publicKey, { zip215: false });
      if (signature.length === 64) expect(verify(), label).toBe(valid);
      else expect(verify, label).toThrow(RangeError);
    }
  });

  it('agrees with noble by the rules of ZIP 215, one by one and in batches', () => {
    for (const { label, signature, message, publicKey } of cases) {
      if (signature.length !== 64) continue;
      const expected = noble.verify(signature, message, publicKey);
      expect(ed25519.verify(signature, message, publicKey), label).toBe(expected);
      expect(ed25519.verifyBatch([{ signature, message, publicKey }]), label).toBe(expected);
    }
  });
});
