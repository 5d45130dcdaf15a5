// close() of a signer whose token does not come back: it waits as long as anything is answered, then what is left rejects,
// and the module's process is killed, unless others use it.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { createFaultModule, type FaultModule } from '../fixtures/fault-module/fault-module.js';
import { childProcesses, createFaultRig, eventually, expectToSign, type FaultRig, failureOf } from './rig.js';

let rig: FaultRig;
let other: FaultModule;
beforeAll(async () => {
  rig = await createFaultRig();
  other = await createFaultModule();
  // What a call's deadline ends would end with `timeout`.
  rig.config = { ...rig.config, timeoutMs: 60_000 };
});
beforeEach(async () => {
  await rig.reset();
  other.clear();
});
afterEach(async () => {
  rig.fault.clear();
  await eventually(() => childProcesses().length === 0, 'no process of a module is left');
});
afterAll(async () => {
  await other.close();
  await rig.close();
});

const data = new Uint8Array(32);
const called = (fn: `C_${string}`, times = 1) =>
  eventually(() => rig.fault.calls(fn) >= times, `${fn} is called`);

async function openedAndForgotten(more = {}): Promise<Pkcs11Signer> {
  const signer = await Pkcs11Signer.open({ ...rig.config, ...more });
  rig.fault.forget();
  return signer;
}

describe('a signer whose token hangs', () => {
  it.each([
    ['one session', {}],
    ['several sessions', { maxSessions: 3 }],
  ])('is closed, and what it had in flight or waiting rejects (%s)', async (_, more) => {
    const signer = await openedAndForgotten(more);
    rig.fault.inject({ fn: 'C_Sign', action: 'hang' });
    const failures = Array.from({ length: 100 }, () => failureOf(signer.sign(data)));
    const batch = failureOf(signer.signBatch(Array(200).fill(data)));
    await called('C_Sign');
    await signer.close();
    expect(childProcesses()).toEqual([]);
    for (const { code } of await Promise.all([...failures, batch])) expect(code).toBe('signer-closed');
  });

  it('is closed while its module is initialized anew', async () => {
    const signer = await openedAndForgotten();
    rig.fault.inject({ fn: 'C_Sign', action: 'crash' });
    rig.fault.inject({ fn: 'C_Initialize', action: 'hang' });
    const failure = failureOf(signer.sign(data));
    await called('C_Initialize');
    await signer.close();
    expect(childProcesses()).toEqual([]);
    expect((await failure).code).toBe('signer-closed');
  });

  it('is closed while one of its tokens is probed', async () => {
    const signer = await openedAndForgotten({ replicas: [{ modulePath: other.modulePath }] });
    rig.fault.inject({ fn: 'C_Sign', action: 'crash' });
    other.inject({ fn: 'C_Sign', action: 'crash' });
    rig.fault.inject({ fn: 'C_Initialize', action: 'hang' });
    other.inject({ fn: 'C_Initialize', action: 'hang' });
    const failure = failureOf(signer.sign(data));
    await called('C_Initialize');
    await signer.close();
    // What does not end in time is not waited for.
    await eventually(() => childProcesses().length === 0, 'the processes of both modules have ended');
    expect((await failure).code).toBe('signer-closed');
  });
});

describe('a signer that shares its module', () => {
  it('is closed, and the process and the signatures of the other stay', async () => {
    const [closed, kept] = [await openedAndForgotten(), await openedAndForgotten()];
    const processes = childProcesses();
    const hang = rig.fault.inject({ fn: 'C_Sign', action: 'hang' });
    const failure = failureOf(closed.sign(data));
    const signed = expectToSign(kept);
    await called('C_Sign');
    await closed.close();
    expect((await failure).code).toBe('signer-closed');
    hang.remove();
    await signed;
    expect(childProcesses()).toEqual(processes);
    await kept.close();
  });

  it('is opened again only when its token has been closed', async () => {
    await rig.token.addToken('second', '87654321');
    await rig.token.addKey({ algorithm: 'p256', label: 'second' }, { label: 'second', pin: '87654321' });
    const second = { pinFile: undefined, pin: '87654321', tokenLabel: 'second', keyLabel: 'second' };
    const several = { maxSessions: 3 };
    const kept = await openedAndForgotten({ ...several, ...second });
    const closed = await openedAndForgotten(several);
    const hang = rig.fault.inject({ fn: 'C_Sign', action: 'hang', times: 1 });
    const failure = failureOf(closed.sign(data));
    await called('C_Sign');
    await closed.close();
    expect((await failure).code).toBe('signer-closed');
    await expectToSign(kept);
    const opening = Pkcs11Signer.open({ ...rig.config, ...several });
    await Promise.race([opening.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 1_000))]);
    hang.remove();
    const again = await opening;
    await expectToSign(again);
    await Promise.all([again.close(), kept.close()]);
  });
});

describe('a signer whose token is slow', () => {
  it('is closed when everything is signed, however long that takes', async () => {
    const signer = await openedAndForgotten();
    rig.fault.inject({ fn: 'C_Sign', action: 'delay', ms: 500 });
    const signed = Array.from({ length: 5 }, () => signer.sign(data));
    const batch = signer.signBatch(Array(8).fill(data));
    await signer.close();
    await Promise.all(signed);
    expect(await batch).toHaveLength(8);
  });
});
