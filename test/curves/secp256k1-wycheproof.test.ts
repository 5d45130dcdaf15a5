// Project Wycheproof's ECDSA vectors for Bitcoin: DER, low s, ranges, edge cases of the arithmetic and of public keys.

import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { decodeDer } from '../../src/curves/der.js';
import { secp256k1 } from '../../src/curves/secp256k1.js';
import { fromHex } from './edge-inputs.js';
import { readVectors } from './vectors.js';

interface Wycheproof {
  numberOfTests: number;
  testGroups: {
    publicKey: { uncompressed: string };
    tests: { tcId: number; comment: string; msg: string; sig: string; result: 'valid' | 'invalid' }[];
  }[];
}

const file = readVectors('wycheproof_ecdsa_secp256k1_sha256_bitcoin.json');

describe.skipIf(file === undefined)('Wycheproof ECDSA, secp256k1, SHA-256, Bitcoin', () => {
  const { numberOfTests, testGroups } = JSON.parse(file ?? '{}') as Wycheproof;

  const cases = (testGroups ?? []).flatMap(({ publicKey, tests }) =>
    tests.map(({ tcId, comment, msg, sig, result }) => ({
      label: `${tcId} ${comment}`,
      publicKey: fromHex(publicKey.uncompressed),
      message: fromHex(msg),
      signature: fromHex(sig),
      valid: result === 'valid',
    })),
  );

  it('is read whole', () => expect(cases.length).toBe(numberOfTests));

  it('gives every result, under both forms of the key', () => {
    for (const { label, signature, message, publicKey, valid } of cases) {
      const options = { format: 'der' } as const;
      expect(secp256k1.verify(signature, message, publicKey, options), label).toBe(valid);
      const compressed = secp256k1.utils.convertPublicKey(publicKey, true);
      expect(secp256k1.verify(signature, message, compressed, options), label).toBe(valid);
    }
  });

  it('agrees with noble where high s is accepted, in DER and as r‖s', () => {
    for (const { label, signature, message, publicKey } of cases) {
      const options = { format: 'der', lowS: false } as const;
      const expected = noble.verify(signature, message, publicKey, options);
      expect(secp256k1.verify(signature, message, publicKey, options), label).toBe(expected);
      const compact = decodeDer(signature);
      if (compact === undefined) continue;
      expect(secp256k1.verify(compact, message, publicKey, { lowS: false }), label).toBe(expected);
    }
  });
});
