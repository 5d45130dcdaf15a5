// What is on disk when. Every call here reaches the file system; that it was made, and in which order, is noted on the way.

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  makeDirectoryDurably,
  removeDurably,
  removeUnfinished,
  writeDurably,
} from '../../../../src/signers/pkcs11/pin/durable-file.js';
import { withFileLock } from '../../../../src/signers/pkcs11/pin/file-lock.js';

const steps: string[] = [];
let directory = '';

/** Random parts of names left out. */
const nameOf = (path: unknown) => relative(directory, String(path)).replace(/[0-9a-f]{16}/, 'N') || '.';

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const noting =
    <A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      const result = await call(...args);
      if (directory !== '') steps.push(`${name} ${nameOf(args[0])}`);
      return result;
    };
  const open: typeof real.open = async (path, ...rest) => {
    const file = await real.open(path, ...rest);
    const sync = file.sync.bind(file);
    file.sync = noting('sync', async (_: unknown) => sync()).bind(undefined, path);
    return file;
  };
  const { link, rename, rm } = real;
  return {
    ...real,
    open,
    link: noting('link', link),
    rename: noting('rename', rename),
    rm: noting('rm', rm),
  };
});

beforeEach(async () => {
  const made = await mkdtemp(join(tmpdir(), 'erst-hsm-durable-'));
  steps.length = 0;
  directory = made;
});
afterEach(async () => {
  const made = directory;
  directory = '';
  await rm(made, { recursive: true });
});

describe('a durable file', () => {
  it('is synced before it has its name, and its name before the writer goes on', async () => {
    const path = join(directory, 'file');
    await writeDurably(path, 'one');
    expect(steps).toEqual(['sync file.N.new', 'rename file.N.new', 'sync .']);
    await writeDurably(path, 'two');
    expect(await readFile(path, 'utf8')).toBe('two');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('stays removed', async () => {
    const path = join(directory, 'file');
    await writeFile(path, '');
    await removeDurably(path);
    await removeDurably(path);
    expect(steps).toEqual(['rm file', 'sync .', 'rm file', 'sync .']);
    expect(await readdir(directory)).toEqual([]);
  });

  it('leaves nothing of writers that were killed', async () => {
    for (const name of ['file', 'file.0123456789abcdef.new', 'file.lock', 'other.0123456789abcdef.new']) {
      await writeFile(join(directory, name), '');
    }
    await removeUnfinished(join(directory, 'file'));
    expect((await readdir(directory)).sort()).toEqual(['file', 'file.lock', 'other.0123456789abcdef.new']);
  });

  it('is in directories that are on disk too', async () => {
    const path = join(directory, 'a', 'b', 'c');
    await makeDirectoryDurably(path);
    expect(steps.sort()).toEqual(['sync .', 'sync a', 'sync a/b']);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    steps.length = 0;
    await makeDirectoryDurably(path);
    expect(steps).toEqual([]);
  });
});

it('a lock is on disk with its content before it is one', async () => {
  await withFileLock(join(directory, 'lock'), 0, async () => {});
  expect(steps.slice(0, 2)).toEqual(['sync lock.N.claim', 'link lock.N.claim']);
  expect(await readdir(directory)).toEqual([]);
});
