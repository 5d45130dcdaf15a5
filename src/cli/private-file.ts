// Files that hold a secret: readable by their owner alone, on disk before the command says so, and never overwritten
// unasked.

import { type FileHandle, link, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { CliError } from './failure.js';
import { reasonOf } from './input.js';

/**
 * Writes what `produce` gives to a new file of mode 0600, which is there whole or not at all. A file beside it is made
 * first, so that a secret is not made, nor a one-time link used up, for a file that cannot be written.
 *
 * An existing file is a `CliError`, unless `overwrite` replaces it.
 */
export async function writePrivateFile(
  path: string,
  produce: () => Promise<string>,
  overwrite = false,
): Promise<void> {
  if (!overwrite) await expectAbsent(path);
  const written = `${path}.${process.pid}.new`;
  const file = await open(written, 'wx', 0o600).catch(cannotWrite(path));
  try {
    await fill(file, await produce(), path);
    if (overwrite) await rename(written, path).catch(cannotWrite(path));
    else await linkNew(written, path);
  } finally {
    await file.close();
    await rm(written, { force: true });
  }
}

/** The directory at `path` with its parents; where it is new, only its owner may enter. */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch(cannotWrite(path));
}

async function expectAbsent(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    return cannotWrite(path)(error);
  });
  if (found !== undefined) throw fileExists(path);
}

/** Gives the finished file its name, unless another process was first. */
async function linkNew(written: string, path: string): Promise<void> {
  try {
    await link(written, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw fileExists(path);
    await expectAbsent(path); // a file system without hard links
    await rename(written, path).catch(cannotWrite(path));
  }
}

const fileExists = (path: string) =>
  new CliError('file-exists', `${path} exists and is kept. Choose another file, or --force to overwrite it`);

async function fill(file: FileHandle, content: string, path: string): Promise<void> {
  await file.writeFile(content).catch(cannotWrite(path));
  await file.sync().catch(cannotWrite(path));
}

const cannotWrite = (path: string) => (cause: unknown) => {
  throw new CliError('cannot-write', `cannot write ${path}: ${reasonOf(cause)}`, { cause });
};
