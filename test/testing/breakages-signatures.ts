// Signers that make wrong signatures: one or more for each rule about what is signed, alone and in batches.

import {
  type Breakage,
  highS,
  like,
  mapped,
  noRecovery,
  otherRecovery,
  stable,
  turn,
  withBatch,
  withSign,
} from './broken-signers.js';

export const signatureBreakages: Breakage[] = [
  {
    rule: 'signs data of every length, and the signature verifies',
    how: 'signs at most 4096 bytes of the data',
    broken: withSign((inner) => (data, options) => inner.sign(data?.subarray?.(0, 4096) ?? data, options)),
  },
  {
    rule: 'signs data of every length, and the signature verifies',
    how: 'refuses empty data',
    error: 'empty',
    broken: withSign((inner) => async (data, options) => {
      if (data?.length === 0) throw new RangeError('empty');
      return inner.sign(data, options);
    }),
  },
  {
    rule: 'gives signatures of the documented shape',
    how: 'gives a Buffer',
    broken: mapped((s) => like(s, { ...stable(s), bytes: Buffer.from(s.bytes) })),
  },
  {
    rule: 'gives signatures of the documented shape',
    how: 'names another algorithm',
    broken: mapped((s) => like(s, { ...stable(s), algorithm: 'p256' })),
  },
  {
    rule: 'gives immutable signatures',
    how: 'shares its bytes',
    broken: mapped((s) => like(s, stable(s))),
  },
  {
    rule: 'binds the signature to every bit of the data',
    how: 'leaves the last byte out, and verifies so',
    broken: withSign((inner) => (data, options) => inner.sign(data?.subarray?.(0, 99) ?? data, options)),
  },
  {
    rule: 'signs what a view shows, not the memory around it, and leaves the data as it was',
    how: 'signs the buffer under the view',
    broken: withSign(
      (inner) => (data, options) =>
        inner.sign(data instanceof Uint8Array ? new Uint8Array(data.buffer) : data, options),
    ),
  },
  {
    rule: 'signs what a view shows, not the memory around it, and leaves the data as it was',
    how: 'wipes the caller’s data',
    broken: withSign((inner) => async (data, options) => {
      const signature = await inner.sign(data, options);
      data.fill(0);
      return signature;
    }),
  },
  {
    rule: 'copies data at the call',
    how: 'reads the data a turn later',
    broken: withSign((inner) => async (data, options) => {
      await turn();
      return inner.sign(data, options);
    }),
  },
  {
    rule: 'copies the messages of a batch, and the list, at the call',
    how: 'copies the list but not the messages',
    broken: withBatch((inner) => async (messages, options) => {
      const list = Array.isArray(messages) ? [...messages] : messages;
      await turn();
      return inner.signBatch(list, options);
    }),
  },
  {
    rule: 'copies the messages of a batch, and the list, at the call',
    how: 'copies the messages but reads the list later',
    broken: withBatch((inner) => async (messages, options) => {
      const copies = new Map(messages.map((message) => [message, message.slice()]));
      await turn();
      return inner.signBatch(
        messages.map((message) => copies.get(message) ?? message),
        options,
      );
    }),
  },
  {
    rule: 'is deterministic',
    how: 'alternates between two signatures',
    broken: (inner) => {
      let count = 0;
      return withSign((i) => async (data, options) => {
        const signature = await i.sign(data, options);
        return count++ % 2 ? signature : like(signature, { ...stable(signature), bytes: new Uint8Array(64) });
      })(inner);
    },
  },
  {
    rule: 'signs different data differently',
    how: 'reuses the nonce point',
    broken: withBatch((inner) => async (messages, options) => {
      const signatures = await inner.signBatch(messages, options);
      return signatures.map((s) => like(s, { ...stable(s), bytes: signatures[0]!.bytes }));
    }),
  },
  {
    rule: 'ECDSA signs SHA-256 of the data, or a digest as it is',
    how: 'hashes 32 bytes of data not at all',
    algorithm: 'secp256k1',
    broken: withSign(
      (inner) => (data, options) =>
        inner.sign(data, data?.length === 32 ? { ...options, prehashed: true } : options),
    ),
  },
  {
    rule: 'ECDSA signs SHA-256 of the data, or a digest as it is',
    how: 'hashes digests too',
    algorithm: 'secp256k1',
    broken: withSign(
      (inner) =>
        (data, { prehashed: _, ...options } = {}) =>
          inner.sign(data, options),
    ),
  },
  {
    rule: 'ECDSA signs batches of digests',
    how: 'forgets prehashed in batches',
    algorithm: 'secp256k1',
    broken: withBatch(
      (inner) =>
        (messages, { prehashed: _, ...options } = {}) =>
          inner.signBatch(messages, options),
    ),
  },
  {
    rule: 'ECDSA signs digests at the edges: all zeros, all ones, more than the order',
    how: 'takes a zero digest for a missing one',
    error: 'no digest',
    algorithm: 'secp256k1',
    broken: withSign((inner) => async (data, options) => {
      if (options?.prehashed && data.every((byte) => byte === 0)) throw new RangeError('no digest');
      return inner.sign(data, options);
    }),
  },
  {
    rule: 'secp256k1 signatures are low-S and their recovery id gives the public key',
    how: 'gives high S',
    algorithm: 'secp256k1',
    broken: mapped(highS),
  },
  {
    rule: 'secp256k1 signatures are low-S and their recovery id gives the public key',
    how: 'gives the wrong recovery id',
    algorithm: 'secp256k1',
    broken: mapped(otherRecovery),
  },
  {
    rule: 'secp256k1 signatures are low-S and their recovery id gives the public key',
    how: 'gives no recovery id',
    algorithm: 'secp256k1',
    broken: mapped(noRecovery),
  },
  {
    rule: 'a batch comes back in order, whatever its size',
    how: 'reverses large batches',
    broken: withBatch((inner) => async (messages, options) => {
      const signatures = await inner.signBatch(messages, options);
      return messages.length > 100 ? signatures.reverse() : signatures;
    }),
  },
  {
    rule: 'a batch comes back in order, whatever its size',
    how: 'refuses an empty batch',
    error: 'empty batch',
    broken: withBatch((inner) => async (messages, options) => {
      if (messages.length === 0) throw new RangeError('empty batch');
      return inner.signBatch(messages, options);
    }),
  },
  {
    rule: 'a batch may hold empty, equal and long messages',
    how: 'signs equal messages once',
    broken: withBatch((inner) => async (messages, options) => {
      const distinct = new Map(messages.map((message) => [String(message), message]));
      return inner.signBatch([...distinct.values()], options);
    }),
  },
];
