// The settings of a key behind a bridge.

import { flag, isKey32, matches, type Setting } from './setting.js';

export const remoteSettings: readonly Setting[] = [
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
    kind: 'other',
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
    kind: 'other',
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
    kind: 'flag',
    check: flag,
  },
];
