// All commands, and what they have in common.

import { Command } from 'commander';
import { version } from '../version.js';
import { bridgeCommand } from './bridge.js';
import { clientsCommand } from './clients.js';
import { conformanceCommand } from './conformance.js';
import { connectCommand } from './connect.js';
import { doctorCommand } from './doctor.js';
import { withExamples } from './help.js';
import { hsmCommand } from './hsm.js';
import { keygenCommand } from './keygen.js';
import { pairCommand } from './pair.js';
import { pubkeyCommand } from './pubkey.js';
import { signCommand } from './sign.js';
import { verifyCommand } from './verify.js';

/** The whole command line. It throws what commander has to say; it never exits by itself. */
export function createProgram(): Command {
  const program = new Command('erst-hsm')
    .description('Sign with a key in a file, in an HSM, or behind a bridge.')
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  withExamples(program, [
    ['a bridge on this machine; open the link that it prints', 'erst-hsm bridge'],
    ['sign with a key in a file', 'echo hello | erst-hsm sign --key key.pem'],
    ['sign with the key that the ERST_ variables name', 'erst-hsm sign document.pdf --format base64'],
  ]);
  program.addHelpText(
    'after',
    '\nExit codes: 0 done, 1 failed or signature not valid, 2 command not understood.',
  );
  for (const command of commands()) {
    program.addCommand(command);
    inheritSettings(program, command);
  }
  return program;
}

const commands = () => [
  keygenCommand(),
  pubkeyCommand(),
  signCommand(),
  verifyCommand(),
  bridgeCommand(),
  pairCommand(),
  connectCommand(),
  clientsCommand(),
  hsmCommand(),
  doctorCommand(),
  conformanceCommand(),
];

function inheritSettings(parent: Command, command: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheritSettings(command, child);
}
