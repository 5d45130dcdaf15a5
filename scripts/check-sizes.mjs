// Fails when something that users download outgrows its budget. Bytes, as built; `gzip` where a server would compress.

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const kB = 1000;
const budgets = [
  { file: 'build/wasm/curves.release.wasm', what: 'all curves', max: 64 * kB },
  { file: 'build/wasm/pinned-p256.release.wasm', what: 'P-256 verifier of tokens', max: 24 * kB },
  { file: 'build/wasm/pinned-secp256k1.release.wasm', what: 'secp256k1 verifier of tokens', max: 24 * kB },
  { file: 'build/browser/erst-hsm.js', what: 'self-contained browser module', max: 100 * kB, gzip: true },
  { file: 'build/console/main.js', what: 'console page script', max: 100 * kB, gzip: true },
];

let over = 0;
for (const { file, what, max, gzip } of budgets) {
  const bytes = readFileSync(new URL(`../${file}`, import.meta.url));
  const size = gzip ? gzipSync(bytes, { level: 9 }).length : bytes.length;
  if (size > max) over++;
  const verdict = size > max ? 'OVER' : 'ok';
  console.error(`sizes: ${what}: ${size} of ${max} bytes${gzip ? ' (gzip)' : ''} ${verdict}  ${file}`);
}
process.exitCode = over === 0 ? 0 : 1;
