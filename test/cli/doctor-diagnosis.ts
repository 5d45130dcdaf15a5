// What the doctor finds in an environment of a test's own, by check; and its fixes, pasted into a shell.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { type ExaminedCheck, examine } from '../../src/cli/doctor/examination.js';
import type { Status } from '../../src/cli/doctor/finding.js';

const run = promisify(execFile);

type Env = Record<string, string | undefined>;

export interface Diagnosis {
  checks: readonly ExaminedCheck[];
  /** The result of the check `id`, of which there must be one. */
  of(id: string): ExaminedCheck;
  /** Ids of the checks with this status. */
  all(status: Status): string[];
}

/** Only what is given, and what programs need. */
export const plainEnv = (own: Env): Env => ({ PATH: process.env.PATH, HOME: process.env.HOME, ...own });

export async function diagnose(own: Env, { tryPin = false } = {}): Promise<Diagnosis> {
  const checks = await examine(plainEnv(own), tryPin);
  await Promise.all(checks.map(expectPasteable));
  return {
    checks,
    of(id) {
      const found = checks.filter((each) => each.id === id);
      expect(found, `results of ${id}`).toHaveLength(1);
      return found[0]!;
    },
    all: (status) => checks.filter((each) => each.status === status).map(({ id }) => id),
  };
}

/** Whatever the finding: it is one line, and its fix is one that a shell can parse. */
async function expectPasteable({ status, finding, fix }: ExaminedCheck): Promise<void> {
  expect(finding).toMatch(/^\S.*$/);
  if (status === 'failed' || status === 'warning') expect(fix).toBeTruthy();
  if (fix === undefined) return;
  expect(fix).toMatch(/^\S.*$/);
  await run('bash', ['-n', '-c', fix]);
}

/** The variables after `fix` was pasted into a shell that had `own`. */
export async function pasted(fix: string | undefined, own: Env): Promise<Env> {
  const script = `${fix} || exit 1\nexec env --null`;
  const { stdout } = await run('bash', ['-c', script], { env: definedOnly(plainEnv(own)) });
  const after = stdout.split('\0').flatMap((line): [string, string][] => {
    const equals = line.indexOf('=');
    return equals > 0 ? [[line.slice(0, equals), line.slice(equals + 1)]] : [];
  });
  return Object.fromEntries(after.filter(([name]) => name !== '_' && name !== 'PWD' && name !== 'SHLVL'));
}

const definedOnly = (env: Env): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
