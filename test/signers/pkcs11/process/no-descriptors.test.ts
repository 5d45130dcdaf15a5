// A host that has no file descriptor left for the pipes of a child: the call fails, the host lives, and later ones succeed.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as esbuild from 'esbuild';
import { expect, test } from 'vitest';
import { childFile } from '../../../../src/signers/pkcs11/process/child-file.js';
import { SOFTHSM_MODULE } from '../../../fixtures/softhsm.js';

const host = `
  import { closeSync, openSync } from 'node:fs';
  import { ModuleProcess } from './src/signers/pkcs11/process/module-process.js';
  const start = () => ModuleProcess.start(${JSON.stringify(SOFTHSM_MODULE)});
  const held = [];
  try {
    for (;;) held.push(openSync('/dev/null'));
  } catch {}
  const failures = [];
  for (let attempt = 0; attempt < 12; attempt++) {
    await start().then((module) => module.close(), ({ code }) => failures.push(code));
    closeSync(held.pop());
  }
  for (const descriptor of held) closeSync(descriptor);
  await (await start()).close();
  console.log(JSON.stringify(failures));
`;

test('a start without descriptors fails clearly, and the next one works', async () => {
  const build = dirname(dirname(childFile())); // as the child's program is looked for from there
  await mkdir(build, { recursive: true });
  const directory = await mkdtemp(join(build, 'test-host-'));
  try {
    const outfile = join(directory, 'host.mjs');
    const stdin = { contents: host, resolveDir: process.cwd() };
    await esbuild.build({
      stdin,
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'warning',
    });
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      `ulimit -n 64; exec "$0" "$1"`,
      process.execPath,
      outfile,
    ]);
    const failures: string[] = JSON.parse(stdout);
    expect(failures.length).toBeGreaterThan(0);
    expect(new Set(failures)).toEqual(new Set(['module-crashed']));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
