// Reading a small file that holds a private key or an identity.

import type { Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { KeyError } from '../../errors.js';

const maxFileBytes = 64 * 1024;

/**
 * Text of the file at `path`, at most 64 KiB; `what` it should hold is for messages, e.g. `the private key`. Where
 * others may read the file, the process gets a warning with code `ERST_HSM_FILE_MODE`.
 *
 * Throws a KeyError `key-unreadable` that says why.
 */
export async function readPrivateFile(path: string, what: string): Promise<string> {
  try {
    const { bytes, stats } = await readSmallFile(path, maxFileBytes);
    try {
      if (bytes.length > maxFileBytes)
        throw unreadable(path, what, `it is larger than ${maxFileBytes} bytes`);
      warnIfOthersCanRead(stats, path, what);
      return new TextDecoder().decode(bytes);
    } finally {
      bytes.fill(0);
    }
  } catch (cause) {
    if (cause instanceof KeyError) throw cause;
    throw unreadable(path, what, reasonOf(cause), cause);
  }
}

/**
 * Bytes and state of the file at `path`, both of the same open file; of one that is larger than `maxBytes`, the first
 * `maxBytes + 1`. The caller wipes the bytes; no other copy is left. Rejects as `open` and `read` do.
 */
export async function readSmallFile(
  path: string,
  maxBytes: number,
): Promise<{ bytes: Uint8Array; stats: Stats }> {
  const buffer = new Uint8Array(maxBytes + 1);
  const file = await open(path, 'r');
  try {
    const length = await fill(file, buffer);
    return { bytes: buffer.subarray(0, length), stats: await file.stat() };
  } catch (error) {
    buffer.fill(0);
    throw error;
  } finally {
    await file.close();
  }
}

async function fill(file: FileHandle, buffer: Uint8Array): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

/**
 * The warning `ERST_HSM_FILE_MODE` where others can read `what` in the file at `path`. A pipe is as private as its
 * process, and Windows has no modes; only a file's mode says who else can read it.
 */
export function warnIfOthersCanRead(stats: Stats, path: string, what: string): void {
  if (!stats.isFile() || process.platform === 'win32' || (stats.mode & 0o077) === 0) return;
  process.emitWarning(`Others can read ${what} in ${path}. Run: chmod 600 ${path}`, {
    code: 'ERST_HSM_FILE_MODE',
  });
}

function reasonOf(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file. Check the path';
  if (code === 'EISDIR') return 'it is a directory. Give the path of the file in it';
  if (code === 'EACCES' || code === 'EPERM') {
    return 'permission is denied. Run as the user who owns the file, or give that user the file';
  }
  return `${code ?? 'it is not readable'}. Check the path`;
}

function unreadable(path: string, what: string, reason: string, cause?: unknown): KeyError {
  return new KeyError('key-unreadable', `Cannot read ${what} in ${path}: ${reason}.`, { cause });
}
