import { createPrivateKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toBase64, utf8 } from '../../../src/bytes.js';
import { SignerError } from '../../../src/errors.js';
import { derEncode, TAG } from '../../../src/signers/encoding/der.js';
import { encodePem, parsePem } from '../../../src/signers/encoding/pem.js';
import {
  encodePrivateKeyPem,
  type PrivateKey,
  readPrivateKey,
} from '../../../src/signers/encoding/private-key.js';
import {
  encodeEncryptedPrivateKeyPem,
  openEncryptedKey,
} from '../../../src/signers/encoding/private-key.node.js';
import { genpkey, openssl, opensslText } from '../openssl.js';

const read = (pem: string, passphrase?: string) =>
  readPrivateKey(pem, passphrase === undefined ? {} : { passphrase }, openEncryptedKey);

/** The secret as node:crypto reads it, which is another reader than ours. */
function secretOf(pem: string): Uint8Array {
  const { d } = createPrivateKey(pem).export({ format: 'jwk' });
  return new Uint8Array(Buffer.from(d!, 'base64url'));
}

async function expectKey(pem: string, expected: PrivateKey, passphrase?: string) {
  await expect(read(pem, passphrase)).resolves.toEqual(expected);
}

async function expectRefused(pem: string, code: string, message: RegExp, passphrase?: string) {
  await expect(read(pem, passphrase)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
}

const software = ['ed25519', 'secp256k1'] as const;
const passphrase = 'correct horse – Pferd';

/** Every single-byte truncation, and flips of every byte, of `der` under `label`. */
function* damaged(label: string, der: Uint8Array): Generator<{ pem: string; der: Uint8Array; what: string }> {
  const variant = (changed: Uint8Array, what: string) => ({
    pem: encodePem(label, changed),
    der: changed,
    what,
  });
  for (let length = 0; length < der.length; length++)
    yield variant(der.subarray(0, length), `first ${length} bytes`);
  yield variant(Uint8Array.from([...der, 0]), 'a byte appended');
  for (let index = 0; index < der.length; index++) {
    for (const flip of [0x01, 0x20, 0x80, 0xff]) {
      const changed = der.slice();
      changed[index]! ^= flip;
      yield variant(changed, `byte ${index} xor ${flip}`);
    }
  }
}

describe.each(software)('private keys of openssl, %s', (algorithm) => {
  const pem = opensslText(genpkey[algorithm]);
  const key: PrivateKey = { algorithm, secretKey: secretOf(pem) };

  test('PKCS#8 is read, and written byte for byte the same', async () => {
    await expectKey(pem, key);
    expect(encodePrivateKeyPem(key)).toBe(pem);
  });

  test('many keys are written as openssl writes them', async () => {
    for (let i = 0; i < 10; i++) {
      const other = opensslText(genpkey[algorithm]);
      expect(encodePrivateKeyPem(await read(other))).toBe(other);
    }
  });

  test.each([
    ['pkcs8 -topk8', ['pkcs8', '-topk8', '-passout', `pass:${passphrase}`]],
    ['pkcs8 -topk8 -scrypt', ['pkcs8', '-topk8', '-scrypt', '-passout', `pass:${passphrase}`]],
    ['pkcs8 -topk8 -iter 100000', ['pkcs8', '-topk8', '-iter', '100000', '-passout', `pass:${passphrase}`]],
    [
      'pkcs8 -topk8 -v2 aes-128-cbc',
      ['pkcs8', '-topk8', '-v2', 'aes-128-cbc', '-passout', `pass:${passphrase}`],
    ],
    [
      'pkcs8 -topk8 -v2 aes-192-cbc',
      ['pkcs8', '-topk8', '-v2', 'aes-192-cbc', '-passout', `pass:${passphrase}`],
    ],
    ['pkcs8 -topk8 -v2 des3', ['pkcs8', '-topk8', '-v2', 'des3', '-passout', `pass:${passphrase}`]],
    ...['hmacWithSHA1', 'hmacWithSHA224', 'hmacWithSHA384', 'hmacWithSHA512'].map(
      (prf): [string, string[]] => [
        `pkcs8 -topk8 -v2prf ${prf}`,
        ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-v2prf', prf, '-passout', `pass:${passphrase}`],
      ],
    ),
    ['pkey -aes256', ['pkey', '-aes256', '-passout', `pass:${passphrase}`]],
  ])('encrypted by openssl %s is read', async (_, args) => {
    const encrypted = opensslText(args, pem);
    expect(encrypted).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    await expectKey(encrypted, key, passphrase);
  });

  test('openssl genpkey -aes256 is read', async () => {
    const encrypted = opensslText([...genpkey[algorithm], '-aes256', '-pass', `pass:${passphrase}`]);
    const secretKey = secretOf(opensslText(['pkey', '-passin', `pass:${passphrase}`], encrypted));
    await expectKey(encrypted, { algorithm, secretKey }, passphrase);
  });

  test('encrypted by us is read by openssl, and by us', async () => {
    const encrypted = await encodeEncryptedPrivateKeyPem(key, passphrase);
    expect(opensslText(['pkey', '-passin', `pass:${passphrase}`], encrypted)).toBe(pem);
    await expectKey(encrypted, key, passphrase);
    expect(await encodeEncryptedPrivateKeyPem(key, passphrase)).not.toBe(encrypted);
    expect(() => openssl(['pkey', '-passin', 'pass:wrong'], encrypted)).toThrow();
  });

  test('an unencrypted key ignores a passphrase', () => expectKey(pem, key, 'unused'));

  test('a missing, empty or wrong passphrase is said', async () => {
    const encrypted = opensslText(['pkcs8', '-topk8', '-passout', `pass:${passphrase}`], pem);
    await expectRefused(
      encrypted,
      'wrong-passphrase',
      /encrypted and no passphrase was given.*ERST_SOFTWARE_PASSPHRASE/,
    );
    await expectRefused(encrypted, 'wrong-passphrase', /does not open with this passphrase/, '');
    await expectRefused(
      encrypted,
      'wrong-passphrase',
      /does not open with this passphrase/,
      `${passphrase} `,
    );
  });

  test('a wrong passphrase is called so even where the padding happens to look right', async () => {
    const encrypted = opensslText(['pkcs8', '-topk8', '-iter', '1', '-passout', `pass:${passphrase}`], pem);
    for (let i = 0; i < 1000; i++) {
      await expectRefused(encrypted, 'wrong-passphrase', /does not open/, `guess ${i}`);
    }
  });

  test('every truncation and flipped byte is refused with a SignerError, or read as what it says', async () => {
    const [block] = parsePem(pem);
    for (const { pem: text, der, what } of damaged('PRIVATE KEY', block!.der)) {
      try {
        const found = await read(text);
        // Ed25519 has no check value in this format: other bytes in the secret are another key.
        const secretKey = algorithm === 'ed25519' ? der.slice(16) : key.secretKey;
        expect(found, what).toEqual({ algorithm, secretKey });
      } catch (error) {
        expect(error, what).toBeInstanceOf(SignerError);
      }
    }
  });

  test('every truncation and flipped byte of an encrypted key is refused with a SignerError', async () => {
    const encrypted = opensslText(['pkcs8', '-topk8', '-iter', '1', '-passout', `pass:${passphrase}`], pem);
    const [block] = parsePem(encrypted);
    const outcomes = new Set<string>();
    for (const { pem: text, what } of damaged('ENCRYPTED PRIVATE KEY', block!.der)) {
      try {
        const found = await read(text, passphrase);
        outcomes.add('read');
        // CBC is not authenticated: Ed25519 has nothing that would show a change. secp256k1 carries its public key.
        if (algorithm === 'secp256k1') expect(found, what).toEqual(key);
      } catch (error) {
        expect(error, what).toBeInstanceOf(SignerError);
        outcomes.add((error as SignerError).code);
      }
    }
    expect(outcomes).toContain('invalid-key');
    expect(outcomes).toContain('wrong-passphrase');
  });
});

describe('secp256k1 of openssl in other forms', () => {
  const pem = opensslText(genpkey.secp256k1);
  const key: PrivateKey = { algorithm: 'secp256k1', secretKey: secretOf(pem) };
  const sec1 = opensslText(['pkey', '-traditional'], pem);

  test('SEC1, with and without its public key', async () => {
    expect(sec1).toContain('BEGIN EC PRIVATE KEY');
    await expectKey(sec1, key);
    await expectKey(opensslText(['ec', '-no_public'], sec1), key);
  });

  test('SEC1 after EC PARAMETERS, as openssl ecparam -genkey writes it', async () => {
    const both = opensslText(['ecparam', '-name', 'secp256k1', '-genkey']);
    expect(both).toContain('BEGIN EC PARAMETERS');
    await expectKey(both, { algorithm: 'secp256k1', secretKey: secretOf(opensslText(['pkey'], both)) });
  });

  test('SEC1 with a compressed public key', () =>
    expectKey(opensslText(['ec', '-conv_form', 'compressed'], sec1), key));

  test('PKCS#8 without public key, or with it compressed, or with the curve named twice', async () => {
    const without = opensslText(['pkcs8', '-topk8', '-nocrypt'], opensslText(['ec', '-no_public'], sec1));
    expect(without.length).toBeLessThan(pem.length);
    await expectKey(without, key);
    await expectKey(opensslText(['pkey', '-ec_conv_form', 'compressed'], pem), key);
    const named = derEncode(
      TAG.sequence,
      Uint8Array.of(2, 1, 0),
      derEncode(TAG.sequence, fromOid('2a8648ce3d0201'), fromOid('2b8104000a')),
      derEncode(TAG.octetString, parsePem(sec1)[0]!.der),
    );
    await expectKey(encodePem('PRIVATE KEY', named), key);
  });

  const fromOid = (hex: string) => derEncode(TAG.oid, new Uint8Array(Buffer.from(hex, 'hex')));

  test('SEC1 without a curve is refused, with the advice to keep EC PARAMETERS', async () => {
    const bare = derEncode(TAG.sequence, Uint8Array.of(2, 1, 1), derEncode(TAG.octetString, key.secretKey));
    await expectRefused(encodePem('EC PRIVATE KEY', bare), 'invalid-key', /names no curve.*EC PARAMETERS/);
    const parameters = encodePem('EC PARAMETERS', fromOid('2b8104000a'));
    await expectKey(parameters + encodePem('EC PRIVATE KEY', bare), key);
    await expectRefused(parameters, 'invalid-key', /EC PARAMETERS but no key/);
    const p256 = encodePem('EC PARAMETERS', fromOid('2a8648ce3d030107'));
    await expectRefused(p256 + encodePem('EC PRIVATE KEY', bare), 'unsupported-algorithm', /P-256/);
    const wrongType = encodePem('EC PARAMETERS', fromOid('2b6570'));
    await expectRefused(
      wrongType + encodePem('EC PRIVATE KEY', bare),
      'unsupported-algorithm',
      /unknown type/,
    );
  });

  test('explicit parameters are refused, with the command that names the curve', async () => {
    const explicit = opensslText(['ec', '-param_enc', 'explicit'], sec1);
    await expectRefused(explicit, 'invalid-key', /-param_enc named_curve/);
    const inPkcs8 = opensslText(['pkcs8', '-topk8', '-nocrypt'], explicit);
    await expectRefused(inPkcs8, 'invalid-key', /-param_enc named_curve/);
  });

  test('a public key of another private key is refused, inside and in SEC1', async () => {
    const other = opensslText(['pkey', '-traditional'], opensslText(genpkey.secp256k1));
    const swap = (target: Uint8Array, source: Uint8Array) =>
      Uint8Array.from([...target.subarray(0, -65), ...source.subarray(-65)]);
    const mixed = swap(parsePem(sec1)[0]!.der, parsePem(other)[0]!.der);
    await expectRefused(encodePem('EC PRIVATE KEY', mixed), 'invalid-key', /public key does not belong/);
    const pkcs8 = swap(parsePem(pem)[0]!.der, parsePem(other)[0]!.der);
    await expectRefused(encodePem('PRIVATE KEY', pkcs8), 'invalid-key', /public key does not belong/);
  });

  test('secrets out of range are refused', async () => {
    const order = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
    for (const hex of ['00'.repeat(32), order, 'ff'.repeat(32), '01', '00'.repeat(31), `00${order}`]) {
      const secretKey = new Uint8Array(Buffer.from(hex, 'hex'));
      const bare = derEncode(
        TAG.sequence,
        Uint8Array.of(2, 1, 1),
        derEncode(TAG.octetString, secretKey),
        derEncode(TAG.context(0), fromOid('2b8104000a')),
      );
      await expectRefused(
        encodePem('EC PRIVATE KEY', bare),
        'invalid-key',
        /no secp256k1 secret key in range/,
      );
    }
  });

  test('every truncation and flipped byte of SEC1 is refused with a SignerError', async () => {
    for (const { pem: text, what } of damaged('EC PRIVATE KEY', parsePem(sec1)[0]!.der)) {
      await expect(read(text), what).rejects.toBeInstanceOf(SignerError);
    }
  });

  test('the old encryption is refused, with the command that converts it', async () => {
    const legacy = opensslText(['ec', '-aes256', '-passout', 'pass:secret'], sec1);
    expect(legacy).toContain('Proc-Type: 4,ENCRYPTED');
    await expectRefused(legacy, 'invalid-key', /old way.*openssl pkcs8 -topk8/, 'secret');
    const converted = opensslText(
      ['pkcs8', '-topk8', '-passin', 'pass:secret', '-passout', 'pass:secret'],
      legacy,
    );
    await expectKey(converted, key, 'secret');
  });
});

describe('Ed25519 of RFC 8410', () => {
  // RFC 8410 §10.3: the same key as version 0, and as version 1 with attributes and public key.
  const v0 = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
`;
  const v1 = `-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----
`;

  test('both versions are the same key', async () => {
    const key = await read(v0);
    expect(key.algorithm).toBe('ed25519');
    expect(Buffer.from(key.secretKey).toString('hex')).toMatch(/^d4ee72dbf913584a/);
    await expectKey(v1, key);
    expect(encodePrivateKeyPem(key)).toBe(v0);
  });

  test('every truncation and flipped byte of version 1 is refused, or is the same key', async () => {
    const key = await read(v0);
    let same = 0;
    for (const { pem, what } of damaged('PRIVATE KEY', parsePem(v1)[0]!.der)) {
      try {
        // Attributes say nothing about the key, and may hold anything.
        expect(await read(pem), what).toEqual(key);
        same++;
      } catch (error) {
        expect(error, what).toBeInstanceOf(SignerError);
      }
    }
    expect(same).toBeGreaterThan(0);
  });

  test('the public key is read as ring once wrote it, too', async () => {
    const key = await read(v1);
    const der = parsePem(v1)[0]!.der;
    const point = der.slice(-32);
    const info = (...publicPart: Uint8Array[]) =>
      encodePem(
        'PRIVATE KEY',
        derEncode(
          TAG.sequence,
          Uint8Array.of(2, 1, 1),
          der.subarray(5, 12),
          derEncode(4, derEncode(4, key.secretKey)),
          ...publicPart,
        ),
      );
    const explicit = (bytes: Uint8Array) =>
      derEncode(TAG.context(1), derEncode(TAG.bitString, Uint8Array.of(0), bytes));
    await expectKey(info(), key);
    await expectKey(info(explicit(point)), key);
    point[0]! ^= 1;
    await expectRefused(info(explicit(point)), 'invalid-key', /public key does not belong/);
  });

  test('a public key in version 0 is refused', async () => {
    const der = parsePem(v1)[0]!.der;
    der[4] = 0;
    await expectRefused(encodePem('PRIVATE KEY', der), 'invalid-key', /damaged/);
  });
});

describe('what is no key to sign with in memory', () => {
  const pem = opensslText(genpkey.ed25519);
  const rsa = opensslText(['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024']);
  const p256 = opensslText(genpkey.p256);
  const certificate = opensslText([
    'req',
    '-x509',
    '-newkey',
    'ed25519',
    '-nodes',
    '-keyout',
    '/dev/null',
    '-subj',
    '/CN=x',
  ]);

  test.each([
    ['P-256 in PKCS#8', p256, 'unsupported-algorithm', /P-256.*HSM only.*pkcs11/],
    ['P-256 in SEC1', opensslText(['pkey', '-traditional'], p256), 'unsupported-algorithm', /P-256/],
    ['RSA in PKCS#8', rsa, 'unsupported-algorithm', /RSA key.*erst-hsm keygen/],
    ['RSA in PKCS#1', opensslText(['pkey', '-traditional'], rsa), 'unsupported-algorithm', /RSA key/],
    ['X25519', opensslText(['genpkey', '-algorithm', 'X25519']), 'unsupported-algorithm', /X25519/],
    [
      'P-384',
      opensslText(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384']),
      'unsupported-algorithm',
      /P-384/,
    ],
    ['a public key', opensslText(['pkey', '-pubout'], pem), 'invalid-key', /public key, which cannot sign/],
    ['a certificate', certificate, 'invalid-key', /certificate, which cannot sign/],
    [
      'a key and its certificate',
      pem + certificate,
      'invalid-key',
      /several PEM blocks \(PRIVATE KEY, CERTIFICATE\)/,
    ],
    ['two keys', pem + pem, 'invalid-key', /several PEM blocks/],
    ['an OpenSSH key', encodePem('OPENSSH PRIVATE KEY', utf8('openssh-key-v1')), 'invalid-key', /OpenSSH/],
    ['another block', encodePem('X509 CRL', utf8('x')), 'invalid-key', /X509 CRL/],
    ['nothing', '', 'invalid-key', /empty/],
    ['white space', ' \n\n', 'invalid-key', /empty/],
    ['garbage', 'not a key', 'invalid-key', /not PEM.*openssl pkey -inform DER/],
    [
      'DER',
      Buffer.from(openssl(['pkey', '-outform', 'DER'], pem)).toString('latin1'),
      'invalid-key',
      /not PEM/,
    ],
    ['base64 alone', toBase64(parsePem(pem)[0]!.der), 'invalid-key', /not PEM/],
    [
      'a key without its END line',
      pem.split('\n').slice(0, 2).join('\n'),
      'invalid-key',
      /without its END line/,
    ],
    ['mismatched lines', pem.replace('END PRIVATE', 'END PUBLIC'), 'invalid-key', /ends with END PUBLIC KEY/],
    ['a character that is no base64', pem.replace('MC4C', 'MC*C'), 'invalid-key', /not base64/],
    ['a lost character', pem.replace('MC4C', 'MC4'), 'invalid-key', /incomplete/],
    ['an empty block', '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----', 'invalid-key', /damaged/],
  ])('%s is refused and named', (_, text, code, message) => expectRefused(text, code, message));

  test('PBES1 and unknown ciphers are refused, with the commands that convert them', async () => {
    for (const args of [
      ['-v1', 'PBE-SHA1-3DES'],
      ['-v2', 'aria-256-cbc'],
      ['-v2', 'camellia-256-cbc'],
    ]) {
      const encrypted = opensslText(['pkcs8', '-topk8', ...args, '-passout', 'pass:secret'], pem);
      await expectRefused(encrypted, 'invalid-key', /openssl pkcs8 -topk8 -in plain.pem/, 'secret');
    }
  });

  test('an RSA key inside encryption is named', async () => {
    const encrypted = opensslText(['pkcs8', '-topk8', '-passout', 'pass:secret'], rsa);
    await expectRefused(encrypted, 'unsupported-algorithm', /RSA/, 'secret');
  });

  test('key derivation that would stall the process is refused at once', async () => {
    const pbkdf2 = opensslText(['pkcs8', '-topk8', '-iter', '65536', '-passout', 'pass:secret'], pem);
    const many = parsePem(pbkdf2)[0]!.der;
    // 65536 is the integer 02 03 01 00 00.
    many[Buffer.from(many).indexOf(Buffer.from('0203010000', 'hex')) + 2] = 0x7f;
    await expectRefused(
      encodePem('ENCRYPTED PRIVATE KEY', many),
      'invalid-key',
      /8323072 iterations of PBKDF2/,
      'secret',
    );
    const scrypt = opensslText(['pkcs8', '-topk8', '-scrypt', '-passout', 'pass:secret'], pem);
    const { der } = parsePem(scrypt)[0]!;
    // N = 16384 is the integer 02 02 40 00; r = 8 follows.
    const at = Buffer.from(der).indexOf(Buffer.from('02024000020108', 'hex'));
    expect(at).toBeGreaterThan(0);
    const huge = der.slice();
    huge[at + 6] = 0x7f;
    huge[at + 2] = 0x40;
    huge[at + 9] = 0x7f;
    await expectRefused(encodePem('ENCRYPTED PRIVATE KEY', huge), 'invalid-key', /scrypt/, 'secret');
    const notPowerOfTwo = der.slice();
    notPowerOfTwo[at + 3] = 1;
    await expectRefused(
      encodePem('ENCRYPTED PRIVATE KEY', notPowerOfTwo),
      'invalid-key',
      /damaged/,
      'secret',
    );
  });

  test('the algorithm asked for must be the key’s', async () => {
    const ask = (text: string, algorithm: 'ed25519' | 'secp256k1' | 'p256') =>
      readPrivateKey(text, { algorithm }, openEncryptedKey);
    await expect(ask(pem, 'ed25519')).resolves.toMatchObject({ algorithm: 'ed25519' });
    await expect(ask(pem, 'secp256k1')).rejects.toMatchObject({ code: 'key-mismatch' });
    await expect(ask(opensslText(genpkey.secp256k1), 'ed25519')).rejects.toMatchObject({
      code: 'key-mismatch',
    });
    await expect(ask(pem, 'p256')).rejects.toMatchObject({ code: 'key-mismatch' });
  });

  test('no error shows any part of the key or the passphrase', async () => {
    const shown: string[] = [];
    const collect = async (text: string, secret?: string) => {
      try {
        await read(text, secret);
      } catch (error) {
        for (let e = error; e instanceof Error; e = e.cause) shown.push(e.message, e.stack ?? '');
      }
    };
    const body = pem.split('\n')[1]!;
    await collect(pem.replace('MC4C', 'MC*C'));
    await collect(pem + pem);
    await collect(pem.slice(0, -20));
    await collect(opensslText(['pkcs8', '-topk8', '-passout', 'pass:right'], pem), 'hunter2-guess');
    expect(shown.length).toBeGreaterThan(4);
    for (const text of shown) {
      expect(text).not.toContain(body.slice(8, 30));
      expect(text).not.toContain('hunter2');
    }
  });
});

test('text of any kind gives a key or a SignerError', async () => {
  const pem = opensslText(genpkey.secp256k1);
  const labels = ['PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'EC PARAMETERS', 'CERTIFICATE'];
  const block = fc
    .tuple(fc.constantFrom(...labels), fc.uint8Array({ maxLength: 80 }))
    .map(([label, der]) => encodePem(label, der));
  const spliced = fc
    .tuple(fc.nat(pem.length), fc.nat(20), fc.string({ maxLength: 20 }))
    .map(([at, cut, text]) => pem.slice(0, at) + text + pem.slice(at + cut));
  await fc.assert(
    fc.asyncProperty(fc.oneof(block, spliced, fc.string()), async (text) => {
      try {
        expect(await read(text, 'passphrase')).toMatchObject({
          algorithm: 'secp256k1',
          secretKey: secretOf(pem),
        });
      } catch (error) {
        expect(error).toBeInstanceOf(SignerError);
      }
    }),
    { numRuns: 1000 },
  );
});
