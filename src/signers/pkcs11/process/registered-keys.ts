// The keys that have a number at the child, so that a signature's frame names its key in four bytes.

import type { KeyIdentity, SignRequest, SlotHandle } from '../engine/hosted-module.js';
import { checkedArguments, type RegisteredKey } from './calls.js';

/** More keys than that are signed with by ordinary calls. */
const MAX_KEYS = 4096;

export class RegisteredKeys {
  readonly #numbers = new Map<string, number>();
  /** Most signatures are by the key of the one before. */
  #last: { slot?: SlotHandle; key?: KeyIdentity; number?: number } = {};
  readonly #register: (number: number, key: RegisteredKey) => void;

  /** `register` tells the child of a key, before any signature by it. */
  constructor(register: (number: number, key: RegisteredKey) => void) {
    this.#register = register;
  }

  /** The number of the request's key, registered if need be; `undefined` where there are too many. */
  numberOf(slot: SlotHandle, request: SignRequest): number | undefined {
    const { key, input } = request;
    const known = this.#known(slot, key);
    if (known === undefined) return this.#add(slot, request);
    if (!(input instanceof Uint8Array)) throw new TypeError('sign: input must be bytes');
    if (key.algorithm !== 'ed25519' && input.length !== 32) {
      throw new TypeError('sign: input must be a digest of 32 bytes for ECDSA');
    }
    return known;
  }

  #known(slot: SlotHandle, key: KeyIdentity): number | undefined {
    const { number } = this.#last;
    if (this.#last.slot === slot && this.#last.key === key) return number;
    const known = this.#numbers.get(nameOf(slot, key));
    if (known !== undefined) this.#last = { slot, key, number: known };
    return known;
  }

  #add(slot: SlotHandle, request: SignRequest): number | undefined {
    const [checkedSlot, { key }] = checkedArguments('sign', [slot, request]);
    if (this.#numbers.size === MAX_KEYS) return undefined;
    const number = this.#numbers.size;
    this.#register(number, [checkedSlot, key]);
    this.#numbers.set(nameOf(slot, key), number);
    return number;
  }
}

const nameOf = (slot: SlotHandle, { algorithm, idHex, label }: KeyIdentity): string =>
  `${slot}\0${algorithm}\0${idHex}\0${label}`;
