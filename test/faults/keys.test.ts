// The key deleted, and replaced by another of the same name, by another program while a signer has it open.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { createFaultRig, expectToSign, type FaultRig, failureOf } from './rig.js';

const ID = '77';

let rig: FaultRig;
beforeAll(async () => {
  rig = await createFaultRig();
});
beforeEach(async () => {
  await rig.reset();
  await deleteKey().catch(() => {}); // the first time there is none
  await rig.token.addKey({ algorithm: 'p256', label: 'fleeting', idHex: ID });
});
afterAll(() => rig.close());

const config = () => ({ ...rig.config, keyLabel: 'fleeting' });

async function deleteKey(): Promise<void> {
  await rig.token.pkcs11Tool('--delete-object', '--type', 'privkey', '--id', ID);
  await rig.token.pkcs11Tool('--delete-object', '--type', 'pubkey', '--id', ID);
}

async function replaceKey(): Promise<void> {
  await deleteKey();
  await rig.token.addKey({ algorithm: 'p256', label: 'fleeting', idHex: ID });
}

/** Nothing that happens to the login or the sessions may make another key acceptable. */
const disturbances: [string, () => void][] = [
  ['with nothing else', () => {}],
  ['with all sessions closed', () => rig.fault.closeAllSessions()],
  ['with the user logged out', () => rig.fault.logOut()],
  ['with a crash', () => void rig.fault.inject({ fn: 'C_Sign', action: 'crash', times: 1 })],
  [
    'with the token out and in',
    () => {
      rig.fault.removeToken();
      rig.fault.insertToken();
    },
  ],
];

describe.each(disturbances)('%s', (_, disturb) => {
  it('a key that is deleted is not found, and other keys go on', async () => {
    await using signer = await Pkcs11Signer.open(config());
    await using other = await Pkcs11Signer.open(rig.config);
    await deleteKey();
    disturb();
    const results = await Promise.all(Array.from({ length: 5 }, () => failureOf(expectToSign(signer))));
    expect(new Set(results.map(({ code }) => code))).toEqual(new Set(['key-not-found']));
    await expectToSign(other);
  });

  it('a key that is deleted does not cost the others an initialization at each of its signatures', async () => {
    await using signer = await Pkcs11Signer.open(config());
    await deleteKey();
    disturb();
    await failureOf(expectToSign(signer));
    rig.fault.forget();
    for (let i = 0; i < 20; i++) await failureOf(expectToSign(signer));
    expect(rig.fault.calls('C_Initialize')).toBeLessThan(10);
  });

  it('a key that is replaced is refused, each time, and nothing of it is released', async () => {
    await using signer = await Pkcs11Signer.open(config());
    const before = (await signer.publicKey()).toPem();
    await replaceKey();
    disturb();
    const results = await Promise.all(Array.from({ length: 5 }, () => failureOf(expectToSign(signer))));
    expect(new Set(results.map(({ code }) => code))).toEqual(new Set(['key-mismatch']));
    expect((await failureOf(expectToSign(signer))).code).toBe('key-mismatch');
    expect((await signer.publicKey()).toPem()).toBe(before);
  });
});

describe('a key that was replaced', () => {
  it('is taken by a signer that is opened after it, unless its public key is pinned', async () => {
    const publicKeyPem = await publicKeyOf(config());
    await replaceKey();
    await using signer = await Pkcs11Signer.open(config());
    await expectToSign(signer);
    expect((await signer.publicKey()).toPem()).not.toBe(publicKeyPem);
    expect((await failureOf(Pkcs11Signer.open({ ...config(), publicKeyPem }))).code).toBe('key-mismatch');
  });
});

async function publicKeyOf(of: typeof rig.config): Promise<string> {
  await using signer = await Pkcs11Signer.open(of);
  return (await signer.publicKey()).toPem();
}
