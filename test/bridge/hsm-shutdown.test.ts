// `erst-hsm bridge` told to stop while its token does not come back, as a real process.

import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { RemoteSigner } from '../../src/signers/remote/remote.node.js';
import { useCommand } from '../cli/command.js';
import { createFaultRig, eventually, type FaultRig } from '../faults/rig.js';

const command = useCommand();
let rig: FaultRig;

beforeAll(async () => {
  rig = await createFaultRig();
});
afterEach(() => rig.reset());
afterAll(() => rig.close());

/** Processes that have the module open, whoever started them. */
function processesOfModule(): string[] {
  const holds = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/maps`, 'utf8').includes(rig.fault.modulePath);
    } catch {
      return false; // it has just ended
    }
  };
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && holds(pid));
}

it.each([
  ['SIGTERM', false],
  ['SIGINT', false],
  ['SIGTERM', true],
] as const)(
  'ends after %s, and nothing of it is left (module in the process: %s)',
  async (signal, inProcess) => {
    const { modulePath, tokenLabel, keyLabel, pinFile } = rig.config;
    const pkcs11 = { modulePath, tokenLabel, keyLabel, pinFile, timeoutMs: 600_000, inProcess };
    await writeFile(
      command.path('bridge.json'),
      JSON.stringify({ keys: { hsm: { signerType: 'pkcs11', pkcs11 } } }),
    );
    const bridge = command.start(['bridge', '--listen', 'localhost:0', '--config', 'bridge.json'], {
      env: { SOFTHSM2_CONF: process.env.SOFTHSM2_CONF! },
    });
    const link = await bridge.line(/^http:\/\/localhost:\d+\/#pair=/);
    const signer = await RemoteSigner.connect({ ...(await RemoteSigner.pair(link)), key: 'hsm' });
    rig.fault.forget();
    rig.fault.inject({ fn: 'C_Sign', action: 'hang' });
    const failures = Array.from({ length: 5 }, () =>
      signer.sign(new Uint8Array(32)).catch(({ code }) => code),
    );
    await eventually(() => rig.fault.calls('C_Sign') > 0, 'the token is asked');
    bridge.child.kill(signal);
    expect(await bridge.ended(), bridge.output()).toBe(inProcess ? null : 0); // null: it had to kill itself
    expect(await Promise.all(failures)).toEqual(Array(5).fill('timeout'));
    expect(processesOfModule()).toEqual([]);
    await signer.close();
  },
);
