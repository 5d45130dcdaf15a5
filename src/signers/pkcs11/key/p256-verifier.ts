// P-256 signatures of a token. OpenSSL verifies on a thread of libuv's pool where the message is at hand; it always
// hashes, so that a digest alone takes the library, with a table of the key's multiples.

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import type { PublicKey } from '../../public-key.js';
import { Signature } from '../../signature.js';
import type { TokenInput } from './token-input.js';
import { type Unverified, VerificationLane } from './verification-turns.js';

const { Point } = p256;
const { Fn } = Point;
/** Bits of a window of the key's table: wider ones take long to compute. */
const WINDOW = 4;

/** Handing a signature to a thread takes some ten microseconds here. */
const HANDED_OVER_TOGETHER = 16;

export class P256Verifier {
  readonly #key: KeyObject;
  readonly #raw: Uint8Array;
  #point: InstanceType<typeof Point> | undefined;
  readonly #lane = new VerificationLane<boolean>(1, (group) => {
    for (const { message, signature, settle } of group) settle(this.#verifyDigest(message, signature));
  });

  readonly #handOver = new VerificationLane<boolean>(HANDED_OVER_TOGETHER, (group) => {
    for (const unverified of group) this.#onThread(unverified);
  });

  constructor(publicKey: PublicKey) {
    this.#raw = publicKey.raw;
    this.#key = createPublicKey({ key: Buffer.from(publicKey.spki), format: 'der', type: 'spki' });
  }

  async verify({ message, prehashed, input }: TokenInput, bytes: Uint8Array): Promise<Signature | undefined> {
    const valid = await (prehashed ? this.#lane.add(input, bytes) : this.#handOver.add(message, bytes));
    return valid ? Signature.fromBytes('p256', bytes) : undefined;
  }

  #onThread({ message, signature, settle, fail }: Unverified<boolean>): void {
    const key = { key: this.#key, dsaEncoding: 'ieee-p1363' } as const;
    verify('sha256', message, key, signature, (error, valid) => (error ? fail(error) : settle(valid)));
  }

  /** SEC 1 §4.1.4 */
  #verifyDigest(digest32: Uint8Array, bytes: Uint8Array): boolean {
    const r = integer(bytes.subarray(0, 32));
    const s = integer(bytes.subarray(32));
    if (!Fn.isValidNot0(r) || !Fn.isValidNot0(s)) return false;
    const inverse = Fn.inv(s);
    const u = Fn.mul(Fn.create(integer(digest32)), inverse);
    const v = Fn.mul(r, inverse);
    this.#point ??= Point.fromBytes(this.#raw).precompute(WINDOW, false);
    const sum = Point.BASE.multiplyUnsafe(u).add(this.#point.multiplyUnsafe(v));
    return !sum.is0() && Fn.create(sum.toAffine().x) === r;
  }
}

function integer(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}
