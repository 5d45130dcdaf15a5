// The keys that the bridge serves, by name, and how clients see them. A key's public half is read once, at the start,
// and is the same for as long as the bridge runs.

import { type AuthorizedClient, coversAlgorithm, coversKeyName } from '../protocol/authorized-clients.js';
import type { KeyInfo } from '../protocol/messages.js';
import type { Algorithm, Signer } from '../signers/types.js';

export interface ServedKey {
  readonly name: string;
  readonly signer: Signer;
  readonly algorithm: Algorithm;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly info: Readonly<Record<string, string>>;
}

export type ServedKeys = ReadonlyMap<string, ServedKey>;

/** Asks each signer for its public key; rejects with the first failure. `RangeError` for a name that lines cannot hold. */
export async function readServedKeys(signers: Readonly<Record<string, Signer>>): Promise<ServedKeys> {
  const names = Object.keys(signers).sort();
  for (const name of names) {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
      throw new RangeError(`key name "${name}" must be 1 to 64 letters, digits, . _ or -`);
    }
  }
  const keys = await Promise.all(names.map((name) => readServedKey(name, signers[name]!)));
  return new Map(keys.map((key) => [key.name, key]));
}

async function readServedKey(name: string, signer: Signer): Promise<ServedKey> {
  const { algorithm, spki } = await signer.publicKey();
  const { signerType, metadata } = signer.signerInfo();
  return { name, signer, algorithm, spki, info: { ...withoutPaths(metadata), signerType } };
}

/** Where a key file or a module lies on the bridge's machine is not for clients to know. */
function withoutPaths({ path: _, module: __, ...rest }: Record<string, string>): Record<string, string> {
  return rest;
}

/** The keys that the client may use, sorted by name, as far as its line lets it know them. */
export function keysOf(client: AuthorizedClient, keys: ServedKeys): KeyInfo[] {
  const covered = [...keys.values()].filter(
    ({ name, algorithm }) => coversKeyName(client, name) && coversAlgorithm(client, algorithm),
  );
  return covered.map(({ name, algorithm, spki, info }) => ({
    name,
    algorithm,
    ...(client.ops.includes('public-key') && { spki }),
    info: client.ops.includes('info') ? { ...info } : {},
  }));
}
