// Speed of the curves against @noble/curves: interleaved rounds, the median of each, and the median of their ratios.
// Usage: npm run bench -- [part of a row's name]

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ed25519 as nobleEd25519 } from '@noble/curves/ed25519.js';
import * as noble from '@noble/curves/secp256k1.js';
import { build } from 'esbuild';

const ROUNDS = 15;
const ROUND_MS = 20;

const { ed25519, secp256k1, schnorr } = await load();
const message = new Uint8Array(32).fill(3);
const secretKey = new Uint8Array(32).fill(5);

const rows = [...ed25519Rows(), ...secp256k1Rows(), ...schnorrRows()];

console.log(`${process.version}, 32-byte messages, microseconds`);
console.log('                                    ours      noble   ratio');
for (const { name, per = 1, ours, theirs } of rows) {
  if (!name.includes(process.argv[2] ?? '')) continue;
  const rounds = [];
  warmUp(ours);
  warmUp(theirs);
  for (let i = 0; i < ROUNDS; i++) rounds.push([time(ours) / per, time(theirs) / per]);
  const [a, b] = [0, 1].map((side) => median(rounds.map((round) => round[side])));
  const ratio = median(rounds.map(([mine, other]) => other / mine));
  console.log(
    `${name.padEnd(30)} ${a.toFixed(1).padStart(9)} ${b.toFixed(1).padStart(10)} ${ratio.toFixed(1).padStart(7)}`,
  );
}

function ed25519Rows() {
  const publicKey = ed25519.getPublicKey(secretKey);
  const signature = ed25519.sign(message, secretKey);
  const prepared = ed25519.prepare(secretKey);
  const row = (name, call) => ({
    name: `ed25519 ${name}`,
    ours: () => call(ed25519),
    theirs: () => call(nobleEd25519),
  });
  const verifyOne = () => nobleEd25519.verify(signature, message, publicKey);
  const batch = (size) => {
    const items = Array.from({ length: size }, (_, i) => {
      const key = new Uint8Array(32).fill(i);
      return { signature: ed25519.sign(message, key), message, publicKey: ed25519.getPublicKey(key) };
    });
    return () => ed25519.verifyBatch(items);
  };
  return [
    row('getPublicKey', (curve) => curve.getPublicKey(secretKey)),
    row('sign', (curve) => curve.sign(message, secretKey)),
    {
      ...row('sign', (curve) => curve.sign(message, secretKey)),
      name: 'ed25519 prepared sign',
      ours: () => prepared.sign(message),
    },
    row('verify', (curve) => curve.verify(signature, message, publicKey)),
    row('verify, strict', (curve) => curve.verify(signature, message, publicKey, { zip215: false })),
    { name: 'ed25519 verifyBatch, each of 8', ...batched(batch(8), verifyOne, 8) },
    { name: 'ed25519 verifyBatch, each of 64', ...batched(batch(64), verifyOne, 64) },
  ];
}

function secp256k1Rows() {
  const publicKey = secp256k1.getPublicKey(secretKey);
  const signature = secp256k1.sign(message, secretKey);
  const recovered = secp256k1.sign(message, secretKey, { format: 'recovered' });
  const row = (name, call) => ({
    name: `secp256k1 ${name}`,
    ours: () => call(secp256k1),
    theirs: () => call(noble.secp256k1),
  });
  return [
    row('getPublicKey', (curve) => curve.getPublicKey(secretKey)),
    row('sign', (curve) => curve.sign(message, secretKey)),
    row('verify', (curve) => curve.verify(signature, message, publicKey)),
    row('recoverPublicKey', (curve) => curve.recoverPublicKey(recovered, message)),
  ];
}

function schnorrRows() {
  const publicKey = schnorr.getPublicKey(secretKey);
  const signature = schnorr.sign(message, secretKey);
  const row = (name, call) => ({
    name: `schnorr ${name}`,
    ours: () => call(schnorr),
    theirs: () => call(noble.schnorr),
  });
  return [
    row('getPublicKey', (curve) => curve.getPublicKey(secretKey)),
    row('sign', (curve) => curve.sign(message, secretKey)),
    row('verify', (curve) => curve.verify(signature, message, publicKey)),
  ];
}

/** One call of ours does the work of `size` calls of theirs. */
function batched(ours, verifyOne, size) {
  const theirs = () => {
    for (let i = 0; i < size; i++) verifyOne();
  };
  return { ours, theirs, per: size };
}

/** The optimizing compiler takes over within a few hundred calls. */
function warmUp(call) {
  const end = performance.now() + 100;
  while (performance.now() < end) call();
}

/** Microseconds a call, over about ROUND_MS. */
function time(call) {
  const start = performance.now();
  let calls = 0;
  while (performance.now() < start + ROUND_MS) {
    call();
    calls++;
  }
  return ((performance.now() - start) * 1000) / calls;
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

/** src/curves as one module, bundled for this run. */
async function load() {
  const folder = mkdtempSync(join(tmpdir(), 'erst-hsm-bench-'));
  try {
    const outfile = join(folder, 'curves.mjs');
    const entry = fileURLToPath(new URL('../src/curves/index.ts', import.meta.url));
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      logLevel: 'warning',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
