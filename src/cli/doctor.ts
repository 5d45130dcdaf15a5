// `erst-hsm doctor`: why signing with a PKCS#11 token does not work, and the line that repairs it.

import { Command } from 'commander';
import { type ExaminedCheck, examine } from './doctor/examination.js';
import type { Status } from './doctor/finding.js';
import { EXIT } from './failure.js';
import { withExamples } from './help.js';
import { note, printJson, printLine, styled } from './output.js';

interface DoctorOptions {
  module?: string;
  tryPin?: boolean;
  json?: true;
}

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('find out why signing with an HSM does not work; spends no try of the PIN unless asked to')
    .option('-m, --module <path>', 'PKCS#11 module (default: ERST_PKCS11_MODULE)')
    .option(
      '--try-pin',
      'log in with the configured PIN and make a test signature; never where one try is left',
    )
    .option('--json', 'print JSON')
    .action(doctor);
  return withExamples(command, [
    ['the setup that the ERST_ variables describe', 'erst-hsm doctor'],
    ['up to a signature that is made and verified', 'ERST_PKCS11_PIN_FILE=pin erst-hsm doctor --try-pin'],
    ['for a script', `erst-hsm doctor --json | jq -r '.checks[] | select(.status == "failed").fix'`],
  ]);
}

async function doctor({ module, tryPin = false, json }: DoctorOptions): Promise<void> {
  const env = module === undefined ? process.env : { ...process.env, ERST_PKCS11_MODULE: module };
  const checks = await examine(env, tryPin);
  const status = worstOf(checks);
  if (json) printJson({ status, checks });
  else printReport(checks);
  if (status === 'failed') process.exitCode = EXIT.failure;
}

function worstOf(checks: readonly ExaminedCheck[]): Status {
  for (const status of ['failed', 'warning'] as const) {
    if (checks.some((each) => each.status === status)) return status;
  }
  return 'ok';
}

const STATUS_WIDTH = 'skipped'.length;
const colors = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'dim' } as const;

/** Without the checks that had nothing to examine. */
function printReport(checks: readonly ExaminedCheck[]): void {
  const shown = checks.filter(({ status, fix }) => status !== 'skipped' || fix !== undefined);
  const idWidth = Math.max(...shown.map(({ id }) => id.length));
  const count = Math.max(0, ...checks.map(({ replica }) => replica ?? 0));
  let replica: number | undefined;
  for (const each of shown) {
    if (each.replica !== replica) printLine(`token ${each.replica} of ${count}:`);
    replica = each.replica;
    const status = styled(process.stdout, colors[each.status], each.status.padEnd(STATUS_WIDTH));
    printLine(`${status}  ${each.id.padEnd(idWidth)}  ${each.finding}`);
    if (each.fix !== undefined)
      printLine(`${''.padEnd(STATUS_WIDTH)}  ${'fix:'.padStart(idWidth)}  ${each.fix}`);
  }
  const hidden = checks.length - shown.length;
  const what = hidden === 1 ? 'check does not apply here or was' : 'checks do not apply here or were';
  if (hidden > 0) note(`${hidden} ${what} not reached (--json shows them).`);
}
