// Puts the figures of a run into docs/HSM.md, "Throughput", and keeps them in bench/hsm/results.json:
//
//   npm run bench:hsm -- --json > rows.json && node bench/hsm/publish.mjs rows.json
//
// Without an argument it writes the table again from results.json. The conditions of the run stand in the prose above it.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const START = '<!-- figures: written by bench/hsm/publish.mjs -->';
const END = '<!-- end of figures -->';

const guide = new URL('../../docs/HSM.md', import.meta.url);
const results = new URL('results.json', import.meta.url);

const NAMES = { ed25519: 'Ed25519', secp256k1: 'secp256k1', p256: 'P-256' };
const CHILDREN = { 'one child': 1, 'two children': 2 };

/** The guide with the table of `rows`, which are `--json` of bench/hsm/run.mjs. */
export function withThroughput(text, rows) {
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start === -1 || end < start) throw new Error(`no place for figures: ${START} … ${END}`);
  return `${text.slice(0, start)}${START}\n\n${table(rows)}\n\n${text.slice(end)}`;
}

function table(rows) {
  const titles = [
    'key',
    'children',
    'to pkcs11js in a loop',
    'delay of the event loop: mean',
    '99th percentile',
  ];
  const lines = rows.map(cellsOf);
  const widths = titles.map((title, i) => Math.max(title.length, ...lines.map((cells) => cells[i].length)));
  const line = (cells) => `| ${cells.map((cell, i) => padded(cell, widths[i], i)).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(titles), line(rule), ...lines.map(line)].join('\n');
}

const padded = (cell, width, column) => (column === 0 ? cell.padEnd(width) : cell.padStart(width));

function cellsOf({ name, ratio, aSecond, meanDelayMs, p99DelayMs }) {
  const [algorithm, how] = name.split(', ');
  const children = CHILDREN[how];
  return [
    children ? NAMES[algorithm] : name.replace(algorithm, NAMES[algorithm]),
    String(children ?? 1),
    ratio ? ratio.toFixed(2) : `${Math.round(aSecond)} signatures a second`,
    `${meanDelayMs.toFixed(1)} ms`,
    `${p99DelayMs.toFixed(1)} ms`,
  ];
}

/** Of each row, what is published. */
const condensed = (rows) =>
  rows.map(({ name, ratio, aSecond, meanDelayMs, p99DelayMs }) => ({
    name,
    ...(ratio ? { ratio } : { aSecond }),
    meanDelayMs,
    p99DelayMs,
  }));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [path] = process.argv.slice(2);
  const rows = condensed(JSON.parse(readFileSync(path ?? results, 'utf8')));
  writeFileSync(results, `${JSON.stringify(rows, undefined, 2)}\n`);
  writeFileSync(guide, withThroughput(readFileSync(guide, 'utf8'), rows));
}
