// The run in Node.

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
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
import { operations } from './operations.mjs';
import { fails, judge } from './requirements.mjs';
import { startUp } from './start-up.mjs';
import { makeTable } from './table.mjs';
import { versionOf } from './versions.mjs';

const peers = [libsodium, libauth, tinySecp256k1, nodeCrypto, sodiumNative, secp256k1Addon, noble];

export async function main(options) {
  const effort = options.quick ? quick : thorough;
  const curves = await bundleCurves();
  const { loaded, missing } = await load([
    ours(OURS, () => import(curves)),
    ...(options.baseline ? [ours('baseline', () => import(pathToFileURL(resolve(options.baseline))))] : []),
    ...peers.filter(({ name }) => isNamed(name, options.against)),
  ]);
  const result = { machine: machine(), method: effort, versions: versionsOf(loaded), rows: [], missing };
  const report = reporter(options);
  report.write(report.table.heading(result));
  await measureRows(result, options, loaded, effort, report);
  if (missing.length > 0) report.write(`${report.table.missing(missing)}\n`);
  if (!options.quick && options.only === '') {
    result.startUp = await startUp(
      curves,
      loaded.map(({ name }) => name),
    );
    report.write(report.table.startUp(result.startUp));
  }
  return finish(result, options, report);
}

async function measureRows(result, options, loaded, effort, report) {
  let curve;
  for (const operation of operations.filter((one) => isMeant(one, options.only))) {
    report.progress(`${operation.curve}: ${operation.name} …`);
    const row = await compare(operation, loaded, effort);
    result.rows.push(row);
    if (row.curve !== curve) report.write(report.table.curve(row.curve));
    curve = row.curve;
    report.write(report.table.row(row));
  }
}

/** The closing lines; the exit code. */
export function finish(result, options, report) {
  const isWanted = ({ id, against }) =>
    isMeant(
      operations.find((operation) => operation.id === id),
      options.only,
    ) &&
    (against.startsWith(OURS) || isNamed(against, options.against));
  const verdicts = options.require ? judge(result.rows, isWanted) : [];
  if (options.require) {
    result.requirements = verdicts;
    report.write(report.table.verdicts(verdicts));
  }
  if (options.json !== undefined) {
    const text = toJson(result);
    if (options.toStdout) process.stdout.write(text);
    else writeFileSync(options.json, text);
  }
  return verdicts.some(fails) ? 1 : 0;
}

/** Prints to the standard output, unless that is for JSON. */
export function reporter({ toStdout }) {
  const isTerminal = process.stdout.isTTY === true;
  const showsProgress = process.stderr.isTTY === true && !toStdout;
  return {
    table: makeTable({ color: isTerminal && process.env.NO_COLOR === undefined }),
    progress: (text) => showsProgress && process.stderr.write(`\r\x1b[K${text}`),
    write: (text) => {
      if (showsProgress) process.stderr.write('\r\x1b[K');
      if (!toStdout) process.stdout.write(`${text}\n`);
    },
  };
}

export const isMeant = ({ id, curve, name }, only) =>
  `${id} ${curve} ${name}`.toLowerCase().includes(only.toLowerCase());

export const isNamed = (name, against) => against.split(',').some((part) => name.includes(part));

export function machine() {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.replace(/\s+/g, ' ').trim() ?? 'unknown processor',
    cores: processors.length,
    platform: `${process.platform} ${process.arch}`,
    runtime: `Node ${process.versions.node}`,
    engine: `V8 ${process.versions.v8.split('-')[0]}`,
  };
}

const versionsOf = (loaded) =>
  Object.fromEntries(
    loaded.map(({ name, package: folder }) => [
      name,
      folder === undefined
        ? name === 'node:crypto'
          ? process.versions.openssl
          : undefined
        : versionOf(folder),
    ]),
  );

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
  return pathToFileURL(outfile).href;
}

/** Four digits, and lists of numbers on one line. */
function toJson(result) {
  const rounded = (_key, value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
  const text = JSON.stringify(result, rounded, 1);
  return `${text.replace(/\[[\s\d.,]+\]/g, (list) => list.replace(/\s+/g, ' '))}\n`;
}
