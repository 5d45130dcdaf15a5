// The settings of a key in a file or a string.

import { isPem, type Setting } from './setting.js';

export const softwareSettings: readonly Setting[] = [
  {
    field: 'software.privateKeyPath',
    variable: 'ERST_SOFTWARE_PRIVATE_KEY_PATH',
    meaning: 'path of a PEM file with the private key',
    example: '/path/to/private_key.pem',
    check: (value) =>
      isPem(value) ? 'a path, but holds a PEM text, which goes into {privateKeyPem}' : undefined,
  },
  {
    field: 'software.privateKeyPem',
    variable: 'ERST_SOFTWARE_PRIVATE_KEY_PEM',
    meaning: 'PEM text of the private key',
    example: '"$(cat private_key.pem)"',
    literal: 'pemText',
    check: (value) =>
      isPem(value) ? undefined : 'PEM text that starts with -----BEGIN; a path goes into {privateKeyPath}',
  },
  {
    field: 'software.passphrase',
    variable: 'ERST_SOFTWARE_PASSPHRASE',
    meaning: 'passphrase of the private key',
    example: '"$(pass show signing-key)"',
    literal: 'passphrase',
    secret: true,
  },
  {
    field: 'software.passphraseFile',
    variable: 'ERST_SOFTWARE_PASSPHRASE_FILE',
    meaning: 'file that holds the passphrase',
    example: '/run/secrets/signing-key-passphrase',
  },
  {
    field: 'software.passphraseCommand',
    variable: 'ERST_SOFTWARE_PASSPHRASE_COMMAND',
    meaning: 'command that prints the passphrase',
    example: '"pass show signing-key"',
  },
];
