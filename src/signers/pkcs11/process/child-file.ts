// Where the child's program is: build/node/pkcs11-process.js of this package, seen from build/node, from a chunk in it, or
// from src/ (tests run the sources; the child is always the built one).

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pkcs11Error } from '../../../errors.js';

const IN_PACKAGE = join('build', 'node', 'pkcs11-process.js');

/** `from`: the file whose package is looked at. */
export function childFile(from: string = fileURLToPath(import.meta.url)): string {
  const found = [...rootsAbove(from), ...installedRoot(from)]
    .map((root) => join(root, IN_PACKAGE))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Pkcs11Error(
    'module-load-failed',
    `${IN_PACKAGE} of erst-hsm is not to be found from ${from}: keep erst-hsm out of the bundle (mark it as external), or set ERST_PKCS11_IN_PROCESS=yes`,
  );
}

function rootsAbove(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...rootsAbove(parent)];
}

/** For a program that has this file in a bundle of its own, beside an installed package. */
function installedRoot(from: string): string[] {
  try {
    return [dirname(createRequire(from).resolve('erst-hsm/package.json'))];
  } catch {
    return [];
  }
}
