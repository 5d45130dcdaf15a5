// One run as a picture: bars of operations per second, a panel for each operation, in SVG. The colors follow the reader's
// scheme, the fonts are the system's, and nothing is loaded from anywhere.

import { OURS } from './compare.mjs';

const WIDTH = 880;
const MARGIN = 20;
const GUTTER = 36;
const COLUMN = (WIDTH - 2 * MARGIN - GUTTER) / 2;
const LABEL = 112;
const FIGURES = 112;
/** Of the figures, what the ratios take. */
const RATIOS = 52;
const BAR = COLUMN - LABEL - FIGURES;
const LINE = 19;
const THICKNESS = 13;
const PANEL_HEAD = 24;
const PANEL_GAP = 14;
const CURVE_HEAD = 34;
const TOP = 92;

const columns = [
  ['ed25519.sign', 'ed25519.verify', 'ed25519.publicKey', 'ed25519.signBatch', 'ed25519.verifyBatch'],
  [
    'secp256k1.sign',
    'secp256k1.verify',
    'secp256k1.recover',
    'secp256k1.publicKey',
    'schnorr.sign',
    'schnorr.verify',
  ],
];

const kinds = [
  { kind: 'ours', label: OURS },
  { kind: 'WASM', label: 'WebAssembly' },
  { kind: 'native', label: 'native code' },
  { kind: 'JavaScript', label: 'JavaScript' },
];

const STYLE = `
  svg { --text: #1f2328; --dim: #656d76; --line: #d1d9e0; --ours: #0b8457; --WASM: #6b9bd1; --native: #a3acb6; --JavaScript: #dcae62; }
  @media (prefers-color-scheme: dark) {
    svg { --text: #e6edf3; --dim: #9198a1; --line: #3d444d; --ours: #3fb98a; --WASM: #4d7fb8; --native: #6a737d; --JavaScript: #a97f3d; }
  }
  text { font: 12px ui-sans-serif, system-ui, -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: var(--text); font-variant-numeric: tabular-nums; }
  .title { font-size: 17px; font-weight: 600; }
  .curve { font-size: 15px; font-weight: 600; }
  .panel { font-weight: 600; }
  .name, .figure { text-anchor: end; }
  .dim { fill: var(--dim); }
  .strong { font-weight: 600; fill: var(--ours); }
  .pale { opacity: 0.5; }
  .axis { stroke: var(--line); }
  ${kinds.map(({ kind }) => `.${kind} { fill: var(--${kind}); }`).join(' ')}`;

export function plot({ machine, rows }) {
  const drawn = columns.map((ids, i) => {
    const left = MARGIN + i * (COLUMN + GUTTER);
    return drawColumn(
      rows.filter(({ id }) => ids.includes(id)),
      left,
    );
  });
  const height = Math.max(...drawn.map(({ bottom }) => bottom)) + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">Ed25519 and secp256k1: operations per second, ${escaped(machine.runtime)}</title>
<desc id="description">${escaped(describe(rows))}</desc>
<style>${STYLE}
</style>
<text class="title" x="${MARGIN}" y="32">Operations per second: longer is faster</text>
<text class="dim" x="${MARGIN}" y="52">${escaped(`${machine.runtime} (${machine.engine}), ${machine.cpu}, one core. Messages of 32 bytes. ×: how many times as long as erst-hsm it takes.`)}</text>
${legend()}
${drawn.map(({ lines }) => lines.join('\n')).join('\n')}
</svg>
`;
}

function legend() {
  let x = MARGIN;
  return kinds
    .map(({ kind, label }) => {
      const entry = `<rect class="${kind}" x="${x}" y="66" width="11" height="11" rx="2"/><text class="dim" x="${x + 17}" y="76">${label}</text>`;
      x += 118;
      return entry;
    })
    .join('\n');
}

function drawColumn(rows, left) {
  const lines = [];
  let y = TOP;
  let curve;
  for (const row of rows) {
    if (row.curve !== curve) {
      curve = row.curve;
      y += CURVE_HEAD;
      lines.push(`<text class="curve" x="${left}" y="${y - 10}">${escaped(curve)}</text>`);
    }
    lines.push(...drawPanel(row, left, y));
    y += PANEL_HEAD + row.cells.length * LINE + PANEL_GAP;
  }
  return { lines, bottom: y - PANEL_GAP };
}

function drawPanel({ name, cells }, left, top) {
  const most = Math.max(...cells.map(({ perSecond }) => perSecond));
  const first = top + PANEL_HEAD;
  const axis = left + LABEL;
  return [
    `<text class="panel" x="${axis}" y="${first - 9}">${escaped(name)}</text>`,
    ...cells.map((cell, i) => drawBar(cell, left, first + i * LINE, (cell.perSecond / most) * BAR)),
    `<path class="axis" d="M${axis - 0.5} ${first - 2}v${cells.length * LINE}"/>`,
  ];
}

function drawBar({ name, kind, perSecond, ratio }, left, y, length) {
  const isOurs = name === OURS;
  const strong = isOurs ? ' strong' : '';
  const bar = `M${left + LABEL} ${y}h${Math.max(1, length - 2).toFixed(1)}q2 0 2 2v${THICKNESS - 4}q0 2 -2 2H${left + LABEL}z`;
  const baseline = y + THICKNESS - 2;
  const shown = name.replace(`${OURS}, `, '');
  return [
    `<text class="name${strong || ' dim'}" x="${left + LABEL - 7}" y="${baseline}">${escaped(shown)}</text>`,
    `<path class="${classOf(name, kind)}" d="${bar}"/>`,
    `<text class="figure${strong}" x="${left + COLUMN - RATIOS}" y="${baseline}">${perSecond.toLocaleString('en-US')}</text>`,
    isOurs
      ? ''
      : `<text class="figure dim" x="${left + COLUMN}" y="${baseline}">${short(ratio.median)} ×</text>`,
  ].join('');
}

const classOf = (name, kind) => {
  if (name === OURS) return 'ours';
  if (name.startsWith(OURS)) return 'ours pale';
  return kinds.some((one) => one.kind === kind) ? kind : 'native';
};

const short = (ratio) => (ratio >= 9.95 ? ratio.toFixed(0) : ratio.toFixed(2));

/** The same in words. */
const describe = (rows) =>
  rows
    .map(({ curve, name, cells }) => {
      const figures = cells.map((cell) => `${cell.name} ${cell.perSecond.toLocaleString('en-US')}`);
      return `${curve}, ${name}: ${figures.join(', ')} per second.`;
    })
    .join(' ');

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
