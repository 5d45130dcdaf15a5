// src/curves on another module than the one it is built with: bundled afresh, and run with a `WebAssembly` of its own
// that changes the module on its way in and the exports on their way out. Whatever the public functions do, they do it
// to that module.

import { fileURLToPath } from 'node:url';
import { runInThisContext } from 'node:vm';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * ed25519, secp256k1, schnorr and withCurves of src/curves.
 * condition: `erst-debug` for the debug build. changeModule: bytes to bytes. changeExports: exports to exports.
 */
export async function loadCurves({
  condition,
  changeModule = (bytes) => bytes,
  changeExports = (exports) => exports,
} = {}) {
  const code = await bundle(condition);
  const webAssembly = {
    Module: function Module(bytes) {
      return new WebAssembly.Module(changeModule(bytes));
    },
    Instance: function Instance(module, imports) {
      return { exports: changeExports(new WebAssembly.Instance(module, imports).exports) };
    },
    RuntimeError: WebAssembly.RuntimeError,
  };
  return runInThisContext(`(function (WebAssembly) { ${code}; return curves; })`)(webAssembly);
}

const bundles = new Map();

function bundle(condition) {
  if (!bundles.has(condition)) bundles.set(condition, bundleFor(condition));
  return bundles.get(condition);
}

async function bundleFor(condition) {
  const contents = `
    export { ed25519, schnorr, secp256k1 } from './src/curves/index.ts';
    export { withCurves } from './src/curves/wasm.ts';`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'curves',
    target: 'es2022',
    conditions: condition === undefined ? [] : [condition],
  });
  return outputFiles[0].text;
}
