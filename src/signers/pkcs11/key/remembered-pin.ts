// The PIN while a key is opened: read once, however many attempts that takes. It is kept after that only for a key that
// wants it at every signature; else each login asks its source again.

import type { PinReader } from '../engine/engine.js';
import type { PinSource } from '../pin/pin-source.js';

export class RememberedPin implements PinReader {
  readonly #source: PinSource;
  #pin: Promise<string | undefined> | undefined;
  #remembers = true;

  constructor(source: PinSource) {
    this.#source = source;
  }

  read(): Promise<string | undefined> {
    if (!this.#remembers) return this.#source.read();
    this.#pin ??= this.#source.read();
    return this.#pin;
  }

  /** From now on, each login asks the source. */
  stopRemembering(): void {
    this.#remembers = false;
    this.#pin = undefined;
  }

  /** The token has refused it: the source may have a better one by now. */
  readAnew(): void {
    this.#pin = undefined;
  }

  /** It cannot be read any more. */
  forget(): void {
    this.stopRemembering();
    this.#source.forget();
  }
}
