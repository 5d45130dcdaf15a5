// The same key behind two modules: what one cannot do, the other does.

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { createFaultModule, type Fault, type FaultModule } from '../fixtures/fault-module/fault-module.js';
import { createFaultRig, expectToSign, type FaultRig, failureOf } from './rig.js';

let rig: FaultRig;
let other: FaultModule;
beforeAll(async () => {
  rig = await createFaultRig();
  other = await createFaultModule();
  rig.config = { ...rig.config, timeoutMs: 4_000, replicas: [{ modulePath: other.modulePath }] };
});
beforeEach(async () => {
  await rig.reset();
  other.clear();
  other.forget();
});
afterAll(async () => {
  await other.close();
  await rig.close();
});

it('both are used', async () => {
  await using signer = await Pkcs11Signer.open(rig.config);
  rig.fault.forget();
  other.forget();
  for (let i = 0; i < 20; i++) await expectToSign(signer);
  expect([rig.fault.calls('C_Sign'), other.calls('C_Sign')]).toEqual([10, 10]);
});

const outages: [string, Fault][] = [
  ['a crash', { fn: 'C_Sign', action: 'crash' }],
  ['a call that hangs', { fn: 'C_Sign', action: 'hang' }],
  ['a device that fails', { fn: '*', action: 'return', code: 0x30 }],
  ['signatures that are wrong', { fn: 'C_Sign', action: 'corrupt' }],
  ['a key that is not found', { fn: 'C_SignInit', action: 'return', code: 0x82 }],
];

it.each(outages)('%s of one is made good by the other', async (_, outage) => {
  await using signer = await Pkcs11Signer.open(rig.config);
  rig.fault.inject(outage);
  await Promise.all(Array.from({ length: 10 }, () => expectToSign(signer)));
  expect(signer.signerInfo().metadata.replicas).toBe('1 of 2');
  for (let i = 0; i < 5; i++) await expectToSign(signer);
});

it('one that is not there is no reason not to open, and is used once it is', async () => {
  rig.fault.removeToken();
  await using signer = await Pkcs11Signer.open(rig.config);
  await expectToSign(signer);
  expect(signer.signerInfo().metadata.replicas).toBe('1 of 2');
  rig.fault.insertToken();
  other.removeToken();
  await expectToSign(signer);
  expect(signer.signerInfo().metadata.replicas).toBe('1 of 2');
});

it('fails when both do, and works again when one does', async () => {
  await using signer = await Pkcs11Signer.open(rig.config);
  rig.fault.removeToken();
  other.removeToken();
  const { code } = await failureOf(expectToSign(signer));
  expect(['token-not-found', 'token-error']).toContain(code);
  other.insertToken();
  await expectToSign(signer);
});
