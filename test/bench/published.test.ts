// README.md, docs/CURVES.md and the plot show the figures of bench/results.json, and docs/HSM.md those of
// bench/hsm/results.json, and no others.

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { withThroughput } from '../../bench/hsm/publish.mjs';
import { published } from '../../bench/publish.mjs';

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const files = published(JSON.parse(await read('bench/results.json')));

describe('published figures', () => {
  it.each(Object.keys(files))('%s is what `node bench/publish.mjs` writes', async (path) => {
    expect(await read(path)).toBe(files[path]);
  });

  it('docs/HSM.md is what `node bench/hsm/publish.mjs` writes', async () => {
    const guide = await read('docs/HSM.md');
    const rows = JSON.parse(await read('bench/hsm/results.json'));
    expect(rows).toHaveLength(7);
    expect(guide).toBe(withThroughput(guide, rows));
  });

  it('has a plot that is well-formed, loads nothing and says in words what it shows', () => {
    const svg = files['docs/bench.svg']!;
    expect(svg).toMatch(/^<svg .*<title id="title">.*<desc id="description">[^<]*Ed25519, verify: erst-hsm/s);
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(
      /https?:|url\(|href|<script|NaN|undefined/,
    );
    expect(svg.match(/<(?!\/)[^>]*[^/]>/g)?.length).toBe(svg.match(/<\//g)?.length);
  });
});
