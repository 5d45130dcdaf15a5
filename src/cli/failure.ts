// How a failure ends: one line on standard error that says what happened and what to do next, or one line of JSON with
// the code where the command was asked for JSON. A stack is shown only with ERST_LOG=debug.

import { CommanderError } from 'commander';
import { SignerError } from '../errors.js';
import { note, oneLine, styled } from './output.js';

/** Exit codes: 0 done; 1 it failed, or a signature is not valid; 2 the command was not understood. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

/** A failure of the command line itself that no `SignerErrorCode` describes. */
export class CliError extends Error {
  readonly code: string;
  readonly exitCode: number;

  constructor(code: string, message: string, options?: ErrorOptions & { exitCode?: number }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.exitCode = options?.exitCode ?? EXIT.failure;
  }
}

/** The command was not understood; nothing was done. */
export class UsageError extends CliError {
  constructor(message: string, options?: ErrorOptions) {
    super('usage', message, { ...options, exitCode: EXIT.usage });
  }
}

/** Prints `error` and gives the exit code; `token` is the one of several that it is about, from 1. */
export function reportFailure(error: unknown, json: boolean, token?: number): number {
  const { code, message, exitCode } = describe(error);
  if (json) note(JSON.stringify({ error: { code, message, ...(token !== undefined && { token }) } }));
  else {
    const of = token === undefined ? '' : `token ${token}: `;
    note(`${styled(process.stderr, 'red', 'erst-hsm:')} ${of}${oneLine(message)}`);
  }
  if (process.env.ERST_LOG === 'debug' && error instanceof Error) note(stackOf(error));
  return exitCode;
}

interface Failure {
  code: string;
  message: string;
  exitCode: number;
}

function describe(error: unknown): Failure {
  if (error instanceof CliError) return error;
  if (error instanceof SignerError) {
    return { code: error.code, message: error.message, exitCode: EXIT.failure };
  }
  if (error instanceof CommanderError) {
    return { code: 'usage', message: commanderMessage(error.message), exitCode: EXIT.usage };
  }
  return unexpected(error);
}

/** Commander's words without its prefix, and without the value of a mistyped `--option=value`. */
function commanderMessage(message: string): string {
  return message.replace(/^error: /, '').replace(/(unknown option '[^'=]*)=[^']*'/, "$1'");
}

function unexpected(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const hint = process.env.ERST_LOG === 'debug' ? '' : ' (ERST_LOG=debug shows where)';
  return { code: 'internal', message: `${message}${hint}`, exitCode: EXIT.failure };
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
