// Puts measured figures where they are read: bench/results.json, and from it docs/bench.svg and the marked parts of
// README.md and docs/CURVES.md.
//
//   npm run bench -- --json 20.json && npm run bench -- --node 24 --json 24.json && npm run bench -- --browsers --json browsers.json
//   node bench/publish.mjs 20.json 24.json browsers.json
//
// Without arguments it writes them again from bench/results.json.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { allFigures, newestNode, shortFigures } from './figures.mjs';
import { plot } from './plot.mjs';

const START = '<!-- figures: written by bench/publish.mjs -->';
const END = '<!-- end of figures -->';

const at = (path) => new URL(`../${path}`, import.meta.url);
const read = (path) => readFileSync(at(path), 'utf8');

/** The files that show figures, by path, as they have to be for these runs. */
export const published = (runs) => ({
  'docs/bench.svg': plot(newestNode(runs)),
  'README.md': withFigures(read('README.md'), shortFigures(runs)),
  'docs/CURVES.md': withFigures(read('docs/CURVES.md'), allFigures(runs)),
});

function withFigures(text, figures) {
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start === -1 || end < start) throw new Error(`no place for figures: ${START} … ${END}`);
  return `${text.slice(0, start)}${START}\n\n${figures}\n\n${text.slice(end)}`;
}

/** What is published of runs: medians, and the quartiles of ratios; a line for each cell. */
function condensed(runs) {
  const cell = ({ name, kind, microseconds, perSecond, ratio }) => ({
    name,
    kind,
    microseconds: { median: microseconds.median },
    perSecond,
    ratio,
  });
  const kept = runs.map(({ requirements: _, rows, ...run }) => ({
    ...run,
    rows: rows.map((row) => ({ ...row, cells: row.cells.map(cell) })),
  }));
  return `${JSON.stringify(kept, undefined, 1)
    .replace(/\n {6,}/g, ' ')
    .replace(/\n {5}([}\]])/g, ' $1')}\n`;
}

function main(files) {
  if (files.length > 0) {
    const runs = files.flatMap((file) => JSON.parse(readFileSync(file, 'utf8')));
    writeFileSync(at('bench/results.json'), condensed(runs));
  }
  for (const [path, content] of Object.entries(published(JSON.parse(read('bench/results.json')))))
    writeFileSync(at(path), content);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
