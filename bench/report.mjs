// What both kinds of runs do with their results: rows as they come, then requirements, then JSON.

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { OURS } from './compare.mjs';
import { operations } from './operations.mjs';
import { fails, judge } from './requirements.mjs';
import { makeTable } from './table.mjs';

/** Prints to the standard output, unless that is for JSON. */
export function openReport({ json }) {
  const isPrinted = json !== '-';
  const showsProgress = isPrinted && process.stderr.isTTY === true;
  return {
    table: makeTable({ color: process.stdout.isTTY === true && process.env.NO_COLOR === undefined }),
    progress: (text) => showsProgress && process.stderr.write(`\r\x1b[K${text}`),
    write: (text) => {
      if (showsProgress) process.stderr.write('\r\x1b[K');
      if (isPrinted) process.stdout.write(`${text}\n`);
    },
  };
}

/** Adds a row to the run for every operation that is meant, by `compare(operation)`, and prints it. */
export async function addRows(run, { only }, report, compare) {
  report.write(report.table.heading(run));
  let curve;
  for (const operation of operations.filter((one) => isMeant(one, only))) {
    report.progress(`${operation.curve}: ${operation.name} …`);
    const row = await compare(operation);
    if (!row.cells.some(({ ratio }) => ratio !== undefined)) continue;
    run.rows.push(row);
    if (row.curve !== curve) report.write(report.table.curve(row.curve));
    curve = row.curve;
    report.write(report.table.row(row));
  }
  if (run.missing.length > 0) report.write(report.table.missing(run.missing));
}

/** The exit code: 1 if a requirement that was asked for is missed. */
export function finish(runs, options, report) {
  let code = 0;
  if (options.require) {
    for (const run of runs) {
      run.requirements = judge(run.rows, (requirement) => isAsked(requirement, options));
      report.write(report.table.verdicts(run.requirements));
      if (run.requirements.some(fails)) code = 1;
    }
  }
  if (options.json === '-') process.stdout.write(toJson(runs));
  else if (options.json !== undefined) writeFileSync(options.json, toJson(runs));
  return code;
}

const isMeant = ({ id, curve, name }, only) =>
  `${id} ${curve} ${name}`.toLowerCase().includes(only.toLowerCase());

export const isNamed = (name, against) => against.split(',').some((part) => name.includes(part));

const isAsked = ({ id, against }, options) =>
  isMeant(
    operations.find((operation) => operation.id === id),
    options.only,
  ) &&
  (against.startsWith(OURS) || isNamed(against, options.against));

export function machine(runtime, engine) {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.replace(/\s+/g, ' ').trim() ?? 'unknown processor',
    cores: processors.length,
    platform: `${process.platform} ${process.arch}`,
    runtime,
    engine,
  };
}

/** Versions of the contenders, as they are installed in bench/ or part of Node. */
export const versionsOf = (contenders) =>
  Object.fromEntries(
    contenders.flatMap(({ name, package: folder, version }) => {
      const known = folder === undefined ? version : versionOf(folder);
      return known === undefined ? [] : [[name, known]];
    }),
  );

const versionOf = (name) =>
  JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;

/** Four digits, and lists of numbers on one line. */
export function toJson(value) {
  const rounded = (_key, item) =>
    typeof item === 'number' && !Number.isInteger(item) ? Number(item.toPrecision(4)) : item;
  const text = JSON.stringify(value, rounded, 1);
  return `${text.replace(/\[[\s\d.,]+\]/g, (list) => list.replace(/\s+/g, ' '))}\n`;
}
