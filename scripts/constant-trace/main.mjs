// Traces the compiled curves: whether operations on secrets do the same, whatever the secret.
// Usage: node scripts/constant-trace/main.mjs [release | debug] [part of an operation's name] [--secrets=1500]

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compileWithNames, isSameCode } from './names.mjs';
import { operations } from './operations.mjs';
import { describeDifference, openTrace } from './trace.mjs';

const { values, positionals } = parseArgs({
  options: { secrets: { type: 'string', default: '1500' } },
  allowPositionals: true,
});
const target = positionals[0] === 'debug' ? 'debug' : 'release';
const part = positionals.find((word) => word !== 'release' && word !== 'debug') ?? '';

const trace = await openTrace({ condition: target === 'debug' ? 'erst-debug' : undefined });
const differences = [];
console.log('operation                                         events  secrets  verdict');
for (const operation of operations) {
  if (!operation.name.includes(part) || (operation.debugOnly && target !== 'debug')) continue;
  const secrets = operation.secrets(Number(values.secrets));
  const { events, difference } = await trace.compare(operation, secrets);
  if (difference !== undefined) differences.push([operation, difference]);
  const verdict = difference === undefined ? 'the same' : 'DIFFERENT';
  console.log(
    `${operation.name.padEnd(46)} ${String(events).padStart(9)} ${String(secrets.length).padStart(8)}  ${verdict}`,
  );
}

if (differences.length > 0) {
  const { wasm, names } = await compileWithNames(undefined, target);
  const isNamed = isSameCode(wasm, readFileSync(`build/wasm/curves.${target}.wasm`));
  if (!isNamed) console.log('the build is not that of these sources: no names');
  for (const [operation, difference] of differences)
    console.log(`${operation.name}: ${describeDifference(difference, isNamed ? names : undefined)}`);
  process.exitCode = 1;
}
