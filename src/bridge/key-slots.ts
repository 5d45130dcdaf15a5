// The turns at one key: at most so many messages are with its signer at once. Clients take turns, and of one client the
// first request comes first, so that whoever asks for much waits behind himself and not before the others.
// Invariant: nobody overtakes the request whose turn it is, or a batch that needs all slots would wait for ever.

interface Waiting {
  slots: number;
  grant(): void;
}

export class KeySlots {
  readonly #count: number;
  /** By client; the one whose turn is next comes first. */
  readonly #waiting = new Map<string, Set<Waiting>>();
  #free: number;

  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /**
   * Takes a slot for each message, and all of them for a batch of more; the result gives them back. Rejects with the
   * signal's reason where it is aborted before that.
   */
  async take(client: string, messages: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const slots = Math.min(messages, this.#count);
    if (this.#waiting.size > 0 || slots > this.#free) await this.#turn(client, slots, signal);
    else this.#free -= slots;
    return () => {
      this.#free += slots;
      this.#grant();
    };
  }

  #turn(client: string, slots: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const grant = () => {
        signal.removeEventListener('abort', giveUp);
        this.#free -= slots;
        resolve();
      };
      const waiting: Waiting = { slots, grant };
      const giveUp = () => {
        this.#remove(client, waiting);
        reject(signal.reason);
        this.#grant();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      const ofClient = this.#waiting.get(client) ?? new Set();
      this.#waiting.set(client, ofClient.add(waiting));
    });
  }

  #grant(): void {
    for (const [client, ofClient] of this.#waiting) {
      const [next] = ofClient;
      if (next!.slots > this.#free) return;
      this.#waiting.delete(client); // and to the end of the row, where it has more
      ofClient.delete(next!);
      if (ofClient.size > 0) this.#waiting.set(client, ofClient);
      next!.grant();
    }
  }

  #remove(client: string, waiting: Waiting): void {
    const ofClient = this.#waiting.get(client);
    ofClient?.delete(waiting);
    if (ofClient?.size === 0) this.#waiting.delete(client);
  }
}
