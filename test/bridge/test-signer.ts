// A signer that tests control.

import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { PublicKey } from '../../src/signers/public-key.js';
import { Signature } from '../../src/signers/signature.js';
import type { Signer, SignOptions } from '../../src/signers/types.js';

/** A key of noble's in the shape of a Signer; `before` runs, and may wait or throw, ahead of every signature. */
export class TestSigner implements Signer {
  readonly algorithm: 'ed25519' | 'secp256k1';
  readonly secretKey: Uint8Array;
  calls = 0;
  before: (options?: SignOptions) => unknown = () => {};

  constructor(algorithm: 'ed25519' | 'secp256k1', secretKey?: Uint8Array) {
    this.algorithm = algorithm;
    this.secretKey = secretKey ?? (algorithm === 'ed25519' ? ed25519 : secp256k1).utils.randomSecretKey();
  }

  async sign(data: Uint8Array, options?: SignOptions): Promise<Signature> {
    this.calls++;
    const copy = Uint8Array.from(data);
    await this.before(options);
    if (this.algorithm === 'ed25519')
      return Signature.fromBytes('ed25519', ed25519.sign(copy, this.secretKey));
    const prehash = !options?.prehashed;
    const recovered = secp256k1.sign(copy, this.secretKey, { prehash, format: 'recovered' });
    return Signature.fromBytes('secp256k1', recovered.subarray(1), recovered[0] as 0 | 1 | 2 | 3);
  }

  signBatch(messages: readonly Uint8Array[], options?: SignOptions): Promise<Signature[]> {
    return Promise.all(messages.map((message) => this.sign(message, options)));
  }

  async publicKey(): Promise<PublicKey> {
    const curve = this.algorithm === 'ed25519' ? ed25519 : secp256k1;
    return PublicKey.fromRaw(this.algorithm, curve.getPublicKey(this.secretKey));
  }

  signerInfo() {
    const metadata = { place: 'test', path: '/keys/treasury.pem', module: '/lib/module.so' };
    return { signerType: 'software' as const, algorithm: this.algorithm, metadata };
  }

  async close(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}
