import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writePrivateFile } from '../../src/cli/private-file.js';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'erst-private-file-'));
  path = join(directory, 'key.pem');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it('gives the file its name only when it is whole', async () => {
  await writePrivateFile(path, async () => {
    expect(await readdir(directory)).not.toContain('key.pem');
    return 'secret\n';
  });
  expect(await readdir(directory)).toEqual(['key.pem']);
  expect(await readFile(path, 'utf8')).toBe('secret\n');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

it('leaves nothing where the content cannot be made', async () => {
  await expect(writePrivateFile(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await readdir(directory)).toEqual([]);
});

it('keeps a file that another process made meanwhile', async () => {
  const late = writePrivateFile(path, async () => {
    await writeFile(path, 'first');
    return 'second';
  });
  await expect(late).rejects.toMatchObject({ code: 'file-exists' });
  expect(await readFile(path, 'utf8')).toBe('first');
  expect(await readdir(directory)).toEqual(['key.pem']);
});

it('replaces a file only when told to', async () => {
  await writeFile(path, 'old');
  await expect(writePrivateFile(path, async () => 'new')).rejects.toMatchObject({ code: 'file-exists' });
  await writePrivateFile(path, async () => 'new', true);
  expect(await readFile(path, 'utf8')).toBe('new');
});
