// What every table of faults stands on: a SoftHSM token behind the fault module, a place of its own for refused PINs, and
// what became of processes.

import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Pkcs11Config } from '../../src/signers/config/config.js';
import { createFaultModule, type FaultModule } from '../fixtures/fault-module/fault-module.js';
import { createSoftHsmToken, type SoftHsmOptions, type SoftHsmToken } from '../fixtures/softhsm.js';

export { expectToSign, failureOf } from '../fixtures/outcomes.js';

export interface FaultRig {
  token: SoftHsmToken;
  fault: FaultModule;
  /** With the PIN in a file, so that it can be read again. */
  config: Pkcs11Config;
  pinFile: string;
  /** Nothing is wrong any more, no PIN is remembered, nothing is counted. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** One P-256 key labelled `key`, unless `options` has others. */
export async function createFaultRig(options: SoftHsmOptions = {}): Promise<FaultRig> {
  const token = await createSoftHsmToken({ keys: [{ algorithm: 'p256', label: 'key' }], ...options });
  const fault = await createFaultModule();
  const pinFile = join(token.directory, 'pin');
  let states = 0;
  const rig: FaultRig = {
    token,
    fault,
    pinFile,
    config: { modulePath: fault.modulePath, tokenLabel: token.tokenLabel, pinFile, keyLabel: 'key' },
    async reset() {
      fault.clear();
      fault.forget();
      await writeFile(pinFile, token.pin, { mode: 0o600 });
      process.env.XDG_STATE_HOME = join(token.directory, `state-${++states}`);
      await mkdir(process.env.XDG_STATE_HOME, { mode: 0o700 });
    },
    async close() {
      await fault.close();
      await token.remove();
      delete process.env.XDG_STATE_HOME;
    },
  };
  await rig.reset();
  return rig;
}

/** Processes that this one has started and that still run. */
export function childProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => parentOf(pid) === process.pid)
    .map(Number);
}

function parentOf(pid: string): number | undefined {
  try {
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return state === 'Z' ? undefined : Number(parent);
  } catch {
    return undefined; // it has just ended
  }
}

/** Waits until `condition` holds: for what happens on its own in another process. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  for (const deadline = performance.now() + 45_000; performance.now() < deadline; ) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect.unreachable(`it never came to this: ${what}`);
}
