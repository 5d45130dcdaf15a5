// `erst-hsm pair`: a new pairing link from the bridge that runs on this machine.

import { Command, InvalidArgumentError } from 'commander';
import { controlClient } from '../bridge/control-client.js';
import type { PairOptions } from '../bridge/index.js';
import { UsageError } from './failure.js';
import { withExamples } from './help.js';
import { note, printJson, printLine } from './output.js';
import { stateDirectory } from './state-dir.js';

/** How long a link is valid, in minutes, unless somebody chooses another time. */
export const LINK_MINUTES = 10;

interface PairCommandOptions {
  name?: string;
  keys: string[];
  ops?: string[];
  algorithms?: string[];
  origins?: string[];
  from?: string[];
  rate?: string;
  expires?: string;
  maxBytes?: number;
  prehashed: boolean;
  validFor?: number;
  stateDir?: string;
  json?: true;
}

export function pairCommand(): Command {
  const command = new Command('pair')
    .description('make a pairing link for a new client of the bridge that runs here')
    .option('-n, --name <name>', 'what to call the client; without it, what it calls itself')
    .option('-k, --keys <names>', 'keys that it may use, with commas; * stands for any characters', list, [
      '*',
    ])
    .option('--ops <ops>', 'what it may do: info, public-key, sign (default: all three)', list)
    .option('--algorithms <algorithms>', 'only keys of these: ed25519, secp256k1, p256', list)
    .option('--origins <origins>', 'only from pages of these, like https://app.example', list)
    .option('--from <blocks>', 'only from these addresses, like 10.0.0.0/8', list)
    .option('--rate <n/unit>', 'at most so many signatures, like 10/s, 100/m, 1000/h', nonEmpty)
    .option('--expires <time>', 'until then, like 2027-01-31 or 2027-01-31T12:00:00Z', nonEmpty)
    .option('--max-bytes <n>', 'longest message that it may have signed', count)
    .option('--no-prehashed', 'only whole messages: no digests that the bridge did not compute itself')
    .option('--valid-for <minutes>', `how long the link is valid (default: ${LINK_MINUTES})`, minutes)
    .option('--state-dir <dir>', 'of the bridge (default: $XDG_STATE_HOME/erst-hsm)')
    .option('--json', 'print {"link":…}')
    .action(pair);
  return withExamples(command, [
    ['for a browser: open the link there', 'erst-hsm pair --name laptop'],
    [
      'for a program that may use one key until a day',
      'erst-hsm pair --name ci --keys treasury --expires 2027-01-31',
    ],
    ['for a program of this machine', 'erst-hsm pair --name ci | erst-hsm connect --out ci.json'],
  ]);
}

const list = (value: string) => value.split(',').map((item) => nonEmpty(item.trim()));

function nonEmpty(value: string): string {
  if (value === '') throw new InvalidArgumentError('It must not be empty.');
  return value;
}

function count(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError('It must be a number of bytes, like 4096.');
  return Number(value);
}

function minutes(value: string): number {
  if (!/^[1-9]\d{0,3}$/.test(value))
    throw new InvalidArgumentError('It must be a number of minutes, like 30.');
  return Number(value);
}

async function pair({
  stateDir,
  json,
  validFor = LINK_MINUTES,
  ...grant
}: PairCommandOptions): Promise<void> {
  const link = await requestLink(stateDirectory(stateDir), { ...grant, expiresInMs: validFor * 60_000 });
  if (json) return printJson({ link });
  printLine(link);
  note(
    `Works once, within ${validFor} min: open it in a browser, or give it to \`erst-hsm connect\` elsewhere.`,
  );
}

async function requestLink(stateDir: string, options: PairOptions): Promise<string> {
  try {
    return await controlClient(stateDir).pair(options);
  } catch (error) {
    // An option that no client's line can hold.
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
