// The curves beside their peers: npm run bench -- [option…]
//
//   --quick            fewer and shorter rounds, no start-up times
//   --only <text>      rows whose name or id contains it: "verify", "schnorr", "ed25519.sign"
//   --against <text>   only these peers; several with commas
//   --baseline <file>  another build of src/curves, as one ES module, in a column of its own
//   --browsers         in Chromium and Firefox instead of Node
//   --node <version>   on another Node: a version, taken from the npm registry, or the path of its binary
//   --require          says which requirements are met; fails if one that must be is not
//   --json [file]      all results as JSON, into the file or, instead of the table, to the standard output
//
// The peers are packages of bench/ and are installed there by the first run.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);

const { values: options } = parseArgs({
  // `--json` without a file is `--json=-`.
  args: args.map((arg, i) => (arg === '--json' && (args[i + 1] ?? '-').startsWith('-') ? '--json=-' : arg)),
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    against: { type: 'string', default: '' },
    baseline: { type: 'string' },
    browsers: { type: 'boolean', default: false },
    node: { type: 'string' },
    require: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});

if (options.node !== undefined) process.exit(onOtherNode(options.node));
installPeers();
buildWasm();
const { main } = await import(options.browsers ? './browsers.mjs' : './node.mjs');
process.exitCode = await main(options);

function onOtherNode(version) {
  const at = args.findIndex((arg) => arg === '--node' || arg.startsWith('--node='));
  const others = args.toSpliced(at, args[at] === '--node' ? 2 : 1);
  const command = version.includes('/') ? [version] : [`${root}scripts/on-node`, version];
  const [program, ...before] = command;
  return (
    spawnSync(program, [...before, fileURLToPath(import.meta.url), ...others], { stdio: 'inherit' }).status ??
    1
  );
}

function installPeers() {
  const modified = (file) =>
    existsSync(`${root}bench/${file}`) ? statSync(`${root}bench/${file}`).mtimeMs : 0;
  if (modified('node_modules/.package-lock.json') >= modified('package-lock.json')) return;
  console.error('npm ci --prefix bench');
  execFileSync('npm', ['ci', '--prefix', `${root}bench`], { stdio: ['ignore', 2, 2] });
}

function buildWasm() {
  execFileSync(process.execPath, [`${root}scripts/build.mjs`, '--if-stale', 'wasm'], {
    stdio: ['ignore', 2, 2],
  });
}
