import { p256 } from '@noble/curves/nist.js';
import { describe, expect, test } from 'vitest';
import { fromHex } from '../../src/bytes.js';
import { KeyError } from '../../src/errors.js';
import { PublicKey } from '../../src/signers/public-key.js';
import type { Algorithm } from '../../src/signers/types.js';
import { genpkey, openssl, opensslText } from './openssl.js';

const algorithms: readonly Algorithm[] = ['ed25519', 'secp256k1', 'p256'];
const spkiLengths = { ed25519: 44, secp256k1: 88, p256: 91 };

function opensslKey(algorithm: Algorithm) {
  const privatePem = openssl(genpkey[algorithm]);
  const spki = openssl(['pkey', '-pubout', '-outform', 'DER'], privatePem);
  return { privatePem, spki, pem: opensslText(['pkey', '-pubout'], privatePem) };
}

const keyError = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'KeyError', code, message: expect.stringMatching(message) });
function expectKeyError(call: () => unknown, code: string, message: RegExp) {
  let error: unknown;
  try {
    call();
  } catch (caught) {
    error = caught;
  }
  expect(error).toEqual(keyError(code, message));
}

describe.each(algorithms)('PublicKey, %s', (algorithm) => {
  const { privatePem, spki, pem } = opensslKey(algorithm);

  test('keeps a copy of what it was read from, also of a Buffer', () => {
    const key = PublicKey.fromSpki(spki);
    for (const raw of [key.raw, Buffer.from(key.raw)]) {
      const copy = PublicKey.fromRaw(algorithm, raw);
      raw.fill(9);
      copy.raw.fill(9);
      expect(copy.raw).toEqual(key.raw);
      expect(copy.spki).toEqual(key.spki);
    }
    const der = Buffer.from(spki);
    const copy = PublicKey.fromSpki(der);
    der.fill(9);
    expect(copy.equals(key)).toBe(true);
  });

  test('reads and writes what openssl writes, DER and PEM', () => {
    const key = PublicKey.fromSpki(spki);
    expect(key.algorithm).toBe(algorithm);
    expect(key.spki).toEqual(spki);
    expect(key.spki.length).toBe(spkiLengths[algorithm]);
    expect(key.toPem()).toBe(pem);
    expect(PublicKey.fromPem(pem).spki).toEqual(spki);
  });

  test('goes through raw and back', () => {
    const key = PublicKey.fromSpki(spki);
    expect(key.raw.length).toBe(algorithm === 'ed25519' ? 32 : 33);
    expect(PublicKey.fromRaw(algorithm, key.raw).spki).toEqual(spki);
    if (algorithm !== 'ed25519')
      expect(PublicKey.fromRaw(algorithm, spki.subarray(-65)).raw).toEqual(key.raw);
  });

  test('is immutable', () => {
    const source = spki.slice();
    const key = PublicKey.fromSpki(source);
    const raw = key.raw.slice();
    source.fill(0);
    key.raw.fill(0);
    key.spki.fill(0);
    expect(key.spki).toEqual(spki);
    expect(key.raw).toEqual(raw);
    expect(() => Object.assign(key, { algorithm: 'p256', extra: 1 })).toThrow(TypeError);
  });

  test('equals the same key and no other', () => {
    const key = PublicKey.fromSpki(spki);
    expect(key.equals(PublicKey.fromPem(pem))).toBe(true);
    expect(key.equals(PublicKey.fromSpki(opensslKey(algorithm).spki))).toBe(false);
  });

  test('reads the JWK back in WebCrypto or node:crypto', async () => {
    const { createPublicKey } = await import('node:crypto');
    const jwk = PublicKey.fromSpki(spki).toJwk();
    const imported = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' });
    expect(new Uint8Array(imported)).toEqual(spki);
  });

  test('refuses every truncation, every extension and every flipped byte but those of a key', () => {
    for (let length = 0; length < spki.length; length++) {
      expect(() => PublicKey.fromSpki(spki.subarray(0, length)), `${length} bytes`).toThrow(KeyError);
    }
    expect(() => PublicKey.fromSpki(Uint8Array.from([...spki, 0]))).toThrow(KeyError);
    for (let index = 0; index < spki.length; index++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const damaged = spki.slice();
        damaged[index]! ^= flip;
        acceptsOnlyAs(damaged, damaged);
      }
    }
  });

  /** Refused with a KeyError, or read as exactly what it says. */
  function acceptsOnlyAs(der: Uint8Array, meaning: Uint8Array) {
    try {
      expect(PublicKey.fromSpki(der).spki).toEqual(meaning);
    } catch (error) {
      expect(error).toBeInstanceOf(KeyError);
    }
  }

  test('refuses a private key, and says how to get the public one', () => {
    const text = Buffer.from(privatePem).toString();
    expectKeyError(() => PublicKey.fromPem(text), 'invalid-key', /private key.*openssl pkey .*-pubout/);
    const der = openssl(['pkey', '-outform', 'DER'], privatePem);
    expectKeyError(() => PublicKey.fromSpki(der), 'invalid-key', /not a public key in SPKI DER/);
  });
});

describe.each(['secp256k1', 'p256'] as const)('PublicKey, EC points, %s', (algorithm) => {
  const { privatePem, spki } = opensslKey(algorithm);
  const withForm = (form: string) =>
    openssl(
      ['ec', '-pubout', '-conv_form', form, '-outform', 'DER'],
      openssl(['pkey', '-traditional'], privatePem),
    );

  test('reads a compressed point, and writes it uncompressed', () => {
    const compressed = withForm('compressed');
    expect(compressed.length).toBe(spki.length - 32);
    expect(PublicKey.fromSpki(compressed).spki).toEqual(spki);
  });

  test('refuses hybrid points, explicit parameters and points off the curve', () => {
    expectKeyError(() => PublicKey.fromSpki(withForm('hybrid')), 'invalid-key', /compressed or uncompressed/);
    const explicit = openssl(
      ['ec', '-pubout', '-param_enc', 'explicit', '-outform', 'DER'],
      openssl(['pkey', '-traditional'], privatePem),
    );
    expectKeyError(() => PublicKey.fromSpki(explicit), 'invalid-key', /named_curve/);
    const off = spki.slice();
    off[off.length - 1]! ^= 1;
    expectKeyError(() => PublicKey.fromSpki(off), 'invalid-key', /on the curve/);
  });

  test('refuses the point at infinity, x beyond the field and wrong prefixes', () => {
    const raw = PublicKey.fromSpki(spki).raw;
    expect(() => PublicKey.fromRaw(algorithm, Uint8Array.of(0))).toThrow(RangeError);
    expectKeyError(() => PublicKey.fromRaw(algorithm, new Uint8Array(33)), 'invalid-key', /on the curve/);
    expectKeyError(() => PublicKey.fromRaw(algorithm, new Uint8Array(65)), 'invalid-key', /on the curve/);
    const beyond = new Uint8Array(33).fill(0xff);
    beyond[0] = 2;
    expectKeyError(() => PublicKey.fromRaw(algorithm, beyond), 'invalid-key', /on the curve/);
    for (const prefix of [0, 1, 4, 5, 6, 7, 0xff]) {
      const wrong = raw.slice();
      wrong[0] = prefix;
      expectKeyError(() => PublicKey.fromRaw(algorithm, wrong), 'invalid-key', /on the curve/);
    }
  });
});

test('reads and refuses Ed25519 encodings as RFC 8032 §5.1.3 does', () => {
  // y = 2 is on no point; p + 1 is a non-canonical 1.
  const noPoint = fromHex(`02${'00'.repeat(31)}`);
  const nonCanonical = fromHex(`ee${'ff'.repeat(30)}7f`);
  expectKeyError(() => PublicKey.fromRaw('ed25519', noPoint), 'invalid-key', /on the curve/);
  expectKeyError(() => PublicKey.fromRaw('ed25519', nonCanonical), 'invalid-key', /on the curve/);
});

test('names other key types', () => {
  const spkiOf = (...args: string[]) =>
    openssl(['pkey', '-pubout', '-outform', 'DER'], openssl(['genpkey', '-algorithm', ...args]));
  const cases: [Uint8Array, RegExp][] = [
    [spkiOf('RSA', '-pkeyopt', 'rsa_keygen_bits:1024'), /RSA/],
    [spkiOf('X25519'), /X25519/],
    [spkiOf('ED448'), /Ed448/],
    [spkiOf('EC', '-pkeyopt', 'ec_paramgen_curve:P-384'), /P-384/],
    [spkiOf('EC', '-pkeyopt', 'ec_paramgen_curve:brainpoolP256r1'), /unknown type/],
  ];
  for (const [der, name] of cases)
    expectKeyError(() => PublicKey.fromSpki(der), 'unsupported-algorithm', name);
});

test('names other PEM', () => {
  const { privatePem, pem } = opensslKey('p256');
  const certificate = opensslText([
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    '/dev/null',
    '-subj',
    '/CN=x',
  ]);
  expectKeyError(() => PublicKey.fromPem(certificate), 'invalid-key', /certificate.*openssl x509 /);
  expectKeyError(() => PublicKey.fromPem(''), 'invalid-key', /no PEM block/);
  expectKeyError(() => PublicKey.fromPem('garbage'), 'invalid-key', /no PEM block/);
  expectKeyError(() => PublicKey.fromPem(pem + pem), 'invalid-key', /2 PEM blocks/);
  expectKeyError(
    () => PublicKey.fromPem(pem.replaceAll('PUBLIC KEY', 'X509 CRL')),
    'invalid-key',
    /X509 CRL/,
  );
  expectKeyError(() => PublicKey.fromPem(pem.slice(0, -30)), 'invalid-key', /without its END/);
  expectKeyError(() => PublicKey.fromPem(pem.replace('MFkw', 'M*kw')), 'invalid-key', /not base64/);
  expectKeyError(
    () => PublicKey.fromPem(pem + Buffer.from(privatePem).toString()),
    'invalid-key',
    /2 PEM blocks/,
  );
});

test('reads PEM with text around it, CRLF, or on one line', () => {
  const { pem, spki } = opensslKey('ed25519');
  for (const text of [
    `Subject: me\n${pem}\n# end`,
    pem.replaceAll('\n', '\r\n'),
    pem.replaceAll('\n', ' '),
    `\ufeff${pem}`,
  ]) {
    expect(PublicKey.fromPem(text).spki).toEqual(spki);
  }
});

test('takes arguments of the right type only', () => {
  const wrong = <T>(value: unknown) => value as T;
  for (const value of [undefined, null, 'text', [1], new ArrayBuffer(44)]) {
    expect(() => PublicKey.fromSpki(wrong(value))).toThrow(TypeError);
    expect(() => PublicKey.fromRaw('ed25519', wrong(value))).toThrow(TypeError);
  }
  for (const value of [undefined, null, 1, new Uint8Array(1)]) {
    expect(() => PublicKey.fromPem(wrong(value))).toThrow(TypeError);
  }
  for (const value of [undefined, 'rsa', 'constructor', '__proto__']) {
    expect(() => PublicKey.fromRaw(wrong(value), new Uint8Array(32))).toThrow(TypeError);
  }
  for (const [algorithm, length] of [
    ['ed25519', 31],
    ['ed25519', 33],
    ['secp256k1', 32],
    ['p256', 64],
  ] as const) {
    expect(() => PublicKey.fromRaw(algorithm, new Uint8Array(length))).toThrow(RangeError);
  }
});

test('refuses an SPKI whose key has the length of another algorithm', () => {
  const ed25519 = opensslKey('ed25519').spki;
  const p256Point = p256.getPublicKey(p256.utils.randomSecretKey());
  const mixed = Uint8Array.from([...fromHex('302b300506032b6570032200'), ...p256Point]);
  expect(mixed.length).toBe(ed25519.length + 1);
  expectKeyError(() => PublicKey.fromSpki(mixed), 'invalid-key', /names ed25519 but holds a key of 33 bytes/);
});
