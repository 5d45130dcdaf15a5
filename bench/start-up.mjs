// From the import of a package to its first signature, in new processes, and what has to be loaded for it.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { OURS } from './compare.mjs';
import { summary } from './statistics.mjs';

const PROCESSES = 15;
const at = (...parts) => join(fileURLToPath(new URL('.', import.meta.url)), ...parts);
/** A file, as users have, where the peers are found. */
const SCRIPT = at('node_modules', '.first-signature.mjs');

/**
 * What a user would write for one signature: the export `exported` of `from`, `ready` where it needs preparation, `sign`.
 * `files`: what it reads besides its modules. `curves`: our module.
 */
const firstSignatures = (curves) => [
  {
    name: OURS,
    kind: 'WASM',
    curve: 'Ed25519',
    exported: 'ed25519',
    from: curves,
    sign: 'ed25519.sign(message, key)',
  },
  {
    name: 'libsodium.js',
    kind: 'WASM',
    curve: 'Ed25519',
    exported: 'default as sodium',
    from: 'libsodium-wrappers',
    ready: 'await sodium.ready;',
    sign: 'sodium.crypto_sign_detached(message, sodium.crypto_sign_seed_keypair(key).privateKey)',
  },
  {
    name: 'sodium-native',
    kind: 'native',
    curve: 'Ed25519',
    exported: 'default as sodium',
    from: 'sodium-native',
    ready: 'const [publicKey, secretKey, signature] = [32, 64, 64].map((length) => Buffer.alloc(length));',
    sign: 'sodium.crypto_sign_seed_keypair(publicKey, secretKey, key); sodium.crypto_sign_detached(signature, message, secretKey)',
    files: addonOf('sodium-native'),
  },
  {
    name: '@noble/curves',
    kind: 'JavaScript',
    curve: 'Ed25519',
    exported: 'ed25519',
    from: '@noble/curves/ed25519.js',
    sign: 'ed25519.sign(message, key)',
  },
  {
    name: OURS,
    kind: 'WASM',
    curve: 'secp256k1',
    exported: 'secp256k1',
    from: curves,
    sign: 'secp256k1.sign(message, key)',
  },
  {
    name: 'libauth',
    kind: 'WASM',
    curve: 'secp256k1',
    exported: 'instantiateSecp256k1',
    from: '@bitauth/libauth',
    ready: 'const secp256k1 = await instantiateSecp256k1();',
    sign: 'secp256k1.signMessageHashCompact(key, message)',
  },
  {
    name: 'tiny-secp256k1',
    kind: 'WASM',
    curve: 'secp256k1',
    exported: 'sign',
    from: 'tiny-secp256k1',
    sign: 'sign(message, key)',
    files: [at('node_modules/tiny-secp256k1/lib/secp256k1.wasm')],
  },
  {
    name: 'secp256k1-node',
    kind: 'native',
    curve: 'secp256k1',
    exported: 'default as addon',
    from: 'secp256k1/bindings.js',
    sign: 'addon.ecdsaSign(message, key)',
    files: addonOf('secp256k1'),
  },
  {
    name: '@noble/curves',
    kind: 'JavaScript',
    curve: 'secp256k1',
    exported: 'secp256k1',
    from: '@noble/curves/secp256k1.js',
    sign: 'secp256k1.sign(message, key)',
  },
];

/** Those of the `names`, each with its milliseconds, and its bytes bundled and minified. */
export async function startUp(curves, names) {
  const candidates = firstSignatures(curves).filter(({ name }) => names.includes(name));
  const times = candidates.map(() => []);
  for (let run = 0; run < PROCESSES; run++)
    for (const [i, candidate] of candidates.entries()) times[i].push(timeOnce(candidate));
  const results = [];
  for (const [i, candidate] of candidates.entries()) {
    const { name, kind, curve } = candidate;
    results.push({ name, kind, curve, milliseconds: summary(times[i]), ...(await sizeOf(candidate)) });
  }
  return results;
}

function timeOnce({ exported, from, ready = '', sign }) {
  const script = `
    const key = new Uint8Array(32).fill(5), message = new Uint8Array(32).fill(3);
    const start = performance.now();
    const { ${exported.replace(' as ', ': ')} } = await import('${from}');
    ${ready}
    ${sign};
    console.log(performance.now() - start);`;
  writeFileSync(SCRIPT, script);
  return Number(execFileSync(process.execPath, [SCRIPT], { encoding: 'utf8' }));
}

/** Everything that the first signature loads; what it does not import is left out. */
async function sizeOf({ exported, from, ready = '', sign, files = [] }) {
  const contents = `import { ${exported} } from '${from}'; let key, message; ${ready} ${sign};`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: at() },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    external: ['secp256k1', 'sodium-native'],
  });
  const loaded = [outputFiles[0].contents, ...files.map((file) => readFileSync(file))];
  const sum = (lengthOf) => loaded.reduce((total, bytes) => total + lengthOf(bytes), 0);
  return { bytes: sum((bytes) => bytes.length), gzip: sum((bytes) => gzipSync(bytes, { level: 9 }).length) };
}

/** The native addon of a package for this platform, as it comes with it. */
function addonOf(name) {
  const folder = at('node_modules', name, 'prebuilds', `${process.platform}-${process.arch}`);
  if (!existsSync(folder)) return [];
  const addons = readdirSync(folder).filter((file) => file.endsWith('.node') && !file.includes('musl'));
  return addons.map((file) => join(folder, file));
}
