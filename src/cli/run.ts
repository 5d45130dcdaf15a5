// Runs one command line and gives its exit code.

import { type Command, CommanderError } from 'commander';
import { EXIT, reportFailure, UsageError } from './failure.js';
import { endQuietlyWhenReaderLeaves, note, oneLine, styled } from './output.js';
import { createProgram } from './program.js';
import { refuseSecretArguments } from './secret-arguments.js';

/** Runs `args` (without `node` and the script); nothing that fails escapes. */
export async function run(args: readonly string[]): Promise<number> {
  endQuietlyWhenReaderLeaves();
  showWarningsOnOneLine();
  const json = wantsJson(args);
  process.on('uncaughtException', (error) => process.exit(reportFailure(error, json)));
  const program = createProgram();
  try {
    refuseSecretArguments(args);
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    if (error instanceof CommanderError && isHelpOrVersion(error)) return error.exitCode && EXIT.usage;
    const exitCode = reportFailure(error, json);
    if (isUsage(error) && !json) note(`Try: ${commandLineOf(program, args)} --help`);
    return exitCode;
  }
}

const isUsage = (error: unknown) => error instanceof UsageError || error instanceof CommanderError;

const isHelpOrVersion = ({ code }: CommanderError) =>
  code === 'commander.help' || code === 'commander.helpDisplayed' || code === 'commander.version';

const wantsJson = (args: readonly string[]) =>
  args.some(
    (arg, i) => arg === '--json' || arg === '--format=json' || (arg === 'json' && args[i - 1] === '--format'),
  );

/** The longest `erst-hsm command subcommand` that `args` starts with. */
function commandLineOf(program: Command, args: readonly string[]): string {
  const names = [program.name()];
  let command: Command | undefined = program;
  for (const arg of args) {
    command = command.commands.find((candidate) => candidate.name() === arg);
    if (command === undefined) break;
    names.push(command.name());
  }
  return names.join(' ');
}

/** In place of Node's own two lines with the process id. */
function showWarningsOnOneLine(): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    note(`${styled(process.stderr, 'yellow', 'erst-hsm: warning:')} ${oneLine(warning.message)}`);
  });
}
