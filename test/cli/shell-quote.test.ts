import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellQuoted } from '../../src/cli/shell-quote.js';

it.each([
  '',
  'a b',
  "it's",
  '$(touch x)',
  '`id`',
  '"$HOME"',
  'a;b',
  "'",
  "''\\''",
  'a\nb',
  '-n',
  '~',
  '*',
  'caf\u00e9 \\',
])('keeps %j one word of a shell', (text) => {
  const printed = execFileSync('sh', ['-c', `printf '%s|' ${shellQuoted(text)}`]);
  expect(printed.toString()).toBe(`${text}|`);
});
