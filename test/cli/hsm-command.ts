// `erst-hsm hsm …` in this process, for tests that need no terminal; and at a terminal of its own, for those that do.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { hsmCommand } from '../../src/cli/hsm.js';
import type { SignerError } from '../../src/errors.js';
import type { SoftHsmToken } from '../fixtures/softhsm.js';
import type { Command } from './command.js';

/** Variables of `token()` around each test: module, label, and a file with the PIN. */
export function useVariables(token: () => SoftHsmToken): void {
  beforeEach(async () => {
    await writeFile(join(token().directory, 'pin'), token().pin, { mode: 0o600 });
    Object.assign(process.env, variablesOf(token()));
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (/^(?:ERST|XDG)_/.test(name)) delete process.env[name];
  });
}

export const variablesOf = ({ modulePath, tokenLabel, directory }: SoftHsmToken) => ({
  ERST_PKCS11_MODULE: modulePath,
  ERST_PKCS11_TOKEN_LABEL: tokenLabel,
  ERST_PKCS11_PIN_FILE: join(directory, 'pin'),
  // Refused PINs are remembered there.
  XDG_STATE_HOME: join(directory, 'state'),
});

export interface Printed {
  out: string;
  /** Standard error: words for people. */
  notes: string;
}

export async function runHsm(...args: string[]): Promise<Printed> {
  const printed: Printed = { out: '', notes: '' };
  const take = (to: keyof Printed) => (chunk: string | Uint8Array) => {
    printed[to] += chunk;
    return true;
  };
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation(take('out'));
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(take('notes'));
  const command = hsmCommand().exitOverride();
  for (const child of command.commands) child.exitOverride();
  try {
    await command.parseAsync(args, { from: 'user' });
    return printed;
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

/** What the command writes to standard output. */
export const hsm = async (...args: string[]): Promise<string> => (await runHsm(...args)).out;

export const failureOf = (work: Promise<unknown>): Promise<SignerError> =>
  work.then(
    () => expect.unreachable('did not fail'),
    (error) => error,
  );

export interface TypedAnswer {
  /** The end of the question that it answers. */
  question: string;
  answer: string;
}

/** Runs `args` at a terminal made by script(1), where the answers are typed; gives what the screen shows. */
export async function atTerminal(
  command: Command,
  args: string[],
  env: NodeJS.ProcessEnv,
  answers: TypedAnswer[],
): Promise<string> {
  const line = [process.execPath, command.script, ...args].map((word) => `'${word}'`).join(' ');
  const terminal = spawn('script', ['-qec', line, '/dev/null'], {
    cwd: command.dir,
    env: { PATH: process.env.PATH, HOME: command.dir, TERM: 'dumb', ...env },
  });
  const open = [...answers];
  let screen = '';
  let answeredUpTo = 0;
  terminal.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    const [next] = open;
    const at = next === undefined ? -1 : screen.indexOf(next.question, answeredUpTo);
    if (at < 0) return;
    answeredUpTo = at + next!.question.length;
    open.shift();
    terminal.stdin.write(`${next!.answer}\r`);
  });
  await once(terminal, 'close');
  expect(open, `questions not seen on the screen:\n${screen}`).toEqual([]);
  return screen;
}
