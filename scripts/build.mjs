// Makes everything under build/: WASM, Node and browser modules, the console page, type declarations.
//
//   node scripts/build.mjs [--if-stale] [wasm] [wasm-debug] [node] [pkcs11-process] [browser] [console] [types]
//
// No part means all of them. With --if-stale, only those of them that are older than what they are made from.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);
const shared = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  legalComments: 'none',
  logLevel: 'warning',
};
const nodeTarget = { platform: 'node', target: 'node20.19', packages: 'external' };
const browserTarget = { platform: 'browser', target: ['chrome111', 'firefox114', 'safari16.4'] };

const buildWasm = (target) =>
  void execFileSync(process.execPath, [at('scripts', 'build-wasm.mjs'), target], { stdio: 'inherit' });

const parts = {
  wasm: () => buildWasm('release'),

  /** The same with assertions, for the tests. */
  'wasm-debug': () => buildWasm('debug'),

  /** Modules for Node; packages stay imports. */
  node: async () => {
    clean('node');
    await esbuild.build({
      ...shared,
      ...nodeTarget,
      entryPoints: {
        index: 'src/index.ts',
        curves: 'src/curves/index.ts',
        bridge: 'src/bridge/index.ts',
        testing: 'src/testing/index.ts',
        cli: 'src/cli/main.ts',
      },
      outdir: 'build/node',
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
      sourcemap: true,
    });
    chmodSync(at('build', 'node', 'cli.js'), 0o755);
    await parts['pkcs11-process']();
  },

  /** The program of a PKCS#11 module's process: one file with the packages that it needs, so that it starts quickly. */
  'pkcs11-process': async () => {
    await esbuild.build({
      ...shared,
      ...nodeTarget,
      packages: 'bundle',
      external: ['pkcs11js'],
      entryPoints: { 'pkcs11-process': 'src/signers/pkcs11/process/child.ts' },
      outdir: 'build/node',
      sourcemap: true,
    });
  },

  /** Modules for bundlers (packages stay imports), and the self-contained one for a plain script tag. */
  browser: async () => {
    clean('browser');
    await esbuild.build({
      ...shared,
      ...browserTarget,
      packages: 'external',
      entryPoints: {
        index: 'src/index.browser.ts',
        curves: 'src/curves/index.ts',
        testing: 'src/testing/index.ts',
      },
      outdir: 'build/browser',
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
    });
    await esbuild.build({
      ...shared,
      ...browserTarget,
      entryPoints: ['src/index.browser.ts'],
      outfile: 'build/browser/erst-hsm.js',
      minify: true,
    });
  },

  /** The page that the bridge serves. */
  console: async () => {
    clean('console');
    await esbuild.build({
      ...shared,
      ...browserTarget,
      entryPoints: ['src/browser/console/main.ts'],
      outfile: 'build/console/main.js',
      minify: true,
    });
    for (const file of readdirSync(at('src', 'browser', 'console'))) {
      if (!file.endsWith('.ts')) cpSync(at('src', 'browser', 'console', file), at('build', 'console', file));
    }
  },

  types: () => {
    clean('types');
    const tsc = at('node_modules', 'typescript', 'bin', 'tsc');
    execFileSync(process.execPath, [tsc, '-p', at('tsconfig.build.json')], { stdio: 'inherit', cwd: root });
  },
};

function clean(part) {
  rmSync(at('build', part), { recursive: true, force: true });
  mkdirSync(at('build', part), { recursive: true });
}

const stampOf = (part) => at('build', `.built-${part}`);

function newest(path) {
  const entry = statSync(path);
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function isStale(part) {
  const inputs = part.startsWith('wasm')
    ? ['assembly', 'asconfig.json']
    : ['src', 'assembly', 'tsconfig.json'];
  const made = existsSync(stampOf(part)) ? statSync(stampOf(part)).mtimeMs : 0;
  return [...inputs, 'scripts', 'package.json', 'package-lock.json'].some((name) => newest(at(name)) > made);
}

async function main(args) {
  const named = args.filter((name) => name !== '--if-stale');
  const unknown = named.filter((name) => !(name in parts));
  if (unknown.length > 0)
    throw new Error(`no such part: ${unknown.join(', ')}; parts: ${Object.keys(parts).join(', ')}`);
  const wanted = named.length > 0 ? named : Object.keys(parts);
  // npm would leave out of the package what build/.gitignore keeps out of git; this file takes its place.
  writeFileSync(at('build', '.npmignore'), 'wasm/\n');
  for (const part of args.includes('--if-stale') ? wanted.filter(isStale) : wanted) {
    const started = performance.now();
    await parts[part]();
    writeFileSync(stampOf(part), '');
    console.error(`built ${part} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
}

await main(process.argv.slice(2));
