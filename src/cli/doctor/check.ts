// What a check of the doctor is, and the walk through a list of them. A check names the facts that it needs and those that
// it gives; where a needed fact is absent it is skipped, so that a list stops by itself where going on makes no sense.
// Invariant: a check says one thing, in one line, and each fix is one line that a shell takes as it is.

import { Pkcs11Error, SignerError } from '../../errors.js';
import { oneLine } from '../output.js';
import type { Facts } from './facts.js';
import { type Finding, failed, type Status, skipped } from './finding.js';
import { fixOf } from './fix.js';

export interface CheckResult {
  id: string;
  status: Status;
  finding: string;
  fix?: string;
}

type Fact = keyof Facts;
type Knowing<Needed extends Fact> = Facts & Required<Pick<Facts, Needed>>;

export interface Check {
  readonly id: string;
  readonly needs: readonly Fact[];
  readonly gives: readonly Fact[];
  examine(facts: Facts): Finding | Promise<Finding>;
}

/** A check whose `examine` may rely on the facts in `needs`. */
export function check<Needed extends Fact>(
  id: string,
  { needs = [], gives = [] }: { needs?: readonly Needed[]; gives?: readonly Fact[] },
  examine: (facts: Knowing<Needed>) => Finding | Promise<Finding>,
): Check {
  return { id, needs, gives, examine: (facts) => examine(facts as Knowing<Needed>) };
}

/** Runs `checks` in their order on `facts`, which they complete. */
export async function runChecks(checks: readonly Check[], facts: Facts): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const each of checks) {
    const outcome = await outcomeOf(each, checks, facts);
    Object.assign(facts, outcome.found);
    results.push(resultOf(each.id, outcome));
  }
  return results;
}

/** `finding` on one line, and without control characters: parts of it come from a token. */
export function resultOf(id: string, { status, finding, fix }: Finding): CheckResult {
  return { id, status, finding: oneLine(finding), ...(fix && { fix: oneLine(fix) }) };
}

async function outcomeOf(each: Check, checks: readonly Check[], facts: Facts): Promise<Finding> {
  const absent = each.needs.find((fact) => facts[fact] === undefined);
  if (absent !== undefined) {
    const giver = checks.find(({ gives }) => gives.includes(absent));
    return skipped(`not reached: see ${giver?.id ?? 'settings'}`);
  }
  try {
    return await each.examine(facts);
  } catch (error) {
    if (!(error instanceof SignerError)) throw error;
    return failed(describe(error), fixOf(error, facts));
  }
}

/** The error's message, which names the return code and the function where a call of the module failed. */
function describe(error: SignerError): string {
  if (!(error instanceof Pkcs11Error) || !error.ckr || error.message.includes(error.ckr))
    return error.message;
  return `${error.message} (${error.functionName ?? 'a call'} gave ${error.ckr})`;
}
