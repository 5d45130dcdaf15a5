// The rules of the suite, one after the other, against one target.

import { SignerError } from '../../errors.js';
import { type ConformanceTarget, signerConformance } from '../../testing/index.js';
import { CliError } from '../failure.js';

export interface RuleResult {
  rule: string;
  passed: boolean;
  durationMs: number;
  /** What was expected and what came instead. */
  message?: string;
}

/** Runs every rule, telling `onResult` of each; rejects where going on makes no sense. */
export async function runRules(
  target: ConformanceTarget,
  signal: AbortSignal,
  onResult: (result: RuleResult) => void,
): Promise<RuleResult[]> {
  const results: RuleResult[] = [];
  for (const { name: rule, run } of signerConformance(target)) {
    if (signal.aborted) throw new CliError('interrupted', 'interrupted', { exitCode: 130 });
    const start = performance.now();
    const failure = await run().then(() => undefined, failureOf);
    const durationMs = Math.round(performance.now() - start);
    const result = { rule, passed: failure === undefined, durationMs, ...failure };
    results.push(result);
    onResult(result);
  }
  return results;
}

/** A PIN that is refused is not presented rule after rule. */
const ENDS_THE_RUN: readonly string[] = ['pin-incorrect', 'pin-locked', 'pin-missing', 'module-load-failed'];

function failureOf(error: unknown): { message: string } {
  if (error instanceof SignerError && ENDS_THE_RUN.includes(error.code)) throw error;
  return { message: error instanceof Error ? error.message : String(error) };
}
