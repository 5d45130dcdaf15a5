// What the test suite needs from the system. Missing packages are installed through apt where that is possible, after
// printing the command line; otherwise the exact command to run is printed and the exit code is 1.
// ERST_NO_APT=1 forbids installing.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const onPath = (name) =>
  process.env.PATH.split(delimiter).some((directory) => existsSync(join(directory, name)));
const anyFile = (...paths) => paths.some((path) => existsSync(path));
const pkcs11jsBuilt = () => existsSync(join(root, 'node_modules/pkcs11js/build/Release/pkcs11.node'));
const compiler = ['g++', 'make', 'python3'];
const moduleFile = (name) =>
  anyFile(...['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/${name}`));

const needs = [
  { package: 'openssl', present: () => onPath('openssl') },
  {
    package: 'softhsm2',
    present: () =>
      onPath('softhsm2-util') &&
      anyFile('/usr/lib/softhsm/libsofthsm2.so', '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so'),
  },
  { package: 'opensc', present: () => onPath('pkcs11-tool') },
  { package: 'opensc-pkcs11', present: () => moduleFile('opensc-pkcs11.so') },
  { package: 'ykcs11', present: () => moduleFile('libykcs11.so') },
  { package: 'yubico-piv-tool', present: () => onPath('yubico-piv-tool') },
  { package: 'p11-kit', present: () => onPath('p11-kit') && anyFile('/usr/libexec/p11-kit/p11-kit-server') },
  { package: 'p11-kit-modules', present: () => moduleFile('pkcs11/p11-kit-client.so') },
  // Modules and libraries that the tests compile for themselves: one that goes wrong on command, a card reader.
  { package: 'gcc', present: () => onPath('gcc') },
  { package: 'libc6-dev', present: () => anyFile('/usr/include/stdio.h') },
  { package: 'libp11-kit-dev', present: () => anyFile('/usr/include/p11-kit-1/p11-kit/pkcs11.h') },
  { package: 'chromium', present: () => onPath('chromium') },
  { package: 'firefox-esr', present: () => onPath('firefox-esr') || onPath('firefox') },
  ...compiler.map((name) => ({ package: name, present: () => pkcs11jsBuilt() || onPath(name) })),
];

function run(command, args, env = process.env) {
  console.error(`$ ${[command, ...args].join(' ')}`);
  return spawnSync(command, args, { stdio: 'inherit', cwd: root, env }).status === 0;
}

/** Node's own headers, where they were installed with it: the compiler then needs no download. */
function withNodeHeaders() {
  const prefix = join(process.execPath, '..', '..');
  const found = existsSync(join(prefix, 'include', 'node', 'node.h'));
  return found ? { npm_config_nodedir: prefix, ...process.env } : process.env;
}

function installWithApt(packages) {
  const isRoot = process.getuid?.() === 0;
  const sudo = isRoot ? [] : ['sudo'];
  const update = [...sudo, 'apt-get', 'update'];
  const install = [...sudo, 'apt-get', 'install', '-y', '--no-install-recommends', ...packages];
  const possible =
    process.env.ERST_NO_APT !== '1' &&
    onPath('apt-get') &&
    (isRoot || spawnSync('sudo', ['-n', 'true']).status === 0);
  if (possible && run(update[0], update.slice(1)) && run(install[0], install.slice(1))) return true;
  console.error(
    `The tests need ${packages.join(', ')}. Run:\n\n  ${update.join(' ')} && ${install.join(' ')}\n`,
  );
  if (!onPath('apt-get')) console.error('(the names are those of Debian; use your system’s)\n');
  return false;
}

function main() {
  const missing = needs.filter(({ present }) => !present()).map((need) => need.package);
  if (missing.length > 0 && !installWithApt(missing)) return false;
  if (pkcs11jsBuilt()) return true;
  // npm left the optional package out, because there was no compiler when it ran; `npm install` would not try again.
  return run('npm', ['ci', '--no-audit', '--no-fund'], withNodeHeaders()) && pkcs11jsBuilt();
}

if (!main()) {
  if (!pkcs11jsBuilt()) console.error('pkcs11js is not compiled: `npm ci --foreground-scripts` shows why.');
  process.exitCode = 1;
} else {
  execFileSync('openssl', ['version'], { stdio: 'ignore' });
}
