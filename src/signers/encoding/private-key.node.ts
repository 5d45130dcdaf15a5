// PBES2: PKCS#8 private keys under a passphrase. Reads what `openssl pkcs8 -topk8` and `openssl genpkey -aes256` write
// (PBKDF2 or scrypt, AES-CBC or 3DES-CBC); writes scrypt with AES-256-CBC, which OpenSSL reads.
// Key derivation runs on the thread pool, within limits, so that a file cannot stall the process.
// Sources: RFC 8018 §6.2, Appendix A (PBES2, PBKDF2), RFC 7914 §7 (scrypt), RFC 5958 §3.

import { createCipheriv, createDecipheriv, pbkdf2, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { bytesToHex, concatBytes, fromHex, utf8 } from '../../bytes.js';
import { KeyError } from '../../errors.js';
import { DerError, DerReader, derEncode, derUnsigned, TAG } from './der.js';
import { encodePem } from './pem.js';
import { encodePkcs8, type PrivateKey } from './private-key.js';

const OID = {
  pbes2: '2a864886f70d01050d',
  pbkdf2: '2a864886f70d01050c',
  scrypt: '2b06010401da47040b',
  aes256Cbc: '60864801650304012a',
} as const;

interface Cipher {
  name: string;
  keyBytes: number;
  ivBytes: number;
}

const ciphers: Readonly<Record<string, Cipher>> = {
  '608648016503040102': { name: 'aes-128-cbc', keyBytes: 16, ivBytes: 16 },
  '608648016503040116': { name: 'aes-192-cbc', keyBytes: 24, ivBytes: 16 },
  [OID.aes256Cbc]: { name: 'aes-256-cbc', keyBytes: 32, ivBytes: 16 },
  '2a864886f70d0307': { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 },
};

const prfHashes: Readonly<Record<string, string>> = {
  '2a864886f70d0207': 'sha1',
  '2a864886f70d0208': 'sha224',
  '2a864886f70d0209': 'sha256',
  '2a864886f70d020a': 'sha384',
  '2a864886f70d020b': 'sha512',
};

// RFC 7914 §2. 16 MiB and 5 passes: the most memory that OpenSSL's default limit reads, with passes to make up for it
// (OWASP's Password Storage Cheat Sheet counts this equal to 128 MiB and one pass).
const written = { cost: 2 ** 14, blockSize: 8, parallelization: 5, saltBytes: 16 };

// A few seconds of one core each, and well above what anyone writes.
const maxPbkdf2Iterations = 5_000_000;
const maxScryptBytes = 2 ** 30;
const maxScryptWork = 2 ** 25;

type DeriveKey = (passphrase: Uint8Array, keyBytes: number) => Promise<Uint8Array>;

interface Encryption {
  deriveKey: DeriveKey;
  cipher: Cipher;
  iv: Uint8Array;
  ciphertext: Uint8Array;
}

const pbkdf2Async = promisify(pbkdf2);
const scryptAsync = promisify<Uint8Array, Uint8Array, number, object, Buffer>(scrypt);

/** The PKCS#8 DER inside an EncryptedPrivateKeyInfo; the caller's to wipe. */
export async function openEncryptedKey(der: Uint8Array, passphrase: string | undefined): Promise<Uint8Array> {
  const { deriveKey, cipher, iv, ciphertext } = readEncryption(der);
  if (passphrase === undefined) throw passphraseMissing();
  const secret = utf8(passphrase);
  let key: Uint8Array | undefined;
  try {
    key = await deriveKey(secret, cipher.keyBytes);
    return decrypt(cipher, key, iv, ciphertext);
  } finally {
    secret.fill(0);
    key?.fill(0);
  }
}

/** PKCS#8 PEM of `key` under `passphrase`. */
export async function encodeEncryptedPrivateKeyPem(
  privateKey: PrivateKey,
  passphrase: string,
): Promise<string> {
  const { cost, blockSize, parallelization, saltBytes } = written;
  const cipher = ciphers[OID.aes256Cbc]!;
  const salt = randomBytes(saltBytes);
  const iv = randomBytes(cipher.ivBytes);
  const secret = utf8(passphrase);
  const plain = encodePkcs8(privateKey);
  let key: Uint8Array | undefined;
  try {
    key = await scryptAsync(secret, salt, cipher.keyBytes, { cost, blockSize, parallelization });
    const encryptor = createCipheriv(cipher.name, key, iv);
    const ciphertext = concatBytes(encryptor.update(plain), encryptor.final());
    return encodePem('ENCRYPTED PRIVATE KEY', encodeEncryption(salt, iv, ciphertext));
  } finally {
    secret.fill(0);
    plain.fill(0);
    key?.fill(0);
  }
}

function encodeEncryption(salt: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const sequence = (...parts: Uint8Array[]) => derEncode(TAG.sequence, ...parts);
  const oid = (hex: string) => derEncode(TAG.oid, fromHex(hex));
  const number = (value: number) => derUnsigned(fromHex(value.toString(16).padStart(8, '0')));
  const kdf = sequence(
    oid(OID.scrypt),
    sequence(
      derEncode(TAG.octetString, salt),
      number(written.cost),
      number(written.blockSize),
      number(written.parallelization),
    ),
  );
  const scheme = sequence(oid(OID.aes256Cbc), derEncode(TAG.octetString, iv));
  return sequence(sequence(oid(OID.pbes2), sequence(kdf, scheme)), derEncode(TAG.octetString, ciphertext));
}

function readEncryption(der: Uint8Array): Encryption {
  try {
    const outer = new DerReader(der);
    const info = outer.enter();
    outer.end();
    const algorithm = info.enter();
    const ciphertext = info.read(TAG.octetString);
    info.end();
    if (bytesToHex(algorithm.read(TAG.oid)) !== OID.pbes2) throw otherEncryption('a scheme older than PBES2');
    const parameters = algorithm.enter();
    algorithm.end();
    const deriveKey = readKdf(parameters.enter());
    const { cipher, iv } = readCipher(parameters.enter());
    parameters.end();
    return { deriveKey, cipher, iv, ciphertext };
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new KeyError(
      'invalid-key',
      'The file is damaged: it is not an encrypted PKCS#8 private key inside.',
      {
        cause,
      },
    );
  }
}

function readKdf(kdf: DerReader): DeriveKey {
  const oid = bytesToHex(kdf.read(TAG.oid));
  const parameters = kdf.enter();
  kdf.end();
  if (oid === OID.pbkdf2) return readPbkdf2(parameters);
  if (oid === OID.scrypt) return readScrypt(parameters);
  throw otherEncryption('an unknown key derivation');
}

function readPbkdf2(parameters: DerReader): DeriveKey {
  const salt = parameters.read(TAG.octetString);
  const iterations = parameters.smallUnsigned();
  const keyLength = parameters.nextIs(TAG.integer) ? parameters.smallUnsigned() : undefined;
  const hash = parameters.nextIs(TAG.sequence) ? readPrf(parameters.enter()) : 'sha1';
  parameters.end();
  if (iterations < 1 || iterations > maxPbkdf2Iterations) throw excessive('iterations of PBKDF2', iterations);
  return (passphrase, keyBytes) => {
    expectKeyLength(keyLength, keyBytes);
    return pbkdf2Async(passphrase, salt, iterations, keyBytes, hash);
  };
}

function readPrf(prf: DerReader): string {
  const hash = prfHashes[bytesToHex(prf.read(TAG.oid))];
  prf.optional(TAG.null);
  prf.end();
  if (!hash) throw otherEncryption('an unknown hash in PBKDF2');
  return hash;
}

function readScrypt(parameters: DerReader): DeriveKey {
  const salt = parameters.read(TAG.octetString);
  const cost = parameters.smallUnsigned();
  const blockSize = parameters.smallUnsigned();
  const parallelization = parameters.smallUnsigned();
  const keyLength = parameters.nextIs(TAG.integer) ? parameters.smallUnsigned() : undefined;
  parameters.end();
  const memory = 128 * blockSize * cost;
  const isPowerOfTwo = cost > 1 && Number.isInteger(Math.log2(cost));
  if (!isPowerOfTwo || blockSize < 1 || parallelization < 1)
    throw new DerError('scrypt parameters out of range');
  if (memory > maxScryptBytes) throw excessive('bytes of memory for scrypt', memory);
  const work = cost * blockSize * parallelization;
  if (work > maxScryptWork) throw excessive('rounds of scrypt', work);
  const options = { cost, blockSize, parallelization, maxmem: 2 * memory + 2 ** 20 };
  return (passphrase, keyBytes) => {
    expectKeyLength(keyLength, keyBytes);
    return scryptAsync(passphrase, salt, keyBytes, options);
  };
}

function readCipher(scheme: DerReader): { cipher: Cipher; iv: Uint8Array } {
  const cipher = ciphers[bytesToHex(scheme.read(TAG.oid))];
  if (!cipher) throw otherEncryption('an unknown cipher');
  const iv = scheme.read(TAG.octetString);
  scheme.end();
  if (iv.length !== cipher.ivBytes) throw new DerError('an initialization vector of wrong length');
  return { cipher, iv };
}

function decrypt(cipher: Cipher, key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const decryptor = createDecipheriv(cipher.name, key, iv);
  const parts: Uint8Array[] = [];
  try {
    parts.push(decryptor.update(ciphertext));
    parts.push(decryptor.final());
    return expectPkcs8(concatBytes(...parts));
  } catch (cause) {
    throw wrongPassphrase(cause);
  } finally {
    for (const part of parts) part.fill(0);
  }
}

/** One wrong passphrase in 256 leaves padding that looks right; what is under it is then no PKCS#8. */
function expectPkcs8(plain: Uint8Array): Uint8Array {
  try {
    const outer = new DerReader(plain);
    const info = outer.enter();
    outer.end();
    info.smallUnsigned();
    info.enter().read(TAG.oid);
    info.read(TAG.octetString);
    return plain;
  } catch (cause) {
    plain.fill(0);
    throw cause;
  }
}

function expectKeyLength(stated: number | undefined, keyBytes: number): void {
  if (stated === undefined || stated === keyBytes) return;
  throw new KeyError(
    'invalid-key',
    'The file is damaged: its key derivation and its cipher do not fit together.',
  );
}

function passphraseMissing(): KeyError {
  return new KeyError(
    'wrong-passphrase',
    'The private key is encrypted and no passphrase was given. Give { passphrase }, or set ERST_SOFTWARE_PASSPHRASE.',
  );
}

function wrongPassphrase(cause: unknown): KeyError {
  return new KeyError(
    'wrong-passphrase',
    'The private key does not open with this passphrase. Check it, white space at its ends included.',
    { cause },
  );
}

function otherEncryption(what: string): KeyError {
  return new KeyError(
    'invalid-key',
    `This key is encrypted with ${what}. Convert it with: ` +
      'openssl pkey -in key.pem -out plain.pem && openssl pkcs8 -topk8 -in plain.pem -out new.pem',
  );
}

function excessive(what: string, count: number): KeyError {
  return new KeyError(
    'invalid-key',
    `This key asks for ${count} ${what}, more than is done here. ` +
      'Encrypt it anew with: openssl pkcs8 -topk8 -in key.pem -out new.pem',
  );
}
