// `erst-hsm hsm slots`

import { Command } from 'commander';
import type { TokenSummary } from '../../signers/pkcs11/engine/hosted-module.js';
import { withExamples } from '../help.js';
import { note, oneLine, printJson, printTable } from '../output.js';
import { withEngine } from './connection.js';
import { isReadable, readableTokens } from './readable-tokens.js';
import { type ModuleOptions, moduleFrom, SOFTHSM, withModule } from './token-options.js';

export function slotsCommand(): Command {
  const command = withModule(new Command('slots').description('list the slots that hold a token'));
  return withExamples(command.action(slots), [
    ['tokens of SoftHSM', `erst-hsm hsm slots --module ${SOFTHSM}`],
    ['for a script', 'erst-hsm hsm slots --json'],
  ]);
}

async function slots(options: ModuleOptions): Promise<void> {
  const tokens = await withEngine(moduleFrom(options), readableTokens);
  if (options.json) return printJson(tokens.map(tokenToJson));
  if (tokens.length === 0)
    note('No slot holds a token. For a smart card, see that pcscd is running. erst-hsm doctor says more.');
  printTable(
    ['SLOT', 'LABEL', 'MODEL', 'SERIAL', 'MANUFACTURER', 'MECHANISMS', 'FIRMWARE', 'PIN'],
    tokens.map((token) =>
      [
        String(token.slotIndex),
        labelOf(token),
        token.model,
        token.serial,
        token.manufacturer,
        token.mechanisms.map((name) => `CKM_${name}`).join(' '),
        token.firmwareVersion,
        token.initialized ? token.pin : '',
      ].map(oneLine),
    ),
  );
}

function labelOf(token: TokenSummary): string {
  if (!isReadable(token)) return '(cannot be read)';
  return token.initialized ? token.label : '(not initialized)';
}

function tokenToJson(token: TokenSummary) {
  const { slotHandle: _, mechanismNumbers: __, slotId, mechanisms, ...shown } = token;
  return { ...shown, slotId: String(slotId), mechanisms: mechanisms.map((name) => `CKM_${name}`) };
}
