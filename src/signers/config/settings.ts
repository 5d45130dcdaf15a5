// Every setting of a signer: its field, its variable, what it may be, and an example for messages.

import { fromBase64Url } from '../../bytes.js';

/** What a setting is called where the user wrote it, and how a line that sets it looks. */
export interface SettingNames {
  name(field: string): string;
  example(field: string): string;
}

export interface Setting {
  field: string;
  variable?: string;
  /** Completes "… is missing: ". */
  meaning: string;
  /** As it is written in a shell. */
  example: string;
  /** As it is written in an object, where that is not `example` as a string. */
  literal?: string;
  /** White space at its ends counts. */
  secret?: true;
  /** In an object, it is something else than a string. */
  notText?: true;
  /** What is wrong with a value, or `undefined`. Completes "… must be ". */
  check?: (value: unknown) => string | undefined;
}

const algorithms: readonly string[] = ['ed25519', 'secp256k1', 'p256'];
export const signerTypes: readonly string[] = ['software', 'pkcs11', 'remote'];
const pivSlots = /^(?:9[acde]|8[2-9a-f]|9[0-5]|f9)$/i;

const oneOf = (values: readonly string[]) => (value: unknown) =>
  values.includes(value as string) ? undefined : `one of ${values.join(', ')}`;
const matches = (pattern: RegExp, description: string) => (value: unknown) =>
  pattern.test(value as string) ? undefined : description;

export const settings: readonly Setting[] = [
  {
    field: 'signerType',
    variable: 'ERST_SIGNER_TYPE',
    meaning: 'where the key is',
    example: 'software',
    check: oneOf(signerTypes),
  },
  {
    field: 'algorithm',
    variable: 'ERST_SIGNER_ALGORITHM',
    meaning: 'algorithm that the key must have',
    example: 'ed25519',
    check: oneOf(algorithms),
  },
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
  {
    field: 'pkcs11.modulePath',
    variable: 'ERST_PKCS11_MODULE',
    meaning: 'path of the PKCS#11 module',
    example: '/usr/lib/softhsm/libsofthsm2.so',
  },
  {
    field: 'pkcs11.pin',
    variable: 'ERST_PKCS11_PIN',
    meaning: 'PIN of the token',
    example: '"$(pass show token-pin)"',
    literal: 'pin',
    secret: true,
  },
  {
    field: 'pkcs11.pinFile',
    variable: 'ERST_PKCS11_PIN_FILE',
    meaning: 'file that holds the PIN',
    example: '/run/secrets/token-pin',
  },
  {
    field: 'pkcs11.pinCommand',
    variable: 'ERST_PKCS11_PIN_COMMAND',
    meaning: 'command that prints the PIN',
    example: '"pass show token-pin"',
  },
  {
    field: 'pkcs11.tokenLabel',
    variable: 'ERST_PKCS11_TOKEN_LABEL',
    meaning: 'label of the token',
    example: '"YubiKey PIV"',
  },
  {
    field: 'pkcs11.slotIndex',
    variable: 'ERST_PKCS11_SLOT',
    meaning: 'position of the token among the slots that hold one',
    example: '0',
    literal: '0',
    notText: true,
    check: (value) =>
      Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : 'a whole number from 0 up',
  },
  {
    field: 'pkcs11.keyLabel',
    variable: 'ERST_PKCS11_KEY_LABEL',
    meaning: 'label of the key',
    example: 'MySigningKey',
  },
  {
    field: 'pkcs11.keyIdHex',
    variable: 'ERST_PKCS11_KEY_ID',
    meaning: 'CKA_ID of the key in hex',
    example: '01',
    check: matches(/^(?:[0-9a-f]{2})+$/i, 'an even number of hex digits'),
  },
  {
    field: 'pkcs11.pivSlot',
    variable: 'ERST_PKCS11_PIV_SLOT',
    meaning: 'PIV slot of the key',
    example: '9a',
    check: matches(pivSlots, 'a PIV slot: 9a, 9c, 9d, 9e, 82 to 95, or f9'),
  },
  {
    field: 'pkcs11.publicKeyPem',
    variable: 'ERST_PKCS11_PUBLIC_KEY_PEM',
    meaning: 'PEM text of the public key that is expected',
    example: '"$(cat public_key.pem)"',
    literal: 'pemText',
    check: (value) => (isPem(value) ? undefined : 'PEM text that starts with -----BEGIN PUBLIC KEY-----'),
  },
  {
    field: 'pkcs11.uri',
    variable: 'ERST_PKCS11_URI',
    meaning: 'RFC 7512 URI of the key',
    example: '"pkcs11:token=mytoken;object=mykey"',
    check: matches(/^pkcs11:/, 'an RFC 7512 URI that starts with pkcs11:'),
  },
  {
    field: 'remote.url',
    variable: 'ERST_REMOTE_URL',
    meaning: 'address of the bridge',
    example: 'wss://bridge.example/',
    check: matches(/^wss?:\/\/./, 'an address that starts with wss:// or ws://'),
  },
  {
    field: 'remote.bridgeKey',
    variable: 'ERST_REMOTE_BRIDGE_KEY',
    meaning: "the bridge's X25519 public key in base64url",
    example: 'kE7mDm5hOAeXbPgVqwOY6Q0d9yd8sbZyQwM1p9Yq7Xs',
    check: (value) =>
      isKey32(value) ? undefined : '32 bytes in base64url (43 characters), as pairing gave it',
  },
  {
    field: 'remote.identityPath',
    variable: 'ERST_REMOTE_IDENTITY_PATH',
    meaning: "file with this client's identity",
    example: '/path/to/credentials.json',
  },
  {
    field: 'remote.identity',
    meaning: "this client's identity",
    example: 'credentials.identity',
    literal: 'credentials.identity',
    notText: true,
  },
  {
    field: 'remote.key',
    variable: 'ERST_REMOTE_KEY',
    meaning: 'name of the key on the bridge',
    example: 'treasury',
  },
  {
    field: 'remote.keys',
    meaning: 'public keys pinned at pairing',
    example: 'credentials.keys',
    literal: 'credentials.keys',
    notText: true,
    check: (value) =>
      typeof value === 'object' && value !== null ? undefined : 'the keys that pairing gave',
  },
  {
    field: 'remote.client',
    meaning: 'name that the bridge knows this client by',
    example: 'credentials.client',
    literal: 'credentials.client',
  },
  {
    field: 'remote.allowPlainWs',
    meaning: 'whether ws:// may go to another machine',
    example: 'true',
    literal: 'true',
    notText: true,
    check: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  },
];

const byField = new Map(settings.map((setting) => [setting.field, setting]));

/** The setting of a field that is known to exist. */
export const settingOf = (field: string): Setting => byField.get(field)!;

/** Names as they are in the environment. */
export const variableNames: SettingNames = {
  name: (field) => settingOf(field).variable ?? field,
  example: (field) => `export ${settingOf(field).variable}=${settingOf(field).example}`,
};

/** Names as they are in a configuration object. */
export const fieldNames: SettingNames = {
  name: (field) => field,
  example: (field) => {
    const { literal, example } = settingOf(field);
    const value = literal ?? `'${example.replace(/"/g, '')}'`;
    const [section, key] = field.split('.');
    return key ? `${section}: { ${key}: ${value} }` : `${section}: ${value}`;
  },
};

const isPem = (value: unknown) => typeof value === 'string' && value.includes('-----BEGIN ');
function isKey32(value: unknown): boolean {
  try {
    return fromBase64Url(value as string).length === 32;
  } catch {
    return false;
  }
}
