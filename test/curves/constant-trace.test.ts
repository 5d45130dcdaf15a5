// Operations on secrets take the same steps whatever the secret: in the compiled module that ships, over many secrets.
// scripts/constant-trace says what a step is.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  compileWithNames,
  describeDifference,
  isSameCode,
  loadCurves,
  openTrace,
  operations,
  variableTime,
} from '../../scripts/constant-trace/index.mjs';

const SECRETS = 1500;
const build = process.env.ERST_CURVES_BUILD === 'debug' ? 'debug' : 'release';
const options = { condition: build === 'debug' ? 'erst-debug' : undefined };
const trace = await openTrace(options);

const offered = operations.filter(({ debugOnly }) => !debugOnly || build === 'debug');
const named = (name: string) => offered.find((operation) => operation.name === name)!;

// Takes a while: compiled when first asked for.
let compiled: ReturnType<typeof compileWithNames> | undefined;
const compile = () => (compiled ??= compileWithNames(undefined, build));

/** What differs, with names, or nothing. */
async function firstDifference(...[operation, secrets, length]: Parameters<typeof trace.compare>) {
  const { events, difference } = await trace.compare(operation, secrets, length);
  expect(events).toBeGreaterThan(40);
  if (difference === undefined) return undefined;
  const { names } = await compile();
  return describeDifference(difference, names);
}

it('the module that is traced is the one that ships', async () => {
  let loaded: Uint8Array | undefined;
  const curves = await loadCurves({ ...options, changeModule: (bytes) => (loaded = bytes) });
  curves.ed25519.utils.isValidPublicKey(new Uint8Array(32));
  expect(Buffer.compare(loaded!, readFileSync(`build/wasm/curves.${build}.wasm`))).toBe(0);
});

// The debug build comes with names.
if (build === 'release') {
  it('names are those of the same code', async () => {
    const { wasm } = await compile();
    expect(isSameCode(wasm, readFileSync('build/wasm/curves.release.wasm'))).toBe(true);
  }, 300_000);
}

it.each(offered.map((operation) => [operation.name, operation] as const))(
  '%s: the same for a thousand secrets and more',
  async (_name, operation) => {
    const secrets = operation.secrets(SECRETS);
    expect(secrets.length).toBeGreaterThanOrEqual(1000);
    expect(await firstDifference(operation, secrets)).toBeUndefined();
  },
  300_000,
);

it('among the secrets are keys whose points have an odd y, and an even one', async () => {
  const { secp256k1 } = await loadCurves(options);
  const parities = named('Schnorr sign')
    .secrets(SECRETS)
    .map((key) => secp256k1.getPublicKey(key)[0]!);
  for (const parity of [2, 3]) expect(parities.filter((p) => p === parity).length).toBeGreaterThan(500);
});

describe.each(['Ed25519 sign', 'Ed25519 sign, prepared', 'ECDSA sign', 'Schnorr sign'])('%s', (name) => {
  it.each([0, 1, 55, 56, 63, 64, 111, 112, 300, 70_000])(
    'a message of %i bytes, whatever is in it',
    async (length) => {
      const operation = named(name);
      expect(await firstDifference(operation, operation.secrets(50), length)).toBeUndefined();
    },
  );
});

it.each(variableTime.map((operation) => [operation.name, operation] as const))(
  '%s: a trace does tell apart what is variable-time',
  async (_name, operation) => {
    const { difference } = await trace.compare(operation, operation.secrets(3));
    expect(difference).toBeDefined();
  },
);
