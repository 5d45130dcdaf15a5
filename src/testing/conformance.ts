// The suite that every Signer must pass: the whole contract of signers/types.ts, on a signer of anyone's.
// It depends on no test runner and runs in Node and in browsers. Recovery is checked against @noble/curves, a library
// that had no part in making the signature.

import type { Algorithm, Signer } from '../signers/types.js';
import { argumentCases } from './argument-cases.js';
import { lifeCases } from './life-cases.js';
import { signingCases } from './signing-cases.js';

export interface ConformanceTarget {
  /** Opens a signer; every call gives a new one, all for the same key. The suite closes what it opens. */
  create(): Promise<Signer>;
  /** Algorithm of that key. */
  algorithm: Algorithm;
  /** The longest data that the signer takes, in bytes; longer data must be a `RangeError` that names this figure. */
  maxDataBytes?: number;
  /** Messages in the largest batch that is tried; default 300. */
  batchSize?: number;
  /** Whether the same data always gives the same signature; default: for Ed25519 only. */
  deterministic?: boolean;
  /** Texts that must never show in `signerInfo()` or an error: a PIN, a passphrase, a private key. */
  secrets?: readonly string[];
}

export interface ConformanceCase {
  /** The rule, as a sentence. */
  name: string;
  /** Rejects with a `ConformanceError` that says which rule was broken and how. */
  run(): Promise<void>;
}

/** A case before it is bound to a target. */
export interface Rule {
  name: string;
  /** Whether the rule exists for this target; default: always. */
  applies?(target: ConformanceTarget): boolean;
  check(signer: Signer, target: ConformanceTarget): Promise<void>;
}

/**
 * Everything that a `Signer` promises, as cases for any test runner:
 *
 * ```ts
 * import { test } from 'vitest'; // or node:test, or mocha's `it`
 * import { signerConformance } from 'erst-hsm/testing';
 *
 * const target = { algorithm: 'ed25519', create: () => MySigner.open() } as const;
 * for (const { name, run } of signerConformance(target)) test(name, run);
 * ```
 *
 * A few dozen cases and about a thousand signatures. Each case opens a signer of its own and closes it.
 */
export function signerConformance(target: ConformanceTarget): ConformanceCase[] {
  return [...signingCases, ...argumentCases, ...lifeCases]
    .filter(({ applies }) => applies?.(target) ?? true)
    .map(({ name, check }) => ({ name, run: () => withSigner(target, (signer) => check(signer, target)) }));
}

async function withSigner(
  target: ConformanceTarget,
  check: (signer: Signer) => Promise<void>,
): Promise<void> {
  const signer = await target.create();
  try {
    await check(signer);
  } finally {
    await signer.close();
  }
}
