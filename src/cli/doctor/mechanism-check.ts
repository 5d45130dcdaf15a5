// Whether the token has the mechanism of the algorithm that is asked for: CKM_EDDSA for Ed25519, CKM_ECDSA for the others.
// A list of mechanisms cannot show curves; only the test signature does.

import { mechanismOf, type TokenSummary } from '../../signers/pkcs11/engine/hosted-module.js';
import type { Algorithm } from '../../signers/types.js';
import { check } from './check.js';
import { type Finding, failed, ok } from './finding.js';
import { exportLine } from './fix.js';

/** Ed25519 came to YubiKeys with this firmware. */
const ED25519_FIRMWARE = [5, 7] as const;

export const mechanism = check('mechanism', { needs: ['token', 'selection'] }, ({ token, selection }) => {
  const { algorithm } = selection;
  const names = token.mechanisms.map((name) => `CKM_${name}`).join(' and ');
  if (names === '') {
    return failed(
      `Token "${token.label}" signs with neither CKM_EDDSA nor CKM_ECDSA`,
      'erst-hsm hsm slots # shows what other tokens have',
    );
  }
  if (algorithm === undefined) return ok(`the token signs with ${names}`);
  return (
    lackingMechanism(token, algorithm) ??
    ok(`the token signs with ${names}, so with ${algorithm} if it has the curve`)
  );
});

/** The finding where `token` cannot sign with `algorithm`. */
export function lackingMechanism(token: TokenSummary, algorithm: Algorithm): Finding | undefined {
  const name = mechanismOf[algorithm];
  if (token.mechanisms.includes(name)) return undefined;
  const reason = algorithm === 'ed25519' && isYubiKey(token) ? `: ${yubiKeyReason(token)}` : '';
  const finding = `Token "${token.label}" cannot sign with ${algorithm}, it has no CKM_${name}${reason}`;
  const other = token.mechanisms.includes('ECDSA') ? 'p256' : 'ed25519';
  return failed(finding, exportLine('ERST_SIGNER_ALGORITHM', other));
}

/** A token as libykcs11 shows it. */
const isYubiKey = ({ manufacturer }: TokenSummary) => manufacturer.startsWith('Yubico');

function yubiKeyReason({ firmwareVersion, libraryVersion }: TokenSummary): string {
  if (isOlder(firmwareVersion)) {
    return `YubiKeys have Ed25519 from firmware 5.7 on; this one has ${firmwareVersion}, which cannot be updated`;
  }
  return `libykcs11 has Ed25519 from 2.7.2 on; this is ${threeParts(libraryVersion)}`;
}

/** ykcs11 puts three parts into the two of CK_VERSION: 2.7.2 is 2 and 72. */
function threeParts(version: string): string {
  const [major = 0, rest = 0] = version.split('.').map(Number);
  return `${major}.${Math.floor(rest / 10)}.${rest % 10}`;
}

function isOlder(firmwareVersion: string): boolean {
  const [major = 0, minor = 0] = firmwareVersion.split('.').map(Number);
  const [wantedMajor, wantedMinor] = ED25519_FIRMWARE;
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}
