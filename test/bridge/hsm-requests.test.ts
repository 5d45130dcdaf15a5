// Requests of the bridge in front of a token: what nobody waits for any more does not reach it.

import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { utf8 } from '../../src/bytes.js';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { createFaultRig, eventually, type FaultRig } from '../faults/rig.js';
import { startBridge } from './test-bridge.js';
import { TestClient } from './test-client.js';

let rig: FaultRig;

beforeAll(async () => {
  rig = await createFaultRig();
});
afterEach(() => rig.reset());
afterAll(() => rig.close());

const request = { op: 'sign', key: 'hsm', data: utf8('data') } as const;

/** A bridge whose token is so slow that one signature at a time is asked of it; its next one hangs. */
async function bridgeWithHangingToken(limits = {}) {
  const slow = rig.fault.inject({ fn: 'C_Sign', action: 'delay', ms: 100 });
  const hsm = await Pkcs11Signer.open(rig.config);
  onTestFinished(() => hsm.close());
  slow.remove();
  rig.fault.forget();
  const hang = rig.fault.inject({ fn: 'C_Sign', action: 'hang' });
  const test = await startBridge({ keys: { hsm }, limits });
  return { ...test, hang };
}

const begun = (calls: number) =>
  eventually(() => rig.fault.calls('C_Sign') === calls, `the token has ${calls} signatures`);

describe('requests of a client that has gone', () => {
  it('leave the queue of the token, and are in the log as given up', async () => {
    const { bridge, hang, requests } = await bridgeWithHangingToken();
    const laptop = await TestClient.pair(await bridge.pair({ name: 'laptop' }));
    const phone = await TestClient.pair(await bridge.pair({ name: 'phone' }));
    for (let n = 0; n < 10; n++) laptop.send(request);
    await begun(1);
    laptop.raw.socket.terminate();
    while ((await requests()).length < 10) await new Promise(setImmediate);
    phone.send(request);
    hang.remove();
    expect(await phone.receive()).toMatchObject({ type: 'result' });
    expect(rig.fault.calls('C_Sign'), 'signatures made').toBe(2);
    const results = (await requests()).map(({ client, result }) => `${client}: ${result}`);
    expect(results).toEqual([...Array(10).fill('laptop: bridge-error'), 'phone: ok']);
  });
});

describe('requests that are late', () => {
  it('leave the queue of the token', async () => {
    const { bridge, hang } = await bridgeWithHangingToken({ requestTimeoutMs: 1_000 });
    const client = await TestClient.pair(await bridge.pair());
    for (let n = 0; n < 10; n++) client.send(request);
    for (let n = 0; n < 10; n++) expect(await client.receive()).toMatchObject({ code: 'timeout' });
    client.send(request);
    hang.remove();
    expect(await client.receive()).toMatchObject({ type: 'result' });
    expect(rig.fault.calls('C_Sign'), 'signatures made').toBe(2);
  });
});
