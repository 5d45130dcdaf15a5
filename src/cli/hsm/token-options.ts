// Options that name a module, a token and a key, and the variables whose place they take.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { configFromEnv, type Environment, type Pkcs11Config } from '../../signers/config/config.js';
import { type Selection, selectionOf } from '../../signers/pkcs11/selection/selection.js';
import { onlyEnvironment, type TokenChoice } from './each-token.js';
import { uriWith } from './uri-choice.js';

export const SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so';

export interface ModuleOptions {
  module?: string;
  json?: true;
}

export interface TokenOptions extends ModuleOptions, TokenChoice {}

export interface KeyOptions extends TokenOptions {
  label?: string;
  id?: string;
  pivSlot?: string;
}

export function withModule(command: Command): Command {
  return command
    .addOption(new Option('-m, --module <path>', 'PKCS#11 module').env('ERST_PKCS11_MODULE'))
    .option('--json', 'print JSON');
}

export function withToken(command: Command): Command {
  return withModule(command)
    .option('-t, --token-label <label>', 'token by its label (default: ERST_PKCS11_TOKEN_LABEL)')
    .option(
      '-s, --slot <position>',
      'token by its position in `hsm slots` (default: ERST_PKCS11_SLOT)',
      checkPosition,
    );
}

/** Name and CKA_ID of a key that is to be. */
export function withNewKey(command: Command): Command {
  return withToken(command)
    .requiredOption('-l, --label <label>', 'name of the key (CKA_LABEL)')
    .option('--id <hex>', 'CKA_ID; without it, 8 random bytes', parseId);
}

export function parseId(text: string): string {
  if (/^(?:[0-9a-f]{2})+$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('It must be hex, two digits a byte, e.g. 01.');
}

function checkPosition(text: string): string {
  if (/^\d{1,9}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a position in the list of `erst-hsm hsm slots`.');
}

/** The environment's selection of one token, with what the command line names in its place. */
export function selectionFrom(options: KeyOptions, env: Environment = process.env): Selection {
  return selectionOf(configFrom(options, onlyEnvironment(options, env)));
}

/** Of the environment's selection, the module is what counts. */
export const moduleFrom = (options: ModuleOptions): Selection =>
  selectionOf(configFrom(options, process.env));

function configFrom(options: KeyOptions, env: Environment): Pkcs11Config {
  const { tokenLabel, slot, label, id, pivSlot, module } = options;
  const { ERST_PKCS11_URI: uri } = env;
  const chosen =
    uri === undefined
      ? {
          ...replaced({ ERST_PKCS11_TOKEN_LABEL: tokenLabel, ERST_PKCS11_SLOT: slot }),
          ...replaced({
            ERST_PKCS11_KEY_LABEL: label,
            ERST_PKCS11_KEY_ID: id,
            ERST_PKCS11_PIV_SLOT: pivSlot,
          }),
        }
      : { ERST_PKCS11_URI: uriWith(uri, { tokenLabel, label, id, pivSlot }) };
  const settings = {
    ...withoutOwnVariables(env),
    ...chosen,
    ...replaced({ ERST_PKCS11_MODULE: module }),
    ERST_SIGNER_TYPE: 'pkcs11',
  };
  return configFromEnv(settings).pkcs11 ?? {};
}

/** All of them where one is given: a token named by its label must not be narrowed by a slot of the environment. */
function replaced(variables: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.values(variables).some((value) => value !== undefined) ? variables : {};
}

/** ERST_PKCS11_SO_PIN… are read by `hsm init-token` alone and are no setting of a signer. */
function withoutOwnVariables(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('ERST_PKCS11_SO_PIN')));
}
