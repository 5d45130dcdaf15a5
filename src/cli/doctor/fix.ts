// The line to paste for a failure that a check did not foresee, by its code. Where no command can help, the line is a
// comment of the shell.

import { basename } from 'node:path';
import { Pkcs11Error, type SignerError } from '../../errors.js';
import type { Environment } from '../../signers/config/config.js';
import { CKR } from '../../signers/pkcs11/constants.js';
import { shellQuoted } from '../shell-quote.js';
import type { Facts } from './facts.js';
import { knownModule } from './known-modules.js';

/** `export NAME=value`, whatever the value holds. */
export const exportLine = (name: string, value: string): string => `export ${name}=${shellQuoted(value)}`;

/** Each chooses the same thing in another way; at most one may be set. */
const alternatives: readonly (readonly string[])[] = [
  ['ERST_PKCS11_TOKEN_LABEL', 'ERST_PKCS11_SLOT'],
  ['ERST_PKCS11_KEY_LABEL', 'ERST_PKCS11_KEY_ID', 'ERST_PKCS11_PIV_SLOT'],
];

const uriAttributes: Readonly<Record<string, string>> = {
  ERST_PKCS11_TOKEN_LABEL: 'token',
  ERST_PKCS11_KEY_LABEL: 'object',
};

/** Sets `name` to `value`, and unsets what contradicts it; inside ERST_PKCS11_URI, where that is set. */
export function choiceLine(env: Environment, name: string, value: string): string {
  if (env.ERST_PKCS11_URI !== undefined) return uriLine(env.ERST_PKCS11_URI, name, value);
  const others = alternatives.find((names) => names.includes(name)) ?? [];
  const set = others.filter((other) => other !== name && env[other] !== undefined);
  return [...set.map((other) => `unset ${other}`), exportLine(name, value)].join('; ');
}

/** The URI may hold a PIN: it is changed where it is, and not shown. Of several, a person knows which one is meant. */
function uriLine(uri: string, name: string, value: string): string {
  const attribute = uriAttributes[name];
  const isThere = attribute !== undefined && new RegExp(`^pkcs11:(\\S*;)?${attribute}=\\S*$`, 'i').test(uri);
  if (!isThere) return `# say in ERST_PKCS11_URI what ${name}=${shellQuoted(value)} would`;
  const script = `s/\\([:;]\\)${attribute}=[^;?]*/\\1${attribute}=${percentEncoded(value)}/`;
  return `export ERST_PKCS11_URI="$(printf %s "$ERST_PKCS11_URI" | sed '${script}')"`;
}

const percentEncoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);

const AGAIN = 'erst-hsm doctor';

const byReturnCode = new Map<number, string>([
  [CKR.CKR_DEVICE_ERROR, `# take the token out, put it in again, then: ${AGAIN}`],
  [CKR.CKR_DEVICE_REMOVED, `# put the token in, then: ${AGAIN}`],
  [CKR.CKR_TOKEN_NOT_PRESENT, `# put the token in, then: ${AGAIN}`],
  [CKR.CKR_SESSION_COUNT, `# close other programs that use the token, then: ${AGAIN}`],
  [
    CKR.CKR_USER_NOT_LOGGED_IN,
    `# something else resets the token; close other programs that use it, then: ${AGAIN}`,
  ],
]);

const fixes: Readonly<Partial<Record<SignerError['code'], (facts: Facts) => string>>> = {
  'module-missing': () => 'npm install pkcs11js && npm rebuild pkcs11js',
  'module-crashed': ({ modulePath = '' }) => upgradeLine(modulePath),
  timeout: () => `# take the token out, put it in again, or restart the HSM's service, then: ${AGAIN}`,
};

/** One line for `error`. */
export function fixOf(error: SignerError, facts: Facts): string {
  const byCode = error instanceof Pkcs11Error ? byReturnCode.get(error.ckrCode ?? -1) : undefined;
  return byCode ?? fixes[error.code]?.(facts) ?? `ERST_LOG=debug ${AGAIN}`;
}

function upgradeLine(modulePath: string): string {
  const name = knownModule(modulePath)?.debianPackage;
  if (name === undefined) return `# install a newer ${basename(modulePath)} from its vendor, then: ${AGAIN}`;
  return `sudo apt install --only-upgrade ${name}`;
}
