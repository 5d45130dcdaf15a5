// What was secret is gone from WASM after every call: on success, on failure and on a trap. Two ways to look: the whole
// memory and all globals have to be the same, byte for byte, whatever the key was; and no form of a secret is in them.
// The lengths of messages are public: globals may depend on them, the memory does not.

import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ed25519 } from '../../src/curves/ed25519.js';
import { schnorr } from '../../src/curves/schnorr.js';
import { secp256k1 } from '../../src/curves/secp256k1.js';
import { withCurves } from '../../src/curves/wasm.js';
import { differingBytes, ObservedCurves } from './observed-memory.js';
import { bigEndian, n } from './secp256k1-inputs.js';
import { ecdsaForms, ed25519Forms, type Forms, found, schnorrForms, search } from './secret-forms.js';

const observed = await ObservedCurves.open();
const { curves } = observed;

/** Up to 65,536 random bytes, more are zeros. */
function random(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  crypto.getRandomValues(bytes.subarray(0, 65_536));
  return bytes;
}

interface Case {
  readonly name: string;
  readonly newKey: () => Uint8Array;
  readonly call: (secretKey: Uint8Array, message: Uint8Array, extra: Uint8Array) => unknown;
  readonly forms: (secretKey: Uint8Array, message: Uint8Array, extra: Uint8Array) => Forms;
  /** Forms that must be found before they are wiped, to show that the search works. */
  readonly seen: readonly string[];
}

const batch = (message: Uint8Array, size: number) =>
  Array.from({ length: size }, (_, i) => (i === size - 1 ? message : sha256(Uint8Array.of(i))));

type Row = Pick<Case, 'name' | 'call' | 'seen'>;
const ofEd25519 = (row: Row): Case => ({ ...row, newKey: () => random(32), forms: ed25519Forms });
const ofEcdsa = (row: Row): Case => ({
  ...row,
  newKey: () => noble.utils.randomSecretKey(),
  forms: (key, message) => ecdsaForms(key, sha256(message)),
});
const ofSchnorr = (row: Row): Case => ({ ...ofEcdsa(row), forms: schnorrForms });

const ed25519Cases: Row[] = [
  {
    name: 'Ed25519 getPublicKey',
    call: (key) => curves.ed25519.getPublicKey(key),
    seen: ['secret key', 'prefix', 'secret scalar, little-endian'],
  },
  { name: 'Ed25519 keygen', call: (key) => curves.ed25519.keygen(key), seen: ['secret key', 'prefix'] },
  { name: 'Ed25519 prepare', call: (key) => curves.ed25519.prepare(key), seen: ['secret key', 'prefix'] },
  {
    name: 'Ed25519 sign',
    call: (key, message) => curves.ed25519.sign(message, key),
    seen: ['secret key', 'prefix', 'secret scalar, little-endian', 'nonce, little-endian', 'message'],
  },
  {
    name: 'Ed25519 prepared sign',
    call: (key, message) => curves.ed25519.prepare(key).sign(message),
    seen: ['prefix', 'secret scalar, little-endian', 'nonce, little-endian'],
  },
  {
    name: 'Ed25519 batch of 5',
    call: (key, message) => curves.ed25519.prepare(key).signBatch(batch(message, 5)),
    seen: ['prefix', 'secret scalar, little-endian', 'nonce, little-endian'],
  },
  {
    name: 'Ed25519 batch of 70',
    call: (key, message) => curves.ed25519.prepare(key).signBatch(batch(message, 70)),
    seen: ['prefix', 'secret scalar, little-endian', 'nonce, little-endian'],
  },
];

const ecdsaCases: Row[] = [
  {
    name: 'secp256k1 getPublicKey',
    call: (key) => curves.secp256k1.getPublicKey(key),
    seen: ['secret key', 'secret key, little-endian'],
  },
  {
    name: 'secp256k1 isValidSecretKey',
    call: (key) => curves.secp256k1.utils.isValidSecretKey(key),
    seen: ['secret key'],
  },
  { name: 'secp256k1 prepare', call: (key) => curves.secp256k1.prepare(key), seen: ['secret key'] },
  {
    name: 'ECDSA sign',
    call: (key, message) => curves.secp256k1.sign(message, key),
    seen: ['secret key', 'K 1', 'K 1, inner midstate', 'K 1, outer midstate', 'digest'],
  },
  {
    name: 'ECDSA sign, with extra entropy',
    call: (key, message, extra) => curves.secp256k1.sign(message, key, { extraEntropy: extra }),
    seen: ['secret key', 'digest'],
  },
  {
    name: 'ECDSA sign, a digest',
    call: (key, message) => curves.secp256k1.sign(sha256(message), key, { prehash: false }),
    seen: ['secret key', 'digest'],
  },
  {
    name: 'ECDSA prepared sign',
    call: (key, message) => curves.secp256k1.prepare(key).sign(message),
    seen: ['secret key', 'K 1, inner midstate', 'inverse of the nonce, little-endian'],
  },
  {
    name: 'ECDSA batch of 5',
    call: (key, message) => curves.secp256k1.prepare(key).signBatch(batch(message, 5)),
    seen: ['secret key'],
  },
  {
    name: 'ECDSA batch of 70',
    call: (key, message) => curves.secp256k1.prepare(key).signBatch(batch(message, 70)),
    seen: ['secret key'],
  },
];

const schnorrCases: Row[] = [
  { name: 'Schnorr getPublicKey', call: (key) => curves.schnorr.getPublicKey(key), seen: ['secret key'] },
  {
    name: 'Schnorr sign',
    call: (key, message, aux) => curves.schnorr.sign(message, key, aux),
    seen: ['secret key', 'mask', 't', 'rand', 'message'],
  },
  {
    name: 'Schnorr prepare',
    call: (key) => curves.schnorr.prepare(key),
    seen: ['secret key'],
  },
  {
    name: 'Schnorr prepared sign',
    call: (key, message, aux) => curves.schnorr.prepare(key).sign(message, aux),
    seen: ['mask', 't', 'rand', 'message'],
  },
  {
    name: 'Schnorr batch of 5',
    call: (key, message, aux) => curves.schnorr.prepare(key).signBatch(batch(message, 5), aux),
    seen: ['mask', 't', 'rand', 'message'],
  },
];

const cases = [...ed25519Cases.map(ofEd25519), ...ecdsaCases.map(ofEcdsa), ...schnorrCases.map(ofSchnorr)];

// Seeds of keys are secret as well, but lead to keys by a way of their own.
const fromSeeds = [curves.secp256k1, curves.schnorr];

afterEach(() => {
  vi.restoreAllMocks();
  observed.afterEachCall = undefined;
});

/** A call with a fresh key, message and so on, after which the memory is what it returns. */
function imageAfter({ newKey, call }: Case, length = 33): Buffer {
  call(newKey(), random(length), random(32));
  return observed.image();
}

describe.each(cases)('$name', (operation) => {
  it('has secrets in memory, and none afterwards', () => {
    const [key, message, extra] = [operation.newKey(), random(40), random(32)];
    const forms = operation.forms(key, message, extra);
    const unseen: Forms = Object.fromEntries(operation.seen.map((name) => [name, forms[name]!]));
    observed.afterEachCall = () => {
      if (Object.keys(unseen).length === 0) return;
      for (const { name } of search(observed.image(), unseen)) delete unseen[name];
    };
    operation.call(key, message, extra);
    expect(unseen).toEqual({});
    expect(found(observed.image(), forms)).toEqual([]);
  });

  it.each([0, 1, 100, 65_536, 150_000])(
    'leaves the same memory whatever the key and the message, of %i bytes',
    (length) => {
      const clean = imageAfter(operation);
      const [first, ...others] = [0, 1, 2].map(() => imageAfter(operation, length));
      for (const other of others) expect(observed.differences(other, first!)).toEqual([]);
      expect(observed.memoryDifferences(first!, clean)).toEqual([]);
    },
  );

  it('keeps to the ranges that are wiped', () => {
    imageAfter(operation);
    const images = [0, 1].map(() => {
      let image: Buffer | undefined;
      observed.afterEachCall = () => {
        image = observed.image();
      };
      operation.call(operation.newKey(), random(40), random(32));
      return image!;
    });
    const { SECRETS, SECRETS_BYTES, MESSAGE, MESSAGE_BYTES } = observed.exports;
    const { BATCH_SECRETS, BATCH_SECRETS_BYTES } = observed.exports;
    const isWiped = (at: number) =>
      (at >= SECRETS.value && at < SECRETS.value + SECRETS_BYTES.value) ||
      (at >= MESSAGE.value && at < MESSAGE.value + MESSAGE_BYTES.value) ||
      (at >= BATCH_SECRETS.value && at < BATCH_SECRETS.value + BATCH_SECRETS_BYTES.value);
    const dependent = differingBytes(images[0]!, images[1]!);
    expect(dependent.length).toBeGreaterThan(60);
    expect(dependent.filter((at) => !isWiped(at)).map((at) => observed.nameOf(at))).toEqual([]);
  });

  it('leaves the same memory at a trap anywhere in it', () => {
    const args = () => [operation.newKey(), random(40), random(32)] as const;
    operation.call(...args());
    const events = observed.eventsOf(() => operation.call(...args()));
    const steps = Math.min(events, 5);
    for (let step = 1; step <= steps; step++) {
      const [first, second] = [0, 1].map(() => {
        const [key, message, extra] = args();
        observed.renew();
        operation.call(...args()); // computes the tables
        observed.trap(() => operation.call(key, message, extra), Math.floor((events * step) / steps));
        if (step === 3) expect(found(observed.image(), operation.forms(key, message, extra))).toEqual([]);
        return observed.image();
      });
      expect(observed.differences(first!, second!)).toEqual([]);
    }
  });

  it('leaves the same memory at an error between two steps', () => {
    let calls = 0;
    observed.afterEachCall = () => {
      calls++;
    };
    imageAfter(operation);
    for (let failing = 1; failing <= Math.min(calls, 6); failing++) {
      const [first, second] = [0, 1].map(() => {
        let left = failing;
        observed.afterEachCall = () => {
          if (--left === 0) throw new Error('on purpose');
        };
        expect(() => imageAfter(operation)).toThrow('on purpose');
        return observed.image();
      });
      expect(observed.differences(first!, second!)).toEqual([]);
    }
  });
});

describe('a key that is refused', () => {
  const calls: Record<string, (key: Uint8Array) => unknown> = {
    'secp256k1.getPublicKey': (key) => curves.secp256k1.getPublicKey(key),
    'secp256k1.sign': (key) => curves.secp256k1.sign(random(50), key),
    'secp256k1.prepare': (key) => curves.secp256k1.prepare(key),
    'schnorr.getPublicKey': (key) => curves.schnorr.getPublicKey(key),
    'schnorr.sign': (key) => curves.schnorr.sign(random(50), key),
  };

  it.each(Object.entries(calls))('leaves nothing: %s', (_name, call) => {
    const clean = imageAfter(cases.at(-1)!);
    for (const key of [0n, n, n + 5n, 2n ** 256n - 1n].map((number) => bigEndian(number))) {
      expect(() => call(key)).toThrow(RangeError);
      expect(observed.differences(observed.image(), clean)).toEqual([]);
    }
    for (const length of [0, 31, 33]) {
      expect(() => call(random(length))).toThrow(RangeError);
      expect(observed.differences(observed.image(), clean)).toEqual([]);
    }
  });
});

it.each(fromSeeds)('keys from seeds leave neither', ({ keygen }) => {
  const clean = imageAfter(cases.at(-1)!);
  for (const fill of [0, 1, 0xff]) {
    keygen(random(48).fill(fill, 0, 8));
    expect(observed.differences(observed.image(), clean)).toEqual([]);
  }
});

describe('a buffer that is not wiped', () => {
  /** Leaves this part of the memory out of whatever fills memory. */
  function leaveOut(start: number, end: number): void {
    const fill = Uint8Array.prototype.fill;
    vi.spyOn(Uint8Array.prototype, 'fill').mockImplementation(function (this: Uint8Array, ...args) {
      const part = new Uint8Array(observed.exports.memory.buffer, start, end - start);
      const before = part.slice();
      fill.apply(this, args);
      if (this.buffer === part.buffer) part.set(before);
      return this;
    });
  }

  it.each(cases.filter(({ name }) => /sign$/.test(name)))('is noticed wherever it is: $name', (operation) => {
    const images = [0, 1].map(() => {
      let image: Buffer = Buffer.alloc(0);
      observed.afterEachCall = () => {
        image = observed.image();
      };
      imageAfter(operation);
      return image;
    });
    observed.afterEachCall = undefined;
    const blocks = new Set(differingBytes(images[0]!, images[1]!).map((at) => at >> 4));
    expect(blocks.size).toBeGreaterThan(20);
    for (const block of blocks) {
      leaveOut(16 * block, 16 * block + 16);
      // A part may depend on a single bit of a key, so two keys are not enough.
      const parts = new Set<string>();
      for (let keys = 0; keys < 64 && parts.size < 2; keys++) {
        parts.add(imageAfter(operation).toString('hex', 16 * block, 16 * block + 16));
      }
      vi.restoreAllMocks();
      expect(parts.size).toBe(2);
    }
    imageAfter(operation);
  });
});

describe('outside WASM memory', () => {
  /** The arrays that anything is copied from, or that are made by copying, while `work` runs. */
  function arraysOf(work: () => void): Uint8Array[] {
    const arrays = new Set<Uint8Array>();
    const { set, slice } = Uint8Array.prototype;
    vi.spyOn(Uint8Array.prototype, 'set').mockImplementation(function (this: Uint8Array, source, at) {
      if (source instanceof Uint8Array) arrays.add(source);
      set.call(this, source, at);
    });
    vi.spyOn(Uint8Array.prototype, 'slice').mockImplementation(function (this: Uint8Array, ...args) {
      const copy = slice.apply(this, args) as Uint8Array<ArrayBuffer>;
      arrays.add(copy);
      return copy;
    });
    work();
    vi.restoreAllMocks();
    return [...arrays];
  }

  /** How many of the arrays have any form of a secret. */
  const holding = (arrays: Uint8Array[], forms: Forms) =>
    arrays.filter((array) => found(Buffer.from(array), forms).length > 0).length;

  const message = random(40);
  const keys = [
    { name: 'Ed25519', curve: ed25519, forms: (key: Uint8Array) => ed25519Forms(key, message) },
    { name: 'secp256k1', curve: secp256k1, forms: (key: Uint8Array) => ecdsaForms(key, sha256(message)) },
  ];

  it.each(keys)('a prepared key that is destroyed leaves no copy: $name', ({ curve, forms }) => {
    const secretKey = noble.utils.randomSecretKey();
    const isPublic = (name: string) => /^(message|digest)(,|$)/.test(name);
    const secrets = Object.fromEntries(Object.entries(forms(secretKey)).filter(([name]) => !isPublic(name)));
    const prepared = curve.prepare(secretKey.slice());
    const arrays = arraysOf(() => prepared.sign(message));
    expect(holding(arrays, secrets)).toBeGreaterThan(0);
    prepared.destroy();
    expect(holding(arrays, secrets)).toBe(0);
  });

  it('getPublicKey leaves no copy of the expanded key', () => {
    const secretKey = random(32);
    const arrays = arraysOf(() => ed25519.getPublicKey(secretKey)).filter((array) => array !== secretKey);
    expect(holding(arrays, ed25519Forms(secretKey, message))).toBe(0);
  });

  it('the module in use outside these tests is wiped as well', () => {
    const [secretKey, aux] = [noble.utils.randomSecretKey(), random(32)];
    ed25519.sign(message, secretKey);
    secp256k1.sign(message, secretKey);
    schnorr.sign(message, secretKey, aux);
    const image = withCurves(({ run }) => Buffer.from(run.memory.buffer));
    for (const forms of [ed25519Forms(secretKey, message), ecdsaForms(secretKey, sha256(message))]) {
      expect(found(image, forms)).toEqual([]);
    }
    expect(found(image, schnorrForms(secretKey, message, aux))).toEqual([]);
  });
});
