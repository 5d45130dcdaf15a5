// The module's file, before any loader sees it: there, readable, a library for this processor, and whole. dlopen says the
// same of a missing file and of one for another machine, and dies of one that is cut short.

import { access, constants, open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, resolve } from 'node:path';
import { problemWith } from '../../signers/pkcs11/module/library.js';
import { shellQuoted } from '../shell-quote.js';
import { check } from './check.js';
import { type Finding, failed, ok, warning } from './finding.js';
import { exportLine } from './fix.js';
import { knownModule, usualModules } from './known-modules.js';

/** Of an ELF file's header, the longest that is looked at. */
const HEADER_BYTES = 64;

export const moduleFile = check(
  'module.file',
  { needs: ['modulePath'], gives: ['loadable'] },
  ({ modulePath }) => (/[/\\]/.test(modulePath) ? examineFile(modulePath) : bareName(modulePath)),
);

/** The system's loader finds it, in folders that the next user may have in another order. */
function bareName(name: string): Finding {
  return warning(
    `${name} is a name without a path: which file is loaded depends on the system's search path`,
    exportLine('ERST_PKCS11_MODULE', usualModules(name)[0] ?? `/path/to/${name}`),
    { loadable: true },
  );
}

async function examineFile(path: string): Promise<Finding> {
  try {
    return await examineReadable(path, await realpath(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return missing(path);
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    return failed(`${path} cannot be read: permission is denied`, await permissionLine(path));
  }
}

async function examineReadable(path: string, real: string): Promise<Finding> {
  const stats = await stat(real);
  if (!stats.isFile()) return failed(`${path} is no file`, await suggestion(path));
  const problem = problemWith(await firstBytes(real), stats.size);
  if (problem !== undefined) return failed(`${path}: ${problem}`, await suggestion(path));
  const by = real === path ? '' : ` (${real})`;
  const finding = `${path}${by}: a whole library for this processor`;
  if ((stats.mode & 0o002) === 0 || process.platform === 'win32') return ok(finding, { loadable: true });
  return warning(
    `${path}: everyone may change it, and so take the PIN`,
    `sudo chmod o-w ${shellQuoted(real)}`,
    {
      loadable: true,
    },
  );
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function missing(path: string): Promise<Finding> {
  const relative = isAbsolute(path) ? '' : ` (a relative path: it was looked for as ${resolve(path)})`;
  return failed(`${path}: there is no such file${relative}`, await suggestion(path));
}

/** The same module elsewhere, else the package that brings it, else any module that is installed. */
async function suggestion(path: string): Promise<string> {
  const elsewhere = await firstExisting(usualModules(basename(path)).filter((place) => place !== path));
  if (elsewhere !== undefined) return exportLine('ERST_PKCS11_MODULE', elsewhere);
  const known = knownModule(path);
  if (known !== undefined) return `sudo apt install --reinstall ${known.debianPackage}`;
  const installed = await installedModule();
  if (installed !== undefined) return exportLine('ERST_PKCS11_MODULE', installed);
  return 'sudo apt install softhsm2 && export ERST_PKCS11_MODULE=/usr/lib/softhsm/libsofthsm2.so';
}

/** A module that is installed here. */
export const installedModule = (): Promise<string | undefined> => firstExisting(usualModules());

export async function firstExisting(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

/** For the first folder on the way, or the file, that does not let this user pass. */
async function permissionLine(path: string): Promise<string> {
  const folders: string[] = [];
  for (let folder = dirname(resolve(path)); folder !== dirname(folder); folder = dirname(folder))
    folders.unshift(folder);
  for (const folder of folders) {
    const passes = await access(folder, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!passes) return `sudo chmod o+x ${shellQuoted(folder)}`;
  }
  return `sudo chmod o+r ${shellQuoted(path)}`;
}
