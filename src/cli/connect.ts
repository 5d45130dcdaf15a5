// `erst-hsm connect`: pairs this machine with a bridge and keeps what that gave in a private file.

import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { RemoteCredentials } from '../signers/remote/remote.node.js';
import { withExamples } from './help.js';
import { readLine, STDIN } from './input.js';
import { note, oneLine, printJson, printLine } from './output.js';
import { writePrivateFile } from './private-file.js';
import { shellQuoted } from './shell-quote.js';

interface ConnectOptions {
  out: string;
  name: string;
  force?: true;
  allowPlainWs?: true;
  json?: true;
}

export function connectCommand(): Command {
  const command = new Command('connect')
    .description('pair this machine with a bridge, using a pairing link')
    .argument('[link]', 'the link; - is standard input, which keeps it out of the process list', STDIN)
    .requiredOption('-o, --out <file>', 'new file for the credentials, readable by you alone')
    .option('--force', 'overwrite the file')
    .option('-n, --name <name>', 'what this machine calls itself', clientName, hostname())
    .option('--allow-plain-ws', 'allow a bridge on another machine without TLS')
    .option('--json', 'print client, bridge, file and keys')
    .action(connect);
  return withExamples(command, [
    ['paste the link, then Enter', 'erst-hsm connect --out credentials.json'],
    [
      'then sign with a key of the bridge',
      'eval "$(erst-hsm connect --out credentials.json < link)"\n  erst-hsm sign document.pdf',
    ],
  ]);
}

async function connect(given: string, options: ConnectOptions): Promise<void> {
  const { out, name, force, json = false, allowPlainWs = false } = options;
  const link = given === STDIN ? await readLine('the pairing link') : given;
  const { RemoteSigner } = await import('../signers/remote/remote.node.js');
  let credentials: RemoteCredentials;
  const pair = async () => {
    credentials = await RemoteSigner.pair(link.trim(), { name, allowPlainWs });
    return `${JSON.stringify(credentials, null, 2)}\n`;
  };
  await writePrivateFile(out, pair, force);
  const { client = name, url, keys = {} } = credentials!;
  const paired = { client, url, file: out, keys: Object.keys(keys) };
  if (json) printJson(paired);
  else describe(paired);
}

interface Paired {
  client: string;
  url: string;
  file: string;
  keys: string[];
}

/** Names come from the bridge: they must steer neither the terminal nor a shell that evaluates the lines. */
function describe({ client, url, file, keys }: Paired): void {
  note(oneLine(`Paired with ${url} as ${client}. Keys: ${keys.join(', ') || 'none'}`));
  note(`Credentials are in ${file}. To sign with a key of the bridge, set:\n`);
  printLine('export ERST_SIGNER_TYPE=remote');
  printLine(`export ERST_REMOTE_IDENTITY_PATH=${shellQuoted(resolve(file))}`);
  if (keys[0] !== undefined) printLine(`export ERST_REMOTE_KEY=${shellQuoted(keys[0])}`);
}

function clientName(value: string): string {
  const bytes = Buffer.byteLength(value);
  if (bytes < 1 || bytes > 128) throw new InvalidArgumentError('It must have 1 to 128 bytes.');
  return value;
}
