// The verbs of `erst-hsm hsm`, and conformance, on a token that goes wrong on command.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createFaultModule, type FaultModule } from '../fixtures/fault-module/fault-module.js';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { useCommand } from './command.js';
import { failureOf, hsm, runHsm, useVariables, variablesOf } from './hsm-command.js';

const GENERAL_ERROR = 0x5;
const DEVICE_ERROR = 0x30;
const USER_PIN_NOT_INITIALIZED = 0x102;
const command = useCommand();
let token: SoftHsmToken;
let module: FaultModule;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: ['ed25519'] });
  module = await createFaultModule();
});
afterAll(async () => {
  await module.close();
  await token.remove();
});
useVariables(() => token);
beforeEach(() => {
  process.env.ERST_PKCS11_MODULE = module.modulePath;
});
afterEach(() => {
  module.clear();
  module.forget();
});

const keys = async () => JSON.parse(await hsm('keys', '--json'));

it('waits for a token that is being inserted', async () => {
  module.removeToken();
  const listed = keys();
  while (module.calls('C_GetSlotList') < 2) await delay(1); // for the number of slots, and for the slots
  await delay(5);
  module.insertToken();
  expect(await listed).toHaveLength(1);

  module.removeToken();
  expect((await failureOf(keys())).code).toBe('token-not-found');
});

it('is patient with a token that cannot be read for a moment, and tries its PIN once', async () => {
  const fault = module.inject({ fn: 'C_OpenSession', action: 'return', code: GENERAL_ERROR, times: 3 });
  expect(await keys()).toHaveLength(1);
  expect(fault.fired()).toBe(3);
  expect(module.logins().filter(({ user }) => user === 'user')).toHaveLength(1);
});

it.each([
  ['C_GetTokenInfo', GENERAL_ERROR],
  ['C_Login', GENERAL_ERROR],
  ['C_Login', USER_PIN_NOT_INITIALIZED],
] as const)('is patient with SoftHSM while another process logs in: %s gives 0x%i', async (fn, code) => {
  const fault = module.inject({ fn, action: 'return', code, times: 4 });
  expect(await keys()).toHaveLength(1);
  expect(fault.fired()).toBe(4);
  expect(module.logins().map(({ pin }) => pin)).toContain(token.pin);
  const remembered = join(process.env.XDG_STATE_HOME!, 'erst-hsm', 'pins');
  expect(await readdir(remembered)).toEqual([]);
});

it('does not add tries of its own to a login that failed', async () => {
  // What became of the PIN is not known, and remembered: not for the other tests.
  process.env.XDG_STATE_HOME = join(token.directory, 'state of an unknown PIN');
  module.inject({ fn: 'C_Login', action: 'return', code: DEVICE_ERROR });
  await failureOf(keys());
  expect(module.calls('C_Login')).toBeLessThanOrEqual(2); // the engine's one recovery
});

it('keeps no new key that does not sign', async () => {
  module.inject({ fn: 'C_Sign', action: 'corrupt' });
  const error = await failureOf(hsm('keygen', '--label', 'bad'));
  expect(error.code).toBe('signature-invalid');
  module.clear();
  expect(await keys()).toHaveLength(1);
});

it('says that a key stayed which it could not delete again', async () => {
  module.inject({ fn: 'C_Sign', action: 'corrupt' });
  module.inject({ fn: 'C_DestroyObject', action: 'return', code: GENERAL_ERROR });
  const env = { ...variablesOf(token), ERST_PKCS11_MODULE: module.modulePath };
  const { code, stderr } = await command.run(['hsm', 'keygen', '--label', 'stuck'], {
    env: { ...env, SOFTHSM2_CONF: token.env.SOFTHSM2_CONF! },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/Key "stuck" \(id [0-9a-f]{16}\) failed its check and may still be there/);
  module.clear();
  await hsm('delete', '--label', 'stuck', '--yes');
  expect(await keys()).toHaveLength(1);
});

it('takes no token that cannot be read for an empty one', async () => {
  module.inject({ fn: 'C_GetTokenInfo', action: 'return', code: GENERAL_ERROR });
  const error = await failureOf(hsm('init-token', '--label', 'x'));
  expect(['token-error', 'token-not-found']).toContain(error.code);
  expect(module.calls('C_InitToken')).toBe(0);
  const { out } = await runHsm('slots');
  expect(out).not.toContain('not initialized');
});

it('reports rules that a token breaks', async () => {
  module.inject({ fn: 'C_Sign', action: 'corrupt', skip: 30 });
  const { code, out } = await command.run(['conformance', '--json', '--batch-size', '5'], {
    env: {
      ...variablesOf(token),
      ERST_SIGNER_TYPE: 'pkcs11',
      ERST_PKCS11_MODULE: module.modulePath,
      SOFTHSM2_CONF: token.env.SOFTHSM2_CONF!,
    },
  });
  const [run] = JSON.parse(out).runs;
  expect(code).toBe(1);
  expect(run.failed).toBeGreaterThan(0);
  expect(run.failed).toBe(run.results.filter(({ passed }: { passed: boolean }) => !passed).length);
  const broken = run.results.find(({ passed }: { passed: boolean }) => !passed);
  expect(broken.message).toMatch(/not released|does not verify/);
});
