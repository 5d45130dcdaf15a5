// Signatures as the command line writes and reads them.

import { bytesToHex, fromBase64, fromHex, toBase64 } from '../bytes.js';
import type { PublicKey } from '../signers/public-key.js';
import { Signature } from '../signers/signature.js';
import type { Algorithm } from '../signers/types.js';
import { CliError, UsageError } from './failure.js';

export const SIGNATURE_FORMATS = ['hex', 'base64', 'raw', 'der', 'json'] as const;
export type SignatureFormat = (typeof SIGNATURE_FORMATS)[number];

/** What `sign` writes: text ends with a line feed, `raw` (64 bytes) and `der` are binary. */
export function encodeSignature(
  signature: Signature,
  publicKey: PublicKey,
  format: SignatureFormat,
): string | Uint8Array {
  switch (format) {
    case 'hex':
      return `${bytesToHex(signature.bytes)}\n`;
    case 'base64':
      return `${toBase64(signature.bytes)}\n`;
    case 'raw':
      return signature.bytes;
    case 'der':
      return signature.toDer();
    case 'json':
      return `${JSON.stringify(describe(signature, publicKey))}\n`;
  }
}

function describe(signature: Signature, publicKey: PublicKey) {
  return {
    algorithm: signature.algorithm,
    signature: bytesToHex(signature.bytes),
    ...(signature.recovery === undefined ? {} : { recovery: signature.recovery }),
    publicKey: bytesToHex(publicKey.raw),
  };
}

/** A `UsageError` for a format that signatures of `algorithm` do not have. */
export function expectFormat(format: SignatureFormat, algorithm: Algorithm): void {
  if (format === 'der' && algorithm === 'ed25519') {
    throw new UsageError(
      'Ed25519 signatures have no DER form; use --format raw, the 64 bytes that openssl reads and writes',
    );
  }
}

/** A signature in any of the formats that `sign` writes. `CliError` where it is none of them; `name` names it. */
export function decodeSignature(content: Uint8Array, algorithm: Algorithm, name: string): Signature {
  if (content.length === 64) return Signature.fromBytes(algorithm, content);
  if (algorithm !== 'ed25519' && content[0] === 0x30 && content[1] === content.length - 2) {
    return Signature.fromDer(algorithm, content);
  }
  const bytes = textToBytes(Buffer.from(content).toString('latin1').trim());
  if (bytes?.length === 64) return Signature.fromBytes(algorithm, bytes);
  throw new CliError(
    'signature-unreadable',
    `${name} is no signature: it is 64 bytes, as they are or as hex, base64 or the JSON of \`erst-hsm sign\`` +
      (algorithm === 'ed25519' ? '' : ', or DER'),
  );
}

function textToBytes(text: string): Uint8Array | undefined {
  try {
    if (text.startsWith('{')) return fromHex((JSON.parse(text) as { signature: string }).signature);
    return /^[0-9a-fA-F]{128}$/.test(text) ? fromHex(text) : fromBase64(text);
  } catch {
    return undefined;
  }
}
