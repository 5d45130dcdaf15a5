// A LoadedModule on a SoftHSM token with one key of each algorithm, behind the fault module: it goes wrong on command, and
// notes what PKCS #11 forbids.

import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { KeyIdentity, SlotHandle } from '../../../../src/signers/pkcs11/engine/hosted-module.js';
import { LoadedModule } from '../../../../src/signers/pkcs11/module/loaded-module.js';
import { PublicKey } from '../../../../src/signers/public-key.js';
import { Signature } from '../../../../src/signers/signature.js';
import type { Algorithm } from '../../../../src/signers/types.js';
import { verifySignature } from '../../../../src/signers/verify.js';
import { createFaultModule, type FaultModule } from '../../../fixtures/fault-module/fault-module.js';
import { createSoftHsmToken, type KeySpec, type SoftHsmToken } from '../../../fixtures/softhsm.js';

export { failureOf } from '../../../fixtures/outcomes.js';

export const ALGORITHMS = ['ed25519', 'secp256k1', 'p256'] as const;

export const keyOf = (algorithm: Algorithm): KeyIdentity => ({
  algorithm,
  label: algorithm,
  idHex: `0${ALGORITHMS.indexOf(algorithm) + 1}`,
});

export interface OpenedModule {
  token: SoftHsmToken;
  fault: FaultModule;
  module: LoadedModule;
  slot: SlotHandle;
  /** Initializes the module, opens the token and logs in, whatever was before. */
  open(options?: { sessions?: number; blocking?: boolean }): Promise<void>;
  close(): Promise<void>;
}

export async function openModule(moreKeys: readonly KeySpec[] = []): Promise<OpenedModule> {
  const token = await createSoftHsmToken({ keys: [...ALGORITHMS, ...moreKeys] });
  const fault = await createFaultModule();
  const module = await LoadedModule.load(fault.modulePath);
  const slot = await slotOf(module, token.tokenLabel);
  return {
    token,
    fault,
    module,
    slot,
    async open({ sessions = 4, blocking = false } = {}) {
      await module.reinitialize();
      await module.openToken(slot, { sessions, blocking });
      await module.login(slot, token.pin);
    },
    async close() {
      fault.clear();
      await module.close();
      const violations = fault.violations();
      await fault.close();
      await token.remove();
      expect(violations).toEqual([]);
    },
  };
}

/** Such a module for the tests of one file: opened anew before each, with no fault and nothing counted. */
export function useOpenedModule(): OpenedModule {
  const opened = {} as OpenedModule;
  beforeAll(async () => {
    Object.assign(opened, await openModule());
  });
  beforeEach(async () => {
    await opened.open();
    opened.fault.forget();
  });
  afterEach(() => opened.fault.clear());
  afterAll(() => opened.close());
  return opened;
}

export async function slotOf(module: LoadedModule, tokenLabel: string): Promise<SlotHandle> {
  return (await module.tokens()).find(({ label }) => label === tokenLabel)!.slotHandle;
}

/** Signs something, and expects that the signature verifies. */
export async function expectToSign(
  { module, slot }: Pick<OpenedModule, 'module' | 'slot'>,
  key: KeyIdentity,
  contextPin?: string,
): Promise<void> {
  const point = await module.publicPoint(slot, key);
  const input = randomBytes(32);
  const bytes = await module.sign(slot, { key, input, contextPin });
  expect(await isSignatureBy(key.algorithm, point!, input, bytes)).toBe(true);
}

export async function isSignatureBy(
  algorithm: Algorithm,
  point: Uint8Array,
  input: Uint8Array,
  bytes: Uint8Array,
): Promise<boolean> {
  const options = algorithm === 'ed25519' ? {} : { prehashed: true };
  const signature = Signature.fromBytes(algorithm, bytes);
  return verifySignature(PublicKey.fromRaw(algorithm, point), input, signature, options);
}
