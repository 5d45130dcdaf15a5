// The report in a terminal: at most 110 columns, colors only where they are seen.

import { styleText } from 'node:util';
import { OURS } from './compare.mjs';
import { fails } from './requirements.mjs';

const WIDTH = 110;
const NAME = 26;
const BAR = 30;
/** A bar ends here, with an arrow where the ratio goes on. */
const BAR_RATIO = 6;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

export function makeTable({ color }) {
  const style = (format, text) => (color ? styleText(format, text) : text);

  function row({ name, cells }) {
    const lines = [`  ${style('bold', name)}`];
    for (const cell of cells) lines.push(cellLine(cell));
    return `${lines.join('\n')}\n`;
  }

  function cellLine({ name, kind, microseconds, perSecond, ratio }) {
    const isOurs = name === OURS;
    const columns = [
      `    ${name.padEnd(NAME - 4)}`,
      kind.padEnd(11),
      time(microseconds.median).padStart(9),
      perSecond.toLocaleString('en-US').padStart(10),
    ].join('');
    if (isOurs) return style('green', `${columns}${'1'.padStart(8)}${' '.repeat(15)}${bar(1)}`);
    const times = timesAs(ratio.median).padStart(8);
    const spread = `  ${ratio.quartiles.map(timesAs).join('–')}`.padEnd(15);
    return `${columns}${ratio.median < 1 ? style('yellow', times) : times}${style('dim', spread)}${style('dim', bar(ratio.median))}`;
  }

  return {
    heading: ({ machine, method, versions }) =>
      [
        style('bold', 'erst-hsm, the curves'),
        describe(machine),
        ...describeMethod(method),
        ...wrapped(Object.entries(versions).map((pair) => pair.join(' '))).map((line) => style('dim', line)),
        '',
      ].join('\n'),
    curve: (name) =>
      `${style(['bold', 'underline'], name.padEnd(NAME))}${''.padEnd(11)}${'µs'.padStart(9)}${'ops/s'.padStart(10)}${'× ours'.padStart(8)}${style('dim', '  quartiles')}\n`,
    row,
    missing: (list) =>
      list.map(({ name, reason }) => style('yellow', `not here: ${name} (${reason})`)).join('\n'),
    startUp: (list) => startUp(list, style),
    verdicts: (list) => verdicts(list, style),
  };
}

export const describe = ({ cpu, cores, platform, runtime, engine }) =>
  `${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${platform}, ${runtime}${engine ? ` (${engine})` : ''}`;

const describeMethod = ({ rounds, block, warmUp, clock }) => [
  `32-byte messages, 64 keys; medians of ${rounds} interleaved rounds of ${block} ms a cell after ${warmUp} calls (${clock === 'wall' ? 'time on the wall' : 'processor time'})`,
  '× ours: how many times as long as ours it takes, round by round; above 1 ours is the faster',
];

/** Items with commas, in lines that fit. */
function wrapped(items) {
  const lines = [''];
  for (const item of items) {
    const line = lines.at(-1);
    if (line === '') lines[lines.length - 1] = item;
    else if (line.length + item.length + 3 <= WIDTH) lines[lines.length - 1] = `${line}, ${item}`;
    else lines.push(item);
  }
  return lines;
}

function startUp(list, style) {
  const lines = [
    `${style(['bold', 'underline'], 'Start-up'.padEnd(NAME))}${''.padEnd(11)}${'ms'.padStart(9)}${'kB'.padStart(10)}${'gzip'.padStart(8)}  from the import to the first signature`,
  ];
  for (const { name, curve, kind, milliseconds, bytes, gzip } of list) {
    const line = [
      `    ${name.padEnd(NAME - 4)}`,
      kind.padEnd(11),
      milliseconds.median.toFixed(1).padStart(9),
      kilobytes(bytes).padStart(10),
      kilobytes(gzip).padStart(8),
      `  ${curve}`,
    ].join('');
    lines.push(name === OURS ? style('green', line) : line);
  }
  return `${lines.join('\n')}\n`;
}

function verdicts(list, style) {
  const lines = list.map((verdict) => {
    const { id, against, must, aim, ratio } = verdict;
    const mark = fails(verdict) ? style('red', 'MISSED') : style('green', 'met   ');
    const reached =
      aim === undefined ? '' : ratio >= aim ? style('green', 'reached') : style('yellow', 'not yet');
    return [
      `  ${id.padEnd(22)}${against.padEnd(22)}`,
      (ratio === undefined ? '–' : ratio.toFixed(2)).padStart(7),
      must === undefined ? ' '.repeat(20) : `   must ${must.toFixed(2)} ${mark} `,
      aim === undefined ? '' : `   aim ${aim.toFixed(2)} ${reached}`,
    ].join('');
  });
  const missed = list.filter(fails).length;
  const aims = list.filter(({ aim }) => aim !== undefined);
  const reached = aims.filter(({ aim, ratio }) => ratio >= aim).length;
  const closing = `${missed === 0 ? 'nothing that must be is missed' : `missed: ${missed}`}; ${reached} of ${aims.length} aims are reached`;
  return `${style(['bold', 'underline'], 'Required')}\n${lines.join('\n')}\n  ${style('bold', closing)}\n`;
}

function bar(ratio) {
  const length = (Math.min(ratio, BAR_RATIO) / BAR_RATIO) * BAR;
  const whole = '█'.repeat(Math.floor(length)) + EIGHTHS[Math.floor((length % 1) * 8)];
  return `  ${ratio > BAR_RATIO ? `${'█'.repeat(BAR - 1)}▶` : whole}`;
}

/** Three digits are more than a busy machine justifies, but two would hide what is worth some percent. */
export function time(microseconds) {
  return microseconds >= 1000
    ? Math.round(microseconds).toLocaleString('en-US')
    : microseconds.toPrecision(3);
}

export function timesAs(ratio) {
  if (ratio >= 99.5) return ratio.toFixed(0);
  return ratio >= 9.95 ? ratio.toFixed(1) : ratio.toFixed(2);
}

export const kilobytes = (bytes) => (bytes / 1000).toFixed(0);
