// `erst-hsm clients`: who may use the bridge of this machine.

import { Command } from 'commander';
import type { ClientStatus } from '../bridge/bridge-types.js';
import { withClientList } from './client-list.js';
import { CliError } from './failure.js';
import { withExamples } from './help.js';
import { note, printJson, printTable } from './output.js';
import { stateDirectory } from './state-dir.js';

interface ClientsOptions {
  stateDir?: string;
  json?: true;
}

export function clientsCommand(): Command {
  const list = common(new Command('list').description('list the clients (the default)')).action(listClients);
  const revoke = common(new Command('revoke').description('take all rights from a client, and cut it off'))
    .argument('<name>', 'its name in the list')
    .action(revokeClient);
  withExamples(list, [
    ['who may use the bridge', 'erst-hsm clients'],
    ['names for a script', "erst-hsm clients list --json | jq -r '.[].name'"],
  ]);
  withExamples(revoke, [['', 'erst-hsm clients revoke laptop']]);
  const command = new Command('clients')
    .description('list and revoke the clients of the bridge of this machine, whether it runs or not')
    .addCommand(list, { isDefault: true })
    .addCommand(revoke);
  return withExamples(command, [
    ['who may use the bridge', 'erst-hsm clients'],
    ['a laptop that is lost', 'erst-hsm clients revoke laptop'],
  ]);
}

const common = (command: Command) =>
  command
    .option('--state-dir <dir>', 'of the bridge (default: $XDG_STATE_HOME/erst-hsm)')
    .option('--json', 'print JSON');

async function listClients({ stateDir, json }: ClientsOptions): Promise<void> {
  const clients = await withClientList(stateDirectory(stateDir), (list) => list.clients());
  if (json) return printJson(clients);
  if (clients.length === 0) return note('No clients. To pair one: erst-hsm pair');
  printTable(['NAME', 'KEYS', 'MAY', 'UNTIL', 'CONNECTED', 'FINGERPRINT'], clients.map(rowOf));
}

function rowOf(client: ClientStatus): string[] {
  return [
    client.name ?? `(line ${client.lineNumber})`,
    client.problem === undefined ? (client.keys ?? []).join(',') : `nothing: ${client.problem}`,
    client.problem === undefined ? (client.ops ?? []).join(',') : '-',
    client.expires === undefined ? '-' : `${client.expires}${client.expired ? ' (expired)' : ''}`,
    String(client.connections),
    client.fingerprint ?? '-',
  ];
}

async function revokeClient(name: string, { stateDir, json }: ClientsOptions): Promise<void> {
  const revoked = await withClientList(stateDirectory(stateDir), (list) => list.revoke(name));
  if (!revoked) {
    throw new CliError(
      'client-not-found',
      `no client is called ${name}. To see their names: erst-hsm clients`,
    );
  }
  if (json) return printJson({ revoked: name });
  note(`${name} is revoked.`);
}
