// Rules about arguments that no Signer takes. All arrive as rejections, and leave the signer usable.

import type { Signer, SignOptions } from '../signers/types.js';
import type { Rule } from './conformance.js';
import { expectRejection, expectTrue, rejectionOf } from './expectations.js';
import { sampleBytes } from './sample.js';
import { expectValid } from './signing-cases.js';

const notBytes: readonly [what: string, value: unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a string', 'text'],
  ['a number', 32],
  ['an array of numbers', [1, 2, 3]],
  ['an ArrayBuffer', new ArrayBuffer(32)],
  ['a Uint16Array', new Uint16Array(16)],
  ['a Uint8ClampedArray', new Uint8ClampedArray(32)],
  ['a DataView', new DataView(new ArrayBuffer(32))],
  ['an object that looks like bytes', { length: 32, 0: 1 }],
];

const wrongOptions: readonly [what: string, value: unknown][] = [
  ['options that are a number', 5],
  ['options that are null', null],
  ['prehashed as a string', { prehashed: 'yes' }],
  ['prehashed as a number', { prehashed: 1 }],
  ['a signal that is none', { signal: {} }],
];

export const argumentCases: readonly Rule[] = [
  {
    name: 'sign rejects data that is no Uint8Array with a TypeError',
    async check(signer) {
      for (const [what, value] of notBytes) {
        await expectRejection(() => signer.sign(value as Uint8Array), 'TypeError', `sign of ${what}`);
      }
      await expectStillSigns(signer);
    },
  },
  {
    name: 'signBatch rejects what is no array of Uint8Arrays with a TypeError, wholly',
    async check(signer) {
      const lists: [string, unknown][] = [
        ...notBytes.filter(([what]) => what !== 'an array of numbers'),
        ['a Uint8Array', new Uint8Array(2)],
        ['an array with a hole', withHole()],
        ...notBytes.map(([what, value]): [string, unknown] => [
          `a batch that ends in ${what}`,
          [new Uint8Array(1), value],
        ]),
      ];
      for (const [what, value] of lists) {
        await expectRejection(
          () => signer.signBatch(value as Uint8Array[]),
          'TypeError',
          `signBatch of ${what}`,
        );
      }
      await expectStillSigns(signer);
    },
  },
  {
    name: 'rejects wrong options with a TypeError',
    async check(signer) {
      const data = new Uint8Array(32);
      for (const [what, value] of wrongOptions) {
        await expectRejection(
          () => signer.sign(data, value as SignOptions),
          'TypeError',
          `sign with ${what}`,
        );
        await expectRejection(
          () => signer.signBatch([data], value as SignOptions),
          'TypeError',
          `signBatch with ${what}`,
        );
      }
      await expectStillSigns(signer);
    },
  },
  {
    name: 'Ed25519 rejects prehashed with a TypeError',
    applies: ({ algorithm }) => algorithm === 'ed25519',
    async check(signer) {
      const options = { prehashed: true };
      const digest = new Uint8Array(32);
      await expectRejection(() => signer.sign(digest, options), 'TypeError', 'sign with prehashed');
      await expectRejection(
        () => signer.signBatch([digest], options),
        'TypeError',
        'signBatch with prehashed',
      );
      await expectStillSigns(signer);
    },
  },
  {
    name: 'ECDSA rejects prehashed data of other than 32 bytes with a RangeError',
    applies: ({ algorithm }) => algorithm !== 'ed25519',
    async check(signer) {
      const options = { prehashed: true };
      for (const length of [0, 1, 20, 31, 33, 48, 64]) {
        const data = new Uint8Array(length);
        const what = `${length} bytes as a digest`;
        await expectRejection(() => signer.sign(data, options), 'RangeError', what);
        await expectRejection(
          () => signer.signBatch([new Uint8Array(32), data], options),
          'RangeError',
          `a batch with ${what}`,
        );
      }
      await expectStillSigns(signer);
    },
  },
  {
    name: 'rejects longer data than it takes with a RangeError that names the limit',
    applies: ({ maxDataBytes }) => maxDataBytes !== undefined,
    async check(signer, { maxDataBytes = 0 }) {
      const key = await signer.publicKey();
      const longest = sampleBytes(maxDataBytes, 10);
      await expectValid(key, longest, await signer.sign(longest), `${maxDataBytes} bytes, the limit`);
      const data = new Uint8Array(maxDataBytes + 1);
      for (const call of [() => signer.sign(data), () => signer.signBatch([new Uint8Array(1), data])]) {
        const error = await rejectionOf(call, `${data.length} bytes, one more than the limit`);
        const named =
          error instanceof RangeError && error.message.replace(/[,_ ]/g, '').includes(`${maxDataBytes}`);
        expectTrue(named, `data over the limit must be a RangeError that names ${maxDataBytes}`);
      }
      await expectStillSigns(signer);
    },
  },
  {
    name: 'shows no secret in errors or signerInfo',
    async check(signer, { secrets = [] }) {
      const marker = 'b6f1c0de-marker-of-data';
      const errors = [
        await rejectionOf(() => signer.sign(marker as unknown as Uint8Array), 'sign of a string'),
        await rejectionOf(() => signer.signBatch([marker as unknown as Uint8Array]), 'signBatch of a string'),
      ];
      const shown = [JSON.stringify(signer.signerInfo()), ...errors.flatMap(textsOf)].join('\n');
      expectTrue(!shown.includes(marker), 'an error repeats the data');
      expectTrue(!shown.includes('PRIVATE KEY'), 'a private key shows');
      for (const secret of secrets) expectTrue(!shown.includes(secret), 'a secret of the target shows');
    },
  },
  {
    name: 'leaves no rejection unhandled',
    async check(signer) {
      const unhandled = await unhandledDuring(async () => {
        const bad = 'text' as unknown as Uint8Array;
        await Promise.allSettled([
          signer.sign(bad),
          signer.signBatch([bad]),
          signer.sign(sampleBytes(8, 11), { signal: AbortSignal.abort() }),
          signer.signBatch([sampleBytes(8, 11)], { signal: AbortSignal.abort() }),
        ]);
        await signer.close();
        await Promise.allSettled([signer.sign(sampleBytes(8, 11)), signer.signBatch([]), signer.publicKey()]);
      });
      expectTrue(unhandled === 0, `${unhandled} rejections were left unhandled`);
    },
  },
];

function withHole(): unknown[] {
  const list = [new Uint8Array(1), new Uint8Array(1), new Uint8Array(1)];
  delete list[1];
  return list;
}

async function expectStillSigns(signer: Signer): Promise<void> {
  const data = sampleBytes(33, 12);
  await expectValid(await signer.publicKey(), data, await signer.sign(data), 'data after refused calls');
}

function textsOf(error: unknown): string[] {
  const texts: string[] = [];
  for (let e = error; e instanceof Error; e = e.cause)
    texts.push(e.message, e.stack ?? '', JSON.stringify(e));
  return texts;
}

/** Rejections that nobody handled while `work` ran, by the runtime's own count. */
async function unhandledDuring(work: () => Promise<void>): Promise<number> {
  let count = 0;
  const listener = (event: unknown) => {
    count++;
    (event as Event | undefined)?.preventDefault?.();
  };
  const remove = listenForUnhandled(listener);
  try {
    await work();
    // Runtimes report in a task of its own, after the microtasks that might still have handled the rejection.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve));
    return count;
  } finally {
    remove();
  }
}

function listenForUnhandled(listener: (event: unknown) => void): () => void {
  const { process } = globalThis;
  if (typeof process?.on === 'function') {
    process.on('unhandledRejection', listener);
    return () => process.off('unhandledRejection', listener);
  }
  globalThis.addEventListener('unhandledrejection', listener);
  return () => globalThis.removeEventListener('unhandledrejection', listener);
}
