// What the documents name is there: scripts of package.json, variables, files, and the headings that links lead to.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFile(join(root, path), 'utf8');

async function filesIn(folder: string, suffix: RegExp): Promise<string[]> {
  const names = await readdir(join(root, folder), { recursive: true });
  return names.filter((name) => suffix.test(name)).map((name) => join(folder, name));
}

const documents = ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...(await filesIn('docs', /\.md$/))];
const texts = new Map(await Promise.all(documents.map(async (path) => [path, await read(path)] as const)));

/** As GitHub names a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

function anchorsOf(text: string): string[] {
  const prose = text.replace(/^```.*?^```/gms, '');
  return [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!));
}

describe.each(documents)('%s', (path) => {
  const text = texts.get(path)!;

  it('links to files and headings that exist', () => {
    for (const [, target, anchor] of text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)) {
      const linked = target ? join(path, '..', target) : path;
      expect(existsSync(join(root, linked)), `${path}: ${linked}`).toBe(true);
      if (anchor) expect(anchorsOf(texts.get(linked)!), `${path}: ${linked}`).toContain(anchor);
    }
  });

  it('names scripts that package.json has', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
    for (const [, name] of text.matchAll(/`npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(name);
  });

  it('names variables that something reads', async () => {
    const sources = await variablesInSources();
    for (const [name] of text.matchAll(/\bERST_[A-Z0-9_]*[A-Z0-9](?![A-Z0-9_]|_?…)/g)) {
      const known = [name, name.replace(/_(FILE|COMMAND|CREDENTIAL)$/, '')];
      expect(
        known.some((each) => sources.has(each)),
        `${path}: ${name}`,
      ).toBe(true);
    }
  });
});

it('DEVELOPING.md names sources that there are', async () => {
  const sources = await filesIn('src', /\.ts$/);
  const named = [...texts.get('docs/DEVELOPING.md')!.matchAll(/`([\w/-]+\.ts)`/g)].map(([, name]) => name!);
  expect(named.length).toBeGreaterThan(10);
  for (const name of named.filter((each) => !each.startsWith('test/'))) {
    expect(
      sources.some((path) => path.endsWith(`/${name}`)),
      name,
    ).toBe(true);
  }
});

it('the messages of errors name headings of HSM.md that there are', async () => {
  const sources = await Promise.all((await filesIn('src', /\.ts$/)).map(read));
  const named = sources.flatMap((source) =>
    [...source.matchAll(/docs\/HSM\.md, '([\w ]+)'/g)].map(([, name]) => name!),
  );
  expect(named.length).toBeGreaterThan(0);
  for (const name of named) expect(anchorsOf(texts.get('docs/HSM.md')!)).toContain(anchorOf(name));
});

async function variablesInSources(): Promise<Set<string>> {
  const lists = await Promise.all(
    ['src', 'test/fixtures', 'test/hsm', 'test/curves', 'test/protocol', 'scripts'].map((folder) =>
      filesIn(folder, /\.(ts|mjs)$/),
    ),
  );
  const found = await Promise.all(
    lists.flat().map(async (file) => (await read(file)).match(/\bERST_[A-Z0-9_]+/g) ?? []),
  );
  return new Set(found.flat());
}
