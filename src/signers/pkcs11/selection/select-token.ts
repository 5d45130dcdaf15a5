// The choice of a token. An ambiguous one is an error with the candidates; where none matches, it says what is there.

import { Pkcs11Error } from '../../../errors.js';
import type { TokenSummary } from '../engine/hosted-module.js';
import { listed } from './listing.js';
import type { TokenFilter } from './selection.js';

/** The only token that `filter` matches. */
export function selectToken(tokens: readonly TokenSummary[], filter: TokenFilter): TokenSummary {
  const matches = tokens.filter((token) => matchesToken(token, filter));
  const [match, second] = matches;
  if (match === undefined) {
    throw new Pkcs11Error(
      'token-not-found',
      `No token matches ${describeFilter(filter)}. ${whatIsThere(tokens)}`,
    );
  }
  if (second !== undefined) {
    throw new Pkcs11Error(
      'token-ambiguous',
      `${matches.length} tokens match ${describeFilter(filter)}: ${matches.map(showToken).join('; ')}. ` +
        'Choose one with ERST_PKCS11_TOKEN_LABEL, ERST_PKCS11_SLOT (its position) or ERST_PKCS11_URI (serial=…)',
    );
  }
  return match;
}

function matchesToken(token: TokenSummary, filter: TokenFilter): boolean {
  const wanted: [unknown, unknown][] = [
    [filter.slotIndex, token.slotIndex],
    [filter.token, token.label],
    [filter.manufacturer, token.manufacturer],
    [filter.serial, token.serial],
    [filter.model, token.model],
    [filter.slotId, token.slotId],
    [filter.slotDescription, token.slotDescription],
    [filter.slotManufacturer, token.slotManufacturer],
    [filter.libraryManufacturer, token.libraryManufacturer],
    [filter.libraryDescription, token.libraryDescription],
    [filter.libraryVersion, token.libraryVersion],
  ];
  return token.initialized && wanted.every(([want, have]) => want === undefined || want === have);
}

function describeFilter(filter: TokenFilter): string {
  const parts: [string, unknown][] = [
    ['label', filter.token],
    ['position', filter.slotIndex],
    ['slot-id', filter.slotId],
    ['serial', filter.serial],
    ['manufacturer', filter.manufacturer],
    ['model', filter.model],
    ['slot-description', filter.slotDescription],
    ['slot-manufacturer', filter.slotManufacturer],
    ['library-manufacturer', filter.libraryManufacturer],
    ['library-description', filter.libraryDescription],
    ['library-version', filter.libraryVersion],
  ];
  const given = parts.filter(([, value]) => value !== undefined);
  return given.length === 0
    ? '(no token was named)'
    : given.map(([name, value]) => `${name} "${value}"`).join(', ');
}

function showToken(token: TokenSummary): string {
  if (!token.initialized) return `[${token.slotIndex}] not initialized`;
  return `[${token.slotIndex}] "${token.label}" (${token.model}, serial ${token.serial})`;
}

function whatIsThere(tokens: readonly TokenSummary[]): string {
  if (tokens.length > 0) return `There is: ${listed(tokens.map(showToken))}${softHsmHint(tokens)}`;
  return 'There is no token: insert it; for a smart card, see that pcscd is running';
}

/** SoftHSM always has a free slot, and nothing else where it looks in another directory than the tokens are in. */
function softHsmHint(tokens: readonly TokenSummary[]): string {
  const isEmpty = tokens.every(
    ({ initialized, libraryManufacturer }) => !initialized && /softhsm/i.test(libraryManufacturer),
  );
  return isEmpty ? '. See that SOFTHSM2_CONF names the configuration of your tokens' : '';
}
