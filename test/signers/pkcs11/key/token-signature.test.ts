// From a token's bytes to a signature that is released: by keys of OpenSSL, which makes signatures as tokens do (high-S
// half the time, no recovery id), and by hostile ones.

import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  sign as opensslSign,
  randomBytes,
} from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { concatBytes } from '../../../../src/bytes.js';
import { ed25519 } from '../../../../src/curves/index.js';
import { tokenInput, verifiedSignature } from '../../../../src/signers/pkcs11/key/token-signature.js';
import { PublicKey } from '../../../../src/signers/public-key.js';
import type { Signature } from '../../../../src/signers/signature.js';
import type { Algorithm } from '../../../../src/signers/types.js';
import { isSignerSignature, verifySignature } from '../../../../src/signers/verify.js';

const ALGORITHMS = ['ed25519', 'secp256k1', 'p256'] as const;
const CURVES = { secp256k1: 'secp256k1', p256: 'P-256' } as const;

function makeKey(algorithm: Algorithm): { privateKey: KeyObject; publicKey: PublicKey } {
  const pair =
    algorithm === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: CURVES[algorithm] });
  const spki = Uint8Array.from(pair.publicKey.export({ format: 'der', type: 'spki' }));
  return { privateKey: pair.privateKey, publicKey: PublicKey.fromSpki(spki) };
}

/** 64 bytes as a token makes them. */
function tokenSigns(algorithm: Algorithm, privateKey: KeyObject, message: Uint8Array): Uint8Array {
  const hash = algorithm === 'ed25519' ? null : 'sha256';
  return Uint8Array.from(opensslSign(hash, message, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
}

const sha256 = (message: Uint8Array) => Uint8Array.from(createHash('sha256').update(message).digest());
const flipped = (bytes: Uint8Array, i: number) => bytes.with(i, bytes[i]! ^ 1);
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'released',
    (error) => error.code,
  );

describe.each(ALGORITHMS)('%s', (algorithm) => {
  let privateKey: KeyObject;
  let publicKey: PublicKey;
  beforeAll(() => {
    ({ privateKey, publicKey } = makeKey(algorithm));
  });
  const signedByToken = (message: Uint8Array) => tokenSigns(algorithm, privateKey, message);
  const release = (message: Uint8Array, bytes: Uint8Array, key = publicKey): Promise<Signature> =>
    verifiedSignature(key, tokenInput(algorithm, message, false), bytes);

  it.each([0, 1, 32, 1000, 65_536, 65_537, 1 << 20])(
    'releases what is valid over %i bytes',
    async (length) => {
      const message = Uint8Array.from(randomBytes(length));
      const signature = await release(message, signedByToken(message));
      expect(await isSignerSignature(publicKey, message, signature)).toBe(true);
    },
  );

  it.each([1, 2, 3, 4, 31, 33, 100])(
    'finds the invalid ones among %i that come in together',
    async (count) => {
      const messages = Array.from({ length: count }, (_, i) => Uint8Array.of(i, 7));
      const good = messages.map(signedByToken);
      for (const bad of new Set([undefined, 0, 1, count >> 1, count - 1])) {
        const results = await Promise.allSettled(
          messages.map((message, i) => release(message, i === bad ? flipped(good[i]!, 40) : good[i]!)),
        );
        for (const [i, result] of results.entries()) {
          expect(result.status, `${i} with ${bad} bad`).toBe(i === bad ? 'rejected' : 'fulfilled');
          if (result.status === 'rejected') expect(result.reason.code).toBe('signature-invalid');
          else expect(await isSignerSignature(publicKey, messages[i]!, result.value)).toBe(true);
        }
      }
    },
  );

  it.each([100, 70_000])('releases no change of a signature over %i bytes', async (length) => {
    const message = Uint8Array.from(randomBytes(length));
    const bytes = signedByToken(message);
    const changed = [
      ...[0, 31, 32, 63].map((i) => flipped(bytes, i)),
      new Uint8Array(64),
      new Uint8Array(64).fill(0xff),
      concatBytes(bytes.subarray(32), bytes.subarray(0, 32)),
      concatBytes(bytes.subarray(0, 32), new Uint8Array(32)),
      concatBytes(new Uint8Array(32), bytes.subarray(32)),
    ];
    const codes = await Promise.all(changed.map((wrong) => codeOf(release(message, wrong))));
    expect(codes).toEqual(changed.map(() => 'signature-invalid'));
    expect(await codeOf(release(message, bytes))).toBe('released');
  });

  it('releases nothing over another message or under another key', async () => {
    const other = makeKey(algorithm).publicKey;
    const message = randomBytes(50);
    const bytes = signedByToken(message);
    expect(await codeOf(release(randomBytes(50), bytes))).toBe('signature-invalid');
    expect(await codeOf(release(message, bytes, other))).toBe('signature-invalid');
  });

  it.each([0, 32, 63, 65, 128])('does not release %i bytes', async (length) => {
    expect(await codeOf(release(Uint8Array.of(1), new Uint8Array(length)))).toBe('signature-invalid');
  });

  it('keeps keys apart that sign at the same time', async () => {
    const keys = Array.from({ length: 5 }, () => makeKey(algorithm));
    const work = Array.from({ length: 60 }, (_, i) => {
      const message = Uint8Array.of(i);
      const signer = keys[i % 5]!;
      const claimed = i % 7 === 0 ? keys[(i + 1) % 5]! : signer;
      return codeOf(release(message, tokenSigns(algorithm, signer.privateKey, message), claimed.publicKey));
    });
    const expected = work.map((_, i) => (i % 7 === 0 ? 'signature-invalid' : 'released'));
    expect(await Promise.all(work)).toEqual(expected);
  });

  it('lets other work in between', async () => {
    const message = Uint8Array.of(1);
    const bytes = signedByToken(message);
    let settled = 0;
    const work = Array.from({ length: 3000 }, () => release(message, bytes).then(() => settled++));
    let turns = 0;
    while (settled < work.length) {
      await new Promise(setImmediate);
      turns++;
    }
    expect(turns).toBeGreaterThan(3);
  });
});

describe.each(['secp256k1', 'p256'] as const)('%s, a digest', (algorithm) => {
  const { privateKey, publicKey } = makeKey(algorithm);
  const release = (digest32: Uint8Array, bytes: Uint8Array) =>
    verifiedSignature(publicKey, tokenInput(algorithm, digest32, true), bytes);

  it('is released as its data is', async () => {
    for (let i = 0; i < 20; i++) {
      const message = Uint8Array.of(i);
      const bytes = tokenSigns(algorithm, privateKey, message);
      const signature = await release(sha256(message), bytes);
      expect(await verifySignature(publicKey, message, signature)).toBe(true);
      expect(await codeOf(release(sha256(message), flipped(bytes, i)))).toBe('signature-invalid');
      expect(await codeOf(release(sha256(bytes), bytes))).toBe('signature-invalid');
    }
  });

  it('agrees with verifySignature on numbers at the edges', async () => {
    const order = {
      secp256k1: 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141',
      p256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
    }[algorithm];
    const n = BigInt(`0x${order}`);
    const bytes32 = (k: bigint) => Uint8Array.from(Buffer.from(k.toString(16).padStart(64, '0'), 'hex'));
    const edges = [0n, 1n, 2n, n - 1n, n, n + 1n, (1n << 256n) - 1n];
    const digests = [0n, 1n, n, (1n << 256n) - 1n].map(bytes32);
    for (const digest of digests) {
      for (const r of edges) {
        for (const s of edges) {
          const bytes = concatBytes(bytes32(r), bytes32(s));
          const valid = await verifySignature(publicKey, digest, bytes, { prehashed: true });
          expect(await codeOf(release(digest, bytes))).toBe(valid ? 'released' : 'signature-invalid');
        }
      }
    }
  });
});

describe('Ed25519', () => {
  /** The neutral element: as a key, (neutral, 0) is a signature of any message, unless it is refused. */
  const neutral = Uint8Array.of(1, ...new Uint8Array(31));
  const forged = concatBytes(neutral, new Uint8Array(32));

  it.each([10, 70_000])('refuses a key of small order, over %i bytes', async (length) => {
    const message = new Uint8Array(length);
    expect(ed25519.verify(forged, message, neutral)).toBe(true);
    const publicKey = PublicKey.fromRaw('ed25519', neutral);
    const signed = tokenInput('ed25519', message, false);
    const codes = await Promise.all(
      Array.from({ length: 8 }, () => codeOf(verifiedSignature(publicKey, signed, forged))),
    );
    expect(codes).toEqual(codes.map(() => 'signature-invalid'));
  });

  it('verifies together what comes in together, and single ones only where that fails', async () => {
    const { privateKey, publicKey } = makeKey('ed25519');
    const release = (i: number, change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes) => {
      const message = Uint8Array.of(i);
      const bytes = change(tokenSigns('ed25519', privateKey, message));
      return codeOf(verifiedSignature(publicKey, tokenInput('ed25519', message, false), bytes));
    };
    const random = vi.spyOn(crypto, 'getRandomValues'); // weights are drawn for a batch, and for nothing else
    await Promise.all(Array.from({ length: 32 }, (_, i) => release(i)));
    expect(random).toHaveBeenCalledTimes(1);
    await release(1);
    expect(random).toHaveBeenCalledTimes(1);
    random.mockRestore();
  });
});

describe('secp256k1', () => {
  it('gets low S and its recovery id, whichever form the token gave', async () => {
    const { privateKey, publicKey } = makeKey('secp256k1');
    const forms = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const message = Uint8Array.of(i);
      const bytes = tokenSigns('secp256k1', privateKey, message);
      const signature = await verifiedSignature(publicKey, tokenInput('secp256k1', message, false), bytes);
      expect(await isSignerSignature(publicKey, message, signature)).toBe(true);
      forms.add(
        `${signature.recovery} ${Buffer.from(bytes).equals(signature.bytes) ? 'as it was' : 'changed'}`,
      );
    }
    expect(forms).toEqual(new Set(['0 as it was', '0 changed', '1 as it was', '1 changed']));
  });
});
