// What was secret in WASM memory is gone after every call: on success, on failure and on a trap.

import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ed25519 } from '../../src/curves/ed25519.js';
import { withCurves } from '../../src/curves/wasm.js';
import { fromLittleEndian, littleEndian } from './edge-inputs.js';

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const WINDOW = 6; // bytes: short enough to find pieces, long enough not to meet them by chance

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** Everything that signing derives from the secret key, by name. */
function secretsOf(secretKey: Uint8Array, message: Uint8Array): Record<string, Uint8Array> {
  const expanded = sha512(secretKey);
  const scalar = expanded.slice(0, 32);
  scalar[0]! &= 248;
  scalar[31] = (scalar[31]! & 63) | 64;
  const prefix = expanded.slice(32);
  const nonceDigest = sha512(concatBytes(prefix, message));
  const nonce = littleEndian(fromLittleEndian(nonceDigest) % L);
  return { secretKey, scalar, prefix, nonceDigest, nonce };
}

/** The names of the secrets of which any piece is somewhere in the memory. */
function found(memory: WebAssembly.Memory, secrets: Record<string, Uint8Array>): string[] {
  const image = Buffer.from(memory.buffer);
  return Object.entries(secrets)
    .filter(([, secret]) => {
      for (let at = 0; at + WINDOW <= secret.length; at++) {
        if (image.includes(Buffer.from(secret.subarray(at, at + WINDOW)))) return true;
      }
      return false;
    })
    .map(([name]) => name);
}

/** The ranges that are wiped: whatever is in them, in whatever representation. */
function leftovers(memory: WebAssembly.Memory): number {
  return withCurves(({ run }) => {
    const secrets = new Uint8Array(memory.buffer, run.SECRETS.value, run.SECRETS_BYTES.value);
    const message = new Uint8Array(memory.buffer, run.MESSAGE.value, run.MESSAGE_BYTES.value);
    return [...secrets, ...message].filter((byte) => byte !== 0).length;
  });
}

const currentMemory = () => withCurves((curves) => curves.run.memory);

const operations: Record<string, (secretKey: Uint8Array, message: Uint8Array) => void> = {
  getPublicKey: (secretKey) => ed25519.getPublicKey(secretKey),
  keygen: (secretKey) => ed25519.keygen(secretKey),
  sign: (secretKey, message) => ed25519.sign(message, secretKey),
  prepare: (secretKey) => ed25519.prepare(secretKey),
  'PreparedKey.sign': (secretKey, message) => ed25519.prepare(secretKey).sign(message),
  'PreparedKey.signBatch': (secretKey, message) => ed25519.prepare(secretKey).signBatch([message, message]),
};

afterEach(() => vi.restoreAllMocks());

it('the search finds secrets while a call is under way', () => {
  const [secretKey, message] = [random(32), random(40)];
  const secrets = secretsOf(secretKey, message);
  withCurves((curves) => {
    curves.put('secretKey', secretKey);
    curves.run.ed25519Prepare();
    expect(found(curves.run.memory, secrets)).toEqual(['secretKey', 'scalar', 'prefix']);
    curves.hold(message);
    curves.run.ed25519SignStart();
    curves.feed(curves.run.ed25519Absorb);
    curves.run.ed25519SignCommit();
    expect(found(curves.run.memory, secrets)).toEqual(Object.keys(secrets));
  });
});

describe.each(Object.entries(operations))('%s', (_name, operation) => {
  it.each([0, 1, 100, 65_536, 200_000])('leaves no secret of a call with a message of %i bytes', (length) => {
    const [secretKey, message] = [random(32), random(Math.min(length, 65_536))];
    const whole = new Uint8Array(length);
    whole.set(message);
    operation(secretKey, whole);
    const memory = currentMemory();
    expect(found(memory, { ...secretsOf(secretKey, whole), message: message.slice(0, 64) })).toEqual([]);
    expect(leftovers(memory)).toBe(0);
  });

  it('leaves the same memory whatever the key', () => {
    const images = [random(32), random(32), new Uint8Array(32)].map((secretKey) => {
      operation(secretKey, random(33));
      return Buffer.from(currentMemory().buffer.slice(0));
    });
    expect(images[1]!.equals(images[0]!)).toBe(true);
    expect(images[2]!.equals(images[0]!)).toBe(true);
  });
});

describe('a failure', () => {
  const failures: Record<string, () => never> = {
    'an error': () => {
      throw new Error('on purpose');
    },
    'a trap': () => {
      withCurves((curves) => curves.run.ed25519Absorb(-1));
      throw new Error('did not trap');
    },
  };

  it.each(Object.entries(failures))('%s in the middle of signing leaves no secret', (_name, fail) => {
    const [secretKey, message] = [random(32), concatBytes(random(60_000), random(10_000))];
    const memory = currentMemory();
    expect(() =>
      withCurves((curves) => {
        curves.put('secretKey', secretKey);
        curves.run.ed25519Prepare();
        curves.hold(message);
        curves.run.ed25519SignStart();
        curves.feed(curves.run.ed25519Absorb);
        curves.run.ed25519SignCommit();
        fail();
      }),
    ).toThrow();
    expect(found(memory, secretsOf(secretKey, message))).toEqual([]);
    expect(leftovers(memory)).toBe(0);
  });
});

it('a failure after signing together leaves no secret', () => {
  const [secretKey, message] = [random(32), random(100)];
  const memory = currentMemory();
  const secrets = secretsOf(secretKey, message);
  expect(() =>
    withCurves((curves) => {
      curves.put('secretKey', secretKey);
      curves.run.ed25519Prepare();
      curves.run.ed25519SignTogetherStart();
      curves.place(message, curves.run.ed25519SignTogetherAdd(message.length));
      curves.run.ed25519SignTogetherFinish();
      const present = found(memory, { ...secrets, message });
      expect(present).toEqual(['secretKey', 'scalar', 'prefix', 'nonce', 'message']);
      throw new Error('on purpose');
    }),
  ).toThrow('on purpose');
  expect(found(memory, { ...secrets, message })).toEqual([]);
  expect(leftovers(memory)).toBe(0);
});

describe('outside WASM memory', () => {
  /** Every array of 96 bytes that is filled with zeros while `work` runs: the expansion of a key has this length. */
  function filledDuring(work: () => void): Uint8Array[] {
    const filled: Uint8Array[] = [];
    const original = Uint8Array.prototype.fill;
    vi.spyOn(Uint8Array.prototype, 'fill').mockImplementation(function (this: Uint8Array, ...args) {
      if (this.length === 96) filled.push(this);
      return original.apply(this, args);
    });
    work();
    return filled;
  }

  it('getPublicKey fills the expansion with zeros', () => {
    const filled = filledDuring(() => ed25519.getPublicKey(random(32)));
    expect(filled).toEqual([new Uint8Array(96)]);
  });

  it('destroy fills the expansion with zeros', () => {
    const prepared = ed25519.prepare(random(32));
    const filled = filledDuring(() => prepared.destroy());
    expect(filled).toEqual([new Uint8Array(96)]);
  });
});
