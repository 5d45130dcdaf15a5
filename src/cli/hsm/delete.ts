// `erst-hsm hsm delete`. Which key is only ever taken from the command line: a variable that was set for signing must not
// choose what is destroyed.

import { Command } from 'commander';
import { Pkcs11Error } from '../../errors.js';
import type { TokenConnection } from '../../signers/pkcs11/engine/engine.js';
import type { KeyIdentity } from '../../signers/pkcs11/engine/hosted-module.js';
import { listed } from '../../signers/pkcs11/selection/listing.js';
import { selectKey } from '../../signers/pkcs11/selection/select-key.js';
import { UsageError } from '../failure.js';
import { withExamples } from '../help.js';
import { note, printJson } from '../output.js';
import { confirm } from './confirm.js';
import { withConnection } from './connection.js';
import { publicHex } from './keys.js';
import { parseId, selectionFrom, type TokenOptions, withToken } from './token-options.js';

interface DeleteOptions extends TokenOptions {
  label?: string;
  id?: string;
  yes?: true;
}

export function deleteCommand(): Command {
  const command = withToken(new Command('delete').description('delete a key pair from a token, for ever'))
    .option('-l, --label <label>', 'key by its CKA_LABEL')
    .option('--id <hex>', 'key by its CKA_ID', parseId)
    .option('--yes', 'do not ask');
  return withExamples(command.action(deleteKey), [
    ['asks for the label before it deletes', 'erst-hsm hsm delete --token-label mytoken --label old-key'],
    ['in a script', 'ERST_PKCS11_PIN_FILE=pin erst-hsm hsm delete --token-label mytoken --id 02 --yes'],
  ]);
}

async function deleteKey({ label, id, yes, ...options }: DeleteOptions): Promise<void> {
  if (label === undefined && id === undefined) {
    throw new UsageError('say which key: --label or --id (erst-hsm hsm keys lists them)');
  }
  await withConnection(selectionFrom(options), 'needed', async (connection) => {
    const key = await findKey(connection, label, id);
    const publicKey = await publicHex(connection, key);
    const name = `${key.algorithm} key "${key.label}" (id ${key.idHex || 'none'})`;
    await confirm(
      `This deletes the ${name} from token "${connection.token.label}"; no copy of it is left` +
        `${publicKey && `. Its public key is ${publicKey}`}.`,
      key.label || key.idHex,
      yes,
    );
    const objects = await connection.deleteKeyPair(key);
    if (options.json) {
      const { algorithm, label, idHex: id } = key;
      return printJson({ algorithm, label, id, publicKey, objects });
    }
    note(`${name} deleted from token "${connection.token.label}" (${objects} objects)`);
  });
}

/** Also a key that may not sign. */
async function findKey(connection: TokenConnection, label?: string, idHex?: string): Promise<KeyIdentity> {
  const filter = { label, idHex };
  const [candidates, all] = [await connection.keys('private', filter), await connection.keys('private')];
  if (candidates.some(({ algorithm }) => algorithm === undefined)) {
    throw new Pkcs11Error(
      'unsupported-algorithm',
      'That key is of a type that erst-hsm does not use, and it is left alone: delete it with the tool that made it, ' +
        'e.g. pkcs11-tool --delete-object',
    );
  }
  if (candidates.length > 1) {
    const shown = candidates.map((key) => `"${key.label}" (id ${key.idHex || 'none'}, ${key.algorithm})`);
    throw new Pkcs11Error(
      'key-ambiguous',
      `${candidates.length} keys match: ${listed(shown)}. Choose one with --id, or with --label and --id`,
    );
  }
  const deletable = candidates.map((key) => ({ ...key, canSign: true }));
  const { algorithm, label: found, idHex: foundId } = selectKey(deletable, all, filter, undefined);
  return { algorithm, label: found, idHex: foundId };
}
