import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { labelsFor, type Message, readMessage } from '../../../src/browser/console/message.js';
import { fromHex, utf8 } from '../../../src/bytes.js';

const digest = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';

describe('what the console signs', () => {
  it('takes text as its UTF-8 bytes, for every algorithm', () => {
    for (const algorithm of ['ed25519', 'secp256k1', 'p256'] as const) {
      const message = readMessage('text', 'héllo\n', algorithm) as Message;
      expect(message.data).toEqual(utf8('héllo\n'));
      expect(message.prehashed).toBe(false);
      expect(message.explanation).toContain('7 bytes of UTF-8');
    }
  });

  it('tells the digest of text that ECDSA signs', () => {
    const message = readMessage('text', 'hello world', 'secp256k1') as Message;
    const sha256 = createHash('sha256').update('hello world').digest('hex');
    expect(message.explanation).toContain(`${sha256.slice(0, 8)}…${sha256.slice(-8)}`);
  });

  it('takes hex as the digest for ECDSA and as the message for Ed25519, and says which', () => {
    const ecdsa = readMessage('hex', digest, 'p256') as Message;
    expect(ecdsa).toMatchObject({ data: fromHex(digest), prehashed: true });
    expect(ecdsa.explanation).toContain('as the digest');
    const ed25519 = readMessage('hex', digest, 'ed25519') as Message;
    expect(ed25519).toMatchObject({ data: fromHex(digest), prehashed: false });
    expect(ed25519.explanation).toContain('as the message itself');
    expect(labelsFor('hex', 'ed25519')).toEqual({ hexChoice: 'Hex bytes', field: 'Message bytes, in hex' });
    expect(labelsFor('hex', 'p256')).toEqual({ hexChoice: 'Hex digest', field: 'SHA-256 digest, in hex' });
  });

  it('reads hex in either case, with spaces, line breaks and 0x', () => {
    expect(readMessage('hex', ' 0xDEAD be\nEF ', 'ed25519')).toMatchObject({ data: fromHex('deadbeef') });
  });

  it('keeps spaces in text', () => {
    expect(readMessage('text', ' ', 'ed25519')).toMatchObject({ data: utf8(' ') });
  });

  it.each([
    ['xyz', 'ed25519', '“x” is not a hex digit'],
    ['abc', 'ed25519', '3 hex digits do not make whole bytes'],
    [digest.slice(2), 'secp256k1', 'this is 31 bytes'],
    [`${digest}00`, 'p256', 'this is 33 bytes'],
  ] as const)('says what is wrong with %s for %s', (input, algorithm, problem) => {
    expect(readMessage('hex', input, algorithm)).toContain(problem);
  });

  it('has nothing to sign while the field is empty', () => {
    expect(readMessage('text', '', 'ed25519')).toBeUndefined();
    expect(readMessage('hex', ' \n', 'secp256k1')).toBeUndefined();
  });
});
