// The last question before something is destroyed.

import { CliError } from '../failure.js';
import { note, oneLine } from '../output.js';
import { askVisible, hasTerminal } from '../terminal.js';

/**
 * Resolves where the person at the terminal types `name` after reading `consequence`, or has said `--yes`; a `CliError`
 * `not-confirmed` otherwise, also where nobody can be asked.
 */
export async function confirm(consequence: string, name: string, yes: true | undefined): Promise<void> {
  if (yes) return;
  if (!hasTerminal()) {
    throw new CliError(
      'not-confirmed',
      `${consequence} Nothing was done: add --yes, or run this in a terminal to be asked`,
    );
  }
  note(oneLine(consequence));
  const expected = oneLine(name);
  if ((await askVisible(`Type ${expected} to go on: `)).trim() === expected) return;
  throw new CliError('not-confirmed', `that is not ${expected}: nothing was done`);
}
