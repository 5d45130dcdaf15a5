// Ed25519 signatures of a token, by the strict rules (zip215: false), several together where several have come in: under
// one key that takes a third of the time. A group that does not pass is verified one by one, which finds whose it is.
// Long messages go to OpenSSL on a thread: what it accepts under a key that is not of small order (RFC 8032 §5.1.7 without
// the cofactor, R compared as bytes) is a part of what the strict rules accept.

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { ed25519 as noble } from '@noble/curves/ed25519.js';
import { ed25519 } from '../../../curves/index.js';
import type { PublicKey } from '../../public-key.js';
import { Signature } from '../../signature.js';
import type { TokenInput } from './token-input.js';
import { type Unverified, VerificationLane } from './verification-turns.js';

/** Hashing of more is held against the event loop. */
const LONG_BYTES = 65_536;
const GROUP = 32;
/** Fewer take less time one by one. */
const SMALL_GROUP = 3;
const STRICT = { zip215: false };

export class Ed25519Verifier {
  readonly #raw: Uint8Array;
  readonly #key: KeyObject;
  readonly #hasSmallOrder: boolean;
  readonly #lane = new VerificationLane<Signature | undefined>(GROUP, (group) => this.#verifyGroup(group));

  constructor(publicKey: PublicKey) {
    this.#raw = publicKey.raw;
    this.#key = createPublicKey({ key: Buffer.from(publicKey.spki), format: 'der', type: 'spki' });
    this.#hasSmallOrder = noble.Point.fromBytes(this.#raw).isSmallOrder();
  }

  verify({ message }: TokenInput, bytes: Uint8Array): Promise<Signature | undefined> {
    return message.length > LONG_BYTES ? this.#onThread(message, bytes) : this.#lane.add(message, bytes);
  }

  #onThread(message: Uint8Array, bytes: Uint8Array): Promise<Signature | undefined> {
    if (this.#hasSmallOrder) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      verify(null, message, this.#key, bytes, (error, valid) =>
        error ? reject(error) : resolve(valid ? signatureOf(bytes) : undefined),
      );
    });
  }

  #verifyGroup(group: readonly Unverified<Signature | undefined>[]): void {
    const publicKey = this.#raw;
    const items = group.map(({ message, signature }) => ({ message, signature, publicKey }));
    const allValid = group.length >= SMALL_GROUP && ed25519.verifyBatch(items, STRICT);
    for (const { message, signature, settle } of group) {
      const valid = allValid || ed25519.verify(signature, message, publicKey, STRICT);
      settle(valid ? signatureOf(signature) : undefined);
    }
  }
}

const signatureOf = (bytes: Uint8Array) => Signature.fromBytes('ed25519', bytes);
