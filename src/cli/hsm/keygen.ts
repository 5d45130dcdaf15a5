// `erst-hsm hsm keygen`

import { Command, Option } from 'commander';
import { Pkcs11Error } from '../../errors.js';
import type { TokenSummary } from '../../signers/pkcs11/engine/hosted-module.js';
import type { Algorithm } from '../../signers/types.js';
import { withExamples } from '../help.js';
import { withConnection } from './connection.js';
import { printNewKey, putChecked, randomId } from './new-key.js';
import { selectionFrom, type TokenOptions, withNewKey } from './token-options.js';

interface KeygenOptions extends TokenOptions {
  algorithm: Algorithm;
  label: string;
  id?: string;
}

export function keygenCommand(): Command {
  const command = withNewKey(
    new Command('keygen').description('make a key on a token; it never leaves it'),
  ).addOption(
    new Option('-a, --algorithm <algorithm>', 'what the key is for')
      .choices(['ed25519', 'secp256k1', 'p256'])
      .default('ed25519'),
  );
  return withExamples(command.action(keygen), [
    [
      'a key for Bitcoin or Ethereum',
      'ERST_PKCS11_PIN_FILE=pin erst-hsm hsm keygen --token-label mytoken \\\n' +
        '    --algorithm secp256k1 --label treasury > public.pem',
    ],
  ]);
}

/** Label and id are the new key's: they do not select one. */
async function keygen({ algorithm, label, id, ...options }: KeygenOptions): Promise<void> {
  const key = { algorithm, label, idHex: id ?? randomId() };
  await withConnection(selectionFrom(options), 'needed', async (connection) => {
    const generate = () => connection.generateKeyPair(key).catch(explainRefusal(connection.token));
    const publicKey = await putChecked(connection, key, generate);
    printNewKey(key, publicKey, `made on token "${connection.token.label}"`, options.json);
  });
}

/** For a PIV card, libykcs11 wants the management key, as the security officer's PIN, and another template (CKR_ATTRIBUTE_TYPE_INVALID). */
function explainRefusal({ manufacturer }: TokenSummary): (error: unknown) => never {
  return (error) => {
    const isPiv = manufacturer.startsWith('Yubico') || manufacturer === 'piv_II';
    if (!(error instanceof Pkcs11Error && isPiv)) throw error;
    const { code, message, ckr, ckrCode, functionName } = error;
    throw new Pkcs11Error(
      code,
      `${message}. A YubiKey makes keys for who has its management key: ykman piv keys generate 9a public.pem`,
      {
        cause: error,
        ...(ckr !== undefined && { ckr }),
        ...(ckrCode !== undefined && { ckrCode }),
        ...(functionName !== undefined && { functionName }),
      },
    );
  };
}
