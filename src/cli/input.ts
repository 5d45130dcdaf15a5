// What a command reads: a file, or standard input where none is named (or `-` is).

import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { CliError, UsageError } from './failure.js';
import { note } from './output.js';

export const STDIN = '-';

/** The bytes of the file at `path`, or of standard input. `what` names them in messages. */
export async function readInput(path: string, what: string): Promise<Uint8Array> {
  return path === STDIN ? readStdin(what) : readNamedFile(path, what);
}

/** The bytes of the file at `path`. */
export async function readNamedFile(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new CliError('cannot-read', `cannot read ${what} ${path}: ${reasonOf(cause)}`, { cause });
  }
}

async function readStdin(what: string): Promise<Uint8Array> {
  if (process.stdin.isTTY) note(`Reading ${what} from the terminal; end with Ctrl-D.`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The first line of standard input, for what a person may paste. Empty where there is none. */
export async function readLine(what: string): Promise<string> {
  if (process.stdin.isTTY) note(`Paste ${what}, then Enter:`);
  for await (const line of createInterface({ input: process.stdin })) return line;
  return '';
}

/** Standard input can be read once; a `UsageError` where two inputs ask for it. */
export function atMostOneStdin(...paths: (string | undefined)[]): void {
  if (paths.filter((path) => path === STDIN).length > 1) {
    throw new UsageError('only one input can be - (standard input); name a file for the other');
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};

/** Why a file operation failed, in words. */
export function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return (code !== undefined && reasons[code]) || code || 'unknown reason';
}
