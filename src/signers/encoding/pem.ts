// PEM in and out (RFC 7468). Text around the blocks is ignored, as OpenSSL ignores it; inside a block only base64 and
// white space may stand. CRLF, and blocks squeezed onto one line, are read.

import { fromBase64, toBase64 } from '../../bytes.js';
import { KeyError } from '../../errors.js';

export interface PemBlock {
  /** What stands after BEGIN, e.g. `PRIVATE KEY`. */
  label: string;
  /** Decoded contents; the caller's to wipe. Empty where the block has headers. */
  der: Uint8Array;
  /** Whether the block has RFC 1421 headers, as OpenSSL's traditional encryption (`Proc-Type: 4,ENCRYPTED`) writes. */
  hasHeaders: boolean;
}

const blockPattern = /-----BEGIN ([A-Z0-9][A-Z0-9 ]*)-----([\s\S]*?)-----END ([A-Z0-9][A-Z0-9 ]*)-----/g;

/** Every PEM block of `text`, in order; `[]` where there is none. A damaged block is a `KeyError`. */
export function parsePem(text: string): PemBlock[] {
  const blocks = [...text.matchAll(blockPattern)].map(([, label, body, endLabel]) => {
    if (label !== endLabel) throw damaged(`BEGIN ${label} ends with END ${endLabel}`);
    const hasHeaders = /^\s*[A-Za-z-]+:/.test(body!);
    return { label: label!, der: hasHeaders ? new Uint8Array() : decodeBody(label!, body!), hasHeaders };
  });
  const begins = text.match(/-----BEGIN /g)?.length ?? 0;
  if (begins !== blocks.length) {
    for (const { der } of blocks) der.fill(0);
    throw damaged('a BEGIN line without its END line');
  }
  return blocks;
}

/** `der` as one PEM block in lines of 64 characters, ending in a line feed. */
export function encodePem(label: string, der: Uint8Array): string {
  const lines = toBase64(der).replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

function decodeBody(label: string, body: string): Uint8Array {
  const base64 = body.replace(/\s+/g, '');
  if (base64.length % 4 !== 0) throw damaged(`the base64 inside ${label} is incomplete`);
  try {
    return fromBase64(base64);
  } catch (cause) {
    throw damaged(`${label} holds characters that are not base64`, cause);
  }
}

function damaged(what: string, cause?: unknown): KeyError {
  return new KeyError(
    'invalid-key',
    `The PEM text is damaged: ${what}. Copy the key again, with its BEGIN and END lines.`,
    {
      cause,
    },
  );
}
