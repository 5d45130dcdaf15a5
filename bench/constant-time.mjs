// Whether the time of signing tells keys apart: Welch's t-test on a fixed key against random ones, as in "Dude, is my code
// constant time?" (Reparaz, Balasch, Verbauwhede, https://eprint.iacr.org/2016/1123). Calls of both classes are interleaved
// at random; the slowest are cropped at several percentiles, as what interrupts a process only hides differences.
//
// |t| below 4.5 means that no difference was seen, in as many calls, on this machine; not that there is none. The controls
// leak on purpose and must be seen. Not a test: other load on the machine can make any row fail, so run it once more.
// Usage: npm run bench:constant-time [-- part of a row's name] [--seconds=6, for each row]

import { parseArgs } from 'node:util';
import { loadCurves } from '../scripts/constant-trace/curves.mjs';

const THRESHOLD = 4.5;
const WARM_UP = 3000;
const CHUNK = 1000;
const CROPS = 12;

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '6' } },
  allowPositionals: true,
});
const { ed25519, secp256k1, schnorr } = await loadCurves();
const message = new Uint8Array(32).fill(3);
const aux = new Uint8Array(32).fill(9);
const fixedKey = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 1);

// All keys are written here: where a key lies, or what lay in the cache before, makes a difference of some nanoseconds.
const key = new Uint8Array(32);
let random = (Math.random() * 2 ** 32) | 0;
// Keeps the engine from leaving out calls whose results nobody wants.
export let sink;

const identity = (anyKey) => anyKey;
const rows = [
  { name: 'Ed25519 sign', call: (key) => ed25519.sign(message, key) },
  { name: 'Ed25519 prepare', call: (key) => ed25519.prepare(key) },
  {
    name: 'Ed25519 sign, prepared',
    prepare: (key) => ed25519.prepare(key),
    call: (key) => key.sign(message),
  },
  { name: 'secp256k1 public key', call: (key) => secp256k1.getPublicKey(key) },
  { name: 'ECDSA sign', call: (key) => secp256k1.sign(message, key) },
  { name: 'Schnorr sign', call: (key) => schnorr.sign(message, key, aux) },
  { name: 'control: a comparison that ends early', leaks: true, call: (key) => isFixedKey(key) },
  {
    name: 'control: ECDSA sign, with a leak of 1 %',
    leaks: true,
    call: (key) => {
      secp256k1.sign(message, key);
      return (key[0] & 3) === (fixedKey[0] & 3) ? hash(key, 350) : 0;
    },
  },
];

console.log(`${process.version}, a fixed key against random ones`);
console.log('                                            calls     µs  difference, ns       t');
let failures = 0;
for (const row of rows) {
  if (!row.name.includes(positionals[0] ?? '')) continue;
  const { calls, mean, difference, t } = compare(row, Number(values.seconds) * 1000);
  const isSeen = Math.abs(t) >= THRESHOLD;
  const verdict = isSeen ? 'different' : 'the same';
  if (isSeen !== (row.leaks ?? false)) failures++;
  console.log(
    `${row.name.padEnd(41)} ${String(calls).padStart(7)} ${(1000 * mean).toFixed(1).padStart(6)}` +
      ` ${(1e6 * difference).toFixed(1).padStart(15)} ${t.toFixed(2).padStart(7)}  ${verdict}`,
  );
}
if (failures > 0) console.log('not as it should be: signing must look the same, the controls must not');
process.exitCode = failures === 0 ? 0 : 1;

/** Ends at the first byte that differs. */
function isFixedKey(key) {
  for (let i = 0; i < 32; i++) if (key[i] !== fixedKey[i]) return false;
  return true;
}

/** Some work, in proportion to `rounds`. */
function hash(key, rounds) {
  let state = 1;
  for (let i = 0; i < rounds; i++) state = Math.imul(state ^ key[i & 31], 0x01000193);
  return state;
}

function compare({ prepare = identity, call }, budgetMs) {
  const samples = [];
  const end = performance.now() + budgetMs;
  for (let i = 0; i < WARM_UP; i++) call(prepare(newKey(i & 1)));
  while (performance.now() < end) {
    for (let i = 0; i < CHUNK; i++) {
      const kind = Math.random() < 0.5 ? 0 : 1;
      const argument = prepare(newKey(kind));
      const start = performance.now();
      sink = call(argument);
      samples.push({ kind, time: performance.now() - start });
    }
  }
  return evaluate(samples);
}

/** The fixed key (0) or another random one (1): by mask, so that all that came before is the same for both. */
function newKey(kind) {
  for (let i = 0; i < 32; i += 4) {
    random = Math.imul(random ^ (random >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    for (let j = 0; j < 4; j++) {
      const byte = random >>> (8 * j);
      key[i + j] = fixedKey[i + j] ^ ((fixedKey[i + j] ^ byte) & -kind);
    }
  }
  return key;
}

/** The t that is farthest from 0 over all crops, and the difference of the means at the most drastic of them. */
function evaluate(samples) {
  const times = samples.map(({ time }) => time).sort((a, b) => a - b);
  const limits = Array.from({ length: CROPS }, (_, i) => {
    const kept = 1 - 0.5 ** (CROPS - i); // all but the last fraction of a percent, down to half
    return times[Math.floor(kept * (times.length - 1))];
  });
  const tests = [Number.POSITIVE_INFINITY, ...limits].map((limit) => welch(samples, limit));
  const t = tests.map((test) => test.t).reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  const { mean, difference } = tests.at(-1);
  return { calls: samples.length, mean, difference, t };
}

/** Welch's t of the times up to a limit. */
function welch(samples, limit) {
  const classes = [0, 1].map(() => ({ count: 0, mean: 0, squares: 0 }));
  for (const { kind, time } of samples) {
    if (time > limit) continue;
    const one = classes[kind];
    const step = time - one.mean;
    one.count++;
    one.mean += step / one.count;
    one.squares += step * (time - one.mean);
  }
  const [fixed, random] = classes;
  const error = Math.sqrt(
    classes.reduce((sum, { count, squares }) => sum + squares / (count - 1) / count, 0),
  );
  return { mean: random.mean, difference: fixed.mean - random.mean, t: (fixed.mean - random.mean) / error };
}
