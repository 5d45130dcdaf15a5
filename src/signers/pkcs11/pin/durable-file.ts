// A file that is replaced whole, and is on disk before its writer goes on: fsync of the file, rename(2), fsync of the
// directory.

import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

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

/** Where directories cannot be opened or synced (Windows, some network file systems), the rename has to do. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined);
  await directory?.sync().catch(() => {});
  await directory?.close();
}
