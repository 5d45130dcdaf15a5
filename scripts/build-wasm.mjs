// Compiles assembly/ into build/wasm: curves (asconfig.json), and for each of two curves the verifier of signatures under
// keys that stay the same (assembly/pinned-key/asconfig.json). Each is made as a release and a debug build, as .wasm and as
// an ES module whose default export is the module in base64.
// Usage: node scripts/build-wasm.mjs [release] [debug]

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import asc from 'assemblyscript/asc';

const root = new URL('../', import.meta.url);
process.chdir(fileURLToPath(root));
mkdirSync('build/wasm', { recursive: true });

const CURVE_FILE = normalize('assembly/pinned-key/curve.ts');
const modules = [
  { name: 'curves', config: 'asconfig.json', debugEntries: ['assembly/debug.ts'] },
  {
    name: 'pinned-p256',
    config: 'assembly/pinned-key/asconfig.json',
    debugEntries: ['assembly/pinned-key/debug.ts', 'assembly/p256/debug.ts'],
    curve: 'p256',
  },
  {
    name: 'pinned-secp256k1',
    config: 'assembly/pinned-key/asconfig.json',
    debugEntries: ['assembly/pinned-key/debug.ts'],
    curve: 'secp256k1',
  },
];
const targets = ['release', 'debug'];
const named = process.argv.slice(2);
for (const target of named.length > 0 ? named : targets) {
  if (!targets.includes(target)) fail(`no such target: ${target}`);
  for (const module of modules) await build(module, target);
}

async function build({ name, config, debugEntries, curve }, target) {
  const path = `build/wasm/${name}.${target}`;
  const entries = target === 'debug' ? debugEntries : [];
  const { error, stderr } = await asc.main(
    [...entries, '--config', config, '--target', target, '--outFile', `${path}.wasm`],
    { readFile: (file, directory) => sourceFor(curve, join(directory, file)) },
  );
  if (error) fail(`${stderr.toString()}${error.message}`);

  const wasm = readFileSync(`${path}.wasm`);
  check(path, wasm);
  writeFileSync(`${path}.js`, `export default '${wasm.toString('base64')}';\n`);
  writeFileSync(`${path}.d.ts`, 'declare const base64: string;\nexport default base64;\n');
  console.log(`${path}.wasm  ${kilobytes(wasm)}, ${kilobytes(gzipSync(wasm))} gzipped`);
}

/** AssemblyScript has no parameters of modules: the file that names the curve is read with another name in it. */
function sourceFor(curve, path) {
  if (!existsSync(path)) return null;
  const source = readFileSync(path, 'utf8');
  return curve && path === CURVE_FILE ? source.replace("'./p256'", `'./${curve}'`) : source;
}

/** The loader hands the module nothing and runs nothing of it before the first call: neither may creep in. */
function check(path, wasm) {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(wasm));
  if (imports.length > 0) fail(`${path} imports ${imports.map(({ name }) => name).join(', ')}`);
  if (sections(wasm).includes(8))
    fail(`${path} has a start function: a global needs run-time initialization`);
}

/** Section ids of a WASM module: 8 is the start section. */
function sections(wasm) {
  const ids = [];
  for (let at = 8; at < wasm.length; ) {
    ids.push(wasm[at++]);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++];
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
  return ids;
}

function kilobytes(bytes) {
  return `${(bytes.length / 1024).toFixed(1)} KiB`;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
