// One key on one token, opened: signing, and verification of what the token made.

import { Pkcs11Error } from '../../../errors.js';
import { PublicKey } from '../../public-key.js';
import type { Signature } from '../../signature.js';
import type { SignerInfo } from '../../types.js';
import type { Pkcs11Engine, TokenConnection } from '../engine/engine.js';
import type { KeyIdentity, SignRequest } from '../engine/hosted-module.js';
import { type Attestation, attestationOf } from './attestation.js';
import type { RememberedPin } from './remembered-pin.js';
import type { SigningKey } from './signing-key.js';
import { type TokenInput, unverified, verification } from './token-signature.js';

export interface KeyParts {
  engine: Pkcs11Engine;
  connection: TokenConnection;
  pin: RememberedPin;
  key: KeyIdentity;
  alwaysAuthenticate: boolean;
  publicKey: PublicKey;
  info: SignerInfo;
  attestationRootPem: string | undefined;
}

export class OpenedKey implements SigningKey {
  readonly #parts: KeyParts;

  constructor(parts: KeyParts) {
    this.#parts = parts;
  }

  get publicKey(): PublicKey {
    return this.#parts.publicKey;
  }

  get info(): SignerInfo {
    return this.#parts.info;
  }

  async sign(signed: TokenInput, signal: AbortSignal | undefined): Promise<Signature> {
    const { connection, key, alwaysAuthenticate, publicKey } = this.#parts;
    const { input } = signed;
    const request = alwaysAuthenticate ? await this.#withPin(input) : { key, input };
    try {
      const bytes = await connection.sign(request, signal);
      // Not verifiedSignature: one promise less for each signature.
      const signature = await verification(publicKey, signed, bytes);
      if (signature === undefined) throw unverified(bytes);
      return signature;
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  attestation(): Promise<Attestation | undefined> {
    const { connection, key, publicKey, attestationRootPem } = this.#parts;
    return attestationOf(connection, key, publicKey, attestationRootPem);
  }

  async close(): Promise<void> {
    const { connection, engine, pin } = this.#parts;
    await connection.close();
    await engine.release();
    pin.forget();
  }

  async #withPin(input: Uint8Array): Promise<SignRequest> {
    const { key, pin } = this.#parts;
    const contextPin = await pin.read();
    return contextPin === undefined ? { key, input } : { key, input, contextPin };
  }

  async #explained(error: unknown): Promise<unknown> {
    if (!(error instanceof Pkcs11Error)) return error;
    if (error.code === 'pin-incorrect') this.#parts.pin.readAnew();
    if (error.code === 'signature-invalid' && (await this.#isReplaced()))
      return replaced(this.#parts.key, error);
    return error;
  }

  /** Whether the token has another public key under the same name by now. */
  async #isReplaced(): Promise<boolean> {
    const { connection, key, publicKey } = this.#parts;
    try {
      const point = await connection.publicPoint(key);
      return point !== undefined && !PublicKey.fromRaw(key.algorithm, point).equals(publicKey);
    } catch {
      return false; // the signature is not released, whatever the token says of the reason
    }
  }
}

function replaced({ label, idHex }: KeyIdentity, cause: Pkcs11Error): Pkcs11Error {
  return new Pkcs11Error(
    'key-mismatch',
    `Key "${label}" (id ${idHex || 'none'}) on the token is no longer the one that was opened: it was replaced by another of ` +
      'the same name. Nothing was released. Find out who did that; if it was you, open the signer again',
    { cause },
  );
}
