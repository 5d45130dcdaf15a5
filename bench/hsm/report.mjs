// The table of a run.

const columns = [
  ['', ({ name }) => name],
  ['a second', ({ aSecond }) => Math.round(aSecond).toLocaleString('en')],
  ['baseline', ({ baseline }) => (baseline ? Math.round(baseline).toLocaleString('en') : '–')],
  ['ratio', ({ ratio }) => (ratio ? ratio.toFixed(2) : '–')],
  [
    'target',
    ({ target }) => target.ratio?.toFixed(2) ?? (target.aSecond ? `${target.aSecond} a second` : '–'),
  ],
  ['met', isMet],
  ['host CPU, µs each', ({ hostMicroseconds }) => hostMicroseconds.toFixed(0)],
  ['event-loop delay, ms: mean', ({ meanDelayMs }) => meanDelayMs.toFixed(1)],
  ['p99', ({ p99DelayMs }) => p99DelayMs.toFixed(1)],
  ['max', ({ maxDelayMs }) => maxDelayMs.toFixed(1)],
  ['p99 when idle', ({ idleP99DelayMs }) => idleP99DelayMs.toFixed(1)],
];

/** As a Markdown table. */
export function print(rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  console.log(line(columns.map(([title]) => title)));
  console.log(line(columns.map((_, i) => (i === 0 ? '---' : '---:'))));
  for (const row of rows) console.log(line(columns.map(([, cell]) => cell(row))));
}

function isMet({ target, ratio, aSecond }) {
  if (target.ratio === undefined && target.aSecond === undefined) return '–';
  return ratio >= target.ratio || aSecond >= target.aSecond ? 'yes' : 'no';
}
