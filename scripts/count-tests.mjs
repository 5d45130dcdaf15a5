// Adds up the JSON reports in a folder, names the tests that passed at the second try only (second-tries.mjs), and prints
// the closing line. A skipped test fails the run: nothing is skipped in CI.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const secondTries = join(folder, 'second-tries.txt');
const onlyThen = existsSync(secondTries) ? readFileSync(secondTries, 'utf8').trimEnd().split('\n') : [];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const name of readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort()) {
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const skipped = report.numPendingTests + report.numTodoTests;
  console.log(
    `${name}: ${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped`,
  );
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += skipped;
}
for (const test of onlyThen) console.log(`passed at the second try only: ${test}`);
console.log(
  `${total.passed} passed (${onlyThen.length} of them at the second try only), ` +
    `${total.failed} failed, ${total.skipped} skipped`,
);
process.exitCode = total.passed > 0 && total.failed === 0 && total.skipped === 0 ? 0 : 1;
