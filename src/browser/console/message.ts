// What the form's text means as data to sign, and how that is said before anything is signed. One meaning: `Signer.sign`.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, fromHex, utf8 } from '../../bytes.js';
import type { Algorithm } from '../../signers/types.js';

export type InputKind = 'text' | 'hex';

/** Data for `Signer.sign`, with what people are told of it before and after. */
export interface Message {
  data: Uint8Array;
  prehashed: boolean;
  /** Before signing: exactly which bytes will be signed, and how. */
  explanation: string;
  /** After signing: what was signed. */
  summary: string;
}

export interface Labels {
  /** The choice next to "Text". */
  hexChoice: string;
  field: string;
}

const DIGEST_LENGTH = 32;

export function labelsFor(kind: InputKind, algorithm: Algorithm): Labels {
  const digest = algorithm !== 'ed25519';
  const hexField = digest ? 'SHA-256 digest, in hex' : 'Message bytes, in hex';
  return { hexChoice: digest ? 'Hex digest' : 'Hex bytes', field: kind === 'text' ? 'Text' : hexField };
}

/** The message that `input` stands for, or a sentence on why it stands for none; `undefined` while it is empty. */
export function readMessage(
  kind: InputKind,
  input: string,
  algorithm: Algorithm,
): Message | string | undefined {
  if (kind === 'text') return input === '' ? undefined : textMessage(utf8(input), algorithm);
  const digits = input.replace(/\s+/g, '').replace(/^0x/i, '');
  if (digits === '') return undefined;
  const stray = /[^0-9a-f]/i.exec(digits);
  if (stray) return `“${stray[0]}” is not a hex digit. Hex uses 0–9 and a–f.`;
  if (digits.length % 2 !== 0)
    return `${digits.length} hex digits do not make whole bytes: one is missing or too many.`;
  return algorithm === 'ed25519' ? bytesMessage(fromHex(digits)) : digestMessage(fromHex(digits));
}

function textMessage(data: Uint8Array, algorithm: Algorithm): Message {
  const size = `${count(data.length)} of UTF-8`;
  const digest = bytesToHex(sha256(data));
  return {
    data,
    prehashed: false,
    explanation:
      algorithm === 'ed25519'
        ? `Signs ${size}, as they are.`
        : `Signs the SHA-256 of ${size}: ${digest.slice(0, 8)}…${digest.slice(-8)}`,
    summary: `Text, ${size}`,
  };
}

function bytesMessage(data: Uint8Array): Message {
  return {
    data,
    prehashed: false,
    explanation: `Signs these ${count(data.length)} as the message itself; Ed25519 takes no digest from outside.`,
    summary: `${count(data.length)} given in hex`,
  };
}

function digestMessage(data: Uint8Array): Message | string {
  if (data.length !== DIGEST_LENGTH) {
    return `A SHA-256 digest is 32 bytes, 64 hex digits; this is ${count(data.length)}.`;
  }
  return {
    data,
    prehashed: true,
    explanation:
      'Signs these 32 bytes as the digest, without hashing again. What they stand for cannot be seen here.',
    summary: '32-byte digest given in hex',
  };
}

const count = (bytes: number): string => (bytes === 1 ? '1 byte' : `${bytes.toLocaleString('en')} bytes`);
