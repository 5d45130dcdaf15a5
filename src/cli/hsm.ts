// `erst-hsm hsm …`: what a PKCS#11 module shows, and the life of tokens and keys. One file a verb in hsm/.

import { Command } from 'commander';
import { withExamples } from './help.js';
import { attestCommand } from './hsm/attest.js';
import { deleteCommand } from './hsm/delete.js';
import { importCommand } from './hsm/import.js';
import { initTokenCommand } from './hsm/init-token.js';
import { keygenCommand } from './hsm/keygen.js';
import { keysCommand } from './hsm/keys.js';
import { slotsCommand } from './hsm/slots.js';
import { SOFTHSM } from './hsm/token-options.js';

/** The command `hsm` with its subcommands, for a program to add. */
export function hsmCommand(): Command {
  const command = new Command('hsm')
    .description('tokens and keys of a PKCS#11 module: list, make, import, attest, delete')
    .addCommand(slotsCommand())
    .addCommand(keysCommand())
    .addCommand(keygenCommand())
    .addCommand(importCommand())
    .addCommand(attestCommand())
    .addCommand(deleteCommand())
    .addCommand(initTokenCommand());
  return withExamples(command, [
    ['which tokens there are', `erst-hsm hsm slots --module ${SOFTHSM}`],
    [
      'the keys of one; the PIN is never an argument',
      'ERST_PKCS11_PIN_FILE=pin erst-hsm hsm keys --token-label mytoken',
    ],
  ]);
}
