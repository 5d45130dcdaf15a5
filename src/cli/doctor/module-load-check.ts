// Whether the module loads, is a PKCS#11 module (C_GetFunctionList) and can be initialized (C_Initialize), all in a child
// process: a module that crashes or hangs while it loads is a finding.

import { resolve } from 'node:path';
import { Pkcs11Error } from '../../errors.js';
import type { Pkcs11Engine } from '../../signers/pkcs11/engine/engine.js';
import { acquireEngine } from '../../signers/pkcs11/engine/module-engine.js';
import { shellQuoted } from '../shell-quote.js';
import { check } from './check.js';
import type { Facts } from './facts.js';
import { type Finding, failed, ok } from './finding.js';
import { exportLine, fixOf } from './fix.js';
import { usualModules } from './known-modules.js';
import { firstExisting, installedModule } from './module-file-check.js';

export const moduleLoad = check(
  'module.load',
  { needs: ['modulePath', 'loadable', 'configured'], gives: ['engine', 'description'] },
  async (facts) => {
    let engine: Pkcs11Engine | undefined;
    try {
      engine = await acquireEngine(facts.modulePath, {
        ...facts.selection?.engine,
        inProcess: false,
        env: facts.env,
      });
      const description = await engine.describe();
      const { manufacturer, description: name, version, cryptokiVersion } = description;
      const finding = `${name} ${version} of ${manufacturer}, written for PKCS#11 ${cryptokiVersion}`;
      return ok(finding, { engine, description });
    } catch (error) {
      if (engine && isOfSlots(error)) return ok('it loads and initializes', { engine });
      await engine?.release();
      if (error instanceof Pkcs11Error) return loadFailed(error, facts, facts.modulePath);
      throw error;
    }
  },
);

/** ykcs11 without pcscd loads, but has no list of slots to give: that is for the check of the slots. */
const isOfSlots = (error: unknown) => error instanceof Pkcs11Error && error.functionName === 'C_GetSlotList';

async function loadFailed(error: Pkcs11Error, facts: Facts, path: string): Promise<Finding> {
  const { message } = error;
  if (error.code !== 'module-load-failed') return failed(message, fixOf(error, facts));
  if (message.includes('C_GetFunctionList')) {
    return failed(
      message,
      exportLine('ERST_PKCS11_MODULE', (await installedModule()) ?? '/path/to/module.so'),
    );
  }
  // A name without a path is looked for in the system's folders only, not in the working directory.
  if (!/[/\\]/.test(path)) {
    const place = (await firstExisting(usualModules(path))) ?? (await firstExisting([resolve(path)]));
    return failed(message, exportLine('ERST_PKCS11_MODULE', place ?? `/path/to/${path}`));
  }
  // dlopen names the first library that it misses; ldd names all.
  if (message.includes('cannot open shared object file'))
    return failed(message, `ldd ${shellQuoted(path)} | grep 'not found'`);
  return failed(message, fixOf(error, facts));
}
