// The suite can fail: one signer per rule that breaks just this rule, and the suite names it.

import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import type { PublicKey } from '../../src/signers/public-key.js';
import { Signature } from '../../src/signers/signature.js';
import { SoftwareSigner } from '../../src/signers/software.node.js';
import type { Algorithm, Signer, SignerInfo, SignOptions } from '../../src/signers/types.js';
import { ConformanceError, type ConformanceTarget, signerConformance } from '../../src/testing/index.js';

type Sign = Signer['sign'];
type SignBatch = Signer['signBatch'];

/** A good signer, to be broken by overriding. */
class Wrapped implements Signer {
  constructor(readonly inner: Signer) {}
  sign(data: Uint8Array, options?: SignOptions) {
    return this.inner.sign(data, options);
  }
  signBatch(messages: readonly Uint8Array[], options?: SignOptions) {
    return this.inner.signBatch(messages, options);
  }
  publicKey() {
    return this.inner.publicKey();
  }
  signerInfo(): SignerInfo {
    return this.inner.signerInfo();
  }
  close() {
    return this.inner.close();
  }
  [Symbol.asyncDispose]() {
    return this.close();
  }
}

interface Breakage {
  rule: string;
  how: string;
  algorithm?: 'ed25519' | 'secp256k1';
  target?: Partial<ConformanceTarget>;
  broken: (inner: Signer) => Signer;
  /** What the case fails with, where it is the signer's own error and not the suite's. */
  error?: string;
}

const withSign = (sign: (inner: Signer) => Sign, batch?: (inner: Signer) => SignBatch) => (inner: Signer) => {
  const wrapped = new Wrapped(inner);
  wrapped.sign = sign(inner);
  if (batch) wrapped.signBatch = batch(inner);
  return wrapped;
};
const withBatch = (batch: (inner: Signer) => SignBatch) => (inner: Signer) => {
  const wrapped = new Wrapped(inner);
  wrapped.signBatch = batch(inner);
  return wrapped;
};
const withOwn = (own: (inner: Signer) => Partial<Signer>) => (inner: Signer) =>
  Object.assign(new Wrapped(inner), own(inner));
const turn = () => new Promise((resolve) => setTimeout(resolve));

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const toBigInt = (bytes: Uint8Array) => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
const toBytes = (value: bigint) => Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));

function highS(signature: Signature): Signature {
  const { bytes } = signature;
  const s = toBytes(order - toBigInt(bytes.subarray(32)));
  return Signature.fromBytes(
    'secp256k1',
    Uint8Array.from([...bytes.subarray(0, 32), ...s]),
    signature.recovery! ^ 1,
  );
}
const otherRecovery = ({ bytes, recovery }: Signature) =>
  Signature.fromBytes('secp256k1', bytes, recovery! ^ 1);
const noRecovery = ({ bytes }: Signature) => Signature.fromBytes('secp256k1', bytes);
const mapped = (change: (signature: Signature) => Signature) =>
  withSign(
    (inner) => async (data, options) => change(await inner.sign(data, options)),
    (inner) => async (messages, options) => (await inner.signBatch(messages, options)).map(change),
  );

/** The same signature value with some members replaced. */
const like = (signature: Signature, members: object) =>
  Object.defineProperties(Object.create(signature), Object.getOwnPropertyDescriptors(members)) as Signature;
const stable = (signature: Signature) => {
  const { bytes, algorithm, recovery } = signature;
  return {
    bytes,
    algorithm,
    recovery,
    toDer: () => signature.toDer(),
    toRecovered: () => signature.toRecovered(),
  };
};

const breakages: Breakage[] = [
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
  {
    rule: 'signs concurrently without mixing anything up',
    how: 'keeps the data of one call only',
    broken: (inner) => {
      let latest: Uint8Array = new Uint8Array();
      return withSign((i) => async (data, options) => {
        latest = data?.slice?.() ?? data;
        await Promise.resolve();
        return i.sign(latest, options);
      })(inner);
    },
  },
  {
    rule: 'two signers for one key work side by side',
    how: 'closing one closes all',
    error: 'closed',
    broken: (() => {
      const all = new Set<Signer>();
      return (inner: Signer) => {
        all.add(inner);
        return Object.assign(new Wrapped(inner), {
          close: async () => {
            await Promise.all([...all].map((signer) => signer.close()));
          },
        });
      };
    })(),
  },
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
  {
    rule: 'leaves no rejection unhandled',
    how: 'lets a second promise reject',
    broken: withSign((inner) => (data, options) => {
      const promise = inner.sign(data, options);
      void promise.then(() => undefined);
      return promise;
    }),
  },
  {
    rule: 'publicKey is constant and immutable',
    how: 'gives a key that callers can change',
    broken: withOwn((inner) => {
      let key: PublicKey | undefined;
      return {
        publicKey: async () => {
          const { algorithm, raw, spki } = await inner.publicKey();
          key ??= { algorithm, raw, spki, equals: () => true } as unknown as PublicKey;
          return key;
        },
      };
    }),
  },
  {
    rule: 'publicKey is constant and immutable',
    how: 'gives another key each time',
    broken: withOwn(() => ({
      publicKey: async () => {
        const { signer } = await SoftwareSigner.generate();
        return signer.publicKey();
      },
    })),
  },
  {
    rule: 'signerInfo says what the signer is, in strings, as a fresh copy',
    how: 'hands its own object out',
    broken: withOwn((inner) => {
      const info = inner.signerInfo();
      return { signerInfo: () => info };
    }),
  },
  {
    rule: 'signerInfo says what the signer is, in strings, as a fresh copy',
    how: 'has metadata that are no strings',
    broken: withOwn((inner) => ({
      signerInfo: () => ({ ...inner.signerInfo(), metadata: { slot: 3 as unknown as string } }),
    })),
  },
  {
    rule: 'an aborted signal rejects with its reason, before any work',
    how: 'ignores the signal',
    broken: withSign(
      (inner) => (data, options) =>
        inner.sign(data, options?.signal?.aborted ? { prehashed: false } : options),
    ),
  },
  {
    rule: 'an aborted signal rejects with its reason, before any work',
    how: 'rejects with an error of its own',
    broken: withSign((inner) => async (data, options) => {
      if (options?.signal?.aborted) throw new DOMException('aborted', 'AbortError');
      return inner.sign(data, options);
    }),
  },
  {
    rule: 'a signal that aborts meanwhile rejects with its reason, or the signature is good',
    how: 'rejects with an error of its own',
    broken: withSign((inner) => async (data, options) => {
      const copy = data?.slice?.() ?? data;
      const signature = await inner.sign(copy, options);
      await turn();
      if (options?.signal?.aborted) throw new DOMException('aborted', 'AbortError');
      return signature;
    }),
  },
  {
    rule: 'a signal that never aborts, or aborts afterwards, changes nothing',
    how: 'closes itself when a signal aborts',
    error: 'closed',
    broken: withSign((inner) => async (data, options) => {
      options?.signal?.addEventListener?.('abort', () => void inner.close());
      return inner.sign(data, options);
    }),
  },
  {
    rule: 'after close every call rejects with signer-closed, and signerInfo still answers',
    how: 'keeps signing',
    broken: withOwn(() => ({ close: async () => {} })),
  },
  {
    rule: 'after close every call rejects with signer-closed, and signerInfo still answers',
    how: 'still gives the public key',
    broken: withOwn((inner) => {
      const key = inner.publicKey();
      return { publicKey: () => key };
    }),
  },
  {
    rule: 'after close every call rejects with signer-closed, and signerInfo still answers',
    how: 'rejects with another code',
    broken: withSign((inner) => async (data, options) => {
      try {
        return await inner.sign(data, options);
      } catch (error) {
        if ((error as { code?: string }).code === 'signer-closed') throw new Error('closed');
        throw error;
      }
    }),
  },
  {
    rule: 'close is idempotent, also concurrently, and is what await using calls',
    how: 'fails the second time',
    error: 'closed already',
    broken: (inner) => {
      let closed = false;
      return Object.assign(new Wrapped(inner), {
        close: async () => {
          if (closed) throw new Error('closed already');
          closed = true;
          return inner.close();
        },
      });
    },
  },
  {
    rule: 'await using closes',
    how: 'has a dispose that does nothing',
    broken: withOwn(() => ({ [Symbol.asyncDispose]: async () => {} })),
  },
  {
    rule: 'close lets running calls finish and takes no new ones',
    how: 'fails what is running',
    broken: withSign((inner) => async (data, options) => {
      const signature = await inner.sign(data, options);
      await turn();
      await inner.publicKey();
      return signature;
    }),
  },
  {
    rule: 'close lets running calls finish and takes no new ones',
    how: 'does not wait for them',
    broken: withSign((inner) => async (data, options) => {
      const signature = await inner.sign(data, options);
      await turn();
      await turn();
      return signature;
    }),
  },
];

async function conformance(algorithm: Algorithm, pem: string, { broken, target }: Partial<Breakage>) {
  const create = async () => {
    const signer = await SoftwareSigner.fromPem(pem);
    return broken ? broken(signer) : signer;
  };
  return signerConformance({ algorithm, create, batchSize: 120, ...target });
}

/** Runs `work` with no listener for unhandled rejections but its own; vitest's would fail the whole run. */
async function withoutRunnersListeners(work: () => Promise<void>): Promise<void> {
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  try {
    await work();
  } finally {
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
}

describe('signerConformance', async () => {
  const pems = {
    ed25519: (await SoftwareSigner.generate('ed25519')).privateKeyPem,
    secp256k1: (await SoftwareSigner.generate('secp256k1')).privateKeyPem,
  };

  for (const breakage of breakages) {
    const { rule, how, algorithm = 'ed25519' } = breakage;
    test(`catches a signer that ${how} (${rule})`, async () => {
      const cases = await conformance(algorithm, pems[algorithm], breakage);
      const found = cases.find(({ name }) => name === rule);
      await withoutRunnersListeners(async () => {
        await expect(found?.run()).rejects.toThrow(breakage.error ?? ConformanceError);
      });
    });
  }

  test('has a broken signer for every rule', async () => {
    const names = new Set<string>();
    for (const algorithm of ['ed25519', 'secp256k1'] as const) {
      const cases = await conformance(algorithm, pems[algorithm], { target: { maxDataBytes: 100 } });
      for (const { name } of cases) names.add(name);
    }
    expect(new Set(breakages.map(({ rule }) => rule))).toEqual(names);
  });

  test('refuses a target whose signers have different keys', async () => {
    const create = async () => (await SoftwareSigner.generate()).signer;
    const cases = signerConformance({ algorithm: 'ed25519', create });
    const found = cases.find(({ name }) => name === 'two signers for one key work side by side');
    await expect(found?.run()).rejects.toThrow('different public keys');
  });

  test('leaves out rules of other algorithms and of limits that are not stated', async () => {
    const cases = await conformance('ed25519', pems.ed25519, {});
    expect(cases.map(({ name }) => name).filter((name) => /ECDSA|secp256k1|longer data/.test(name))).toEqual(
      [],
    );
  });
});
