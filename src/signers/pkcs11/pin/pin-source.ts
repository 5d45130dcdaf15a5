// The PIN of a configuration, read again at each login: a file, command or credential anew; a value, and what was typed
// at a prompt, is kept until `forget`.

import { readSecret, type SecretSource, secretVariables } from '../../secrets/secret-source.node.js';

const settings = secretVariables('ERST_PKCS11_PIN');

/** Asks a person for the PIN; `undefined` where there is nobody to ask. */
export type AskForPin = () => Promise<string | undefined>;

export class PinSource {
  #source: SecretSource;
  #ask: AskForPin | undefined;
  #typed: Promise<string | undefined> | undefined;

  /** `ask` is for a `source` in which nothing is configured; it is called once, and again only after it has rejected. */
  constructor(source: SecretSource, options: { ask?: AskForPin | undefined } = {}) {
    this.#source = source;
    this.#ask = options.ask;
  }

  /** The PIN; `undefined` where none is configured and none was typed. */
  async read(): Promise<string | undefined> {
    return (await readSecret(this.#source, settings)) ?? this.#askOnce();
  }

  /** The PIN cannot be read after this. */
  forget(): void {
    this.#source = {};
    this.#ask = undefined;
    this.#typed = undefined;
  }

  #askOnce(): Promise<string | undefined> | undefined {
    this.#typed ??= this.#ask?.().then(
      (pin) => pin || undefined,
      (error) => {
        this.#typed = undefined;
        throw error;
      },
    );
    return this.#typed;
  }
}
