// P-256 signatures of a token, verified by the digest that the token was given, several together where several have come
// in: they share inversions, and the key's table of multiples (assembly/pinned-key) spares all doublings.

import type { PublicKey } from '../../public-key.js';
import { Signature } from '../../signature.js';
import { P256 } from './pinned-curves.js';
import { PinnedKey } from './pinned-key.js';
import type { TokenInput } from './token-input.js';
import { VerificationLane } from './verification-turns.js';

const GROUP = 16;
/** x and y, the end of the SubjectPublicKeyInfo of an uncompressed point. */
const POINT_BYTES = 64;

export class P256Verifier {
  readonly #key: PinnedKey<boolean>;
  readonly #lane = new VerificationLane<boolean>(GROUP, (group) => {
    const verdicts = this.#key.verify(group);
    for (const [i, { settle }] of group.entries()) settle(verdicts[i]!);
  });

  constructor(publicKey: PublicKey) {
    this.#key = new PinnedKey(P256, publicKey.spki.slice(-POINT_BYTES));
  }

  async verify({ input }: TokenInput, bytes: Uint8Array): Promise<Signature | undefined> {
    const valid = await this.#lane.add(input, bytes);
    return valid ? Signature.fromBytes('p256', bytes) : undefined;
  }
}
