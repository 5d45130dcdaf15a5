// The contract of every Signer, on a real SoftHSM token.

import { afterAll, beforeAll, describe, it } from 'vitest';
import { Pkcs11Signer } from '../../../src/signers/pkcs11/pkcs11-signer.js';
import { signerConformance } from '../../../src/testing/index.js';
import { createSoftHsmToken, type SoftHsmToken } from '../../fixtures/softhsm.js';

const algorithms = ['ed25519', 'secp256k1', 'p256'] as const;
const PIN = '70819236';

let token: SoftHsmToken;
beforeAll(async () => {
  token = await createSoftHsmToken({
    pin: PIN,
    keys: [...algorithms, { algorithm: 'p256', label: 'careful', alwaysAuthenticate: true }],
  });
});
afterAll(() => token.remove());

const cases = [
  ...algorithms.map((algorithm) => [algorithm, algorithm] as const),
  ['careful', 'p256'] as const,
];

describe.each(cases)('Pkcs11Signer, key %s', (label, algorithm) => {
  const create = () => Pkcs11Signer.open(token.config(label));
  for (const { name, run } of signerConformance({ algorithm, create, batchSize: 60, secrets: [PIN] }))
    it(name, run);
});
