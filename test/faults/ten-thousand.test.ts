// Ten thousand signatures by three keys while everything goes wrong at random: each request is answered once, no signature is
// wrong, no PIN is presented in vain, and nothing is left over. The seed is fixed; which request meets which fault still
// depends on the order in which they arrive.

import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SignerError } from '../../src/errors.js';
import { Pkcs11Signer } from '../../src/signers/pkcs11/pkcs11-signer.js';
import { childProcesses, createFaultRig, eventually, expectToSign, type FaultRig } from './rig.js';

const SIGNATURES = 10_000;
const AT_ONCE = 120;
const algorithms = ['ed25519', 'secp256k1', 'p256'] as const;

let rig: FaultRig;
beforeAll(async () => {
  rig = await createFaultRig({ keys: algorithms });
});
afterAll(() => rig.close());

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const heapMegabytes = () => {
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
};
const openFiles = () => readdirSync('/proc/self/fd').length;

function injectFaults(): void {
  const codes = [0xb3, 0xb0, 0x90, 0x91, 0x82, 0x60, 0x101, 0x30, 0x5, 0x6, 0x32];
  for (const code of codes) {
    rig.fault.inject({ fn: 'C_SignInit', action: 'return', code, probability: 0.0006 });
    rig.fault.inject({ fn: 'C_Sign', action: 'return', code, probability: 0.0006, when: 'after' });
  }
  rig.fault.inject({ fn: 'C_Sign', action: 'corrupt', probability: 0.002 });
  rig.fault.inject({ fn: 'C_Sign', action: 'shorten', probability: 0.001 });
  rig.fault.inject({ fn: 'C_Sign', action: 'delay', ms: 20, probability: 0.002 });
  rig.fault.inject({ fn: 'C_Sign', action: 'crash', probability: 0.0007 });
  rig.fault.inject({ fn: 'C_Sign', action: 'crash', how: 'exit', probability: 0.0003, when: 'after' });
  rig.fault.inject({ fn: 'C_Sign', action: 'hang', probability: 0.0003 });
  rig.fault.inject({ fn: 'C_FindObjects', action: 'crash', probability: 0.002 });
}

/** Every so many signatures, what happens behind the signer's back. */
function disturb(count: number): void {
  if (count % 700 === 300) rig.fault.closeAllSessions();
  if (count % 700 === 600) rig.fault.logOut();
  if (count % 2500 === 1000) rig.fault.removeToken();
  if (count % 2500 === 1060) rig.fault.insertToken();
}

interface Tally {
  answered: number;
  good: number;
  codes: Map<string, number>;
}

async function signAll(signers: readonly Pkcs11Signer[]): Promise<Tally> {
  const tally: Tally = { answered: 0, good: 0, codes: new Map() };
  let asked = 0;
  const worker = async () => {
    while (asked < SIGNATURES) {
      const signer = signers[asked++ % signers.length]!;
      try {
        await expectToSign(signer);
        tally.good++;
      } catch (error) {
        if (!(error instanceof SignerError)) throw error;
        tally.codes.set(error.code, (tally.codes.get(error.code) ?? 0) + 1);
      }
      disturb(++tally.answered);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return tally;
}

it('end well', { timeout: 900_000 }, async () => {
  const { keyLabel: _, ...config } = rig.config;
  const open = () =>
    Promise.all(
      algorithms.map((label) =>
        Pkcs11Signer.open({ ...config, keyLabel: label, processes: 2, maxSessions: 4, timeoutMs: 2_000 }),
      ),
    );
  rig.fault.shape({ pinTries: 3, maxSessions: 6 });
  for (const signer of await open()) await signer.close(); // what is loaded once is not a leak
  await eventually(() => childProcesses().length === 0, 'no process is left');
  const before = { files: openFiles(), heap: heapMegabytes() };

  const signers = await open();
  injectFaults();
  const { answered, good, codes } = await signAll(signers);
  expect(rig.fault.pinTriesLeft(), 'no try was spent').toBe(3);
  rig.fault.clear();
  for (const signer of signers) await expectToSign(signer);
  await Promise.all(signers.map((signer) => signer.close()));
  await eventually(() => childProcesses().length === 0, 'no process is left');

  const allowed = ['token-error', 'token-not-found', 'module-crashed', 'timeout', 'signature-invalid'];
  expect(answered).toBe(SIGNATURES);
  expect([...codes.keys()].filter((code) => !allowed.includes(code))).toEqual([]);
  expect(good, `failures: ${JSON.stringify([...codes])}`).toBeGreaterThan(0.9 * SIGNATURES);
  expect(codes.get('signature-invalid'), 'the token got some wrong').toBeGreaterThan(0);
  expect(rig.fault.logins().filter(({ code }) => code !== 0 && code !== undefined)).toEqual([]);
  expect(rig.fault.violations()).toEqual([]);
  expect(openFiles()).toBeLessThanOrEqual(before.files + 2);
  expect(heapMegabytes()).toBeLessThan(before.heap + 30);
});
