// Values of PKCS#11 as pkcs11js shows them: CK_ULONG in bytes of the machine's order, text padded to a fixed length, versions.

import { endianness } from 'node:os';
import type { Version } from 'pkcs11js';

/** A slot id, session or object handle: CK_ULONG in the machine's byte order. */
export type Handle = Buffer;

const isBigEndian = endianness() === 'BE';

/** The number in a CK_ULONG's bytes. */
export function ulong(bytes: Uint8Array): bigint {
  const bigEndian = isBigEndian ? Array.from(bytes) : Array.from(bytes).reverse();
  return bigEndian.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Fixed-length PKCS#11 text is padded with blanks; some modules pad with NUL. */
export function unpadded(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\0')) end--;
  return text.slice(0, end);
}

/** CK_VERSION as `major.minor`. */
export const versionText = ({ major, minor }: Version): string => `${major}.${minor}`;
