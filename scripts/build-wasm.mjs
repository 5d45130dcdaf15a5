// Compiles assembly/ into build/wasm: curves (asconfig.json) and p256 (assembly/p256/asconfig.json), each as a release and a
// debug build, as .wasm and as an ES module whose default export is the module in base64.
// Usage: node scripts/build-wasm.mjs [release] [debug]

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import asc from 'assemblyscript/asc';

const root = new URL('../', import.meta.url);
process.chdir(fileURLToPath(root));
mkdirSync('build/wasm', { recursive: true });

const modules = [
  { name: 'curves', config: 'asconfig.json', debugEntry: 'assembly/debug.ts' },
  { name: 'p256', config: 'assembly/p256/asconfig.json', debugEntry: 'assembly/p256/debug.ts' },
];
const targets = ['release', 'debug'];
const named = process.argv.slice(2);
for (const target of named.length > 0 ? named : targets) {
  if (!targets.includes(target)) fail(`no such target: ${target}`);
  for (const module of modules) await build(module, target);
}

async function build({ name, config, debugEntry }, target) {
  const entries = target === 'debug' ? [debugEntry] : [];
  const { error, stderr } = await asc.main([...entries, '--config', config, '--target', target]);
  if (error) fail(`${stderr.toString()}${error.message}`);

  const path = `build/wasm/${name}.${target}`;
  const wasm = readFileSync(`${path}.wasm`);
  check(path, wasm);
  writeFileSync(`${path}.js`, `export default '${wasm.toString('base64')}';\n`);
  writeFileSync(`${path}.d.ts`, 'declare const base64: string;\nexport default base64;\n');
  console.log(`${path}.wasm  ${kilobytes(wasm)}, ${kilobytes(gzipSync(wasm))} gzipped`);
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
