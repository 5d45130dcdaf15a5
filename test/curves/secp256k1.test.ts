// secp256k1 signing: known answers, and @noble/curves on inputs weighted to the edges.

import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secp256k1 } from '../../src/curves/secp256k1.js';
import { fromHex, hex, repeatable } from './edge-inputs.js';
import { bigEndian, fromBigEndian, mod, n, secretKeys, validKeys } from './secp256k1-inputs.js';
import { formats, type NobleOptions, prehashed, same, signOptions, utf8 } from './secp256k1-peer.js';

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
