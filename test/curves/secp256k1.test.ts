// secp256k1: known answers, and @noble/curves on inputs weighted to the edges.

import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completeSignature, secp256k1 } from '../../src/curves/secp256k1.js';
import { edgeBytes, fromHex, hex, messages, repeatable } from './edge-inputs.js';
import {
  bigEndian,
  doubled,
  edgeScalars,
  fromBigEndian,
  mod,
  n,
  outcome,
  p,
  secretKeys,
  validKeys,
} from './secp256k1-inputs.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const same = (call: () => Uint8Array, peer: () => Uint8Array) => {
  const bytes = (result: Uint8Array | 'throws') => (result === 'throws' ? result : hex(result));
  expect(bytes(outcome(call))).toBe(bytes(outcome(peer)));
};
/** Theirs may not be undefined, says their type. */
type NobleOptions = NonNullable<Parameters<typeof noble.sign>[2]>;

const formats = ['compact', 'recovered', 'der'] as const;

describe('known answers', () => {
  // Deterministic signatures over SHA-256 as bitcoin-core and its ports publish them: key, message, r || s (low).
  it.each([
    [
      1n,
      'Satoshi Nakamoto',
      '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8' +
        '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
    ],
    [
      1n,
      'All those moments will be lost in time, like tears in rain. Time to die...',
      '8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b' +
        '547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21',
    ],
    [
      n - 1n,
      'Satoshi Nakamoto',
      'fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0' +
        '6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5',
    ],
    [
      0xf8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181n,
      'Alan Turing',
      '7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c' +
        '58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea',
    ],
    [
      0xe91671c46231f833a6406ccbea0e3e392c76c167bac1cb013f6f1013980455c2n,
      "There is a computer disease that anybody who works with computers knows about. It's a very serious disease and it " +
        "interferes completely with the work. The trouble with computers is that you 'play' with them!",
      'b552edd27580141f3b2a5463048cb7cd3e047b97c9f98076c32dbdf85a68718b' +
        '279fa72dd19bfae05577e06c7c0c1900c371fcd5893f7e1d56a37d30174671f6',
    ],
  ])('key %s signs %s', (key, text, signature) => {
    const [secretKey, message] = [bigEndian(key), utf8(text)];
    expect(hex(secp256k1.sign(message, secretKey))).toBe(signature);
    expect(hex(secp256k1.sign(sha256(message), secretKey, { prehash: false }))).toBe(signature);
    expect(secp256k1.verify(fromHex(signature), message, secp256k1.getPublicKey(secretKey))).toBe(true);
  });

  it('the generator is the public key of 1', () => {
    const [x, y] = [
      '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
      '483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8',
    ];
    expect(hex(secp256k1.getPublicKey(bigEndian(1n)))).toBe(`02${x}`);
    expect(hex(secp256k1.getPublicKey(bigEndian(1n), false))).toBe(`04${x}${y}`);
    expect(hex(secp256k1.getPublicKey(bigEndian(n - 1n)))).toBe(`03${x}`);
  });
});

describe('keys', () => {
  it('getPublicKey agrees on all edge scalars, so on every entry of the table with both signs', () => {
    for (const scalar of edgeScalars) {
      const key = bigEndian(scalar);
      expect(hex(secp256k1.getPublicKey(key, false)), String(scalar)).toBe(
        hex(noble.getPublicKey(key, false)),
      );
    }
  });

  /** What the fixed base adds: 43 odd digits from the lowest upwards, and the multiples before and in the last step. */
  const lastAddition = (scalar: bigint) => {
    const recoded = mod((scalar + 2n ** 258n - 1n) * ((n + 1n) / 2n), n);
    const last = (2n * (recoded >> 252n) - 63n) << 252n;
    return { before: 2n * recoded - (2n ** 258n - 1n) - last, last };
  };

  it('the last addition of the fixed base is of equal points for one scalar alone', () => {
    const meeting: bigint[] = [];
    for (let top = 0n; top < 16n; top++) {
      const last = (2n * top - 63n) << 252n;
      for (const multiple of [-5n, -4n, -3n, -2n, -1n, 0n]) {
        for (const sign of [1n, -1n]) {
          const before = sign * (last - multiple * n);
          const odd = (before & 1n) === 1n;
          if (odd && before < 2n ** 252n && before > -(2n ** 252n)) meeting.push(mod(before + last, n));
        }
      }
    }
    expect(meeting).toEqual([doubled, 0n]);
    const { before, last } = lastAddition(doubled);
    expect(mod(before, n)).toBe(mod(last, n));
    expect(mod(before + last, n)).toBe(doubled);
  });

  it('getPublicKey agrees for that scalar and the ones around it', () => {
    for (let offset = -70n; offset <= 70n; offset++) {
      for (const scalar of [doubled + offset, n - doubled + offset]) {
        expect(hex(secp256k1.getPublicKey(bigEndian(scalar), false)), String(offset)).toBe(
          hex(noble.getPublicKey(bigEndian(scalar), false)),
        );
      }
    }
  });

  it('getPublicKey agrees for runs of ones', () => {
    for (let start = 0n; start < 256n; start += 5n) {
      for (let end = start + 1n; end <= 256n; end += 17n) {
        const key = bigEndian(mod((1n << end) - (1n << start), n));
        expect(hex(secp256k1.getPublicKey(key))).toBe(hex(noble.getPublicKey(key)));
      }
    }
  });

  it('getPublicKey and isValidSecretKey agree', () => {
    fc.assert(
      fc.property(secretKeys, fc.boolean(), (key, compressed) => {
        same(
          () => secp256k1.getPublicKey(key, compressed),
          () => noble.getPublicKey(key, compressed),
        );
        expect(secp256k1.utils.isValidSecretKey(key)).toBe(noble.utils.isValidSecretKey(key));
      }),
      repeatable(300),
    );
  });

  it('randomSecretKey and keygen agree for a seed', () => {
    const multiples = [0n, 1n, 2n ** 127n, 2n ** 128n - 1n, 2n ** 128n].flatMap((k) =>
      [-1n, 0n, 1n].map((d) => k * (n - 1n) + d),
    );
    const edges = multiples.filter((x) => x >= 0n && x < 2n ** 384n).map((x) => bigEndian(x, 48));
    fc.assert(
      fc.property(fc.oneof(edgeBytes(48), fc.constantFrom(...edges)), (seed) => {
        const before = hex(seed);
        expect(hex(secp256k1.utils.randomSecretKey(seed))).toBe(hex(noble.utils.randomSecretKey(seed)));
        const [ours, theirs] = [secp256k1.keygen(seed), noble.keygen(seed)];
        expect([hex(ours.secretKey), hex(ours.publicKey)]).toEqual([
          hex(theirs.secretKey),
          hex(theirs.publicKey),
        ]);
        expect(hex(seed)).toBe(before);
      }),
      repeatable(150),
    );
  });

  it('random keys are valid and differ', () => {
    const keys = Array.from({ length: 20 }, () => secp256k1.keygen());
    expect(new Set(keys.map(({ secretKey }) => hex(secretKey))).size).toBe(20);
    for (const { secretKey, publicKey } of keys) {
      expect(noble.utils.isValidSecretKey(secretKey)).toBe(true);
      expect(hex(publicKey)).toBe(hex(noble.getPublicKey(secretKey)));
    }
  });

  it('lengths are those of noble', () => expect(secp256k1.lengths).toEqual(noble.lengths));
});

/** Encodings of points: valid ones, and ones with a wrong head, length or coordinate. */
const encodings: fc.Arbitrary<Uint8Array> = fc
  .record({
    key: validKeys,
    compressed: fc.boolean(),
    head: fc.option(fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 0xff), { freq: 2 }),
    change: fc.option(fc.tuple(fc.nat(63), fc.integer({ min: 1, max: 255 })), { freq: 3 }),
    x: fc.option(fc.constantFrom(0n, 1n, 2n, 5n, p - 1n, p, p + 1n, p + 4n, 2n ** 256n - 1n), { freq: 5 }),
    length: fc.option(fc.constantFrom(0, 1, 32, 33, 34, 64, 65, 66), { freq: 8 }),
  })
  .map(({ key, compressed, head, change, x, length }) => {
    const bytes = noble.getPublicKey(key, compressed);
    if (x !== null) bytes.set(bigEndian(x), 1);
    if (change !== null) bytes[1 + (change[0] % (bytes.length - 1))]! ^= change[1];
    if (head !== null) bytes[0] = head;
    if (length === null) return bytes;
    const other = new Uint8Array(length);
    other.set(bytes.subarray(0, length));
    return other;
  });

describe('public keys', () => {
  it('isValidPublicKey agrees', () => {
    fc.assert(
      fc.property(encodings, fc.constantFrom(true, false, undefined), (publicKey, compressed) => {
        const expected = noble.utils.isValidPublicKey(publicKey, compressed);
        expect(secp256k1.utils.isValidPublicKey(publicKey, compressed)).toBe(expected);
      }),
      repeatable(400),
    );
  });

  it('convertPublicKey gives both forms of every valid encoding, and throws at the others', () => {
    fc.assert(
      fc.property(encodings, fc.boolean(), (publicKey, compressed) => {
        same(
          () => secp256k1.utils.convertPublicKey(publicKey, compressed),
          () => noble.Point.fromBytes(publicKey).toBytes(compressed),
        );
      }),
      repeatable(400),
    );
  });

  it('x is taken modulo nothing: small x plus p is refused', () => {
    for (let x = 0n; x < 40n; x++) {
      for (const value of [x, p - 1n - x, p + x]) {
        const publicKey = concatBytes(Uint8Array.of(2), bigEndian(value));
        const expected = noble.utils.isValidPublicKey(publicKey);
        expect(secp256k1.utils.isValidPublicKey(publicKey), String(value)).toBe(expected);
      }
    }
  });
});

const prehashed = fc
  .boolean()
  .chain((prehash) =>
    (prehash
      ? messages
      : fc.oneof(edgeBytes(32), fc.constantFrom(bigEndian(n), bigEndian(n - 1n), bigEndian(n + 1n)))
    ).map((message) => ({ prehash, message })),
  );
const signOptions = fc.record({
  lowS: fc.constantFrom(true, false, undefined),
  format: fc.constantFrom(...formats, undefined),
  extraEntropy: fc.oneof(fc.constantFrom(false, undefined), edgeBytes(32)),
});

describe('sign', () => {
  it('agrees for every combination of options', () => {
    fc.assert(
      fc.property(secretKeys, prehashed, signOptions, (key, { prehash, message }, options) => {
        const all = { prehash, ...options };
        same(
          () => secp256k1.sign(message, key, all),
          () => noble.sign(message, key, all as NobleOptions),
        );
      }),
      repeatable(500),
    );
  });

  it('hedges with random bytes where extraEntropy is true', () => {
    const [key, message] = [bigEndian(5n), utf8('hedged')];
    const signatures = [1, 2, 3].map(() => secp256k1.sign(message, key, { extraEntropy: true }));
    expect(new Set(signatures.map(hex)).size).toBe(3);
    for (const signature of signatures) {
      expect(noble.verify(signature, message, noble.getPublicKey(key))).toBe(true);
    }
  });

  it('makes s low by default, with the recovery id to match', () => {
    const key = bigEndian(12345n);
    let high = 0;
    for (let i = 0; i < 40; i++) {
      const message = Uint8Array.of(i);
      const low = secp256k1.sign(message, key, { format: 'recovered' });
      const raw = secp256k1.sign(message, key, { format: 'recovered', lowS: false });
      const s = fromBigEndian(raw.subarray(33));
      expect(fromBigEndian(low.subarray(33))).toBe(s > n / 2n ? n - s : s);
      if (s > n / 2n) {
        high++;
        expect(low[0]! ^ raw[0]!).toBe(1);
        expect(secp256k1.verify(raw.subarray(1), message, secp256k1.getPublicKey(key))).toBe(false);
        expect(secp256k1.verify(raw.subarray(1), message, secp256k1.getPublicKey(key), { lowS: false })).toBe(
          true,
        );
      }
      for (const signature of [low, raw]) {
        expect(hex(secp256k1.recoverPublicKey(signature, message))).toBe(hex(noble.getPublicKey(key)));
      }
    }
    expect(high).toBeGreaterThan(5);
  });

  it('leaves its arguments as they were', () => {
    const [message, key, extraEntropy] = [utf8('message'), bigEndian(7n), bigEndian(8n)];
    const before = [message, key, extraEntropy].map(hex);
    secp256k1.sign(message, key, { extraEntropy });
    expect([message, key, extraEntropy].map(hex)).toEqual(before);
  });
});

describe('verify', () => {
  it('agrees on good and damaged signatures, in every format', () => {
    fc.assert(
      fc.property(
        validKeys,
        prehashed,
        fc.record({
          lowS: fc.boolean(),
          format: fc.constantFrom(...formats),
          compressed: fc.boolean(),
          damage: fc.option(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 255 })), { freq: 1 }),
        }),
        (key, { prehash, message }, { lowS, format, compressed, damage }) => {
          const signature = noble.sign(message, key, { prehash, format, lowS: false });
          const publicKey = noble.getPublicKey(key, compressed);
          if (damage !== null) {
            const target = damage[0] < 150 ? signature : publicKey;
            target[damage[0] % target.length]! ^= damage[1];
          }
          const options = { prehash, format, lowS };
          expect(secp256k1.verify(signature, message, publicKey, options)).toBe(
            noble.verify(signature, message, publicKey, options),
          );
        },
      ),
      repeatable(400),
    );
  });

  it('agrees for r and s at the edges of their range', () => {
    const edges = [
      0n,
      1n,
      2n,
      (n - 1n) / 2n,
      (n + 1n) / 2n,
      n - 1n,
      n,
      n + 1n,
      p - n - 1n,
      p - n,
      p,
      2n ** 256n - 1n,
    ];
    const publicKey = noble.getPublicKey(bigEndian(3n));
    for (const r of edges) {
      for (const s of edges) {
        const signature = concatBytes(bigEndian(r), bigEndian(s));
        const call = (curve: typeof noble | typeof secp256k1) =>
          curve.verify(signature, bigEndian(1n), publicKey, { prehash: false, lowS: false });
        expect(call(secp256k1), `${r} ${s}`).toBe(call(noble));
      }
    }
  });

  it('accepts what a chosen r, s and digest recover to, for r up to p - n with all recovery ids', () => {
    const rs = [
      1n,
      2n,
      3n,
      4n,
      5n,
      6n,
      7n,
      8n,
      p - n - 3n,
      p - n - 2n,
      p - n - 1n,
      p - n,
      p - n + 1n,
      n - 1n,
      n - 2n,
    ];
    const accepted = [0, 0, 0, 0];
    for (const r of rs) {
      for (const s of [1n, 2n, (n - 1n) / 2n, (n + 1n) / 2n, n - 1n]) {
        for (const id of [0, 1, 2, 3]) {
          const digest = bigEndian(r + s);
          const recovered = concatBytes(Uint8Array.of(id), bigEndian(r), bigEndian(s));
          const key = outcome(() => noble.recoverPublicKey(recovered, digest, { prehash: false }));
          same(
            () => secp256k1.recoverPublicKey(recovered, digest, { prehash: false }),
            () => noble.recoverPublicKey(recovered, digest, { prehash: false }),
          );
          if (key === 'throws') continue;
          accepted[id]!++;
          const options = { prehash: false, lowS: false };
          expect(secp256k1.verify(recovered.subarray(1), digest, key, options)).toBe(true);
          for (const wrong of [0, 1, 2, 3, 4, 27, 255]) {
            const other = concatBytes(Uint8Array.of(wrong), recovered.subarray(1));
            const format = 'recovered' as const;
            expect(secp256k1.verify(other, digest, key, { ...options, format })).toBe(
              noble.verify(other, digest, key, { ...options, format }),
            );
          }
        }
      }
    }
    expect(Math.min(...accepted)).toBeGreaterThan(10);
  });

  it('refuses where the sum is infinity', () => {
    for (const secret of [1n, 2n, 77n, n - 1n]) {
      for (const r of [1n, 5n, n - 1n]) {
        // digest + r secret = 0
        const digest = bigEndian(mod(-r * secret, n));
        const signature = concatBytes(bigEndian(r), bigEndian(9n));
        const publicKey = noble.getPublicKey(bigEndian(secret));
        expect(secp256k1.verify(signature, digest, publicKey, { prehash: false })).toBe(false);
        expect(noble.verify(signature, digest, publicKey, { prehash: false })).toBe(false);
      }
    }
  });

  it('agrees where the two products meet: keys that are small multiples of G and of the endomorphism', () => {
    for (const secret of edgeScalars) {
      const publicKey = noble.getPublicKey(bigEndian(secret));
      for (const digest of [
        bigEndian(0n),
        bigEndian(1n),
        bigEndian(secret),
        bigEndian(n - secret),
        bigEndian(n - 1n),
      ]) {
        const signature = noble.sign(digest, bigEndian(secret), { prehash: false });
        expect(secp256k1.verify(signature, digest, publicKey, { prehash: false }), String(secret)).toBe(true);
      }
    }
  });

  it('agrees on a nonce of 1 and its neighbours', () => {
    for (const nonce of [1n, 2n, 3n, n - 1n, n - 2n, (n + 1n) / 2n]) {
      for (const secret of [1n, 2n, 3n, n - 1n, 0x1234567n]) {
        const r = mod(noble.Point.BASE.multiply(nonce).x, n);
        for (const digest of [0n, 1n, n - 1n, 12345n]) {
          const s = mod(noble.Point.Fn.inv(nonce) * (digest + r * secret), n);
          if (s === 0n) continue;
          const signature = concatBytes(bigEndian(r), bigEndian(s));
          const publicKey = noble.getPublicKey(bigEndian(secret));
          const options = { prehash: false, lowS: false };
          expect(secp256k1.verify(signature, bigEndian(digest), publicKey, options)).toBe(true);
        }
      }
    }
  });

  it('is false, and does not throw, for public keys of any other length', () => {
    const [message, signature] = [utf8('m'), noble.sign(utf8('m'), bigEndian(1n))];
    for (const length of [0, 1, 32, 34, 64, 66, 100]) {
      expect(secp256k1.verify(signature, message, new Uint8Array(length))).toBe(false);
      expect(noble.verify(signature, message, new Uint8Array(length))).toBe(false);
    }
  });
});

describe('recoverPublicKey', () => {
  it('agrees on good and damaged signatures', () => {
    fc.assert(
      fc.property(
        validKeys,
        prehashed,
        fc.option(fc.tuple(fc.nat(64), fc.integer({ min: 1, max: 255 })), { freq: 1 }),
        (key, { prehash, message }, damage) => {
          const signature = noble.sign(message, key, { prehash, format: 'recovered', lowS: false });
          if (damage !== null) signature[damage[0]]! ^= damage[1];
          same(
            () => secp256k1.recoverPublicKey(signature, message, { prehash }),
            () => noble.recoverPublicKey(signature, message, { prehash }),
          );
        },
      ),
      repeatable(200),
    );
  });

  it('throws where the key would be infinity', () => {
    for (const nonce of [1n, 2n, 1000n]) {
      const R = noble.Point.BASE.multiply(nonce);
      const s = 99n;
      const signature = concatBytes(Uint8Array.of(Number(R.y & 1n)), bigEndian(R.x), bigEndian(s));
      const digest = bigEndian(mod(s * nonce, n));
      expect(() => secp256k1.recoverPublicKey(signature, digest, { prehash: false })).toThrow(RangeError);
      expect(() => noble.recoverPublicKey(signature, digest, { prehash: false })).toThrow();
    }
  });
});

describe('messages of many lengths', () => {
  it.each([65_535, 65_536, 65_537, 131_072, 200_001])('%i bytes are hashed whole', (length) => {
    const message = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
    const [key, publicKey] = [bigEndian(99n), noble.getPublicKey(bigEndian(99n))];
    const signature = secp256k1.sign(message, key, { format: 'recovered' });
    expect(hex(signature)).toBe(hex(noble.sign(message, key, { format: 'recovered' })));
    expect(secp256k1.verify(signature, message, publicKey, { format: 'recovered' })).toBe(true);
    expect(hex(secp256k1.recoverPublicKey(signature, message))).toBe(hex(publicKey));
    message[length - 1]! ^= 1;
    expect(secp256k1.verify(signature, message, publicKey, { format: 'recovered' })).toBe(false);
  });
});

describe('prepared keys', () => {
  it('sign as sign does', () => {
    fc.assert(
      fc.property(validKeys, prehashed, signOptions, (key, { prehash, message }, options) => {
        const prepared = secp256k1.prepare(key);
        const all = { prehash, ...options };
        const expected = hex(noble.sign(message, key, all as NobleOptions));
        expect(hex(prepared.publicKey)).toBe(hex(noble.getPublicKey(key)));
        expect(hex(prepared.sign(message, all))).toBe(expected);
        expect(prepared.signBatch([message, message], all).map(hex)).toEqual([expected, expected]);
      }),
      repeatable(60),
    );
  });

  it.each([0, 1, 2, 3, 4, 13, 14, 32, 33, 63, 64, 65, 130])('sign batches of %i messages', (size) => {
    const key = bigEndian(0x1234567890abcdefn);
    const prepared = secp256k1.prepare(key);
    const list = Array.from({ length: size }, (_, i) => new Uint8Array(i).fill(i));
    const digests = list.map((message) => sha256(message));
    const expected = (options: NobleOptions) =>
      digests.map((digest) => hex(noble.sign(digest, key, options)));
    expect(prepared.signBatch(list).map(hex)).toEqual(expected({ prehash: false }));
    for (const format of formats) {
      const options = { prehash: false, format, lowS: format === 'der', extraEntropy: key };
      expect(prepared.signBatch(digests, options).map(hex)).toEqual(expected(options));
    }
  });

  it('hedge every signature of a batch by itself where extraEntropy is true', () => {
    const prepared = secp256k1.prepare(bigEndian(5n));
    const list = new Array<Uint8Array>(10).fill(utf8('m'));
    const signatures = prepared.signBatch(list, { extraEntropy: true });
    expect(new Set(signatures.map(hex)).size).toBe(10);
    for (const signature of signatures)
      expect(noble.verify(signature, list[0]!, prepared.publicKey)).toBe(true);
  });

  it('keep their own copy of the key, and give copies of the public key', () => {
    const key = bigEndian(6n);
    const prepared = secp256k1.prepare(key);
    key.fill(0xff);
    prepared.publicKey.fill(0);
    expect(hex(prepared.sign(utf8('m')))).toBe(hex(noble.sign(utf8('m'), bigEndian(6n))));
    expect(hex(prepared.publicKey)).toBe(hex(noble.getPublicKey(bigEndian(6n))));
  });

  it('refuse to sign once destroyed', () => {
    const prepared = secp256k1.prepare(bigEndian(6n));
    prepared.destroy();
    prepared.destroy();
    expect(() => prepared.sign(utf8('m'))).toThrow(TypeError);
    expect(() => prepared.signBatch([])).toThrow(TypeError);
    expect(prepared.publicKey.length).toBe(33);
  });

  it('sign nothing where one message of a batch is wrong', () => {
    const prepared = secp256k1.prepare(bigEndian(6n));
    expect(() => prepared.signBatch([utf8('m'), 'm' as never])).toThrow(TypeError);
    expect(() => prepared.signBatch([new Uint8Array(32), new Uint8Array(31)], { prehash: false })).toThrow(
      RangeError,
    );
    expect(() => prepared.signBatch('m' as never)).toThrow(TypeError);
    expect(() => prepared.signBatch([], { extraEntropy: new Uint8Array(31) })).toThrow(RangeError);
    expect(prepared.signBatch([])).toEqual([]);
  });
});

describe('verifyBatch', () => {
  const items = [1n, 2n, 3n].map((secret) => {
    const message = bigEndian(secret * 1000n);
    const key = bigEndian(secret);
    return { signature: noble.sign(message, key), message, publicKey: noble.getPublicKey(key) };
  });

  it('is true for none, and where every signature is valid', () => {
    expect(secp256k1.verifyBatch([])).toBe(true);
    expect(secp256k1.verifyBatch(items)).toBe(true);
  });

  it('is false where one is not', () => {
    for (let i = 0; i < items.length; i++) {
      expect(secp256k1.verifyBatch(items.with(i, { ...items[i]!, message: new Uint8Array(1) }))).toBe(false);
      expect(secp256k1.verifyBatch(items.with(i, { ...items[i]!, publicKey: new Uint8Array(5) }))).toBe(
        false,
      );
    }
  });

  it('throws at arguments that verify throws at, even behind an invalid signature', () => {
    const invalid = { ...items[0]!, message: new Uint8Array(1) };
    expect(() => secp256k1.verifyBatch([invalid, { ...items[1]!, signature: new Uint8Array(63) }])).toThrow(
      RangeError,
    );
    expect(() => secp256k1.verifyBatch([invalid, { ...items[1]!, publicKey: '02' as never }])).toThrow(
      TypeError,
    );
    expect(() => secp256k1.verifyBatch([invalid, null as never])).toThrow(TypeError);
    expect(() => secp256k1.verifyBatch({} as never)).toThrow(TypeError);
  });
});

describe('wrong arguments', () => {
  const [key, message] = [bigEndian(1n), utf8('m')];
  const publicKey = noble.getPublicKey(key);
  const signature = noble.sign(message, key);
  const recovered = noble.sign(message, key, { format: 'recovered' });
  const noBytes: unknown[] = [
    undefined,
    null,
    0,
    1n,
    'ab'.repeat(32),
    [1, 2],
    {},
    new ArrayBuffer(32),
    new Uint16Array(16),
    new Int8Array(32),
    new DataView(new ArrayBuffer(32)),
    { length: 32, 0: 1 },
    new Array(32).fill(1),
  ];
  const calls: Record<string, [ours: (value: never) => unknown, theirs: (value: never) => unknown]> = {
    'getPublicKey(key)': [(x) => secp256k1.getPublicKey(x), (x) => noble.getPublicKey(x)],
    'sign(message)': [(x) => secp256k1.sign(x, key), (x) => noble.sign(x, key)],
    'sign(key)': [(x) => secp256k1.sign(message, x), (x) => noble.sign(message, x)],
    'verify(signature)': [
      (x) => secp256k1.verify(x, message, publicKey),
      (x) => noble.verify(x, message, publicKey),
    ],
    'verify(message)': [
      (x) => secp256k1.verify(signature, x, publicKey),
      (x) => noble.verify(signature, x, publicKey),
    ],
    'verify(publicKey)': [
      (x) => secp256k1.verify(signature, message, x),
      (x) => noble.verify(signature, message, x),
    ],
    'recoverPublicKey(signature)': [
      (x) => secp256k1.recoverPublicKey(x, message),
      (x) => noble.recoverPublicKey(x, message),
    ],
    'recoverPublicKey(message)': [
      (x) => secp256k1.recoverPublicKey(recovered, x),
      (x) => noble.recoverPublicKey(recovered, x),
    ],
  };

  it.each(Object.entries(calls))('%s is a TypeError for what is no Uint8Array', (_name, [ours, theirs]) => {
    for (const value of noBytes) {
      expect(() => ours(value as never), String(value)).toThrow(TypeError);
      expect(() => theirs(value as never), String(value)).toThrow();
    }
  });

  it('seeds and prepared keys are checked too', () => {
    for (const value of noBytes) {
      if (value !== undefined) {
        expect(() => secp256k1.keygen(value as never)).toThrow(TypeError);
        expect(() => secp256k1.utils.randomSecretKey(value as never)).toThrow(TypeError);
      }
      expect(() => secp256k1.prepare(value as never)).toThrow(TypeError);
      expect(() => secp256k1.utils.convertPublicKey(value as never, true)).toThrow(TypeError);
      expect(secp256k1.utils.isValidSecretKey(value as never)).toBe(false);
      expect(secp256k1.utils.isValidPublicKey(value as never)).toBe(false);
    }
    for (const length of [0, 32, 47, 49]) {
      expect(() => secp256k1.keygen(new Uint8Array(length))).toThrow(RangeError);
      expect(() => secp256k1.utils.randomSecretKey(new Uint8Array(length))).toThrow(RangeError);
    }
  });

  it('lengths are checked', () => {
    for (const length of [0, 1, 31, 33, 64]) {
      const bytes = new Uint8Array(length).fill(1);
      expect(() => secp256k1.getPublicKey(bytes)).toThrow(RangeError);
      expect(() => secp256k1.sign(message, bytes)).toThrow(RangeError);
      expect(() => secp256k1.prepare(bytes)).toThrow(RangeError);
      expect(secp256k1.utils.isValidSecretKey(bytes)).toBe(false);
      expect(() => secp256k1.sign(bytes, key, { prehash: false })).toThrow(RangeError);
      expect(() => secp256k1.verify(signature, bytes, publicKey, { prehash: false })).toThrow(RangeError);
      expect(() => secp256k1.recoverPublicKey(recovered, bytes, { prehash: false })).toThrow(RangeError);
      expect(() => secp256k1.sign(message, key, { extraEntropy: bytes })).toThrow(RangeError);
    }
    for (const length of [0, 63, 65, 70]) {
      expect(() => secp256k1.verify(new Uint8Array(length), message, publicKey)).toThrow(RangeError);
      expect(() => noble.verify(new Uint8Array(length), message, publicKey)).toThrow();
    }
    for (const length of [0, 64, 66]) {
      const bytes = new Uint8Array(length);
      expect(() => secp256k1.verify(bytes, message, publicKey, { format: 'recovered' })).toThrow(RangeError);
      expect(() => noble.verify(bytes, message, publicKey, { format: 'recovered' })).toThrow();
      expect(() => secp256k1.recoverPublicKey(bytes, message)).toThrow(RangeError);
      expect(() => noble.recoverPublicKey(bytes, message)).toThrow();
    }
    for (const length of [0, 32, 34, 64, 66]) {
      expect(() => secp256k1.utils.convertPublicKey(new Uint8Array(length), true)).toThrow(RangeError);
    }
  });

  it('keys out of range are a RangeError, on every way in', () => {
    for (const value of [0n, n, n + 1n, 2n ** 256n - 1n]) {
      const bytes = bigEndian(value);
      expect(() => secp256k1.getPublicKey(bytes)).toThrow(RangeError);
      expect(() => secp256k1.sign(message, bytes)).toThrow(RangeError);
      expect(() => secp256k1.prepare(bytes)).toThrow(RangeError);
      expect(secp256k1.utils.isValidSecretKey(bytes)).toBe(false);
    }
  });

  it('options are checked as noble checks them', () => {
    const wrong: unknown[] = [
      null,
      1,
      'compact',
      [],
      true,
      { prehash: 1 },
      { prehash: null },
      { lowS: 'yes' },
      { lowS: null },
      { format: 'hex' },
      { format: null },
      { format: 'DER' },
    ];
    for (const options of wrong as never[]) {
      for (const curve of [secp256k1, noble]) {
        expect(() => curve.sign(message, key, options), JSON.stringify(options)).toThrow();
        expect(() => curve.verify(signature, message, publicKey, options), JSON.stringify(options)).toThrow();
        expect(() => curve.recoverPublicKey(recovered, message, options), JSON.stringify(options)).toThrow();
      }
    }
    for (const extraEntropy of [1, 'ab', {}, [1]]) {
      expect(() => secp256k1.sign(message, key, { extraEntropy } as never)).toThrow(TypeError);
      expect(() => noble.sign(message, key, { extraEntropy } as never)).toThrow();
    }
    for (const options of [
      undefined,
      {},
      { unknown: 1 },
      { prehash: undefined, lowS: undefined, format: undefined },
    ]) {
      expect(hex(secp256k1.sign(message, key, options as never))).toBe(hex(signature));
      expect(secp256k1.verify(signature, message, publicKey, options as never)).toBe(true);
      expect(hex(secp256k1.recoverPublicKey(recovered, message, options as never))).toBe(hex(publicKey));
    }
    for (const compressed of [null, 0, 'true']) {
      expect(() => secp256k1.getPublicKey(key, compressed as never)).toThrow(TypeError);
      expect(() => noble.getPublicKey(key, compressed as never)).toThrow();
      expect(() => secp256k1.utils.convertPublicKey(publicKey, compressed as never)).toThrow(TypeError);
    }
  });

  it('a Buffer and a view into a larger buffer are bytes like others', () => {
    const large = new Uint8Array(100).fill(0xee);
    large.set(key, 10);
    expect(hex(secp256k1.sign(Buffer.from(message), large.subarray(10, 42)))).toBe(hex(signature));
    expect(secp256k1.verify(Buffer.from(signature), message, Buffer.from(publicKey))).toBe(true);
  });
});

describe('completeSignature', () => {
  const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const raw = { prehash: false } as const;
  const bytes32 = (n: bigint) => Uint8Array.from(Buffer.from(n.toString(16).padStart(64, '0'), 'hex'));
  const integer = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  const highS = (compact: Uint8Array) =>
    Uint8Array.of(...compact.subarray(0, 32), ...bytes32(N - integer(compact.subarray(32))));
  const secretKey = new Uint8Array(32).fill(9);
  const publicKeys = [true, false].map((compressed) => secp256k1.getPublicKey(secretKey, compressed));
  const digestOf = (i: number) => new Uint8Array(32).fill(i);

  it('gives the low-S form and the recovery id, as signing itself does', () => {
    const ids = new Set<number>();
    for (let i = 0; i < 40; i++) {
      const recovered = secp256k1.sign(digestOf(i), secretKey, { ...raw, format: 'recovered' });
      ids.add(recovered[0]!);
      const compact = recovered.slice(1);
      for (const publicKey of publicKeys) {
        for (const given of [compact, highS(compact)]) {
          const before = given.slice();
          expect(completeSignature(given, digestOf(i), publicKey)).toEqual(recovered);
          expect(given).toEqual(before);
        }
      }
    }
    expect(ids).toEqual(new Set([0, 1]));
  });

  it('knows of an x of R that is n or more', () => {
    // x = n + 2 is on the curve; with s = 1 and digest 0, the key is r^-1 R.
    const signature = Uint8Array.of(...bytes32(2n), ...bytes32(1n));
    for (const id of [2, 3]) {
      const recovered = Uint8Array.of(id, ...signature);
      const publicKey = secp256k1.recoverPublicKey(recovered, digestOf(0), raw);
      expect(completeSignature(signature, digestOf(0), publicKey)).toEqual(recovered);
    }
  });

  it('refuses what does not verify', () => {
    const signature = secp256k1.sign(digestOf(1), secretKey, raw);
    const key = publicKeys[0]!;
    for (let i = 0; i < 64; i++) {
      const damaged = signature.with(i, signature[i]! ^ 1);
      expect(completeSignature(damaged, digestOf(1), key)).toBeUndefined();
    }
    expect(completeSignature(signature, digestOf(2), key)).toBeUndefined();
    expect(completeSignature(signature, digestOf(1), secp256k1.getPublicKey(digestOf(3)))).toBeUndefined();
    expect(completeSignature(signature, digestOf(1), new Uint8Array(33))).toBeUndefined();
    expect(completeSignature(signature, digestOf(1), new Uint8Array(65).fill(4))).toBeUndefined();
    for (const [r, s] of [
      [0n, 1n],
      [1n, 0n],
      [N, 1n],
      [1n, N],
      [0n, 0n],
    ] as const) {
      expect(
        completeSignature(Uint8Array.of(...bytes32(r), ...bytes32(s)), digestOf(1), key),
      ).toBeUndefined();
    }
  });

  it('throws for arguments of another length or type', () => {
    const signature = secp256k1.sign(digestOf(1), secretKey, raw);
    const key = publicKeys[0]!;
    expect(() => completeSignature(signature.subarray(1), digestOf(1), key)).toThrow(RangeError);
    expect(() => completeSignature(signature, new Uint8Array(31), key)).toThrow(RangeError);
    expect(() => completeSignature(signature, digestOf(1), key.subarray(1))).toThrow(RangeError);
    expect(() => completeSignature('x' as never, digestOf(1), key)).toThrow(TypeError);
    expect(() => completeSignature(signature, 'x' as never, key)).toThrow(TypeError);
    expect(() => completeSignature(signature, digestOf(1), 'x' as never)).toThrow(TypeError);
  });
});
