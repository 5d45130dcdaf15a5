// What was secret in WASM memory is gone after every call of secp256k1 and schnorr: on success, on failure, on a trap.

import { secp256k1 as noble, schnorr as nobleSchnorr } from '@noble/curves/secp256k1.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { schnorr } from '../../src/curves/schnorr.js';
import { secp256k1 } from '../../src/curves/secp256k1.js';
import { withCurves } from '../../src/curves/wasm.js';
import { littleEndian } from './edge-inputs.js';
import { bigEndian, fromBigEndian, mod, n } from './secp256k1-inputs.js';

const WINDOW = 6; // bytes: short enough to find pieces, long enough not to meet them by chance
const AUX = new Uint8Array(32).fill(0x5a);

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const utf8 = (text: string) => new TextEncoder().encode(text);

/** A scalar in every form that signing gives it. */
function forms(name: string, scalar: bigint): Record<string, Uint8Array> {
  const recoded = mod((scalar + 2n ** 258n - 1n) * ((n + 1n) / 2n), n);
  const limbs = new Uint32Array(9);
  for (let i = 0; i < 9; i++) limbs[i] = Number((scalar >> BigInt(29 * i)) & 0x1fffffffn);
  return {
    [name]: bigEndian(scalar),
    [`${name}, little-endian`]: littleEndian(scalar),
    [`${name}, limbs`]: new Uint8Array(limbs.buffer),
    [`${name}, digits`]: littleEndian(recoded),
    [`${name}, negated`]: littleEndian(n - scalar),
  };
}

/** What RFC 6979 derives. */
function ecdsaSecrets(secretKey: Uint8Array, message: Uint8Array): Record<string, Uint8Array> {
  const digest = sha256(message);
  const mac = (key: Uint8Array, ...parts: Uint8Array[]) => hmac(sha256, key, concatBytes(...parts));
  let [K, V] = [new Uint8Array(32), new Uint8Array(32).fill(1)];
  const h1 = bigEndian(fromBigEndian(digest) % n);
  for (const separator of [0, 1]) {
    K = mac(K, V, Uint8Array.of(separator), secretKey, h1);
    V = mac(K, V);
  }
  const lastV = V;
  const nonce = fromBigEndian(mac(K, V));
  return {
    ...forms('secret key', fromBigEndian(secretKey)),
    ...forms('nonce', nonce),
    'inverse of the nonce': littleEndian(noble.Point.Fn.inv(nonce)),
    K,
    V: lastV,
    digest,
  };
}

/** What "Default Signing" of BIP-340 derives. */
function schnorrSecrets(secretKey: Uint8Array, message: Uint8Array): Record<string, Uint8Array> {
  const tagged = (tag: string, ...parts: Uint8Array[]) => {
    const prefix = sha256(utf8(tag));
    return sha256(concatBytes(prefix, prefix, ...parts));
  };
  const P = noble.Point.BASE.multiply(fromBigEndian(secretKey));
  const d = P.y & 1n ? n - fromBigEndian(secretKey) : fromBigEndian(secretKey);
  const mask = tagged('BIP0340/aux', AUX);
  const t = bigEndian(d).map((byte, i) => byte ^ mask[i]!);
  const rand = tagged('BIP0340/nonce', t, bigEndian(P.x), message);
  return {
    ...forms('secret key', fromBigEndian(secretKey)),
    ...forms('nonce', fromBigEndian(rand) % n),
    mask,
    t,
    rand,
  };
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

/** Bytes that are not zero in the ranges that are wiped. */
function leftovers(memory: WebAssembly.Memory): number {
  return withCurves(({ run }) => {
    const secrets = new Uint8Array(memory.buffer, run.SECRETS.value, run.SECRETS_BYTES.value);
    const message = new Uint8Array(memory.buffer, run.MESSAGE.value, run.MESSAGE_BYTES.value);
    return [...secrets, ...message].filter((byte) => byte !== 0).length;
  });
}

const currentMemory = () => withCurves((curves) => curves.run.memory);

type Secrets = (secretKey: Uint8Array, message: Uint8Array) => Record<string, Uint8Array>;
type Operation = (secretKey: Uint8Array, message: Uint8Array) => unknown;

const operations: Record<string, [Secrets, Operation]> = {
  'secp256k1.getPublicKey': [ecdsaSecrets, (key) => secp256k1.getPublicKey(key)],
  'secp256k1.isValidSecretKey': [ecdsaSecrets, (key) => secp256k1.utils.isValidSecretKey(key)],
  'secp256k1.sign': [ecdsaSecrets, (key, message) => secp256k1.sign(message, key)],
  'secp256k1.sign, of a digest': [
    ecdsaSecrets,
    (key, message) => secp256k1.sign(sha256(message), key, { prehash: false }),
  ],
  'secp256k1.prepare': [ecdsaSecrets, (key) => secp256k1.prepare(key)],
  'PreparedKey.sign': [ecdsaSecrets, (key, message) => secp256k1.prepare(key).sign(message)],
  'PreparedKey.signBatch': [
    ecdsaSecrets,
    (key, message) => secp256k1.prepare(key).signBatch([message, message]),
  ],
  'schnorr.getPublicKey': [schnorrSecrets, (key) => schnorr.getPublicKey(key)],
  'schnorr.sign': [schnorrSecrets, (key, message) => schnorr.sign(message, key, AUX)],
};

describe.each(Object.entries(operations))('%s', (_name, [secretsOf, operation]) => {
  it.each([0, 1, 100, 65_536, 150_000])('leaves no secret of a call with a message of %i bytes', (length) => {
    const secretKey = noble.utils.randomSecretKey();
    const message = new Uint8Array(length);
    for (let start = 0; start < length; start += 65_536)
      crypto.getRandomValues(message.subarray(start, start + 65_536));
    operation(secretKey, message);
    const memory = currentMemory();
    expect(found(memory, { ...secretsOf(secretKey, message), message: message.slice(0, 64) })).toEqual([]);
    expect(leftovers(memory)).toBe(0);
  });

  it('leaves the same memory whatever the key', () => {
    const images = [noble.utils.randomSecretKey(), noble.utils.randomSecretKey(), bigEndian(1n)].map(
      (secretKey) => {
        operation(secretKey, random(33));
        return Buffer.from(currentMemory().buffer.slice(0));
      },
    );
    expect(images[1]!.equals(images[0]!)).toBe(true);
    expect(images[2]!.equals(images[0]!)).toBe(true);
  });
});

describe('keys from seeds', () => {
  it.each(['secp256k1', 'schnorr'] as const)('%s.keygen leaves neither key nor seed', (name) => {
    const seed = random(48);
    const { secretKey } = (name === 'schnorr' ? schnorr : secp256k1).keygen(seed);
    const memory = currentMemory();
    expect(found(memory, { seed, ...forms('secret key', fromBigEndian(secretKey)) })).toEqual([]);
    expect(leftovers(memory)).toBe(0);
  });
});

describe('the search', () => {
  it('finds the secrets of ECDSA before they are wiped', () => {
    const [secretKey, message] = [noble.utils.randomSecretKey(), random(32)];
    const secrets = ecdsaSecrets(secretKey, message);
    withCurves((curves) => {
      curves.put('secretKey', secretKey);
      curves.put('digest', sha256(message));
      curves.run.secp256k1Sign(1, 0);
      expect(found(curves.run.memory, secrets)).toEqual(
        expect.arrayContaining([
          'secret key',
          'secret key, little-endian',
          'nonce, digits',
          'inverse of the nonce',
          'K',
        ]),
      );
    });
    expect(found(currentMemory(), secrets)).toEqual([]);
  });

  it('finds the secrets of schnorr before they are wiped', () => {
    const [secretKey, message] = [nobleSchnorr.utils.randomSecretKey(), random(32)];
    const secrets = schnorrSecrets(secretKey, message);
    withCurves((curves) => {
      curves.put('secretKey', secretKey);
      curves.put('extra', AUX);
      curves.hold(message);
      curves.run.schnorrSignStart();
      expect(found(curves.run.memory, secrets)).toEqual(expect.arrayContaining(['secret key', 'mask', 't']));
      curves.feed(curves.run.secp256k1Absorb);
      curves.run.schnorrSignCommit();
      expect(found(curves.run.memory, secrets)).toEqual(expect.arrayContaining(['nonce, digits', 'rand']));
    });
    expect(found(currentMemory(), secrets)).toEqual([]);
  });
});

describe('a failure', () => {
  it.each([0n, n, n + 5n, 2n ** 256n - 1n])('with the invalid key %s leaves nothing', (value) => {
    const message = random(50);
    const memory = currentMemory();
    for (const call of [
      () => secp256k1.getPublicKey(bigEndian(value)),
      () => secp256k1.sign(message, bigEndian(value)),
      () => secp256k1.prepare(bigEndian(value)),
      () => schnorr.getPublicKey(bigEndian(value)),
      () => schnorr.sign(message, bigEndian(value)),
    ]) {
      expect(call).toThrow(RangeError);
      expect(leftovers(memory)).toBe(0);
    }
    expect(found(memory, { message })).toEqual([]);
  });

  const failures: Record<string, () => void> = {
    'an error': () => {
      throw new Error('on purpose');
    },
    'a trap': () => withCurves((curves) => curves.run.secp256k1Absorb(2 ** 31 - 1)),
  };

  it.each(Object.entries(failures))('%s in the middle of signing leaves no secret', (_name, fail) => {
    const [secretKey, message] = [noble.utils.randomSecretKey(), random(60_000)];
    const memory = currentMemory();
    expect(() =>
      withCurves((curves) => {
        curves.put('secretKey', secretKey);
        curves.put('extra', AUX);
        curves.hold(message);
        curves.run.schnorrSignStart();
        curves.feed(curves.run.secp256k1Absorb);
        curves.run.schnorrSignCommit();
        curves.run.secp256k1Sign(1, 0);
        fail();
        throw new Error('did not fail');
      }),
    ).toThrow(/on purpose|bounds|unreachable/);
    expect(found(memory, schnorrSecrets(secretKey, message))).toEqual([]);
    expect(leftovers(memory)).toBe(0);
    expect(secp256k1.getPublicKey(secretKey)).toEqual(noble.getPublicKey(secretKey));
  });
});

describe('outside WASM memory', () => {
  it('destroy fills the key with zeros', () => {
    const secretKey = noble.utils.randomSecretKey();
    const filled: string[] = [];
    const fill = Uint8Array.prototype.fill;
    const prepared = secp256k1.prepare(secretKey);
    Uint8Array.prototype.fill = function (this: Uint8Array, ...args) {
      filled.push(Buffer.from(this).toString('hex'));
      return fill.apply(this, args);
    };
    try {
      prepared.destroy();
    } finally {
      Uint8Array.prototype.fill = fill;
    }
    expect(filled).toEqual([Buffer.from(secretKey).toString('hex')]);
  });
});
