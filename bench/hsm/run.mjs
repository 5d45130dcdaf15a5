// Signing on a token beside the plain binding: npm run bench:hsm -- [option…]
//
//   --quick          fewer and shorter rounds
//   --only <text>    rows whose name contains it: "p256", "50 ms"
//   --json           the results as JSON
//
// On SoftHSM, the baseline is pkcs11js in a loop of C_SignInit and C_Sign in one thread, which verifies nothing. Ours is
// Pkcs11Signer with 128 requests in flight, each signature verified. Each runs in a process of its own; both alternate, and
// a ratio is the median over the rounds of ours to the baseline's runs before and after it. The device that takes 50 ms
// a signature is SoftHSM behind the fault module of the tests.

import { parseArgs } from 'node:util';
import { median } from '../statistics.mjs';
import { openFixtures } from './fixtures.mjs';
import { start } from './player.mjs';
import { print } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});

const ALGORITHMS = ['ed25519', 'secp256k1', 'p256'];
const ROUNDS = options.quick ? 3 : 9;
const BLOCK_MS = options.quick ? 1000 : 2000;
const DEVICE_MS = 50;
const DEVICE_SESSIONS = 32;

/** What has to be reached: `ratio` to the baseline, signatures `aSecond`. */
const softwareRows = [
  { name: 'ed25519, one child', algorithm: 'ed25519', processes: 1, target: { ratio: 0.95 } },
  { name: 'ed25519, two children', algorithm: 'ed25519', processes: 2, target: { ratio: 1.25 } },
  { name: 'secp256k1, one child', algorithm: 'secp256k1', processes: 1, target: { ratio: 0.95 } },
  { name: 'secp256k1, two children', algorithm: 'secp256k1', processes: 2, target: { ratio: 1.5 } },
  { name: 'p256, one child', algorithm: 'p256', processes: 1, target: { ratio: 0.6 } },
  { name: 'p256, two children', algorithm: 'p256', processes: 2, target: {} },
].filter(isMeant);
const deviceRows = [
  {
    name: `ed25519, ${DEVICE_MS} ms device, ${DEVICE_SESSIONS} sessions`,
    algorithm: 'ed25519',
    target: { aSecond: 600 },
  },
].filter(isMeant);

const fixtures = await openFixtures(ALGORITHMS);
try {
  const rows = [];
  for (const row of softwareRows) rows.push(await compare(row));
  for (const row of deviceRows) rows.push(await onDevice(row));
  if (options.json) console.log(JSON.stringify(rows, undefined, 2));
  else print(rows);
} finally {
  await fixtures.close();
}

function isMeant({ name }) {
  return name.includes(options.only);
}

async function compare({ name, algorithm, processes, target }) {
  const { env, config } = fixtures.softHsm;
  const baseline = await start('baseline.mjs', env, { config, algorithm });
  const ours = await start('ours.mjs', env, { config: { ...config, processes }, algorithm, inFlight: 128 });
  try {
    const rounds = [];
    let before = await baseline.play(BLOCK_MS);
    for (let i = 0; i < ROUNDS; i++) {
      const run = await ours.play(BLOCK_MS);
      const after = await baseline.play(BLOCK_MS);
      rounds.push({
        ...run,
        ratio: (2 * run.aSecond) / (before.aSecond + after.aSecond),
        baseline: after.aSecond,
      });
      before = after;
    }
    return { name, target, ...mediansOf(rounds) };
  } finally {
    await Promise.all([baseline.end(), ours.end()]);
  }
}

async function onDevice({ name, algorithm, target }) {
  const { env, config } = fixtures.device(DEVICE_MS);
  const settings = { ...config, maxSessions: DEVICE_SESSIONS };
  const ours = await start('ours.mjs', env, { config: settings, algorithm, inFlight: 128 });
  try {
    const rounds = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await ours.play(BLOCK_MS));
    return { name, target, ...mediansOf(rounds) };
  } finally {
    await ours.end();
  }
}

function mediansOf(rounds) {
  const names = Object.keys(rounds[0]);
  return Object.fromEntries(names.map((name) => [name, median(rounds.map((round) => round[name]))]));
}
