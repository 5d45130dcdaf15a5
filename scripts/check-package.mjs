// Fails when the package that would be published lacks a file that package.json names, or holds one that it should not.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const [{ files, size }] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
);
const packed = new Set(files.map(({ path }) => path));

/** What the code starts by its path, so that nothing in package.json names it. */
const started = ['build/node/pkcs11-process.js'];

const targets = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targets));
const named = [...targets(manifest.exports), ...targets(manifest.bin), manifest.types].map((path) =>
  path.replace(/^\.\//, ''),
);

const problems = [
  ...started.filter((path) => !packed.has(path)).map((path) => `${path} is not packed`),
  ...named
    .filter((path) => !packed.has(path))
    .map((path) => `package.json names ${path}, which is not packed`),
  ...[...packed]
    .filter((path) => /^(src|test|assembly|scripts|bench)\/|\.debug\./.test(path))
    .map((path) => `${path} should not be packed`),
];
for (const problem of problems) console.error(problem);
console.error(`package: ${packed.size} files, ${Math.round(size / 1000)} kB packed`);
process.exitCode = problems.length === 0 ? 0 : 1;
