// A signature as a small immutable value: 64 bytes, and for ECDSA the DER form and the recovery id.
// Sources: RFC 8032 §5.1.6 (R‖S), RFC 3279 §2.2.3 (ECDSA-Sig-Value), SEC 1 §4.1.6 (recovery).

import { concatBytes, copyBytes, expectBytes } from '../bytes.js';
import { decodeDer, encodeDer } from '../curves/der.js';
import { SignerError } from '../errors.js';
import type { Algorithm } from './types.js';

const algorithms: readonly Algorithm[] = ['ed25519', 'secp256k1', 'p256'];

/** A signature. Immutable: `bytes` gives a fresh copy. Whether it is a *valid* one is for `verifySignature` to say. */
export class Signature {
  readonly algorithm: Algorithm;
  /** 0 to 3: which of the possible points R was (bit 0: y odd; bit 1: x ≥ n). Always there on secp256k1 signatures of a `Signer`. */
  readonly recovery?: number;
  readonly #bytes: Uint8Array;

  private constructor(algorithm: Algorithm, bytes: Uint8Array, recovery: number | undefined) {
    this.algorithm = algorithm;
    this.#bytes = bytes;
    if (recovery !== undefined) this.recovery = recovery;
    Object.freeze(this);
  }

  /**
   * From 64 bytes, `R‖S` for Ed25519, big-endian `r‖s` for ECDSA, which are copied.
   *
   * @param recovery - 0 to 3, ECDSA only
   * @throws TypeError, RangeError - wrong types, length or recovery id
   */
  static fromBytes(algorithm: Algorithm, bytes: Uint8Array, recovery?: number): Signature {
    if (!algorithms.includes(algorithm)) throw new TypeError('algorithm must be ed25519, secp256k1 or p256');
    expectBytes(bytes, 'bytes', 64);
    if (recovery !== undefined) expectRecovery(algorithm, recovery);
    return new Signature(algorithm, copyBytes(bytes), recovery);
  }

  /**
   * From DER, `SEQUENCE { r INTEGER, s INTEGER }` with minimal lengths and integers, as OpenSSL writes it. ECDSA only.
   *
   * @throws TypeError - Ed25519, which has no DER form, or wrong types
   * @throws SignerError `signature-invalid` - not strict DER, or r or s of more than 32 bytes
   */
  static fromDer(algorithm: Algorithm, der: Uint8Array): Signature {
    expectEcdsa(algorithm);
    expectBytes(der, 'der');
    const bytes = decodeDer(der);
    if (bytes === undefined) {
      throw new SignerError(
        'signature-invalid',
        'This is not an ECDSA signature in DER: it must be a SEQUENCE of two INTEGERs of at most 32 bytes. ' +
          'If it is 64 bytes of r‖s, use Signature.fromBytes.',
      );
    }
    return new Signature(algorithm, bytes, undefined);
  }

  /** 64 bytes: `R‖S` or big-endian `r‖s`. */
  get bytes(): Uint8Array {
    return copyBytes(this.#bytes);
  }

  /** DER of an ECDSA signature, 8 to 72 bytes. @throws TypeError - Ed25519, which has no DER form */
  toDer(): Uint8Array {
    expectEcdsa(this.algorithm);
    return encodeDer(this.#bytes);
  }

  /** `recovery‖r‖s`, 65 bytes, as @noble/curves' format `recovered`. @throws TypeError - there is no recovery id */
  toRecovered(): Uint8Array {
    if (this.recovery === undefined)
      throw new TypeError(`this ${this.algorithm} signature has no recovery id`);
    return concatBytes(Uint8Array.of(this.recovery), this.#bytes);
  }
}

function expectEcdsa(algorithm: Algorithm): void {
  if (algorithm === 'ed25519') {
    throw new TypeError('Ed25519 signatures have no DER form; use bytes (64 bytes, R‖S)');
  }
  if (!algorithms.includes(algorithm)) throw new TypeError('algorithm must be secp256k1 or p256');
}

function expectRecovery(algorithm: Algorithm, recovery: number): void {
  if (algorithm === 'ed25519') throw new TypeError('Ed25519 signatures have no recovery id');
  if (!Number.isInteger(recovery) || recovery < 0 || recovery > 3) {
    throw new RangeError('recovery must be 0, 1, 2 or 3');
  }
}
