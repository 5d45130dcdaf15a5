// `rate=` of clients' lines: a bucket of tokens a client, shared by its connections and kept across them, so that
// reconnecting refills nothing. A request costs one token, a batch one for each message.

import type { AuthorizedClient, ClientRate } from '../protocol/authorized-clients.js';

interface Bucket {
  readonly rate: ClientRate;
  /** What has been taken and not come back: token-milliseconds, `perMs` to a token, so that all of it are integers. */
  used: number;
  /** When `used` was right, in whole milliseconds. */
  at: number;
}

export class RateLimits {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes `cost` tokens, all or none. 0 where they were there, else milliseconds until they are (`Infinity`: never). */
  take(client: AuthorizedClient, fingerprint: string, cost: number): number {
    const { rate } = client;
    if (!rate) return 0;
    if (cost > rate.count) return Number.POSITIVE_INFINITY;
    const bucket = this.#refill(fingerprint, rate);
    const missing = bucket.used + cost * rate.perMs - rate.count * rate.perMs;
    if (missing > 0) return Math.ceil(missing / rate.count);
    bucket.used += cost * rate.perMs;
    return 0;
  }

  #refill(fingerprint: string, rate: ClientRate): Bucket {
    const now = Math.floor(this.#now());
    const known = this.#buckets.get(fingerprint);
    const isCurrent = known?.rate.count === rate.count && known.rate.perMs === rate.perMs;
    const bucket = isCurrent ? known : { rate, used: 0, at: now };
    bucket.used = Math.max(0, bucket.used - (now - bucket.at) * rate.count);
    bucket.at = now;
    this.#buckets.set(fingerprint, bucket);
    return bucket;
  }
}
