// What a signer says of its key's origin, by the card's own word: through the real libykcs11 on a PIV card in software.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pkcs11Config } from '../../../../src/signers/config/config.js';
import { Pkcs11Signer } from '../../../../src/signers/pkcs11/pkcs11-signer.js';
import { Attester } from '../../../fixtures/piv-card/attestation.js';
import { certificatePem } from '../../../fixtures/piv-card/certificates.js';
import { createPivCard, type PivCard, YKCS11_MODULE } from '../../../fixtures/piv-card/piv-card.js';

const before = { ...process.env };
let card: PivCard;
let stateDirectory: string;

beforeAll(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), 'erst-piv-state-'));
  card = await createPivCard({ keys: [{ slot: '9a' }, { slot: '9d', imported: true }] });
  process.env = { ...card.env, XDG_STATE_HOME: stateDirectory };
});
afterAll(async () => {
  process.env = { ...before };
  await card.close();
  await rm(stateDirectory, { recursive: true, force: true });
});

const open = (pivSlot: string, more: Partial<Pkcs11Config> = {}) =>
  Pkcs11Signer.open({ modulePath: YKCS11_MODULE, pin: card.pin, pivSlot, ...more });

describe('a key that was made on the card', () => {
  it('is verified where the vendor’s root is given', async () => {
    await using signer = await open('9a', { attestationRootPem: card.rootCertificatePem });
    expect(signer.signerInfo().metadata).toMatchObject({ attestation: 'verified', firmware: '5.4.3' });
    const attestation = await signer.attestation();
    expect(attestation).toMatchObject({
      verdict: 'verified',
      device: { firmware: '5.4.3', serial: String(card.serial), pinPolicy: 'once' },
    });
    expect(attestation!.chain).toHaveLength(3);
  });

  it('has its statement also without a root', async () => {
    await using signer = await open('9a');
    expect(signer.signerInfo().metadata.attestation).toBe('not-checked');
    expect((await signer.attestation())!.verdict).toBe('not-checked');
  });

  it('is not opened under another vendor’s root', async () => {
    const attestationRootPem = certificatePem(new Attester([5, 4, 3], 1).rootCertificate);
    await expect(open('9a', { attestationRootPem })).rejects.toMatchObject({
      code: 'key-mismatch',
      message: expect.stringContaining('ERST_PKCS11_ATTESTATION_ROOT_PEM'),
    });
  });
});

describe('a key that was imported', () => {
  it('has no statement, and is opened where none is demanded', async () => {
    await using signer = await open('9d');
    expect(signer.signerInfo().metadata.attestation).toBe('none');
    expect(await signer.attestation()).toBeUndefined();
    await expect(open('9d', { attestationRootPem: card.rootCertificatePem })).rejects.toMatchObject({
      code: 'key-mismatch',
    });
  });
});

it('says nothing when the signer is closed', async () => {
  const signer = await open('9a');
  await signer.close();
  await expect(signer.attestation()).rejects.toMatchObject({ code: 'signer-closed' });
});
