// Pairing links that are open: each is good for one completed handshake, and for minutes (docs/PROTOCOL.md §2).
// In memory only: a restart ends them all.

import { randomBytes } from 'node:crypto';

import { bytesToHex } from '../bytes.js';
import { SignerError } from '../errors.js';
import type { ClientGrant } from '../protocol/authorized-clients.js';
import { PSK_LENGTH } from '../protocol/noise.js';
import { PAIRING_SECRET_LENGTH, pairingId, pairingPsk } from '../protocol/pairing.js';

export interface OpenLink {
  readonly psk: Uint8Array;
  readonly grant: ClientGrant;
  /** What the client will be called; else what it proposes. */
  readonly name: string | undefined;
  readonly expiresAt: number;
}

const MAX_VALIDITY_MS = 24 * 3_600_000;

export class PairingLinks {
  readonly #open = new Map<string, OpenLink>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    this.#dropExpired();
    return this.#open.size;
  }

  /** Opens a link and gives its 16-byte secret. `RangeError` for a bad validity, `bridge-busy` where too many are open. */
  create(grant: ClientGrant, name: string | undefined, expiresInMs: number): Uint8Array {
    if (!Number.isSafeInteger(expiresInMs) || expiresInMs < 1 || expiresInMs > MAX_VALIDITY_MS) {
      throw new RangeError(`expiresInMs must be an integer from 1 to ${MAX_VALIDITY_MS} (24 hours)`);
    }
    if (this.size >= this.#max) {
      throw new SignerError(
        'bridge-busy',
        `${this.#max} pairing links are open; use one, or wait until they expire`,
      );
    }
    const secret = Uint8Array.from(randomBytes(PAIRING_SECRET_LENGTH));
    const psk = pairingPsk(secret);
    this.#open.set(keyOf(pairingId(secret)), { psk, grant, name, expiresAt: Date.now() + expiresInMs });
    return secret;
  }

  /** The key to go on with for this 8-byte id. An id of no open link gets a random one, and fails where a wrong secret does. */
  pskFor(id: Uint8Array): Uint8Array {
    this.#dropExpired();
    return this.#open.get(keyOf(id))?.psk ?? Uint8Array.from(randomBytes(PSK_LENGTH));
  }

  /** Uses the link up; `undefined` where another handshake was first, or its time ran out meanwhile. */
  take(id: Uint8Array): OpenLink | undefined {
    this.#dropExpired();
    const link = this.#open.get(keyOf(id));
    this.#open.delete(keyOf(id));
    return link;
  }

  /** Opens a link again whose client could not be written down. */
  putBack(id: Uint8Array, link: OpenLink): void {
    this.#open.set(keyOf(id), link);
  }

  /** Ends all links and wipes their keys. */
  clear(): void {
    for (const { psk } of this.#open.values()) psk.fill(0);
    this.#open.clear();
  }

  #dropExpired(): void {
    const now = Date.now();
    for (const [key, { psk, expiresAt }] of this.#open) {
      if (now < expiresAt) continue;
      psk.fill(0);
      this.#open.delete(key);
    }
  }
}

const keyOf = (id: Uint8Array) => bytesToHex(id);
