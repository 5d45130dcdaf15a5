// Pkcs11Signer as it is built, with many requests in flight and every signature verified, as always.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pkcs11Signer } from '../../build/node/index.js';
import { serve } from './player.mjs';

const WARM_UP_MS = 1000;
/** The monitor's own interval is part of what it measures. */
const RESOLUTION_MS = 1;

await serve(async ({ config, algorithm, inFlight }) => {
  const signer = await Pkcs11Signer.open({ ...config, keyLabel: algorithm });
  const play = (ms) => measure(signer, ms, inFlight);
  await play(WARM_UP_MS);
  return { play, close: () => signer.close() };
});

async function measure(signer, ms, inFlight) {
  const idle = await delaysDuring(() => sleep(200));
  let signatures = 0;
  const begun = performance.now();
  const signOn = async (message) => {
    while (performance.now() - begun < ms) {
      await signer.sign(message);
      signatures++;
    }
  };
  const cpuBefore = process.cpuUsage();
  const busy = await delaysDuring(() =>
    Promise.all(Array.from({ length: inFlight }, (_, i) => signOn(new Uint8Array(32).fill(i)))),
  );
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    aSecond: (signatures * 1000) / (performance.now() - begun),
    hostMicroseconds: (user + system) / signatures,
    meanDelayMs: busy.mean,
    p99DelayMs: busy.p99,
    maxDelayMs: busy.max,
    idleP99DelayMs: idle.p99,
  };
}

async function delaysDuring(work) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  await work();
  delays.disable();
  const inMs = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  return { mean: inMs(delays.mean), p99: inMs(delays.percentile(99)), max: inMs(delays.max) };
}
