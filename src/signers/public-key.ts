// A public key as a small immutable value: raw, SPKI, PEM and JWK.
// Invariant: the point is on its curve; `spki` is byte for byte what OpenSSL writes by default.
// Sources: RFC 8410 (Ed25519), RFC 5480 (EC), RFC 8037 and RFC 8812 (JWK), SEC 1 §2.3.3 (points).

import { concatBytes, copyBytes, equalBytes, expectBytes, fromHex, toBase64Url } from '../bytes.js';
import { KeyError } from '../errors.js';
import { DerReader } from './encoding/der.js';
import { readKeyAlgorithm } from './encoding/key-algorithms.js';
import { encodePem, parsePem } from './encoding/pem.js';
import { compressedPoint, uncompressedPoint } from './encoding/points.js';
import type { Algorithm } from './types.js';

/** JSON Web Key of a public key: RFC 8037 for Ed25519, RFC 8812 for secp256k1, RFC 7518 §6.2 for P-256. */
export type PublicJwk =
  | { kty: 'OKP'; crv: 'Ed25519'; x: string }
  | { kty: 'EC'; crv: 'secp256k1' | 'P-256'; x: string; y: string };

// Everything before the key's own bytes, per algorithm, with the uncompressed point for EC.
const spkiPrefixes: Readonly<Record<Algorithm, Uint8Array>> = {
  ed25519: fromHex('302a300506032b6570032100'),
  secp256k1: fromHex('3056301006072a8648ce3d020106052b8104000a034200'),
  p256: fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200'),
};

/**
 * A public key. Immutable: every getter gives a fresh copy.
 *
 * The `from…` functions check that the point is on its curve; anything else is a `KeyError` that says what was found.
 */
export class PublicKey {
  readonly algorithm: Algorithm;
  readonly #raw: Uint8Array;
  readonly #point: Uint8Array;

  private constructor(algorithm: Algorithm, raw: Uint8Array, point: Uint8Array) {
    this.algorithm = algorithm;
    this.#raw = raw;
    this.#point = point;
    Object.freeze(this);
  }

  /**
   * From the bare key: 32 bytes for Ed25519, a SEC 1 point of 33 bytes (compressed) or 65 (uncompressed) for ECDSA.
   *
   * @throws TypeError, RangeError - wrong type or length
   * @throws KeyError `invalid-key` - not a point on the curve
   */
  static fromRaw(algorithm: Algorithm, raw: Uint8Array): PublicKey {
    expectAlgorithm(algorithm);
    expectBytes(raw, 'raw');
    const lengths = algorithm === 'ed25519' ? [32] : [33, 65];
    if (!lengths.includes(raw.length)) {
      throw new RangeError(`raw must be ${lengths.join(' or ')} bytes for ${algorithm}, got ${raw.length}`);
    }
    const point = uncompressedPoint(algorithm, raw);
    if (!point) {
      throw new KeyError(
        'invalid-key',
        `This is no ${algorithm} public key: not a ${algorithm === 'ed25519' ? 'canonical' : 'compressed or uncompressed'} point on the curve.`,
      );
    }
    return new PublicKey(algorithm, compressedPoint(algorithm, point), point);
  }

  /**
   * From SubjectPublicKeyInfo DER; EC points may be compressed or not.
   *
   * @throws TypeError - not a `Uint8Array`
   * @throws KeyError `invalid-key` - not such an encoding; `unsupported-algorithm` - a key of another type
   */
  static fromSpki(der: Uint8Array): PublicKey {
    expectBytes(der, 'der');
    let algorithm: Algorithm;
    let raw: Uint8Array;
    try {
      const outer = new DerReader(der);
      const spki = outer.enter();
      outer.end();
      algorithm = readKeyAlgorithm(spki.enter());
      raw = spki.bitString();
      spki.end();
    } catch (cause) {
      if (cause instanceof KeyError) throw cause;
      throw new KeyError(
        'invalid-key',
        'This is not a public key in SPKI DER. Extract one with: openssl pkey -in key.pem -pubout -outform DER',
        { cause },
      );
    }
    return PublicKey.#fromSpkiPoint(algorithm, raw);
  }

  /**
   * From one PEM block `PUBLIC KEY`.
   *
   * @throws TypeError - not a string
   * @throws KeyError `invalid-key`, `unsupported-algorithm` - as for `fromSpki`, or a private key or certificate
   */
  static fromPem(pem: string): PublicKey {
    if (typeof pem !== 'string') throw new TypeError('pem must be a string');
    const blocks = parsePem(pem);
    try {
      const [block, ...rest] = blocks;
      if (!block) {
        throw new KeyError(
          'invalid-key',
          'There is no PEM block. A public key starts with -----BEGIN PUBLIC KEY-----',
        );
      }
      if (rest.length > 0) {
        throw new KeyError(
          'invalid-key',
          `There are ${blocks.length} PEM blocks; give one public key alone.`,
        );
      }
      if (block.label !== 'PUBLIC KEY') throw notPublic(block.label);
      return PublicKey.fromSpki(block.der);
    } finally {
      for (const { der } of blocks) der.fill(0);
    }
  }

  static #fromSpkiPoint(algorithm: Algorithm, raw: Uint8Array): PublicKey {
    try {
      return PublicKey.fromRaw(algorithm, raw);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new KeyError(
        'invalid-key',
        `The SPKI names ${algorithm} but holds a key of ${raw.length} bytes.`,
      );
    }
  }

  /** 32 bytes for Ed25519; 33, the compressed SEC 1 point, for ECDSA. */
  get raw(): Uint8Array {
    return copyBytes(this.#raw);
  }

  /** SubjectPublicKeyInfo DER: 44 bytes for Ed25519, 88 for secp256k1, 91 for P-256, EC points uncompressed. */
  get spki(): Uint8Array {
    return concatBytes(spkiPrefixes[this.algorithm], this.#point);
  }

  /** SPKI as PEM, as `openssl pkey -pubout` writes it. */
  toPem(): string {
    return encodePem('PUBLIC KEY', this.spki);
  }

  /** JSON Web Key with the required members only. */
  toJwk(): PublicJwk {
    if (this.algorithm === 'ed25519') return { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(this.#raw) };
    return {
      kty: 'EC',
      crv: this.algorithm === 'p256' ? 'P-256' : 'secp256k1',
      x: toBase64Url(this.#point.subarray(1, 33)),
      y: toBase64Url(this.#point.subarray(33)),
    };
  }

  /** Whether `other` is the same key of the same algorithm. */
  equals(other: PublicKey): boolean {
    return this.algorithm === other.algorithm && equalBytes(this.#raw, other.raw);
  }
}

function expectAlgorithm(algorithm: Algorithm): void {
  if (!Object.hasOwn(spkiPrefixes, algorithm)) {
    throw new TypeError('algorithm must be ed25519, secp256k1 or p256');
  }
}

function notPublic(label: string): KeyError {
  if (label.endsWith('PRIVATE KEY')) {
    return new KeyError(
      'invalid-key',
      `This is a private key (${label}), not a public one. Extract the public key with: openssl pkey -in key.pem -pubout`,
    );
  }
  if (label === 'CERTIFICATE') {
    return new KeyError(
      'invalid-key',
      'This is a certificate, not a public key. Extract the key with: openssl x509 -in cert.pem -noout -pubkey',
    );
  }
  return new KeyError(
    'invalid-key',
    `This PEM block is ${label}; a public key starts with -----BEGIN PUBLIC KEY-----`,
  );
}
