// A file that is replaced whole, and is on disk before its writer goes on: fsync of the file, rename(2), fsync of the
// directory. So are its removal and the directories that it is in, for a power cut takes back what was not synced.

import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** Writes `text` to `path` with mode 0600. Rejects as the file system does; the file is then as it was. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const written = `${path}.${randomBytes(8).toString('hex')}.new`;
  try {
    const file = await open(written, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(written, path);
  } catch (error) {
    await rm(written, { force: true }).catch(() => {});
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Removes the file at `path`, if there is one. */
export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncDirectory(dirname(path));
}

/** Removes what writers of `path` left that were killed before the rename. Nobody may be writing it. */
export async function removeUnfinished(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`) || !name.endsWith('.new')) continue;
    await rm(join(dirname(path), name), { force: true });
  }
}

/** Makes the directory at `path`, and those above it, for their owner alone. */
export async function makeDirectoryDurably(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const { length } = resolve(first);
  for (let made = resolve(path); made.length >= length; made = dirname(made))
    await syncDirectory(dirname(made));
}

/** Where directories cannot be opened or synced (Windows, some network file systems), the rename has to do. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined);
  await directory?.sync().catch(() => {});
  await directory?.close();
}
