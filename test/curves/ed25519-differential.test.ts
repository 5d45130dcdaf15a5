// Ed25519 against @noble/curves: the same answer on honest, damaged and hostile inputs.

import { ed25519 as noble } from '@noble/curves/ed25519.js';
import { sha512 as nobleSha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ed25519 } from '../../src/curves/ed25519.js';
import {
  edgeBytes,
  fromHex,
  fromLittleEndian,
  hex,
  littleEndian,
  messages,
  repeatable,
} from './edge-inputs.js';

const p = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const modes = [{ zip215: true }, { zip215: false }];

const encode = (y: bigint, sign: number) => littleEndian(y | (BigInt(sign) << 255n));
const bothSigns = (y: bigint) => [encode(y, 0), encode(y, 1)];

/** The 14 encodings of the 8 points of small order: canonical or not, as in the table of ZIP 215. */
const y8 = fromLittleEndian(fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'));
const smallOrder = [0n, 1n, p - 1n, p, p + 1n, y8, p - y8].flatMap(bothSigns);

/** y from p to 2^255 - 1, of which those from 0 to 18 are the canonical form. */
const nonCanonical = Array.from({ length: 19 }, (_, i) => p + BigInt(i)).flatMap(bothSigns);

const neutral = 2; // index of y = 1, x = 0
const torsion = smallOrder.map((bytes) => noble.Point.fromBytes(bytes, true));
const sha512 = (...parts: Uint8Array[]) => nobleSha512(concatBytes(...parts));
const zcash = new TextEncoder().encode('Zcash');

/** A signature by the scalars a and r, with any torsion added to A and R: S = r + k a. */
function craft(
  a: bigint,
  r: bigint,
  message: Uint8Array,
  onKey: number,
  onNonce: number,
  encodeKey?: Uint8Array,
) {
  const publicKey = encodeKey ?? noble.Point.BASE.multiply(a).add(torsion[onKey]!).toBytes();
  const R = noble.Point.BASE.multiply(r).add(torsion[onNonce]!).toBytes();
  const k = fromLittleEndian(sha512(R, publicKey, message)) % L;
  return { signature: Uint8Array.of(...R, ...littleEndian((r + k * a) % L)), message, publicKey };
}

function agree(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean[] {
  return modes.map((mode) => {
    const expected = noble.verify(signature, message, publicKey, mode);
    expect(ed25519.verify(signature, message, publicKey, mode)).toBe(expected);
    return expected;
  });
}

describe('keys and signatures', () => {
  it('are the same', () => {
    fc.assert(
      fc.property(edgeBytes(32), messages, (secretKey, message) => {
        const publicKey = noble.getPublicKey(secretKey);
        const signature = noble.sign(message, secretKey);
        expect(hex(ed25519.getPublicKey(secretKey))).toBe(hex(publicKey));
        expect(hex(ed25519.sign(message, secretKey))).toBe(hex(signature));
        const prepared = ed25519.prepare(secretKey);
        expect(hex(prepared.publicKey)).toBe(hex(publicKey));
        expect(hex(prepared.sign(message))).toBe(hex(signature));
        expect(ed25519.verify(signature, message, publicKey)).toBe(true);
        expect(ed25519.verify(signature, message, publicKey, { zip215: false })).toBe(true);
      }),
      repeatable(300),
    );
  });

  it('are the same for every message length up to 300', () => {
    const secretKey = new Uint8Array(32).fill(9);
    const prepared = ed25519.prepare(secretKey);
    for (let length = 0; length <= 300; length++) {
      const message = new Uint8Array(length).fill(length);
      expect(hex(prepared.sign(message)), `${length} bytes`).toBe(hex(noble.sign(message, secretKey)));
    }
  });

  it('do not verify with any bit flipped', () => {
    const secretKey = new Uint8Array(32).fill(3);
    const message = new Uint8Array(17).fill(4);
    const publicKey = ed25519.getPublicKey(secretKey);
    const signature = ed25519.sign(message, secretKey);
    for (const target of [signature, publicKey, message]) {
      for (let bit = 0; bit < 8 * target.length; bit++) {
        target[bit >> 3]! ^= 1 << (bit & 7);
        for (const mode of modes) expect(ed25519.verify(signature, message, publicKey, mode)).toBe(false);
        if (bit % 16 === 0) agree(signature, message, publicKey);
        target[bit >> 3]! ^= 1 << (bit & 7);
      }
    }
    expect(ed25519.verify(signature, message, publicKey)).toBe(true);
  });

  it('do not verify with S from L upwards', () => {
    const secretKey = new Uint8Array(32).fill(5);
    const [publicKey, signature] = [noble.getPublicKey(secretKey), noble.sign(zcash, secretKey)];
    const S = fromLittleEndian(signature.subarray(32));
    for (let multiple = 1n; S + multiple * L < 2n ** 256n; multiple++) {
      const lifted = Uint8Array.of(...signature.subarray(0, 32), ...littleEndian(S + multiple * L));
      expect(agree(lifted, zcash, publicKey)).toEqual([false, false]);
      expect(ed25519.verifyBatch([{ signature: lifted, message: zcash, publicKey }])).toBe(false);
    }
    for (const s of [L - 1n, L, L + 1n, 2n ** 252n, 2n ** 255n, 2n ** 256n - 1n]) {
      agree(Uint8Array.of(...signature.subarray(0, 32), ...littleEndian(s)), zcash, publicKey);
    }
  });
});

describe('encodings of points', () => {
  it('there are 14 of small order', () => {
    expect(new Set(smallOrder.map(hex)).size).toBe(14);
    expect(torsion.every((point) => point.isSmallOrder())).toBe(true);
  });

  it('are accepted and refused alike', () => {
    const encodings = [...smallOrder, ...nonCanonical, ...bothSigns(2n), ...bothSigns(p - 2n)];
    for (const bytes of encodings) {
      for (const zip215 of [true, false, undefined]) {
        const expected = noble.utils.isValidPublicKey(bytes, zip215);
        expect(ed25519.utils.isValidPublicKey(bytes, zip215), `${hex(bytes)} ${zip215}`).toBe(expected);
      }
    }
    fc.assert(
      fc.property(edgeBytes(32), fc.boolean(), (bytes, zip215) => {
        const expected = noble.utils.isValidPublicKey(bytes, zip215);
        expect(ed25519.utils.isValidPublicKey(bytes, zip215)).toBe(expected);
      }),
      repeatable(600),
    );
  });

  it('of small order give the 196 results of ZIP 215', () => {
    const items = smallOrder.flatMap((publicKey) =>
      smallOrder.map((R) => ({
        signature: Uint8Array.of(...R, ...new Uint8Array(32)),
        message: zcash,
        publicKey,
      })),
    );
    for (const { signature, message, publicKey } of items) {
      expect(agree(signature, message, publicKey)).toEqual([true, false]);
    }
    expect(ed25519.verifyBatch(items)).toBe(true);
  });

  it('that are not canonical, in every place', () => {
    const secretKey = new Uint8Array(32).fill(6);
    const [publicKey, signature] = [noble.getPublicKey(secretKey), noble.sign(zcash, secretKey)];
    for (const bytes of nonCanonical) {
      agree(signature, zcash, bytes);
      agree(Uint8Array.of(...bytes, ...signature.subarray(32)), zcash, publicKey);
    }
  });
});

describe('points of mixed order', () => {
  const scalars = fc.bigInt({ min: 1n, max: L - 1n });

  it('verify alike, wherever the torsion is', () => {
    const results: boolean[] = [];
    fc.assert(
      fc.property(scalars, scalars, messages, fc.nat(13), fc.nat(13), (a, r, message, onKey, onNonce) => {
        const { signature, publicKey } = craft(a, r, message, onKey, onNonce);
        results.push(...agree(signature, message, publicKey));
        expect(ed25519.verifyBatch([{ signature, message, publicKey }])).toBe(results.at(-2));
      }),
      repeatable(80),
    );
    expect(results.every((valid) => valid)).toBe(true); // the equation has the cofactor in both modes
  });

  it('a key of small order with an honest nonce verifies by ZIP 215 alone', () => {
    for (const key of smallOrder) {
      // 8 k A = 0, so S = r is valid whatever the message.
      const { signature, message, publicKey } = craft(0n, 12345n, zcash, neutral, neutral, key);
      expect(agree(signature, message, publicKey)).toEqual([true, false]);
    }
  });
});

describe('half-size scalars', () => {
  const half = 2n ** 127n;
  const secretKey = new Uint8Array(32).fill(8);
  const publicKey = noble.getPublicKey(secretKey);
  const signature = noble.sign(zcash, secretKey);
  const withS = (S: bigint) => ({
    signature: Uint8Array.of(...signature.subarray(0, 32), ...littleEndian(S)),
    message: zcash,
    publicKey,
  });
  const together = (item: ReturnType<typeof craft>) => ed25519.verifyBatch([item]);

  it('all pairs of torsion on key and nonce, in valid and invalid equations', () => {
    let messageByte = 0;
    for (let onKey = 0; onKey < torsion.length; onKey++) {
      for (let onNonce = 0; onNonce < torsion.length; onNonce++) {
        const message = Uint8Array.of(messageByte++ & 0xff, onKey, onNonce);
        const valid = craft(1234567n + BigInt(onKey), L - 3n, message, onKey, onNonce);
        expect(agree(valid.signature, valid.message, valid.publicKey)).toEqual([true, true]);
        expect(together(valid)).toBe(true);
        const S = (fromLittleEndian(valid.signature.subarray(32)) + 1n) % L;
        const invalid = {
          ...valid,
          signature: Uint8Array.of(...valid.signature.subarray(0, 32), ...littleEndian(S)),
        };
        expect(agree(invalid.signature, invalid.message, invalid.publicKey)).toEqual([false, false]);
        expect(together(invalid)).toBe(false);
      }
    }
  });

  it('S at its edges, and off by what the split or the doublings could lose', () => {
    const S = fromLittleEndian(signature.subarray(32));
    const shifts = [0n, 1n, 2n, 8n, half, half - 1n, half / 2n, 2n ** 126n, 2n ** 251n, L / 2n, L / 8n];
    const edges = [0n, 1n, half - 1n, half, half + 1n, 2n ** 252n - 1n, 2n ** 252n, L - 1n, L, L + 1n];
    for (const edge of [...edges, ...shifts.flatMap((by) => [(S + by) % L, (S - by + L) % L])]) {
      const item = withS(edge);
      const expected = edge === S;
      expect(agree(item.signature, item.message, item.publicKey), `S = ${edge}`).toEqual([
        expected,
        expected,
      ]);
      expect(together(item)).toBe(expected);
    }
  });

  it('secret scalars and nonces at their edges', () => {
    const edges = [0n, 1n, 2n, half - 1n, half, half + 1n, (L - 1n) / 2n, (L + 1n) / 2n, L - 2n, L - 1n];
    for (const a of edges) {
      for (const r of edges) {
        const point = (scalar: bigint) =>
          (scalar === 0n ? noble.Point.ZERO : noble.Point.BASE.multiply(scalar)).toBytes();
        const [key, R] = [point(a), point(r)];
        const k = fromLittleEndian(sha512(R, key, zcash)) % L;
        for (const off of [0n, 1n, half]) {
          const S = (r + k * a + off) % L;
          const item = { signature: Uint8Array.of(...R, ...littleEndian(S)), message: zcash, publicKey: key };
          expect(agree(item.signature, zcash, key)[0], `a = ${a}, r = ${r}`).toBe(off === 0n);
          expect(together(item)).toBe(off === 0n);
        }
      }
    }
  });

  it('a nonce or a key of small order in an otherwise honest signature', () => {
    for (const bytes of smallOrder) {
      const k = fromLittleEndian(sha512(bytes, publicKey, zcash)) % L;
      for (const S of [0n, k, fromLittleEndian(signature.subarray(32))]) {
        agree(Uint8Array.of(...bytes, ...littleEndian(S % L)), zcash, publicKey);
        agree(Uint8Array.of(...signature.subarray(0, 32), ...littleEndian(S % L)), zcash, bytes);
      }
    }
  });

  it('thousands of honest and damaged signatures', () => {
    fc.assert(
      fc.property(edgeBytes(32), edgeBytes(24), fc.nat(511), (secretKey, message, bit) => {
        const item = {
          signature: ed25519.sign(message, secretKey),
          message,
          publicKey: ed25519.getPublicKey(secretKey),
        };
        expect(ed25519.verify(item.signature, message, item.publicKey)).toBe(true);
        item.signature[bit >> 3]! ^= 1 << (bit & 7);
        expect(ed25519.verify(item.signature, message, item.publicKey)).toBe(false);
      }),
      repeatable(3_000),
    );
  });
});

describe('batches', () => {
  const signed = Array.from({ length: 140 }, (_, i) => {
    const secretKey = new Uint8Array(32).fill(i);
    const message = new Uint8Array(i).fill(i);
    return {
      signature: ed25519.sign(message, secretKey),
      message,
      publicKey: ed25519.getPublicKey(secretKey),
    };
  });
  const size = 64; // ED25519_BATCH

  it.each([0, 1, 2, 3, size - 1, size, size + 1, 2 * size, 140])(
    'of %i valid signatures are valid',
    (count) => {
      expect(ed25519.verifyBatch(signed.slice(0, count))).toBe(true);
    },
  );

  it('with one bad signature are invalid, wherever it is', () => {
    for (let bad = 0; bad < signed.length; bad++) {
      const items = signed.map((item, i) => (i === bad ? { ...item, message: zcash } : item));
      expect(ed25519.verifyBatch(items), `at ${bad}`).toBe(false);
    }
  });

  it('give what every(verify) gives', () => {
    const variants = [
      ...signed.slice(0, 8),
      craft(77n, 78n, zcash, 11, 13),
      { signature: new Uint8Array(64), message: zcash, publicKey: smallOrder[0]! },
      { ...signed[9]!, publicKey: nonCanonical[4]! },
      { ...signed[9]!, publicKey: littleEndian(2n) }, // not on the curve
      { ...signed[9]!, signature: signed[10]!.signature },
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...variants), { maxLength: 6 }), (items) => {
        const valid = (mode: { zip215: boolean }) => (item: (typeof items)[number]) =>
          noble.verify(item.signature, item.message, item.publicKey, mode);
        for (const mode of modes) expect(ed25519.verifyBatch(items, mode)).toBe(items.every(valid(mode)));
        expect(ed25519.verifyBatch(items)).toBe(items.every(valid({ zip215: true })));
      }),
      repeatable(150),
    );
  });

  it('do not let errors of two signatures cancel', () => {
    const [first, second] = [signed[20]!, signed[21]!];
    const shifted = (item: typeof first, by: bigint) => {
      const S = (fromLittleEndian(item.signature.subarray(32)) + by + L) % L;
      return { ...item, signature: Uint8Array.of(...item.signature.subarray(0, 32), ...littleEndian(S)) };
    };
    expect(ed25519.verifyBatch([shifted(first, 1n), shifted(second, -1n)])).toBe(false);
  });

  describe('under keys that come again', () => {
    const keys = [3, 4, 5].map((byte) => new Uint8Array(32).fill(byte));
    const by = (key: number, i: number) => {
      const message = Uint8Array.of(key, i);
      const publicKey = ed25519.getPublicKey(keys[key]!);
      return { signature: ed25519.sign(message, keys[key]!), message, publicKey };
    };
    const orders = {
      'one key': Array.from({ length: 70 }, () => 0),
      'runs of keys': [0, 0, 0, 1, 1, 2, 0, 0, 2, 2, 2, 1],
      'keys in turn': Array.from({ length: 70 }, (_, i) => i % 3),
    };

    it.each(Object.entries(orders))('are as strict as one by one: %s', (_, order) => {
      const items = order.map(by);
      for (const mode of modes) expect(ed25519.verifyBatch(items, mode)).toBe(true);
      for (let bad = 0; bad < items.length; bad++) {
        const wrongMessage = items.with(bad, { ...items[bad]!, message: zcash });
        const wrongKey = items.with(bad, {
          ...items[bad]!,
          publicKey: by((order[bad]! + 1) % 3, 0).publicKey,
        });
        for (const changed of [wrongMessage, wrongKey]) {
          for (const mode of modes) expect(ed25519.verifyBatch(changed, mode), `at ${bad}`).toBe(false);
        }
      }
    });

    it('do not let errors of two signatures under one key cancel', () => {
      const [first, second] = [by(0, 1), by(0, 2)];
      const shifted = (item: typeof first, by: bigint) => {
        const S = (fromLittleEndian(item.signature.subarray(32)) + by + L) % L;
        return { ...item, signature: Uint8Array.of(...item.signature.subarray(0, 32), ...littleEndian(S)) };
      };
      expect(ed25519.verifyBatch([shifted(first, 1n), shifted(second, -1n)])).toBe(false);
    });

    it('of which one begins after another batch ended in it', () => {
      const [first, second] = [by(0, 1), by(0, 2)];
      expect(ed25519.verifyBatch([first, { ...second, publicKey: littleEndian(2n) }])).toBe(false);
      expect(ed25519.verifyBatch([second, first])).toBe(true);
    });
  });

  it('are refused by the strict rules where a key or R is not canonical, or a key of small order', () => {
    const fresh = signed[30]!;
    const lenient = [
      ...smallOrder.map((publicKey) => ({
        signature: concatBytes(smallOrder[neutral]!, new Uint8Array(32)),
        message: zcash,
        publicKey,
      })),
      ...nonCanonical.map((R) => ({
        signature: concatBytes(R, new Uint8Array(32)),
        message: zcash,
        publicKey: smallOrder[0]!,
      })),
    ].filter((item) => noble.verify(item.signature, item.message, item.publicKey, { zip215: true }));
    expect(lenient.length).toBeGreaterThan(14);
    for (const item of lenient) {
      expect(ed25519.verifyBatch([fresh, item, fresh])).toBe(true);
      expect(ed25519.verifyBatch([fresh, item, fresh], { zip215: false })).toBe(false);
    }
  });

  it('draw a weight of 22 random bytes for each signature', () => {
    const drawn: number[] = [];
    const original = crypto.getRandomValues.bind(crypto);
    const spy = vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      drawn.push(array!.byteLength);
      return original(array as Uint8Array<ArrayBuffer>) as never;
    });
    ed25519.verifyBatch(signed.slice(0, 70));
    spy.mockRestore();
    expect(drawn).toEqual([64 * 22, 6 * 22]);
  });
});
