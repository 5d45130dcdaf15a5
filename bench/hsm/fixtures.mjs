// The tokens of the tests, which are TypeScript: bundled into a temporary folder, where their sources are still found.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const testFixtures = fileURLToPath(new URL('../../test/fixtures/', import.meta.url));

export async function openFixtures(algorithms) {
  const directory = await mkdtemp(join(tmpdir(), 'erst-bench-'));
  const { createSoftHsmToken } = await load(directory, 'softhsm.ts');
  const { createFaultModule } = await load(directory, 'fault-module/fault-module.ts');
  const token = await createSoftHsmToken({ keys: algorithms });
  const faulty = await createFaultModule();
  return {
    softHsm: { env: token.env, config: token.config() },
    device(ms) {
      faulty.inject({ fn: 'C_Sign', action: 'delay', ms });
      return {
        env: { ...token.env, ...faulty.env },
        config: { ...token.config(), modulePath: faulty.modulePath },
      };
    },
    async close() {
      await faulty.close();
      await token.remove();
      await rm(directory, { recursive: true });
    },
  };
}

async function load(directory, source) {
  const outfile = join(directory, `${source.replaceAll('/', '-')}.mjs`);
  await build({
    entryPoints: [join(testFixtures, source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(testFixtures, source)).href) },
  });
  return import(pathToFileURL(outfile).href);
}
