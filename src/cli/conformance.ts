// `erst-hsm conformance`: the suite that every Signer must pass, on the signer that the ERST_ variables name.

import { Command, InvalidArgumentError } from 'commander';
import { configFromEnv, type Environment } from '../signers/config/config.js';
import type { Algorithm } from '../signers/types.js';
import { version } from '../version.js';
import { describePlace, type ModuleReport, type TokenReport } from './conformance/module-report.js';
import { type RuleResult, runRules } from './conformance/run-rules.js';
import { openTarget } from './conformance/target.js';
import { CannotGenerate, makeTemporaryKey } from './conformance/temporary-key.js';
import { EXIT, UsageError } from './failure.js';
import { withExamples } from './help.js';
import { environmentsOf, forEachToken } from './hsm/each-token.js';
import { askingForPin } from './hsm/pin.js';
import { note, oneLine, printJson, printLine, styled } from './output.js';

interface ConformanceOptions {
  generate?: true;
  batchSize?: number;
  json?: true;
}

/** All rules on one key, or why there was no key. */
type Run = CompleteRun | { algorithm: Algorithm; skipped: string };

interface CompleteRun {
  algorithm: Algorithm;
  passed: number;
  failed: number;
  results: RuleResult[];
}

interface Report {
  erstHsm: string;
  runtime: string;
  signerType: string;
  module?: ModuleReport;
  token?: TokenReport;
  runs: Run[];
}

const ALGORITHMS: readonly Algorithm[] = ['ed25519', 'secp256k1', 'p256'];

export function conformanceCommand(): Command {
  const command = new Command('conformance')
    .description('check the signer that the ERST_ variables name against every rule of a Signer')
    .option('--generate', 'make a key of each algorithm on the token, check it and delete it again')
    .option('--batch-size <n>', 'messages in the largest batch (default: 300)', parseBatchSize)
    .option('--json', 'print a report: module, token model, firmware, algorithm, results');
  command.addHelpText(
    'after',
    '\nAbout a thousand signatures a key. Without --generate nothing is made or deleted.',
  );
  return withExamples(command.action(conformance), [
    [
      'a key on a token',
      'ERST_SIGNER_TYPE=pkcs11 ERST_PKCS11_MODULE=/usr/lib/softhsm/libsofthsm2.so \\\n' +
        '    ERST_PKCS11_PIN_FILE=pin ERST_PKCS11_KEY_LABEL=treasury erst-hsm conformance',
    ],
    ['what a token can do, as a report', 'erst-hsm conformance --generate --json > report.json'],
  ]);
}

function parseBatchSize(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 up.');
}

async function conformance(options: ConformanceOptions): Promise<void> {
  const signal = interruption();
  const tokens = environmentsOf({}, process.env).length;
  const reports = await forEachToken(options.json ? { json: true } : {}, process.env, async (turn) => {
    if (tokens > 1 && !options.json) printLine(`token ${turn.number} of ${tokens}:`);
    const report = await askingForPin(turn.env, (env) => check(env, options, signal));
    if (!options.json) note(summaryOf(report));
    if (!hasPassed(report)) process.exitCode = EXIT.failure;
    return report;
  });
  if (options.json) printJson(tokens > 1 ? reports : reports[0]);
}

function hasPassed({ runs }: Report): boolean {
  const complete = runs.filter(isComplete);
  return complete.length > 0 && complete.every(({ failed }) => failed === 0);
}

const isComplete = (run: Run): run is CompleteRun => 'results' in run;

async function check(env: Environment, options: ConformanceOptions, signal: AbortSignal): Promise<Report> {
  const { signerType } = configFromEnv(env);
  if (options.generate && signerType !== 'pkcs11') {
    throw new UsageError('--generate makes keys on a token: set ERST_SIGNER_TYPE=pkcs11');
  }
  const runs = options.generate
    ? await checkNewKeys(env, options, signal)
    : [await checkKey(env, options, signal)];
  const place = signerType === 'pkcs11' ? await describePlace(env) : {};
  const runtime = `Node ${process.versions.node}, ${process.platform} ${process.arch}`;
  return { erstHsm: version, runtime, signerType, ...place, runs };
}

async function checkNewKeys(
  env: Environment,
  options: ConformanceOptions,
  signal: AbortSignal,
): Promise<Run[]> {
  const runs: Run[] = [];
  for (const algorithm of ALGORITHMS) {
    try {
      runs.push(await checkNewKey(env, algorithm, options, signal));
    } catch (error) {
      if (!(error instanceof CannotGenerate)) throw error;
      runs.push({ algorithm, skipped: error.message });
      if (!options.json) printLine(oneLine(`skipped  ${algorithm}: ${error.message}`));
    }
  }
  return runs;
}

/** The key is deleted whatever happens to the rules. */
async function checkNewKey(
  env: Environment,
  algorithm: Algorithm,
  options: ConformanceOptions,
  signal: AbortSignal,
): Promise<Run> {
  const key = await makeTemporaryKey(env, algorithm);
  try {
    return await checkKey(key.env, options, signal);
  } finally {
    await key.delete();
  }
}

async function checkKey(env: Environment, options: ConformanceOptions, signal: AbortSignal): Promise<Run> {
  const opened = await openTarget(env, options.batchSize);
  try {
    const { algorithm } = opened.info;
    const tell = options.json ? () => {} : (result: RuleResult) => printResult(algorithm, result);
    const results = await runRules(opened.target, signal, tell);
    const failed = results.filter(({ passed }) => !passed).length;
    return { algorithm, passed: results.length - failed, failed, results };
  } finally {
    await opened[Symbol.asyncDispose]();
  }
}

function printResult(algorithm: Algorithm, { rule, passed, durationMs, message }: RuleResult): void {
  const outcome = passed
    ? styled(process.stdout, 'green', 'ok    ')
    : styled(process.stdout, 'red', 'FAILED');
  const text = passed ? `${rule} (${durationMs} ms)` : `${rule}: ${message}`;
  printLine(`${outcome}  ${algorithm}  ${oneLine(text)}`);
}

function summaryOf({ module, token, runs }: Report): string {
  const place = token && module ? `${token.model} ${token.firmware}, ${module.file} ${module.version}: ` : '';
  const texts = runs.map((run) =>
    isComplete(run)
      ? `${run.algorithm} ${run.passed} of ${run.passed + run.failed} rules`
      : `${run.algorithm} not checked`,
  );
  return oneLine(place + texts.join(', '));
}

/** At the first Ctrl-C the rule under way ends and a temporary key is deleted; a second one ends the process. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}
