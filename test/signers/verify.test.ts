import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { concatBytes, fromHex, utf8 } from '../../src/bytes.js';
import { PublicKey } from '../../src/signers/public-key.js';
import { Signature } from '../../src/signers/signature.js';
import type { Algorithm } from '../../src/signers/types.js';
import { isSignerSignature, verifySignature } from '../../src/signers/verify.js';
import { genpkey, openssl, temporaryDirectory } from './openssl.js';

const directory = temporaryDirectory();
const data = utf8('what is signed');

/** A key of openssl's, and its signature over `data`. */
function opensslSigned(algorithm: Algorithm) {
  const privatePem = openssl(genpkey[algorithm]);
  const key = PublicKey.fromSpki(openssl(['pkey', '-pubout', '-outform', 'DER'], privatePem));
  const keyFile = directory.file(privatePem);
  const sign = () => {
    if (algorithm === 'ed25519') {
      const bytes = openssl(['pkeyutl', '-sign', '-rawin', '-inkey', keyFile, '-in', directory.file(data)]);
      return Signature.fromBytes(algorithm, bytes);
    }
    return Signature.fromDer(algorithm, openssl(['dgst', '-sha256', '-sign', keyFile], data));
  };
  return { key, sign };
}

afterEach(() => vi.unstubAllGlobals());

describe.each(['ed25519', 'secp256k1', 'p256'] as const)('verifySignature, %s', (algorithm) => {
  const { key, sign } = opensslSigned(algorithm);

  test('accepts what openssl signed, as a Signature and as bytes', async () => {
    // Eight: openssl's ECDSA is high-S half the time.
    for (let i = 0; i < 8; i++) {
      const signature = sign();
      await expect(verifySignature(key, data, signature)).resolves.toBe(true);
      await expect(verifySignature(key, data, signature.bytes)).resolves.toBe(true);
    }
  });

  test('is false for other data, another key and every flipped bit', async () => {
    const { bytes } = sign();
    await expect(verifySignature(key, utf8('something else'), bytes)).resolves.toBe(false);
    await expect(verifySignature(opensslSigned(algorithm).key, data, bytes)).resolves.toBe(false);
    for (let bit = 0; bit < 512; bit += 7) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      await expect(verifySignature(key, data, damaged), `bit ${bit}`).resolves.toBe(false);
    }
  });

  test('is false for 64 bytes that are no signature', async () => {
    const { bytes } = sign();
    const [r, s] = [bytes.subarray(0, 32), bytes.subarray(32)];
    const zero = new Uint8Array(32);
    const ones = new Uint8Array(32).fill(0xff);
    for (const parts of [
      [zero, zero],
      [r, zero],
      [zero, s],
      [ones, ones],
      [r, ones],
      [ones, s],
    ]) {
      await expect(verifySignature(key, data, concatBytes(...parts))).resolves.toBe(false);
    }
  });

  test('copies its arguments at the call', async () => {
    const message = data.slice();
    const { bytes } = sign();
    const pending = verifySignature(key, message, bytes);
    message.fill(0);
    bytes.fill(0);
    await expect(pending).resolves.toBe(true);
  });

  test('rejects wrong types and lengths', async () => {
    const { bytes } = sign();
    const wrong = <T>(value: unknown) => value as T;
    for (const value of [undefined, null, 'text', [1], new ArrayBuffer(3)]) {
      await expect(verifySignature(key, wrong(value), bytes)).rejects.toThrow(TypeError);
      await expect(verifySignature(key, data, wrong(value))).rejects.toThrow(TypeError);
      await expect(verifySignature(wrong(value), data, bytes)).rejects.toThrow(TypeError);
    }
    for (const length of [0, 63, 65, 72]) {
      await expect(verifySignature(key, data, new Uint8Array(length))).rejects.toThrow(RangeError);
    }
    await expect(verifySignature(key, data, bytes, wrong({ prehashed: 1 }))).rejects.toThrow(TypeError);
    await expect(verifySignature(key, data, bytes, wrong(null))).rejects.toThrow(TypeError);
  });

  test('rejects a signature of another algorithm', async () => {
    const other = algorithm === 'p256' ? 'secp256k1' : 'p256';
    const signature = Signature.fromBytes(other, sign().bytes);
    await expect(verifySignature(key, data, signature)).rejects.toThrow(
      `a ${other} signature cannot be verified`,
    );
  });
});

describe.each(['secp256k1', 'p256'] as const)('verifySignature, digests, %s', (algorithm) => {
  const { key, sign } = opensslSigned(algorithm);

  test('takes the digest in place of the data', async () => {
    const { bytes } = sign();
    await expect(verifySignature(key, sha256(data), bytes, { prehashed: true })).resolves.toBe(true);
    await expect(verifySignature(key, sha256(data), bytes)).resolves.toBe(false);
    await expect(verifySignature(key, sha256(sha256(data)), bytes, { prehashed: true })).resolves.toBe(false);
  });

  test('rejects digests of other than 32 bytes', async () => {
    for (const length of [0, 31, 33, 64]) {
      const digest = new Uint8Array(length);
      await expect(verifySignature(key, digest, sign(), { prehashed: true })).rejects.toThrow(RangeError);
    }
  });

  test('accepts both S and n − S', async () => {
    const { bytes } = sign();
    const order = (algorithm === 'p256' ? p256 : secp256k1).Point.CURVE().n;
    const s = order - BigInt(`0x${Buffer.from(bytes.subarray(32)).toString('hex')}`);
    const other = concatBytes(bytes.subarray(0, 32), fromHex(s.toString(16).padStart(64, '0')));
    for (const signature of [bytes, other]) {
      await expect(verifySignature(key, data, signature)).resolves.toBe(true);
      await expect(verifySignature(key, sha256(data), signature, { prehashed: true })).resolves.toBe(true);
    }
  });
});

test('Ed25519 rejects prehashed', async () => {
  const { key, sign } = opensslSigned('ed25519');
  await expect(verifySignature(key, sha256(data), sign(), { prehashed: true })).rejects.toThrow(TypeError);
});

test('Ed25519 is strict: a small-order key signs nothing', async () => {
  // The identity as key, R = identity, S = 0: any message verifies by the lax rules of ZIP 215.
  const identity = fromHex(`01${'00'.repeat(31)}`);
  const key = PublicKey.fromRaw('ed25519', identity);
  await expect(verifySignature(key, data, concatBytes(identity, new Uint8Array(32)))).resolves.toBe(false);
});

test('P-256 verifies without WebCrypto, as in a page that is no secure context', async () => {
  const { key, sign } = opensslSigned('p256');
  const signature = sign();
  vi.stubGlobal('crypto', {});
  await expect(verifySignature(key, data, signature)).resolves.toBe(true);
  await expect(verifySignature(key, utf8('other'), signature)).resolves.toBe(false);
});

describe('isSignerSignature', () => {
  const secretKey = fromHex('01'.repeat(32));
  const key = PublicKey.fromRaw('secp256k1', secp256k1.getPublicKey(secretKey));
  const recovered = secp256k1.sign(data, secretKey, { format: 'recovered' });
  const [recovery, bytes] = [recovered[0]!, recovered.subarray(1)];

  test('takes what a Signer gives', async () => {
    const signature = Signature.fromBytes('secp256k1', bytes, recovery);
    await expect(isSignerSignature(key, data, signature)).resolves.toBe(true);
    await expect(isSignerSignature(key, sha256(data), signature, { prehashed: true })).resolves.toBe(true);
    await expect(isSignerSignature(key, utf8('other data'), signature)).resolves.toBe(false);
  });

  test('refuses a recovery id that is missing or leads to another key', async () => {
    await expect(isSignerSignature(key, data, Signature.fromBytes('secp256k1', bytes))).resolves.toBe(false);
    for (const wrong of [0, 1, 2, 3].filter((id) => id !== recovery)) {
      const signature = Signature.fromBytes('secp256k1', bytes, wrong);
      await expect(isSignerSignature(key, data, signature)).resolves.toBe(false);
    }
  });

  test('refuses the high-S twin, which verifies', async () => {
    const { r, s } = secp256k1.Signature.fromBytes(bytes);
    const twin = new secp256k1.Signature(r, secp256k1.Point.Fn.ORDER - s).toBytes();
    await expect(verifySignature(key, data, twin)).resolves.toBe(true);
    const signature = Signature.fromBytes('secp256k1', twin, recovery ^ 1);
    await expect(isSignerSignature(key, data, signature)).resolves.toBe(false);
  });

  test.each(['ed25519', 'p256'] as const)('%s: verifies, and has no recovery id', async (algorithm) => {
    const { key: other, sign } = opensslSigned(algorithm);
    const signature = sign();
    await expect(isSignerSignature(other, data, signature)).resolves.toBe(true);
    await expect(isSignerSignature(other, utf8('other data'), signature)).resolves.toBe(false);
    if (algorithm === 'ed25519') return;
    const withId = Signature.fromBytes(algorithm, signature.bytes, 0);
    await expect(isSignerSignature(other, data, withId)).resolves.toBe(false);
  });
});
