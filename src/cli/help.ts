// Help that shows how a command is used for real.

import type { Command } from 'commander';

/** What it does, and the line to type. */
export type Example = readonly [description: string, line: string];

/** Adds `examples` below the command's options. */
export function withExamples(command: Command, examples: readonly Example[]): Command {
  const lines = examples.map(([description, line]) => `${description && `  # ${description}\n`}  ${line}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n\n')}`);
}
