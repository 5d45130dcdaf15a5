// Fails on an import that crosses a wall the wrong way. The rooms and their arrows are the table below; the imports are
// the ones that esbuild resolves, so type-only imports do not count and nothing else escapes.

import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

const leaves = ['src/errors.ts', 'src/bytes.ts', 'src/version.ts'];
const values = [
  'src/signers/types.ts',
  'src/signers/public-key.ts',
  'src/signers/signature.ts',
  'src/signers/verify.ts',
  'src/signers/sign-request.ts',
];
const noble = ['@noble/curves', '@noble/hashes', '@noble/ciphers'];
const foundations = [...leaves, ...values, 'src/signers/encoding/', 'src/signers/config/', 'src/curves/'];

/** What a module and its process have in common with the engine above them. */
const pkcs11Words = [
  'src/signers/pkcs11/engine/hosted-module.ts',
  'src/signers/pkcs11/constants.ts',
  'src/signers/pkcs11/errors.ts',
];

/** First match wins. `to`: path prefixes; `packages`: package names. Only `nodeOnly` files may import `node:*`. */
const rooms = [
  { from: 'src/errors.ts', to: [], packages: [] },
  { from: 'src/version.ts', to: [], packages: [] },
  { from: 'src/bytes.ts', to: [], packages: ['@noble/hashes'] },
  { from: 'src/curves/', to: [...leaves, 'src/curves/', 'build/wasm/curves.'], packages: [] },
  { from: 'src/protocol/', to: [...leaves, 'src/protocol/'], packages: [...noble, 'cborg', 'valibot'] },
  {
    from: 'src/signers/pkcs11/module/',
    nodeOnly: /./,
    to: [...foundations, ...pkcs11Words, 'src/signers/pkcs11/module/'],
    packages: ['pkcs11js', ...noble],
  },
  // The child's side alone holds a module.
  {
    from: 'src/signers/pkcs11/process/module-server.ts',
    nodeOnly: /./,
    to: [...leaves, 'src/signers/pkcs11/process/', 'src/signers/pkcs11/module/loaded-module.ts'],
    packages: ['valibot'],
  },
  {
    from: 'src/signers/pkcs11/process/',
    nodeOnly: /./,
    to: [...leaves, ...pkcs11Words, 'src/signers/pkcs11/process/'],
    packages: ['cborg', 'valibot'],
  },
  // Verifiers of their own, so that they are in nothing that browsers load.
  {
    from: 'src/signers/pkcs11/key/pinned-',
    nodeOnly: /./,
    to: ['build/wasm/pinned-', 'src/signers/pkcs11/key/pinned-'],
    packages: [],
  },
  {
    from: 'src/signers/pkcs11/',
    nodeOnly: /./,
    to: [...foundations, 'src/signers/secrets/', 'src/signers/pkcs11/'],
    packages: noble,
  },
  {
    from: 'src/signers/remote/',
    nodeOnly: /\.node\.ts$/,
    to: [...foundations, 'src/signers/secrets/', 'src/signers/remote/', 'src/protocol/'],
    packages: ['ws', 'valibot', ...noble],
  },
  {
    from: 'src/signers/secrets/',
    nodeOnly: /\.node\.ts$/,
    to: [...leaves, 'src/signers/secrets/'],
    packages: [],
  },
  { from: 'src/signers/factory.node.ts', nodeOnly: /./, to: [...leaves, 'src/signers/'], packages: [] },
  {
    from: 'src/signers/factory.',
    to: [...foundations, 'src/signers/factory.ts', 'src/signers/software.ts', 'src/signers/remote/'],
    packages: [],
  },
  {
    from: 'src/signers/',
    nodeOnly: /\.node\.ts$/,
    to: [...foundations, 'src/signers/secrets/', 'src/signers/software'],
    packages: noble,
  },
  {
    from: 'src/bridge/',
    nodeOnly: /./,
    to: [...leaves, ...values, 'src/protocol/', 'src/bridge/'],
    packages: ['ws', ...noble],
  },
  {
    from: 'src/cli/',
    nodeOnly: /./,
    to: ['src/'],
    packages: ['commander', 'pino', 'valibot', 'pkcs11js', ...noble],
  },
  { from: 'src/testing/', to: [...leaves, ...values, 'src/testing/', 'src/curves/'], packages: noble },
  {
    from: 'src/browser/',
    to: [...foundations, 'src/browser/', 'src/protocol/', 'src/signers/software.ts', 'src/signers/remote/'],
    packages: noble,
  },
  { from: 'src/index.ts', nodeOnly: /./, to: ['src/'], packages: [] },
  { from: 'src/index.browser.ts', to: ['src/'], packages: [] },
];

/** Inputs that must not be in a browser bundle, whatever led there. */
const notInBrowser = /^node:|\.node\.ts$|^src\/(signers\/pkcs11|bridge|cli)\/|^build\/wasm\/pinned-/;

const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)));

const graph = async (entryPoints, platform, options = {}) =>
  (
    await esbuild.build({
      absWorkingDir: root,
      entryPoints,
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      outdir: 'out',
      platform,
      logLevel: 'error',
      ...options,
    })
  ).metafile.inputs;

const packageOf = (path) =>
  path.startsWith('@') ? path.split('/').slice(0, 2).join('/') : path.split('/')[0];

function crosses(room, file, target) {
  if (target.path.startsWith('node:')) return !room.nodeOnly?.test(file);
  if (target.external) return !room.packages.includes(packageOf(target.path));
  // What is for Node alone may be reached from what is for Node alone.
  if (target.path.endsWith('.node.ts') && !room.nodeOnly?.test(file)) return true;
  return !room.to.some((prefix) => target.path.startsWith(prefix));
}

const problems = [];
const inputs = await graph(sources, 'node', { packages: 'external' });
for (const [file, { imports }] of Object.entries(inputs)) {
  if (!file.startsWith('src/')) continue;
  const room = rooms.find(({ from }) => file.startsWith(from));
  if (!room) problems.push(`${file} is in no room of scripts/check-walls.mjs`);
  else
    for (const target of imports)
      if (crosses(room, file, target)) problems.push(`${file} must not import ${target.path}`);
}

for (const entry of [
  'src/index.browser.ts',
  'src/browser/console/main.ts',
  'src/curves/index.ts',
  'src/testing/index.ts',
]) {
  const bundled = await graph([entry], 'browser', { external: ['node:*'] });
  for (const [file, { imports }] of Object.entries(bundled)) {
    for (const path of [file, ...imports.map((target) => target.path)]) {
      if (notInBrowser.test(path))
        problems.push(`${entry}: a browser bundle must not hold ${path} (by ${file})`);
    }
  }
}

for (const problem of new Set(problems)) console.error(problem);
console.error(
  problems.length === 0
    ? `walls: ${sources.length} files, no crossing`
    : `walls: ${new Set(problems).size} crossings`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
