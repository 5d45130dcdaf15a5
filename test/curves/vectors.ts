// Published test vectors that are too large to type in: files in the folder that ERST_VECTORS names.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The text of a vector file; undefined where there is none, which continuous integration does not accept. */
export function readVectors(name: string): string | undefined {
  const path = join(process.env.ERST_VECTORS ?? '../shared/vectors', name);
  if (existsSync(path)) return readFileSync(path, 'utf8');
  if (process.env.CI) throw new Error(`${path} is missing: set ERST_VECTORS to the folder that has it`);
  console.warn(`${path} is missing: its vectors are skipped. Set ERST_VECTORS to the folder that has it.`);
  return undefined;
}
