// secp256k1 signatures of a token: verified, brought to low S and given their recovery id in one computation.

import { completeSignature } from '../../../curves/secp256k1.js';
import type { PublicKey } from '../../public-key.js';
import { Signature } from '../../signature.js';
import type { TokenInput } from './token-input.js';
import { VerificationLane } from './verification-turns.js';

const GROUP = 8;
const UNCOMPRESSED_BYTES = 65;

export class Secp256k1Verifier {
  readonly #point: Uint8Array;
  readonly #lane = new VerificationLane<Uint8Array | undefined>(GROUP, (group) => {
    for (const { message, signature, settle } of group) {
      settle(completeSignature(signature, message, this.#point));
    }
  });

  constructor(publicKey: PublicKey) {
    this.#point = publicKey.spki.slice(-UNCOMPRESSED_BYTES); // spares a square root at each signature
  }

  async verify({ input }: TokenInput, bytes: Uint8Array): Promise<Signature | undefined> {
    const recovered = await this.#lane.add(input, bytes);
    return recovered && Signature.fromBytes('secp256k1', recovered.subarray(1), recovered[0]!);
  }
}
