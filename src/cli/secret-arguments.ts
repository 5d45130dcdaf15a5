// Secrets never come from the command line: every user of the machine can read it, and shells keep it. Whoever tries is
// told which variable or file to use, before anything else is parsed and without repeating the secret.

import { UsageError } from './failure.js';

const PIN = 'ERST_PKCS11_PIN_FILE=/path/to/pin (or ERST_PKCS11_PIN, ERST_PKCS11_PIN_COMMAND)';
const SO_PIN = 'ERST_PKCS11_SO_PIN_FILE=/path/to/so-pin (or ERST_PKCS11_SO_PIN, ERST_PKCS11_SO_PIN_COMMAND)';
const PASSPHRASE =
  'ERST_SOFTWARE_PASSPHRASE_FILE=/path/to/passphrase (or ERST_SOFTWARE_PASSPHRASE, ERST_SOFTWARE_PASSPHRASE_COMMAND; ' +
  'ERST_KEYSTORE_… for the key store of `erst-hsm bridge`)';
const PRIVATE_KEY = '--key file.pem, or ERST_SOFTWARE_PRIVATE_KEY_PATH=/path/to/key.pem';

const instead: Readonly<Record<string, string>> = {
  pin: PIN,
  'user-pin': PIN,
  'so-pin': SO_PIN,
  passphrase: PASSPHRASE,
  password: PASSPHRASE,
  pass: PASSPHRASE,
  'private-key': PRIVATE_KEY,
  'secret-key': PRIVATE_KEY,
  secret: PRIVATE_KEY,
};

/** A `UsageError` if an option in `args` would carry a secret. */
export function refuseSecretArguments(args: readonly string[]): void {
  for (const arg of args) {
    if (arg === '--') return;
    const option = /^--([a-z-]+)(?:=|$)/.exec(arg)?.[1];
    const source = option === undefined ? undefined : instead[option];
    if (source !== undefined) {
      throw new UsageError(
        `there is no option --${option}: a command line can be read by every user of this machine. Use ${source}`,
      );
    }
  }
}
