// Rules about what is signed, and how it comes back.

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { PublicKey } from '../signers/public-key.js';
import type { Signature } from '../signers/signature.js';
import type { Algorithm, Signer, SignOptions } from '../signers/types.js';
import { verifySignature } from '../signers/verify.js';
import type { ConformanceTarget, Rule } from './conformance.js';
import { expectBytesOf, expectEqual, expectSameBytes, expectTrue } from './expectations.js';
import { sampleBytes } from './sample.js';

const isEcdsa = ({ algorithm }: ConformanceTarget) => algorithm !== 'ed25519';
const isSecp256k1 = ({ algorithm }: ConformanceTarget) => algorithm === 'secp256k1';
const isDeterministic = ({ algorithm, deterministic }: ConformanceTarget) =>
  deterministic ?? algorithm === 'ed25519';

/** Around the block sizes of SHA-256 and SHA-512, and around what fits into one byte, two bytes and a frame. */
const lengths = [
  0, 1, 31, 32, 33, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 255, 256, 1000, 4096, 65_535, 65_536,
];

export const signingCases: readonly Rule[] = [
  {
    name: 'signs data of every length, and the signature verifies',
    async check(signer, target) {
      const key = await signer.publicKey();
      for (const length of lengthsFor(target)) {
        const data = sampleBytes(length, length);
        await expectValid(key, data, await signer.sign(data), `${length} bytes of data`);
      }
    },
  },
  {
    name: 'gives signatures of the documented shape',
    async check(signer, { algorithm }) {
      const signature = await signer.sign(sampleBytes(40, 1));
      expectEqual(signature.algorithm, algorithm, 'signature.algorithm');
      expectBytesOf(signature.bytes, 64, 'signature.bytes');
      if (algorithm === 'ed25519')
        expectEqual(signature.recovery, undefined, 'recovery of an Ed25519 signature');
      else expectEqual(signature.toDer()[0], 0x30, 'first byte of toDer()');
    },
  },
  {
    name: 'gives immutable signatures',
    async check(signer) {
      const signature = await signer.sign(sampleBytes(40, 2));
      const before = Uint8Array.from(signature.bytes);
      signature.bytes.fill(0);
      expectSameBytes(signature.bytes, before, 'signature.bytes after a caller wrote into what it got');
    },
  },
  {
    name: 'binds the signature to every bit of the data',
    async check(signer) {
      const key = await signer.publicKey();
      const data = sampleBytes(100, 3);
      const signature = await signer.sign(data);
      for (const index of [0, 31, 32, 63, 64, 99]) {
        const changed = data.slice();
        changed[index]! ^= 1;
        expectTrue(!(await verifySignature(key, changed, signature)), `valid although byte ${index} differs`);
      }
      expectTrue(!(await verifySignature(key, data.subarray(0, 99), signature)), 'valid for shorter data');
    },
  },
  {
    name: 'signs what a view shows, not the memory around it, and leaves the data as it was',
    async check(signer) {
      const key = await signer.publicKey();
      const memory = sampleBytes(200, 4);
      const view = memory.subarray(17, 117);
      const signature = await signer.sign(view);
      expectSameBytes(memory, sampleBytes(200, 4), 'the caller’s data after sign');
      await expectValid(key, view.slice(), signature, 'a view of 100 bytes');
    },
  },
  {
    name: 'copies data at the call',
    async check(signer) {
      const key = await signer.publicKey();
      const data = sampleBytes(64, 5);
      const pending = signer.sign(data);
      data.fill(0xff);
      await expectValid(key, sampleBytes(64, 5), await pending, 'data that was overwritten after the call');
    },
  },
  {
    name: 'copies the messages of a batch, and the list, at the call',
    async check(signer) {
      const key = await signer.publicKey();
      const messages = samples(3);
      const pending = signer.signBatch(messages);
      for (const message of messages) message.fill(0xff);
      messages.push(sampleBytes(1, 99));
      messages.reverse();
      await expectValidBatch(key, samples(3), await pending);
    },
  },
  {
    name: 'is deterministic',
    applies: isDeterministic,
    async check(signer) {
      const data = sampleBytes(64, 6);
      const first = await signer.sign(data);
      const [second] = await signer.signBatch([data]);
      expectSameBytes(second!.bytes, first.bytes, 'two signatures over the same data');
    },
  },
  {
    name: 'signs different data differently',
    async check(signer) {
      const signatures = await signer.signBatch(samples(8));
      const distinct = new Set(signatures.map(({ bytes }) => bytes.subarray(0, 32).join()));
      expectEqual(distinct.size, 8, 'distinct nonce points in 8 signatures over different data');
    },
  },
  {
    name: 'ECDSA signs SHA-256 of the data, or a digest as it is',
    applies: isEcdsa,
    async check(signer) {
      const key = await signer.publicKey();
      for (const length of [0, 32, 100]) {
        const data = sampleBytes(length, 7);
        const digest = sha256(data);
        await expectValid(key, digest, await signer.sign(data), 'its SHA-256', { prehashed: true });
        const prehashed = await signer.sign(digest, { prehashed: true });
        await expectValid(key, data, prehashed, 'a digest given with prehashed');
        await expectValid(key, digest, await signer.sign(digest, { prehashed: false }), 'prehashed: false');
      }
    },
  },
  {
    name: 'ECDSA signs batches of digests',
    applies: isEcdsa,
    async check(signer) {
      const key = await signer.publicKey();
      const digests = samples(5).map((message) => sha256(message));
      await expectValidBatch(key, digests, await signer.signBatch(digests, { prehashed: true }), {
        prehashed: true,
      });
    },
  },
  {
    name: 'ECDSA signs digests at the edges: all zeros, all ones, more than the order',
    applies: isEcdsa,
    async check(signer) {
      const key = await signer.publicKey();
      for (const byte of [0x00, 0xff]) {
        const digest = new Uint8Array(32).fill(byte);
        const signature = await signer.sign(digest, { prehashed: true });
        await expectValid(key, digest, signature, `a digest of bytes ${byte}`, { prehashed: true });
      }
    },
  },
  {
    name: 'secp256k1 signatures are low-S and their recovery id gives the public key',
    applies: isSecp256k1,
    async check(signer) {
      const key = await signer.publicKey();
      const messages = samples(32);
      const signatures = [...(await signer.signBatch(messages)), ...(await signEach(signer, messages))];
      signatures.forEach((signature, i) => {
        expectLowS(signature);
        expectRecovers(key, messages[i % 32]!, signature);
      });
    },
  },
  {
    name: 'a batch comes back in order, whatever its size',
    async check(signer, { batchSize = 300 }) {
      const key = await signer.publicKey();
      for (const size of new Set([0, 1, 2, 17, batchSize].filter((n) => n <= batchSize))) {
        const messages = samples(size);
        await expectValidBatch(key, messages, await signer.signBatch(messages));
      }
    },
  },
  {
    name: 'a batch may hold empty, equal and long messages',
    async check(signer, target) {
      const key = await signer.publicKey();
      const long = sampleBytes(Math.max(...lengthsFor(target)), 8);
      const messages = [new Uint8Array(), sampleBytes(5, 8), long, sampleBytes(5, 8), new Uint8Array()];
      await expectValidBatch(key, messages, await signer.signBatch(messages));
    },
  },
  {
    name: 'signs concurrently without mixing anything up',
    async check(signer) {
      const key = await signer.publicKey();
      const messages = samples(24);
      const single = messages.map((message) => signer.sign(message));
      const batches = [messages.slice(0, 8), messages.slice(8, 16)].map((part) => signer.signBatch(part));
      await expectValidBatch(key, messages, await Promise.all(single));
      await expectValidBatch(key, messages.slice(0, 16), (await Promise.all(batches)).flat());
    },
  },
  {
    name: 'two signers for one key work side by side',
    async check(signer, { create }) {
      const other = await create();
      try {
        const key = await signer.publicKey();
        expectTrue(key.equals(await other.publicKey()), 'create() gave signers with different public keys');
        const data = sampleBytes(20, 9);
        const [ours, theirs] = await Promise.all([signer.sign(data), other.sign(data)]);
        await expectValid(key, data, ours, 'the first signer');
        await expectValid(key, data, theirs, 'the second signer');
        await other.close();
        await expectValid(key, data, await signer.sign(data), 'the first signer after the second closed');
      } finally {
        await other.close();
      }
    },
  },
];

function lengthsFor({ maxDataBytes = Number.POSITIVE_INFINITY }: ConformanceTarget): number[] {
  return lengths.filter((length) => length <= maxDataBytes);
}

const samples = (count: number) =>
  Array.from({ length: count }, (_, i) => sampleBytes(10 + (i % 50), 1000 + i));

async function signEach(signer: Signer, messages: readonly Uint8Array[]): Promise<Signature[]> {
  const signatures: Signature[] = [];
  for (const message of messages) signatures.push(await signer.sign(message));
  return signatures;
}

export async function expectValid(
  key: PublicKey,
  data: Uint8Array,
  signature: Signature,
  what: string,
  options: SignOptions = {},
): Promise<void> {
  expectTrue(
    await verifySignature(key, data, signature, options),
    `the signature over ${what} does not verify`,
  );
}

async function expectValidBatch(
  key: PublicKey,
  messages: readonly Uint8Array[],
  signatures: readonly Signature[],
  options: SignOptions = {},
): Promise<void> {
  expectTrue(Array.isArray(signatures), 'signBatch did not give an array');
  expectEqual(signatures.length, messages.length, 'signatures for the messages of a batch');
  for (const [i, message] of messages.entries()) {
    await expectValid(key, message, signatures[i]!, `message ${i} of ${messages.length}`, options);
  }
}

const secp256k1HalfOrder = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

function expectLowS({ bytes }: Signature): void {
  const s = bytes.subarray(32).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  expectTrue(s <= secp256k1HalfOrder, 'a secp256k1 signature with high S');
}

function expectRecovers(key: PublicKey, message: Uint8Array, signature: Signature): void {
  const { recovery } = signature;
  expectTrue(recovery !== undefined, 'a secp256k1 signature without a recovery id');
  const recovered = secp256k1.recoverPublicKey(signature.toRecovered(), sha256(message), { prehash: false });
  expectSameBytes(recovered, key.raw, `the public key that recovery id ${recovery} gives`);
}

/** Raw length per algorithm. */
export const rawLength = (algorithm: Algorithm) => (algorithm === 'ed25519' ? 32 : 33);
