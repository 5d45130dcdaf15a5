// The same key on several tokens, as one: signatures go round those that are healthy; one that fails is out, and back
// once a test signature by it has been verified. A signature fails only where every token has failed it.
// Invariant: no token takes part before its public key was compared with the first one's.

import { Pkcs11Error, SignerError, type SignerErrorCode } from '../../../errors.js';
import type { PublicKey } from '../../public-key.js';
import type { Signature } from '../../signature.js';
import type { SignerInfo } from '../../types.js';
import { settledWithin } from '../engine/settled-within.js';
import type { Attestation } from './attestation.js';
import type { SigningKey } from './signing-key.js';
import type { TokenInput } from './token-signature.js';

/** Pauses before the attempts to take a failed token back. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** How long `close` waits for tokens that are being probed and share their module with other signers. */
const CLOSE_MS = 2_000;

/** Opens one replica, tries it with a signature, and requires this public key. */
export type OpenReplica = (expected: PublicKey | undefined, signal?: AbortSignal) => Promise<SigningKey>;

interface Replica {
  open: OpenReplica;
  /** Absent while the token is left out. */
  key?: SigningKey | undefined;
  failures: number;
  nextProbeAt: number;
  probing?: Promise<void> | undefined;
}

export class ReplicatedKey implements SigningKey {
  readonly publicKey: PublicKey;
  readonly #replicas: Replica[];
  readonly #first: SignerInfo;
  readonly #closing = new AbortController();
  /** Keys that were taken out and are being closed. */
  readonly #leaving = new Set<Promise<void>>();
  #turn = 0;

  private constructor(publicKey: PublicKey, info: SignerInfo, replicas: Replica[]) {
    this.publicKey = publicKey;
    this.#first = info;
    this.#replicas = replicas;
  }

  /**
   * Opens the tokens that can be opened. Rejects with the first failure where none can, and at once with a failure that
   * does not pass by itself (`isOutage`).
   */
  static async open(opens: readonly OpenReplica[], expected: PublicKey | undefined): Promise<ReplicatedKey> {
    const replicas: Replica[] = opens.map((open) => ({ open, failures: 0, nextProbeAt: 0 }));
    let publicKey = expected;
    let firstFailure: unknown;
    try {
      for (const replica of replicas) {
        try {
          replica.key = await replica.open(publicKey);
          publicKey ??= replica.key.publicKey;
        } catch (error) {
          if (!isOutage(error)) throw error;
          firstFailure ??= error;
          putOut(replica);
        }
      }
      const healthy = replicas.find(({ key }) => key)?.key;
      if (healthy === undefined) throw firstFailure;
      return new ReplicatedKey(healthy.publicKey, healthy.info, replicas);
    } catch (error) {
      await Promise.allSettled(replicas.map(({ key }) => key?.close()));
      throw error;
    }
  }

  /** Of the first token that could be opened, with how many are in use at the moment. */
  get info(): SignerInfo {
    const healthy = this.#replicas.filter(({ key }) => key).length;
    const replicas = `${healthy} of ${this.#replicas.length}`;
    return { ...this.#first, metadata: { ...this.#first.metadata, replicas } };
  }

  async sign(input: TokenInput, signal: AbortSignal | undefined): Promise<Signature> {
    this.#probeThoseDue();
    let failure: unknown;
    for (const replica of this.#inTurn()) {
      const { key } = replica;
      if (key === undefined) continue;
      try {
        return await key.sign(input, signal);
      } catch (error) {
        if (signal?.aborted || !failsOver(error)) throw error;
        failure = error;
        if (replica.key === key) this.#takeOut(replica);
      }
    }
    return this.#signWithWhatComesBack(input, signal, failure);
  }

  /** That of the first token in use that makes one. */
  async attestation(): Promise<Attestation | undefined> {
    for (const { key } of this.#replicas) {
      const attestation = await key?.attestation();
      if (attestation !== undefined) return attestation;
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const probing = this.#replicas.map((replica) => replica.probing);
    await Promise.allSettled([
      ...this.#replicas.map(({ key }) => key?.close()),
      settledWithin(Promise.allSettled([...probing, ...this.#leaving]), CLOSE_MS),
    ]);
  }

  /** Every token has failed: all are probed now, whatever their pause. */
  async #signWithWhatComesBack(
    input: TokenInput,
    signal: AbortSignal | undefined,
    failure: unknown,
  ): Promise<Signature> {
    await Promise.all(this.#replicas.map((replica) => this.#probe(replica)));
    signal?.throwIfAborted();
    const back = this.#replicas.find(({ key }) => key)?.key;
    if (back !== undefined) return back.sign(input, signal);
    throw (
      failure ??
      new Pkcs11Error('token-error', `None of the ${this.#replicas.length} tokens with this key works now`)
    );
  }

  #inTurn(): Replica[] {
    const start = this.#turn++ % this.#replicas.length;
    return [...this.#replicas.slice(start), ...this.#replicas.slice(0, start)];
  }

  /** Signing does not wait for it: what does not work may take long to close. */
  #takeOut(replica: Replica): void {
    const left = replica.key!.close().catch(() => {});
    this.#leaving.add(left);
    void left.then(() => this.#leaving.delete(left));
    replica.key = undefined;
    putOut(replica);
  }

  #probeThoseDue(): void {
    const now = performance.now();
    for (const replica of this.#replicas) {
      if (replica.key === undefined && replica.nextProbeAt <= now) void this.#probe(replica);
    }
  }

  #probe(replica: Replica): Promise<void> {
    const { signal } = this.#closing;
    if (replica.key !== undefined || signal.aborted) return Promise.resolve();
    replica.probing ??= replica
      .open(this.publicKey, signal)
      .then(
        (key) => {
          if (signal.aborted) return key.close();
          replica.key = key;
          replica.failures = 0;
        },
        () => putOut(replica),
      )
      .finally(() => {
        replica.probing = undefined;
      });
    return replica.probing;
  }
}

function putOut(replica: Replica): void {
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** replica.failures);
  replica.failures++;
  replica.nextProbeAt = performance.now() + pauseMs;
}

const OUTAGES: readonly SignerErrorCode[] = [
  'token-error',
  'token-not-found',
  'module-crashed',
  'timeout',
  'signer-busy',
  'pin-locked',
];

/** Failures that may pass. Others, such as a wrong setting or another key under the name, are for people to see. */
const isOutage = (error: unknown): boolean => hasCode(error, OUTAGES);

/** Once a key has signed, another token may do what this one does not do any more, whatever the reason. */
const failsOver = (error: unknown): boolean =>
  hasCode(error, [
    ...OUTAGES,
    'key-not-found',
    'key-mismatch',
    'signature-invalid',
    'pin-incorrect',
    'signer-closed',
  ]);

const hasCode = (error: unknown, codes: readonly SignerErrorCode[]): boolean =>
  error instanceof SignerError && codes.includes(error.code);
