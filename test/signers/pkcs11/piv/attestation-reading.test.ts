// How much of a card is read for one key's attestation: libykcs11 behind the module that counts its calls.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../../../src/signers/pkcs11/pkcs11-signer.js';
import { createFaultModule, type FaultModule } from '../../../fixtures/fault-module/fault-module.js';
import { Attester } from '../../../fixtures/piv-card/attestation.js';
import { certificatePem } from '../../../fixtures/piv-card/certificates.js';
import { createPivCard, type PivCard, YKCS11_MODULE } from '../../../fixtures/piv-card/piv-card.js';

const before = { ...process.env };
let card: PivCard;
let fault: FaultModule;
let stateDirectory: string;

beforeAll(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), 'erst-piv-state-'));
  const slots = ['9a', '9c', '9d', '9e', '82', '83', '84', '85', '86', '87', '88', '89'] as const;
  card = await createPivCard({ keys: slots.map((slot) => ({ slot })) });
  fault = await createFaultModule({ real: YKCS11_MODULE });
  process.env = { ...card.env, XDG_STATE_HOME: stateDirectory };
});
afterAll(async () => {
  process.env = { ...before };
  await fault.close();
  await card.close();
  await rm(stateDirectory, { recursive: true, force: true });
});

const open = () => Pkcs11Signer.open({ modulePath: fault.modulePath, pin: card.pin, pivSlot: '85' });

/** Label, id and value of each certificate, each value with a call for its length before. */
const CALLS_A_CERTIFICATE = 6;

it('reads the certificates of the key and of the device’s own key, however many slots there are', async () => {
  await using signer = await open();
  fault.forget();
  expect(await signer.attestation()).toMatchObject({ verdict: 'not-checked' });
  expect(fault.calls('C_GetAttributeValue')).toBeLessThanOrEqual(3 * CALLS_A_CERTIFICATE);
});

it('reads all of them where those do not lead to the given root', async () => {
  fault.forget();
  await open().then((signer) => signer.close());
  const usual = fault.calls('C_GetAttributeValue');
  fault.forget();
  const attestationRootPem = certificatePem(new Attester([5, 4, 3], 1).rootCertificate);
  const foreign = Pkcs11Signer.open({
    modulePath: fault.modulePath,
    pin: card.pin,
    pivSlot: '85',
    attestationRootPem,
  });
  await expect(foreign).rejects.toMatchObject({ code: 'key-mismatch' });
  expect(fault.calls('C_GetAttributeValue')).toBeGreaterThan(usual + 12 * CALLS_A_CERTIFICATE);
});
