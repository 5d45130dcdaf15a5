// secp256k1 signatures of a token, verified by the digest that the token was given, brought to low S and given their
// recovery id in one computation, several together where several have come in (see p256-verifier.ts).

import type { PublicKey } from '../../public-key.js';
import { Signature } from '../../signature.js';
import { type CompletedSignature, SECP256K1 } from './pinned-curves.js';
import { PinnedKey } from './pinned-key.js';
import type { TokenInput } from './token-input.js';
import { VerificationLane } from './verification-turns.js';

const GROUP = 16;
/** x and y, the end of the SubjectPublicKeyInfo of an uncompressed point. */
const POINT_BYTES = 64;

export class Secp256k1Verifier {
  readonly #key: PinnedKey<CompletedSignature | undefined>;
  readonly #lane = new VerificationLane<CompletedSignature | undefined>(GROUP, (group) => {
    const completed = this.#key.verify(group);
    for (const [i, { settle }] of group.entries()) settle(completed[i]);
  });

  constructor(publicKey: PublicKey) {
    this.#key = new PinnedKey(SECP256K1, publicKey.spki.slice(-POINT_BYTES));
  }

  async verify({ input }: TokenInput, bytes: Uint8Array): Promise<Signature | undefined> {
    const completed = await this.#lane.add(input, bytes);
    return completed && Signature.fromBytes('secp256k1', completed.bytes, completed.recovery);
  }
}
