// From the import of a package to its first signature, in new processes, and what has to be loaded for it.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { summary } from './statistics.mjs';

const PROCESSES = 15;
const at = (...parts) => fileURLToPath(new URL(parts.join('/'), import.meta.url));

const ed25519 = (imports, sign) => ({ curve: 'Ed25519', imports, sign });
const secp256k1 = (imports, sign) => ({ curve: 'secp256k1', imports, sign });

/** What a user would write for one signature, and the package's native files, where it has some. */
const firstSignatures = (curves) => [
  {
    name: 'erst-hsm',
    kind: 'WASM',
    ...ed25519(`const { ed25519 } = await import('${curves}');`, 'ed25519.sign(message, key)'),
  },
  {
    name: 'libsodium.js',
    kind: 'WASM',
    ...ed25519(
      "const { default: sodium } = await import('libsodium-wrappers'); await sodium.ready;",
      'sodium.crypto_sign_detached(message, sodium.crypto_sign_seed_keypair(key).privateKey)',
    ),
  },
  {
    name: 'sodium-native',
    kind: 'native',
    files: native('sodium-native'),
    ...ed25519(
      "const { default: sodium } = await import('sodium-native'); const [p, s, o] = [32, 64, 64].map((n) => Buffer.alloc(n));",
      'sodium.crypto_sign_seed_keypair(p, s, key), sodium.crypto_sign_detached(o, message, s)',
    ),
  },
  {
    name: '@noble/curves',
    kind: 'JavaScript',
    ...ed25519("const { ed25519 } = await import('@noble/curves/ed25519.js');", 'ed25519.sign(message, key)'),
  },
  {
    name: 'erst-hsm',
    kind: 'WASM',
    ...secp256k1(`const { secp256k1 } = await import('${curves}');`, 'secp256k1.sign(message, key)'),
  },
  {
    name: 'libauth',
    kind: 'WASM',
    ...secp256k1(
      "const { instantiateSecp256k1 } = await import('@bitauth/libauth'); const secp256k1 = await instantiateSecp256k1();",
      'secp256k1.signMessageHashCompact(key, message)',
    ),
  },
  {
    name: 'tiny-secp256k1',
    kind: 'WASM',
    files: [at('node_modules/tiny-secp256k1/lib/secp256k1.wasm')],
    ...secp256k1("const tiny = await import('tiny-secp256k1');", 'tiny.sign(message, key)'),
  },
  {
    name: 'secp256k1',
    kind: 'native',
    files: native('secp256k1'),
    ...secp256k1(
      "const { default: addon } = await import('secp256k1/bindings.js');",
      'addon.ecdsaSign(message, key)',
    ),
  },
  {
    name: '@noble/curves',
    kind: 'JavaScript',
    ...secp256k1(
      "const { secp256k1 } = await import('@noble/curves/secp256k1.js');",
      'secp256k1.sign(message, key)',
    ),
  },
];

/** Those of the `names`, each with the milliseconds, and the bytes as bundled and minified. `curves`: our module. */
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

function timeOnce({ imports, sign }) {
  const script = `
    const key = new Uint8Array(32).fill(5), message = new Uint8Array(32).fill(3);
    const start = performance.now();
    ${imports}
    ${sign};
    console.log(performance.now() - start);`;
  return Number(
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: at('.'),
      encoding: 'utf8',
    }),
  );
}

/** One bundle of what the first signature imports, and the files that are loaded beside it. */
async function sizeOf({ imports, sign, files = [] }) {
  const { outputFiles } = await build({
    stdin: { contents: `const key = 1, message = 2; ${imports} console.log(${sign});`, resolveDir: at('.') },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    external: ['secp256k1', 'sodium-native'],
  });
  const contents = [outputFiles[0].contents, ...files.map((file) => readFileSync(file))];
  const total = (measure) => contents.reduce((sum, bytes) => sum + measure(bytes), 0);
  return {
    bytes: total((bytes) => bytes.length),
    gzip: total((bytes) => gzipSync(bytes, { level: 9 }).length),
  };
}

/** The addon of a package for this platform. */
function native(name) {
  const folder = at('node_modules', name, 'prebuilds', `${process.platform}-${process.arch}`);
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.node') && !file.includes('musl'))
      .map((file) => join(folder, file));
  } catch {
    return [];
  }
}
