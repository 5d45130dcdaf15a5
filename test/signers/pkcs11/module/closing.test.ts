// The end of a LoadedModule: C_Finalize comes when no call is in flight, and nothing comes after it.

import { expect, it } from 'vitest';
import { failureOf, keyOf, openModule } from './opened-module.js';

const CKR_CRYPTOKI_NOT_INITIALIZED = 0x190;

it('waits also for a token that is being closed', async () => {
  const opened = await openModule();
  const { module, slot, fault } = opened;
  await opened.open();
  fault.forget();
  fault.inject({ fn: 'C_Sign', action: 'delay', ms: 30 });
  const signing = module.sign(slot, { key: keyOf('p256'), input: new Uint8Array(32) });
  const closing = [module.closeToken(slot), module.close()];
  expect(await signing).toHaveLength(64);
  await Promise.all(closing);
  expect(fault.calls('C_Finalize')).toBe(1);
  expect(fault.calls('C_CloseSession')).toBe(2); // the lent one and the anchor, none of them during the signature
  await opened.close();
});

it('lets the calls in flight end, and refuses those that come later', async () => {
  const opened = await openModule();
  const { module, slot, fault } = opened;
  await opened.open();
  fault.forget();
  fault.inject({ fn: 'C_Sign', action: 'delay', ms: 40 });
  fault.inject({ fn: 'C_GenerateKeyPair', action: 'delay', ms: 20 });
  const sign = () => module.sign(slot, { key: keyOf('p256'), input: new Uint8Array(32) });
  const early = [
    ...Array.from({ length: 20 }, sign),
    module.generateKeyPair(slot, { algorithm: 'p256', label: 'new', idHex: '77' }),
  ];
  const closing = [module.close(), module.close()];
  const late = [sign(), module.tokens(), module.reinitialize(), module.closeToken(slot)].map(failureOf);
  await Promise.all([...early, ...closing]);
  for (const error of await Promise.all(late)) {
    expect(error).toMatchObject({ ckrCode: CKR_CRYPTOKI_NOT_INITIALIZED });
  }
  expect(fault.calls('C_Finalize')).toBe(1);
  expect(fault.mostAtOnce('C_Sign')).toBeGreaterThan(1);
  await opened.close();
});
