// A key that its token lets anybody use, such as PIV slot 9e through OpenSC: it is opened without a PIN, and no try is at
// stake. Most tokens show no private key before a login; then this finds nothing, and the PIN is used.
// Only where the id or the public key is given: what else a label would match cannot be seen before the login.
// Source: PKCS #11 v3.1 §4.4 (CKA_PRIVATE).

import { Pkcs11Error } from '../../../errors.js';
import type { PublicKey } from '../../public-key.js';
import type { TokenConnection } from '../engine/engine.js';
import { mechanismOf, type TokenSummary } from '../engine/hosted-module.js';
import { type SelectedKey, selectKey } from '../selection/select-key.js';
import type { Selection } from '../selection/selection.js';

/** The key that `selection` names, where it has just signed without a login; `expected` is its public key. */
export async function keyWithoutLogin(
  connection: TokenConnection,
  token: TokenSummary,
  { key: filter, algorithm, probe }: Selection,
  expected: PublicKey | undefined,
): Promise<SelectedKey | undefined> {
  const isNamed = filter.idHex !== undefined || expected !== undefined;
  if (!token.loginRequired || !isNamed || !probe) return undefined;
  try {
    const found = await connection.keys('private', filter);
    if (found.length !== 1 || found[0]!.needsLogin || found[0]!.alwaysAuthenticate) return undefined;
    const key = selectKey(found, found, filter, algorithm);
    if (!token.mechanisms.includes(mechanismOf[key.algorithm])) return undefined;
    await connection.trySign({ key, input: new Uint8Array(32) });
    return key;
  } catch (error) {
    if (error instanceof Pkcs11Error) return undefined; // with a login it is said again, or is no error
    throw error;
  }
}
