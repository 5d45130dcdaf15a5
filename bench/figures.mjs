// The figures of README.md and docs/CURVES.md, as Markdown, from the runs in bench/results.json.

import { OURS } from './compare.mjs';
import { operations } from './operations.mjs';
import { kilobytes, time, timesAs } from './table.mjs';

const ED25519 = ['libsodium.js', 'node:crypto', 'sodium-native', '@noble/curves'];
const SECP256K1 = ['libauth', 'tiny-secp256k1', 'node:crypto', 'secp256k1-node', '@noble/curves'];

const isNode = ({ machine }) => machine.runtime.startsWith('Node ');

/** The run of the newest Node. */
export const newestNode = (runs) => runs.filter(isNode).toSorted((a, b) => major(b) - major(a))[0];

const major = ({ machine }) => Number(/\d+/.exec(machine.runtime)[0]);

/** For README.md: one runtime, ours in absolute figures, the peers relative to them. */
export function shortFigures(runs) {
  const run = newestNode(runs);
  const ofCurve = (isOf) => run.rows.filter(({ curve }) => isOf(curve));
  return [
    '![Bars of operations per second for each operation: erst-hsm beside its peers](docs/bench.svg)',
    `${where(run)}: microseconds an operation takes, and how many times as long it takes elsewhere.`,
    shortTable(
      'Ed25519',
      ofCurve((curve) => curve === 'Ed25519'),
      ED25519,
    ),
    shortTable(
      'secp256k1',
      ofCurve((curve) => curve !== 'Ed25519'),
      SECP256K1,
    ),
  ].join('\n\n');
}

function shortTable(curve, rows, peers) {
  const lines = rows.map((row) => {
    const name = row.curve === curve ? row.name : `${row.curve} ${row.name}`;
    const ratios = peers.map((peer) => cellOf(row, peer)?.ratio);
    return [name, `${time(ours(row).microseconds.median)} µs`, ...ratios.map(timesOrDash)];
  });
  return table([curve, OURS, ...peers], lines);
}

/** For docs/CURVES.md: every runtime, and start-up. */
export function allFigures(runs) {
  const runtimes = runs.map((run) => `- ${where(run)}; ${peerVersions(run)}`).join('\n');
  const measured = runs.filter(({ startUp }) => startUp !== undefined);
  return [runtimes, fullTable(runs), ...(measured.length > 0 ? [START_UP, startUpTable(measured)] : [])].join(
    '\n\n',
  );
}

const START_UP =
  'Start-up: milliseconds from the import to the first signature in a new process, and what is loaded for it, in kB.';

function fullTable(runs) {
  const lines = operations.flatMap(({ id, curve, name }) => {
    const rows = runs.map((run) => run.rows.find((row) => row.id === id));
    const names = new Set(rows.flatMap((row) => row?.cells.map((cell) => cell.name) ?? []));
    names.delete(OURS);
    return [
      [
        `**${curve}: ${name}**`,
        ...rows.map((row) => (row ? `**${time(ours(row).microseconds.median)} µs**` : '')),
      ],
      ...[...names].map((peer) => [peer, ...rows.map((row) => timesOrDash(row && cellOf(row, peer)?.ratio))]),
    ];
  });
  return table(['', ...runs.map(({ machine }) => shortRuntime(machine))], lines);
}

function startUpTable(runs) {
  const lines = runs[0].startUp.map(({ name, curve, bytes, gzip }) => [
    curve,
    name,
    ...runs.map(({ startUp }) => {
      const same = startUp.find((one) => one.name === name && one.curve === curve);
      return same === undefined ? '–' : same.milliseconds.median.toFixed(1);
    }),
    kilobytes(bytes),
    kilobytes(gzip),
  ]);
  return table(['', '', ...runs.map(({ machine }) => shortRuntime(machine)), 'kB', 'gzip'], lines);
}

const ours = (row) => cellOf(row, OURS);
const cellOf = (row, name) => row.cells.find((cell) => cell.name === name);
const timesOrDash = (ratio) => (ratio === undefined ? '–' : `${timesAs(ratio.median)} ×`);
const shortRuntime = ({ runtime }) => runtime.replace(/(\d+\.\d+)\.\d+/, '$1');

const where = ({ machine }) =>
  `${machine.runtime}${machine.engine ? ` (${machine.engine})` : ''}, ${machine.cpu}, ${machine.platform}`;

const peerVersions = ({ versions }) =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');

/** A Markdown table with aligned columns. */
function table(head, lines) {
  const widths = head.map((cell, i) =>
    Math.max(...[head, ...lines].map((line) => [...line[i]].length), 3, cell.length),
  );
  const isText = (i) => i === 0 || lines.every((line) => /^[A-Za-z@*]/.test(line[i]));
  const row = (cells) =>
    `| ${cells.map((cell, i) => (isText(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = widths.map((width, i) => (isText(i) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [row(head), row(rule), ...lines.map(row)].join('\n');
}
