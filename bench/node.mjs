// The run in Node.

import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { compare, load, OURS } from './compare.mjs';
import { ours } from './contenders/erst-hsm.mjs';
import { libauth } from './contenders/libauth.mjs';
import { libsodium } from './contenders/libsodium.mjs';
import { noble } from './contenders/noble.mjs';
import { nodeCrypto } from './contenders/node-crypto.mjs';
import { secp256k1Addon } from './contenders/secp256k1-addon.mjs';
import { sodiumNative } from './contenders/sodium-native.mjs';
import { tinySecp256k1 } from './contenders/tiny-secp256k1.mjs';
import { quick, thorough } from './measure.mjs';
import { addRows, finish, isNamed, machine, openReport, versionsOf } from './report.mjs';
import { startUp } from './start-up.mjs';

const peers = [libsodium, libauth, tinySecp256k1, nodeCrypto, sodiumNative, secp256k1Addon, noble];

export async function main(options) {
  const report = openReport(options);
  const method = options.quick ? quick : thorough;
  const curves = await bundleCurves();
  const { loaded, missing } = await load([
    ours(OURS, () => import(curves)),
    ...(options.baseline ? [ours('baseline', () => import(pathToFileURL(resolve(options.baseline))))] : []),
    ...peers.filter(({ name }) => isNamed(name, options.against)),
  ]);
  const run = {
    machine: machine(`Node ${process.versions.node}`, `V8 ${process.versions.v8.split('-')[0]}`),
    method,
    versions: versionsOf(loaded),
    rows: [],
    missing,
  };
  await addRows(run, options, report, (operation) => compare(operation, loaded, method));
  if (!options.quick && options.only === '') {
    report.progress('start-up …');
    run.startUp = await startUp(
      curves,
      loaded.map(({ name }) => name),
    );
    report.write(report.table.startUp(run.startUp));
  }
  return finish([run], options, report);
}

/** src/curves as users get it: one module with the WASM inside. */
async function bundleCurves() {
  const outfile = fileURLToPath(new URL('../build/bench/curves.mjs', import.meta.url));
  await build({
    entryPoints: [fileURLToPath(new URL('../src/curves/index.ts', import.meta.url))],
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'warning',
  });
  return outfile;
}
