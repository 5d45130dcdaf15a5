import { describe, expect, test } from 'vitest';
import { SoftwareSigner as PortableSoftwareSigner } from '../../src/signers/software.js';
import { SoftwareSigner } from '../../src/signers/software.node.js';
import { signerConformance } from '../../src/testing/index.js';

for (const algorithm of ['ed25519', 'secp256k1'] as const) {
  for (const [runtime, Signer] of [
    ['Node', SoftwareSigner],
    ['any runtime', PortableSoftwareSigner],
  ] as const) {
    describe(`SoftwareSigner (${runtime}), ${algorithm}`, async () => {
      const { signer, privateKeyPem } = await Signer.generate(algorithm);
      await signer.close();
      const create = () => Signer.fromPem(privateKeyPem);
      const secrets = [privateKeyPem.split('\n')[1]!];
      const cases = signerConformance({ algorithm, create, secrets, deterministic: true, batchSize: 1500 });
      test('has cases', () => expect(cases.length).toBeGreaterThan(25));
      for (const { name, run } of cases) test(name, run);
    });
  }
}
