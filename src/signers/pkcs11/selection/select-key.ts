// The choice of a key. An ambiguous one is an error with the candidates; where none matches, it says what is there.

import { Pkcs11Error } from '../../../errors.js';
import type { Algorithm } from '../../types.js';
import type { KeyFilter, KeySummary } from '../engine/hosted-module.js';
import { listed } from './listing.js';

/** A key that can sign here. */
export interface SelectedKey extends KeySummary {
  algorithm: Algorithm;
}

/** The only key of `candidates` that can sign, of `algorithm` where that is set. `all` is for the error's list. */
export function selectKey(
  candidates: readonly KeySummary[],
  all: readonly KeySummary[],
  filter: KeyFilter,
  algorithm: Algorithm | undefined,
): SelectedKey {
  const usable = candidates.filter(isUsable);
  const ofAlgorithm = usable.filter((key) => algorithm === undefined || key.algorithm === algorithm);
  const [match, second] = ofAlgorithm;
  if (second !== undefined) throw ambiguous(ofAlgorithm, filter);
  if (match !== undefined) return match;
  const [other] = usable;
  if (other !== undefined) {
    throw new Pkcs11Error(
      'key-mismatch',
      `${describeKey(filter)} is ${other.algorithm}, and ERST_SIGNER_ALGORITHM asks for ${algorithm}: change one of them`,
    );
  }
  const [unusable] = candidates;
  if (unusable !== undefined) throw cannotSign(unusable, filter);
  throw new Pkcs11Error(
    'key-not-found',
    `The token has no private key that matches ${describeKey(filter)}. ${whatIsThere(all)}`,
  );
}

function isUsable(key: KeySummary): key is SelectedKey {
  return key.algorithm !== undefined && key.canSign;
}

function ambiguous(keys: readonly KeySummary[], filter: KeyFilter): Pkcs11Error {
  return new Pkcs11Error(
    'key-ambiguous',
    `${keys.length} keys match ${describeKey(filter)}: ${listed(keys.map(showKey))}. ` +
      'Choose one with ERST_PKCS11_KEY_LABEL, ERST_PKCS11_KEY_ID, ERST_PKCS11_PIV_SLOT or ERST_SIGNER_ALGORITHM',
  );
}

function cannotSign(key: KeySummary, filter: KeyFilter): Pkcs11Error {
  const reason =
    key.algorithm === undefined
      ? 'of a type or curve that is not supported'
      : 'not allowed to sign (CKA_SIGN)';
  return new Pkcs11Error(
    'unsupported-algorithm',
    `${describeKey(filter)} is ${reason}. Use an Ed25519, secp256k1 or P-256 key, e.g. from: erst-hsm hsm keygen`,
  );
}

function describeKey({ label, idHex }: KeyFilter): string {
  const parts = [label !== undefined && `label "${label}"`, idHex !== undefined && `id ${idHex}`].filter(
    Boolean,
  );
  return parts.length === 0 ? '(no key was named)' : `key ${parts.join(', ')}`;
}

function showKey(key: KeySummary): string {
  return `"${key.label}" (id ${key.idHex || 'none'}, ${key.algorithm ?? 'unsupported type'})`;
}

function whatIsThere(keys: readonly KeySummary[]): string {
  return keys.length > 0 ? `There is: ${listed(keys.map(showKey))}` : 'There is no private key.';
}
