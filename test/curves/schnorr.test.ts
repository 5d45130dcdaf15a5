// BIP-340: its vectors, and @noble/curves on inputs weighted to the edges.

import { schnorr as noble, secp256k1 as nobleEcdsa } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schnorr } from '../../src/curves/schnorr.js';
import { edgeBytes, fromHex, hex, messages, repeatable } from './edge-inputs.js';
import { bigEndian, edgeScalars, mod, n, outcome, p, secretKeys, validKeys } from './secp256k1-inputs.js';
import { readVectors } from './vectors.js';

const same = (call: () => Uint8Array, peer: () => Uint8Array) => {
  const bytes = (result: Uint8Array | 'throws') => (result === 'throws' ? result : hex(result));
  expect(bytes(outcome(call))).toBe(bytes(outcome(peer)));
};

describe('known answers', () => {
  it.each([
    [
      '0000000000000000000000000000000000000000000000000000000000000003',
      'f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9',
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0000000000000000000000000000000000000000000000000000000000000000',
      'e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215' +
        '25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0',
    ],
    [
      'b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef',
      'dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659',
      '0000000000000000000000000000000000000000000000000000000000000001',
      '243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89',
      '6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de3341' +
        '8906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a',
    ],
  ])('BIP-340 vector with secret key %s', (secretKey, publicKey, auxRand, message, signature) => {
    expect(hex(schnorr.getPublicKey(fromHex(secretKey)))).toBe(publicKey);
    expect(hex(schnorr.sign(fromHex(message), fromHex(secretKey), fromHex(auxRand)))).toBe(signature);
    expect(schnorr.verify(fromHex(signature), fromHex(message), fromHex(publicKey))).toBe(true);
  });
});

const file = readVectors('bip340.csv');

describe.skipIf(file === undefined)('the vectors of BIP-340', () => {
  const rows = (file ?? '')
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(','));

  it('are read whole', () =>
    expect(rows.map(([index]) => Number(index))).toEqual([...Array(Math.max(15, rows.length)).keys()]));

  it.each(rows)('%s', (_index, secretKey, publicKey, auxRand, message, signature, result) => {
    const bytes = (text: string | undefined) => fromHex(text ?? '');
    if (secretKey) {
      expect(hex(schnorr.getPublicKey(bytes(secretKey)))).toBe(publicKey!.toLowerCase());
      const signed = schnorr.sign(bytes(message), bytes(secretKey), bytes(auxRand));
      expect(hex(signed)).toBe(signature!.toLowerCase());
      const prepared = schnorr.prepare(bytes(secretKey));
      expect(hex(prepared.publicKey)).toBe(publicKey!.toLowerCase());
      const again = [
        prepared.sign(bytes(message), bytes(auxRand)),
        ...prepared.signBatch(new Array(5).fill(bytes(message)), bytes(auxRand)),
      ];
      expect(new Set(again.map(hex))).toEqual(new Set([hex(signed)]));
    }
    expect(schnorr.verify(bytes(signature), bytes(message), bytes(publicKey))).toBe(result === 'TRUE');
  });
});

describe('keys', () => {
  it('getPublicKey agrees', () => {
    fc.assert(
      fc.property(secretKeys, (key) =>
        same(
          () => schnorr.getPublicKey(key),
          () => noble.getPublicKey(key),
        ),
      ),
      repeatable(200),
    );
  });

  it('keygen and randomSecretKey agree for a seed', () => {
    fc.assert(
      fc.property(edgeBytes(48), (seed) => {
        expect(hex(schnorr.utils.randomSecretKey(seed))).toBe(hex(noble.utils.randomSecretKey(seed)));
        const [ours, theirs] = [schnorr.keygen(seed), noble.keygen(seed)];
        expect([hex(ours.secretKey), hex(ours.publicKey)]).toEqual([
          hex(theirs.secretKey),
          hex(theirs.publicKey),
        ]);
      }),
      repeatable(50),
    );
  });

  it('isValidPublicKey is whether x has a point', () => {
    for (let x = 0n; x < 40n; x++) {
      for (const value of [x, p - 1n - x, p + x]) {
        const valid = outcome(() => noble.utils.lift_x(value)) !== 'throws';
        expect(schnorr.utils.isValidPublicKey(bigEndian(value)), String(value)).toBe(valid);
      }
    }
    for (const length of [0, 31, 33])
      expect(schnorr.utils.isValidPublicKey(new Uint8Array(length))).toBe(false);
    expect(schnorr.utils.isValidPublicKey('00' as never)).toBe(false);
  });

  it('lengths are those of noble', () => expect(schnorr.lengths).toEqual(noble.lengths));
});

describe('sign', () => {
  it('agrees for messages of any length', () => {
    fc.assert(
      fc.property(secretKeys, messages, edgeBytes(32), (key, message, auxRand) =>
        same(
          () => schnorr.sign(message, key, auxRand),
          () => noble.sign(message, key, auxRand),
        ),
      ),
      repeatable(200),
    );
  });

  it('agrees for keys at the edges, with even and odd points', () => {
    for (const scalar of edgeScalars.slice(0, 60)) {
      const [key, message, auxRand] = [bigEndian(scalar), bigEndian(scalar, 5), bigEndian(0n)];
      expect(hex(schnorr.sign(message, key, auxRand))).toBe(hex(noble.sign(message, key, auxRand)));
    }
  });

  it.each([65_535, 65_536, 65_537, 200_001])('agrees for a message of %i bytes', (length) => {
    const message = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
    const [key, auxRand] = [bigEndian(3n), bigEndian(4n)];
    const signature = schnorr.sign(message, key, auxRand);
    expect(hex(signature)).toBe(hex(noble.sign(message, key, auxRand)));
    expect(schnorr.verify(signature, message, schnorr.getPublicKey(key))).toBe(true);
    message[length - 1]! ^= 1;
    expect(schnorr.verify(signature, message, schnorr.getPublicKey(key))).toBe(false);
  });

  it('draws auxRand where none is given', () => {
    const [message, key] = [bigEndian(1n), bigEndian(2n)];
    const signatures = [1, 2, 3].map(() => schnorr.sign(message, key));
    expect(new Set(signatures.map(hex)).size).toBe(3);
    for (const signature of signatures)
      expect(noble.verify(signature, message, noble.getPublicKey(key))).toBe(true);
  });
});

describe('prepared keys', () => {
  it('sign as sign does', () => {
    fc.assert(
      fc.property(validKeys, messages, edgeBytes(32), (key, message, auxRand) => {
        const prepared = schnorr.prepare(key);
        expect(hex(prepared.publicKey)).toBe(hex(noble.getPublicKey(key)));
        expect(hex(prepared.sign(message, auxRand))).toBe(hex(noble.sign(message, key, auxRand)));
      }),
      repeatable(60),
    );
  });

  it.each([0, 1, 2, 3, 4, 13, 14, 32, 33, 63, 64, 65, 130])('sign batches of %i messages', (size) => {
    const [key, auxRand] = [bigEndian(0x1234567890abcdefn), bigEndian(7n)];
    const list = Array.from({ length: size }, (_, i) => new Uint8Array(i).fill(i));
    const signatures = schnorr.prepare(key).signBatch(list, auxRand);
    expect(signatures.map(hex)).toEqual(list.map((message) => hex(schnorr.sign(message, key, auxRand))));
    for (const i of [0, 1, size - 1].filter((index) => index in list))
      expect(hex(signatures[i]!)).toBe(hex(noble.sign(list[i]!, key, auxRand)));
  });

  it('sign batches with messages of many pieces', () => {
    const [key, auxRand] = [bigEndian(3n), bigEndian(4n)];
    const list = [0, 65_537, 1, 200_001, 65_536].map((length) => new Uint8Array(length).fill(length));
    expect(schnorr.prepare(key).signBatch(list, auxRand).map(hex)).toEqual(
      list.map((message) => hex(noble.sign(message, key, auxRand))),
    );
  });

  it('draw auxRand for every message where none is given', () => {
    const prepared = schnorr.prepare(bigEndian(2n));
    const message = bigEndian(1n);
    const signatures = [...prepared.signBatch(new Array(6).fill(message)), prepared.sign(message)];
    expect(new Set(signatures.map(hex)).size).toBe(7);
    for (const signature of signatures)
      expect(noble.verify(signature, message, prepared.publicKey)).toBe(true);
  });

  it('keep their own copy of the key, and give copies of the public key', () => {
    const [key, message, auxRand] = [bigEndian(6n), bigEndian(1n), bigEndian(2n)];
    const prepared = schnorr.prepare(key);
    key.fill(0xff);
    prepared.publicKey.fill(0);
    expect(hex(prepared.sign(message, auxRand))).toBe(hex(noble.sign(message, bigEndian(6n), auxRand)));
    expect(hex(prepared.publicKey)).toBe(hex(noble.getPublicKey(bigEndian(6n))));
  });

  it('refuse to sign once destroyed', () => {
    const prepared = schnorr.prepare(bigEndian(6n));
    prepared.destroy();
    prepared.destroy();
    expect(() => prepared.sign(bigEndian(1n))).toThrow(TypeError);
    expect(() => prepared.signBatch([bigEndian(1n)])).toThrow(TypeError);
  });

  it('check their arguments, also those of a whole batch before any is signed', () => {
    const prepared = schnorr.prepare(bigEndian(6n));
    const message = bigEndian(1n);
    expect(() => prepared.sign('m' as never)).toThrow(TypeError);
    expect(() => prepared.sign(message, 1 as never)).toThrow(TypeError);
    expect(() => prepared.sign(message, new Uint8Array(31))).toThrow(RangeError);
    expect(() => prepared.signBatch(message as never)).toThrow(TypeError);
    expect(() => prepared.signBatch([message, 'm' as never])).toThrow(TypeError);
    expect(() => prepared.signBatch([message], new Uint8Array(33))).toThrow(RangeError);
    for (const value of [0n, n, 2n ** 256n - 1n])
      expect(() => schnorr.prepare(bigEndian(value))).toThrow(RangeError);
    expect(() => schnorr.prepare(null as never)).toThrow(TypeError);
    expect(() => schnorr.prepare(new Uint8Array(31))).toThrow(RangeError);
  });
});

describe('verify', () => {
  it('agrees on good and damaged signatures', () => {
    fc.assert(
      fc.property(
        validKeys,
        messages,
        fc.option(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 255 })), { freq: 1 }),
        (key, message, damage) => {
          const signature = noble.sign(message, key, new Uint8Array(32));
          const publicKey = noble.getPublicKey(key);
          if (damage !== null) {
            const target = damage[0] < 150 ? signature : publicKey;
            target[damage[0] % target.length]! ^= damage[1];
          }
          expect(schnorr.verify(signature, message, publicKey)).toBe(
            noble.verify(signature, message, publicKey),
          );
        },
      ),
      repeatable(200),
    );
  });

  it('agrees for r, s and public keys at the edges of their range', () => {
    const xs = [0n, 1n, 2n, n - 1n, n, n + 1n, p - 1n, p, p + 1n, 2n ** 256n - 1n];
    for (const r of xs) {
      for (const s of xs) {
        const signature = concatBytes(bigEndian(r), bigEndian(s));
        for (const publicKey of [
          noble.getPublicKey(bigEndian(3n)),
          bigEndian(1n),
          bigEndian(p),
          bigEndian(p + 1n),
        ]) {
          expect(schnorr.verify(signature, bigEndian(0n), publicKey), `${r} ${s}`).toBe(
            noble.verify(signature, bigEndian(0n), publicKey),
          );
        }
      }
    }
  });

  /** s = k + e d for any R and d, chosen after r: right up to the parity of R and to s itself. */
  const forge = (nonce: bigint, secret: bigint, message: Uint8Array) => {
    const R = nobleEcdsa.Point.BASE.multiply(nonce);
    const P = nobleEcdsa.Point.BASE.multiply(secret);
    const d = P.y & 1n ? n - secret : secret;
    const tag = sha256(new TextEncoder().encode('BIP0340/challenge'));
    const e = sha256(concatBytes(tag, tag, bigEndian(R.x), bigEndian(P.x), message));
    const s = mod(nonce + BigInt(`0x${hex(e)}`) * d, n);
    return {
      signature: concatBytes(bigEndian(R.x), bigEndian(s)),
      publicKey: bigEndian(P.x),
      even: !(R.y & 1n),
    };
  };

  it('refuses an R whose y is odd, and accepts chosen nonces whose y is even', () => {
    const answers = new Set<boolean>();
    for (const nonce of [1n, 2n, 3n, 6n, n - 1n, n - 2n, n - 6n, (n + 1n) / 2n]) {
      for (const secret of [1n, 2n, n - 1n, n - 3n]) {
        const { signature, publicKey, even } = forge(nonce, secret, bigEndian(9n));
        expect(schnorr.verify(signature, bigEndian(9n), publicKey)).toBe(even);
        expect(noble.verify(signature, bigEndian(9n), publicKey)).toBe(even);
        answers.add(even);
      }
    }
    expect(answers.size).toBe(2);
  });

  it('refuses where R would be infinity', () => {
    // s = e d: the sum s G - e P is infinity, whatever r is
    const [d, r, message] = [2n, 5n, bigEndian(1n)];
    const P = nobleEcdsa.Point.BASE.multiply(d);
    const tag = sha256(new TextEncoder().encode('BIP0340/challenge'));
    const e = BigInt(`0x${hex(sha256(concatBytes(tag, tag, bigEndian(r), bigEndian(P.x), message)))}`);
    const s = mod(e * (P.y & 1n ? n - d : d), n);
    const signature = concatBytes(bigEndian(r), bigEndian(s));
    expect(schnorr.verify(signature, message, bigEndian(P.x))).toBe(false);
    expect(noble.verify(signature, message, bigEndian(P.x))).toBe(false);
  });
});

describe('wrong arguments', () => {
  const [key, message, auxRand] = [bigEndian(3n), bigEndian(1n), bigEndian(2n)];
  const publicKey = noble.getPublicKey(key);
  const signature = noble.sign(message, key, auxRand);
  const noBytes: unknown[] = [
    null,
    0,
    1n,
    'ab'.repeat(32),
    [1],
    {},
    new ArrayBuffer(32),
    new Uint16Array(16),
  ];

  it('are a TypeError where they are no Uint8Array', () => {
    for (const value of [...noBytes, undefined] as never[]) {
      for (const curve of [schnorr, noble]) {
        expect(() => curve.getPublicKey(value)).toThrow(TypeError);
        expect(() => curve.sign(value, key)).toThrow(TypeError);
        expect(() => curve.sign(message, value)).toThrow(TypeError);
        expect(() => curve.verify(value, message, publicKey)).toThrow(TypeError);
        expect(() => curve.verify(signature, value, publicKey)).toThrow(TypeError);
        expect(() => curve.verify(signature, message, value)).toThrow(TypeError);
      }
    }
    for (const value of noBytes as never[]) {
      for (const curve of [schnorr, noble]) {
        expect(() => curve.sign(message, key, value)).toThrow(TypeError);
        expect(() => curve.keygen(value)).toThrow(TypeError);
      }
    }
  });

  it('are a RangeError where their length is wrong, or the key is', () => {
    for (const length of [0, 31, 33, 63, 65]) {
      const bytes = new Uint8Array(length).fill(1);
      expect(() => schnorr.getPublicKey(bytes)).toThrow(RangeError);
      expect(() => schnorr.sign(message, bytes)).toThrow(RangeError);
      expect(() => schnorr.sign(message, key, bytes)).toThrow(RangeError);
      expect(() => schnorr.verify(bytes, message, publicKey)).toThrow(RangeError);
      expect(() => schnorr.verify(signature, message, bytes)).toThrow(RangeError);
      expect(() => schnorr.keygen(bytes)).toThrow(RangeError);
      expect(() => noble.verify(bytes, message, publicKey)).toThrow(RangeError);
      expect(() => noble.verify(signature, message, bytes)).toThrow(RangeError);
    }
    for (const value of [0n, n, 2n ** 256n - 1n]) {
      expect(() => schnorr.getPublicKey(bigEndian(value))).toThrow(RangeError);
      expect(() => schnorr.sign(message, bigEndian(value))).toThrow(RangeError);
    }
  });
});
