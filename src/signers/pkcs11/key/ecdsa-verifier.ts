// ECDSA signatures of a token, verified by the digest that the token was given, several together where several have come
// in: they share inversions, and the key's table of multiples (assembly/pinned-key) spares all doublings. Those on
// secp256k1 get low S and their recovery id in the same computation.

import type { PublicKey } from '../../public-key.js';
import { Signature } from '../../signature.js';
import type { ReleasedSignature } from './pinned-curves.js';
import { type PinnedCurve, PinnedKey } from './pinned-key.js';
import type { TokenInput } from './token-input.js';
import { VerificationLane } from './verification-turns.js';

const GROUP = 16;
/** x and y, the end of the SubjectPublicKeyInfo of an uncompressed point. */
const POINT_BYTES = 64;

type Verdict = ReleasedSignature | undefined;

export class EcdsaVerifier {
  readonly #publicKey: PublicKey;
  readonly #key: PinnedKey<Verdict>;
  readonly #lane = new VerificationLane<Verdict>(GROUP, (group) => {
    const verdicts = this.#key.verify(group);
    for (const [i, { settle }] of group.entries()) settle(verdicts[i]);
  });

  constructor(publicKey: PublicKey, curve: PinnedCurve<Verdict>) {
    this.#publicKey = publicKey;
    this.#key = new PinnedKey(curve, publicKey.spki.slice(-POINT_BYTES));
  }

  async verify({ input }: TokenInput, bytes: Uint8Array): Promise<Signature | undefined> {
    const released = await this.#lane.add(input, bytes);
    return released && Signature.fromBytes(this.#publicKey.algorithm, released.bytes, released.recovery);
  }
}
