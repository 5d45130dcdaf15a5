// Signers that take wrong arguments, or refuse them wrongly.

import { sha256 } from '@noble/hashes/sha2.js';
import { type Breakage, Wrapped, withBatch, withOwn, withSign } from './broken-signers.js';

export const refusalBreakages: Breakage[] = [
  {
    rule: 'sign rejects data that is no Uint8Array with a TypeError',
    how: 'takes whatever Uint8Array.from takes',
    broken: withSign((inner) => async (data, options) => inner.sign(Uint8Array.from(data), options)),
  },
  {
    rule: 'sign rejects data that is no Uint8Array with a TypeError',
    how: 'throws at the call',
    broken: withSign((inner) => (data, options) => {
      if (!(data instanceof Uint8Array)) throw new TypeError('data must be a Uint8Array');
      return inner.sign(data, options);
    }),
  },
  {
    rule: 'sign rejects data that is no Uint8Array with a TypeError',
    how: 'rejects with a plain Error',
    broken: withSign((inner) => async (data, options) => {
      if (!(data instanceof Uint8Array)) throw new Error('data must be a Uint8Array');
      return inner.sign(data, options);
    }),
  },
  {
    rule: 'signBatch rejects what is no array of Uint8Arrays with a TypeError, wholly',
    how: 'leaves out what it cannot sign',
    broken: withBatch(
      (inner) => async (messages, options) =>
        inner.signBatch(
          messages.filter((message) => message instanceof Uint8Array),
          options,
        ),
    ),
  },
  {
    rule: 'rejects wrong options with a TypeError',
    how: 'ignores the type of prehashed',
    broken: withSign(
      (inner) => (data, options) =>
        inner.sign(
          data,
          typeof options?.prehashed === 'boolean' ? options : { ...options, prehashed: false },
        ),
    ),
  },
  {
    rule: 'Ed25519 rejects prehashed with a TypeError',
    how: 'ignores prehashed',
    broken: withSign(
      (inner) =>
        (data, { prehashed: _, ...options } = {}) =>
          inner.sign(data, options),
    ),
  },
  {
    rule: 'ECDSA rejects prehashed data of other than 32 bytes with a RangeError',
    how: 'hashes it instead',
    algorithm: 'secp256k1',
    broken: withSign(
      (inner) => (data, options) =>
        inner.sign(options?.prehashed && data.length !== 32 ? sha256(data) : data, options),
    ),
  },
  {
    rule: 'rejects longer data than it takes with a RangeError that names the limit',
    how: 'has no limit',
    target: { maxDataBytes: 5000 },
    broken: (inner) => new Wrapped(inner),
  },
  {
    rule: 'rejects longer data than it takes with a RangeError that names the limit',
    how: 'does not name the limit',
    target: { maxDataBytes: 5000 },
    broken: withSign((inner) => async (data, options) => {
      if (data.length > 5000) throw new RangeError('too long');
      return inner.sign(data, options);
    }),
  },
  {
    rule: 'shows no secret in errors or signerInfo',
    how: 'shows the PIN in its metadata',
    target: { secrets: ['123456'] },
    broken: withOwn((inner) => ({
      signerInfo: () => ({ ...inner.signerInfo(), metadata: { pin: '123456' } }),
    })),
  },
  {
    rule: 'shows no secret in errors or signerInfo',
    how: 'repeats the data in an error',
    broken: withSign((inner) => async (data, options) => {
      if (typeof data === 'string') throw new TypeError(`cannot sign ${data}`);
      return inner.sign(data, options);
    }),
  },
];
