// Writes the generated kernels into assembly/; with --check compares them with what is there instead.
// Usage: node scripts/kernels/generate.mjs [--check]

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const modules = [
  'field25519.mjs',
  'field25519-lanes.mjs',
  'scalar25519.mjs',
  'field-secp256k1.mjs',
  'scalar-secp256k1.mjs',
  'field-p256.mjs',
  'scalar-p256.mjs',
];
const checking = process.argv.includes('--check');

let stale = 0;
for (const name of modules) {
  const { generate, output } = await import(new URL(name, import.meta.url).href);
  const path = fileURLToPath(new URL(output, root));
  const text = generate();
  if (!checking) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(
      `${output} is not what scripts/kernels/${name} generates: run node scripts/kernels/generate.mjs`,
    );
    stale++;
  }
}
process.exitCode = stale === 0 ? 0 : 1;
