// How libykcs11 shows YubiKey attestation: certificate objects beside the one in the slot, with the key's CKA_ID, named
// "X.509 Certificate for PIV Attestation 9a"; and that of the attestation key f9 under CKA_ID 19. No login is needed.

import { X509Certificate } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import type { CertificateSummary } from '../../../../src/signers/pkcs11/engine/hosted-module.js';
import { ModuleProcess } from '../../../../src/signers/pkcs11/process/module-process.js';
import {
  createPivCard,
  OPENSC_MODULE,
  type PivCard,
  type PivCardOptions,
  YKCS11_MODULE,
} from '../../../fixtures/piv-card/piv-card.js';

let card: PivCard;
afterEach(() => card.close());

async function certificatesOf(
  options: PivCardOptions,
  modulePath = YKCS11_MODULE,
): Promise<CertificateSummary[]> {
  card = await createPivCard(options);
  const module = await ModuleProcess.start(modulePath, { env: card.env, timeoutMs: 20_000 });
  try {
    const [token] = await module.tokens();
    await module.openToken(token!.slotHandle, { sessions: 1, blocking: true });
    return await module.certificates(token!.slotHandle);
  } finally {
    await module.close();
  }
}

const named = (certificates: CertificateSummary[], label: string) =>
  certificates.find((certificate) => certificate.label === label)!;

it('leads from the key to the root', async () => {
  const all = await certificatesOf({ keys: [{ slot: '9a' }, { slot: '9c' }] });
  const [inSlot, leaf, attester] = ['Authentication', 'Attestation 9a', 'Attestation'].map((name) =>
    named(all, `X.509 Certificate for PIV ${name}`),
  );
  expect([inSlot!.idHex, leaf!.idHex, attester!.idHex]).toEqual(['01', '01', '19']);
  const chain = [leaf!.der, attester!.der, card.rootCertificatePem].map((der) => new X509Certificate(der));
  expect(chain[0]!.verify(chain[1]!.publicKey)).toBe(true);
  expect(chain[1]!.verify(chain[2]!.publicKey)).toBe(true);
  const onCard = Buffer.from(await card.publicKey('9a'));
  expect(chain[0]!.publicKey.export({ format: 'der', type: 'spki' }).equals(onCard)).toBe(true);
  expect(chain[0]!.subject).toBe('CN=YubiKey PIV Attestation 9a');
});

it('is there for keys made on the card only, whether or not they have a certificate', async () => {
  const all = await certificatesOf({
    keys: [{ slot: '9a', imported: true }, { slot: '9c' }, { slot: '82', certificate: false }],
  });
  const attested = all.map(({ label }) => label).filter((label) => /Attestation ../.test(label));
  expect(attested.sort()).toEqual([
    'X.509 Certificate for PIV Attestation 82',
    'X.509 Certificate for PIV Attestation 9c',
  ]);
  expect(all.filter(({ idHex }) => idHex === '05')).toHaveLength(1);
});

it('is not there before firmware 4.3', async () => {
  const all = await certificatesOf({ firmware: '4.2.8' });
  expect(all.map(({ label }) => label)).toContain('X.509 Certificate for PIV Authentication');
  expect(all.filter(({ label }) => /Attestation ../.test(label))).toEqual([]);
});

it('is not there with OpenSC', async () => {
  const all = await certificatesOf({}, OPENSC_MODULE);
  expect(all.map(({ label }) => label)).toContain('Certificate for PIV Authentication');
  expect(all.filter(({ label }) => label.includes('Attestation'))).toEqual([]);
});
