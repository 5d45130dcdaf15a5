// The PIN of a configuration. From a file or command it can be read again, should the token log this process out; a PIN
// given by value is handed out once and not kept.

import { readSecret, type SecretSource, secretVariables } from '../secrets/secret-source.node.js';

const settings = secretVariables('ERST_PKCS11_PIN');

export class PinSource {
  readonly #again: SecretSource | undefined;
  #first: SecretSource | undefined;

  constructor(source: SecretSource) {
    this.#first = source;
    this.#again =
      source.value === undefined && (source.file ?? source.command) !== undefined ? source : undefined;
  }

  /** The PIN; `undefined` where none is configured, or it was given by value and has been handed out. */
  async read(): Promise<string | undefined> {
    const source = this.#first ?? this.#again;
    this.#first = undefined;
    return source && readSecret(source, settings);
  }
}
