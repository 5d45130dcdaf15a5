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
  readonly #lane = new VerificationLane<Signature | undefined>(GROUP, (group) => {
    for (const { message, signature, settle } of group) {
      const recovered = completeSignature(signature, message, this.#point);
      settle(recovered && Signature.fromBytes('secp256k1', recovered.subarray(1), recovered[0]!));
    }
  });

  constructor(publicKey: PublicKey) {
    this.#point = publicKey.spki.slice(-UNCOMPRESSED_BYTES); // spares a square root at each signature
  }

  verify({ input }: TokenInput, bytes: Uint8Array): Promise<Signature | undefined> {
    return this.#lane.add(input, bytes);
  }
}
