import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/bridge/index.js';
import { parseClientLines } from '../../src/protocol/authorized-clients.js';
import { version } from '../../src/version.js';

const guide = await readFile(new URL('../../docs/BRIDGE.md', import.meta.url), 'utf8');

it('shows valid lines of the authorized-clients file', () => {
  const example = /```\n(# comment\n[^`]*)```/.exec(guide)![1]!;
  const lines = parseClientLines(example);
  expect(lines.map(({ name }) => name)).toEqual(['laptop', 'ci', 'payments']);
  expect(lines.map(({ problem }) => problem)).toEqual([undefined, undefined, undefined]);
});

it('lists every limit with its default', () => {
  const units: Record<string, number> = { s: 1_000, h: 3_600_000, KiB: 1024, MiB: 1024 * 1024 };
  const rows = [...guide.matchAll(/^\| `(max\w+|\w+Ms)` +\| (\d+)(?: (\w+))? +\|/gm)];
  const listed = rows.map(([, name, number, unit]) => [name, Number(number) * (unit ? units[unit]! : 1)]);
  expect(Object.fromEntries(listed)).toEqual(DEFAULT_LIMITS);
});

it('tells clients the version of the package', async () => {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  expect(version).toBe(JSON.parse(manifest).version);
});
