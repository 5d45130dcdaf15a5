// Signers that are wrong about concurrency, about themselves, about being aborted or closed.

import type { PublicKey } from '../../src/signers/public-key.js';
import { SoftwareSigner } from '../../src/signers/software.node.js';
import type { Signer } from '../../src/signers/types.js';
import { type Breakage, turn, Wrapped, withOwn, withSign } from './broken-signers.js';

export const lifeBreakages: Breakage[] = [
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
