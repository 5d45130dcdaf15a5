// Rules about a signer's life: its key and info, giving up waiting, and closing.

import type { Signer, SignOptions } from '../signers/types.js';
import type { Rule } from './conformance.js';
import {
  ConformanceError,
  expectBytesOf,
  expectCode,
  expectEqual,
  expectSameBytes,
  expectTrue,
  rejectionOf,
} from './expectations.js';
import { sampleBytes } from './sample.js';
import { expectValid, rawLength } from './signing-cases.js';

export const lifeCases: readonly Rule[] = [
  {
    name: 'publicKey is constant and immutable',
    async check(signer, { algorithm }) {
      const key = await signer.publicKey();
      expectEqual(key.algorithm, algorithm, 'publicKey().algorithm');
      expectBytesOf(key.raw, rawLength(algorithm), 'publicKey().raw');
      const [raw, spki] = [Uint8Array.from(key.raw), Uint8Array.from(key.spki)];
      key.raw.fill(0);
      key.spki.fill(0);
      await signer.sign(sampleBytes(3, 20));
      const again = await signer.publicKey();
      expectSameBytes(again.raw, raw, 'publicKey().raw after a caller wrote into what it got');
      expectSameBytes(again.spki, spki, 'publicKey().spki after a caller wrote into what it got');
      expectTrue(again.equals(key), 'publicKey() gave another key');
    },
  },
  {
    name: 'signerInfo says what the signer is, in strings, as a fresh copy',
    async check(signer, { algorithm }) {
      const info = signer.signerInfo();
      expectTrue(['software', 'pkcs11', 'remote'].includes(info.signerType), 'signerInfo().signerType');
      expectEqual(info.algorithm, algorithm, 'signerInfo().algorithm');
      expectTrue(typeof info.metadata === 'object' && info.metadata !== null, 'signerInfo().metadata');
      for (const [name, value] of Object.entries(info.metadata)) {
        expectEqual(typeof value, 'string', `type of signerInfo().metadata.${name}`);
      }
      const before = JSON.stringify(info);
      tamper(info.metadata);
      tamper(info);
      expectEqual(
        JSON.stringify(signer.signerInfo()),
        before,
        'signerInfo() after a caller wrote into what it got',
      );
    },
  },
  {
    name: 'an aborted signal rejects with its reason, before any work',
    async check(signer) {
      for (const reason of [new Error('changed my mind'), 'a string', undefined]) {
        const signal = AbortSignal.abort(reason);
        for (const [what, call] of callsWith(signer, { signal })) {
          expectTrue(
            Object.is(await rejectionOf(call, `${what} with an aborted signal`), signal.reason),
            `${what} with an aborted signal must reject with the signal's reason`,
          );
        }
      }
      await expectStillSigns(signer);
    },
  },
  {
    name: 'a signal that aborts meanwhile rejects with its reason, or the signature is good',
    async check(signer) {
      for (const turns of [0, 1, 2]) {
        const controller = new AbortController();
        const reason = new Error(`aborted after ${turns} turns`);
        const data = sampleBytes(30, 21);
        const single = settled(signer.sign(data, { signal: controller.signal }));
        const batch = settled(signer.signBatch([data, data], { signal: controller.signal }));
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setTimeout(resolve));
        controller.abort(reason);
        for (const outcome of [await single, await batch]) {
          if ('reason' in outcome)
            expectTrue(outcome.reason === reason, 'rejected with something else than the reason');
          else
            for (const s of [outcome.value].flat())
              await expectValid(await signer.publicKey(), data, s, 'data');
        }
      }
      await expectStillSigns(signer);
    },
  },
  {
    name: 'a signal that never aborts, or aborts afterwards, changes nothing',
    async check(signer) {
      const controller = new AbortController();
      const data = sampleBytes(30, 22);
      const signature = await signer.sign(data, { signal: controller.signal });
      controller.abort();
      await expectValid(await signer.publicKey(), data, signature, 'data');
      await expectStillSigns(signer);
    },
  },
  {
    name: 'after close every call rejects with signer-closed, and signerInfo still answers',
    async check(signer) {
      const info = JSON.stringify(signer.signerInfo());
      await signer.close();
      for (const [what, call] of [...callsWith(signer), ['publicKey', () => signer.publicKey()] as const]) {
        await expectCode(call, 'signer-closed', `${what} after close`);
      }
      expectEqual(JSON.stringify(signer.signerInfo()), info, 'signerInfo() after close');
    },
  },
  {
    name: 'close is idempotent, also concurrently, and is what await using calls',
    async check(signer) {
      await Promise.all([signer.close(), signer.close()]);
      await signer.close();
      if (Symbol.asyncDispose) await signer[Symbol.asyncDispose]();
    },
  },
  {
    name: 'await using closes',
    applies: () => Boolean(Symbol.asyncDispose),
    async check(signer) {
      await signer[Symbol.asyncDispose]();
      await expectCode(
        () => signer.sign(new Uint8Array(1)),
        'signer-closed',
        'sign after Symbol.asyncDispose',
      );
    },
  },
  {
    name: 'close lets running calls finish and takes no new ones',
    async check(signer, { batchSize = 300 }) {
      const key = await signer.publicKey();
      const data = sampleBytes(30, 23);
      const running = { single: signer.sign(data), batch: signer.signBatch(Array(batchSize).fill(data)) };
      // Awaited only after close: their rejections, if any, are looked at below.
      const outcomes = Promise.allSettled([running.single, running.batch]);
      let finished = 0;
      for (const call of [running.single, running.batch])
        call.then(
          () => finished++,
          () => finished++,
        );
      const closing = signer.close();
      await expectCode(() => signer.sign(data), 'signer-closed', 'sign while close is under way');
      await closing;
      const late = finished;
      const [single, batch] = await outcomes;
      if (single.status !== 'fulfilled' || batch.status !== 'fulfilled') {
        throw new ConformanceError('a call that was running when close was called did not finish');
      }
      expectEqual(late, 2, 'calls that had finished when close() resolved');
      expectEqual(batch.value.length, batchSize, 'signatures of the batch that was running');
      for (const signature of [single.value, batch.value[0]!, batch.value.at(-1)!]) {
        await expectValid(key, data, signature, 'data of a call that was running when close was called');
      }
    },
  },
];

function callsWith(signer: Signer, options?: SignOptions): [what: string, call: () => Promise<unknown>][] {
  const data = sampleBytes(16, 24);
  return [
    ['sign', () => signer.sign(data, options)],
    ['signBatch', () => signer.signBatch([data, data], options)],
    ['signBatch of nothing', () => signer.signBatch([], options)],
  ];
}

/** Writes where it can; an object that is frozen is safe as well. */
function tamper(target: object): void {
  for (const key of Object.keys(target)) Reflect.set(target, key, 'tampered');
  Reflect.set(target, 'extra', 'tampered');
}

async function settled<T>(promise: Promise<T>): Promise<{ value: T } | { reason: unknown }> {
  try {
    return { value: await promise };
  } catch (reason) {
    return { reason };
  }
}

async function expectStillSigns(signer: Signer): Promise<void> {
  const data = sampleBytes(33, 25);
  await expectValid(await signer.publicKey(), data, await signer.sign(data), 'data after an aborted call');
}
