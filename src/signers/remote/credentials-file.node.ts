// Credentials from a file: the JSON of what pairing gave, or nothing but the identity (one line of base64url). A file that
// others can read is used, with a warning, as other key files are.

import * as v from 'valibot';
import { ConfigError, SignerError } from '../../errors.js';
import { readPrivateFile } from '../secrets/private-file.node.js';
import type { CredentialsOf } from './credentials.js';
import { type NodeIdentity, nodePlatform } from './platform.node.js';

/** What pairing gives in Node; `JSON.stringify` and `JSON.parse` carry it. Secret, because of `identity`. */
export type RemoteCredentials = CredentialsOf<NodeIdentity>;

const SCHEMA = v.strictObject({
  url: v.string(),
  bridgeKey: v.string(),
  identity: v.string(),
  client: v.exactOptional(v.string()),
  keys: v.exactOptional(
    v.record(
      v.string(),
      v.strictObject({ algorithm: v.picklist(['ed25519', 'secp256k1', 'p256']), spki: v.string() }),
    ),
  ),
});

/**
 * Reads credentials, or the identity alone (a string) where the file holds no more.
 *
 * @throws ConfigError naming `setting` - the file cannot be read, or holds something else; nothing of it is repeated
 */
export async function readIdentityFile(
  path: string,
  setting: string,
): Promise<RemoteCredentials | NodeIdentity> {
  const text = await readPrivately(path, setting);
  if (!text.startsWith('{')) {
    const keys = await nodePlatform.keyPair(text).catch((cause) => {
      throw notCredentials(path, setting, cause);
    });
    keys.destroy?.();
    return text;
  }
  const parsed = v.safeParse(SCHEMA, parseJson(text));
  if (!parsed.success) throw notCredentials(path, setting);
  return parsed.output;
}

async function readPrivately(path: string, setting: string): Promise<string> {
  try {
    return (await readPrivateFile(path, 'credentials')).trim();
  } catch (cause) {
    if (!(cause instanceof SignerError)) throw cause;
    throw new ConfigError(
      setting,
      `${setting}: ${cause.message} \`erst-hsm connect --out ${path}\` makes it.`,
      { cause },
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // JSON.parse's own error would quote the file
  }
}

function notCredentials(path: string, setting: string, cause?: unknown): ConfigError {
  return new ConfigError(
    setting,
    `${setting}: ${path} holds neither credentials nor an identity. Make it with: erst-hsm connect --out ${path}`,
    { cause },
  );
}
