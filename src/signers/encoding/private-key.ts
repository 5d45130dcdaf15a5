// Private keys in PEM: PKCS#8 and SEC1 in, PKCS#8 out; Ed25519 and secp256k1. Runs in every runtime; PBES2 is handed in.
// Invariant: a key is accepted only from strict DER that names its curve, in range, and, where the file holds the
// public key too, only if that belongs to it. Written keys are byte for byte what OpenSSL writes.
// Sources: RFC 5958 (PKCS#8), RFC 8410 §7 (Ed25519), RFC 5915 (SEC1 ECPrivateKey).

import { copyBytes, fromHex } from '../../bytes.js';
import { ed25519, secp256k1 } from '../../curves/index.js';
import { KeyError, SignerError } from '../../errors.js';
import { PublicKey } from '../public-key.js';
import type { Algorithm } from '../types.js';
import { DerError, DerReader, derEncode, TAG } from './der.js';
import { readCurve, readKeyAlgorithm } from './key-algorithms.js';
import { encodePem, type PemBlock, parsePem } from './pem.js';

/** What a key in memory can be. */
export type SoftwareAlgorithm = 'ed25519' | 'secp256k1';

/** A private key in the open. Whoever holds one wipes `secretKey`. */
export interface PrivateKey {
  algorithm: SoftwareAlgorithm;
  /** 32 bytes: the seed of RFC 8032 §5.1.5, or the big-endian scalar. */
  secretKey: Uint8Array;
}

export interface PrivateKeyOptions {
  /** Opens an encrypted key; not used where the key is not encrypted. UTF-8, not normalized, as OpenSSL takes it. */
  passphrase?: string;
  /** The key must be of this algorithm, or reading fails with `key-mismatch`. */
  algorithm?: Algorithm;
}

/** Turns an EncryptedPrivateKeyInfo into the PKCS#8 inside it, or fails with `wrong-passphrase`, also for want of one. */
export type OpenEncryptedKey = (der: Uint8Array, passphrase: string | undefined) => Promise<Uint8Array>;

/**
 * The private key in `pem`, which must be the only one there.
 *
 * Throws a TypeError for arguments of wrong types; a KeyError `invalid-key`, `unsupported-algorithm`, `key-mismatch` or
 * `wrong-passphrase` that says what was found instead; and what `openEncrypted` throws.
 */
export async function readPrivateKey(
  pem: string,
  options: PrivateKeyOptions,
  openEncrypted: OpenEncryptedKey,
): Promise<PrivateKey> {
  checkArguments(pem, options);
  const blocks = parsePem(pem);
  try {
    const { block, parameters } = selectKey(pem, blocks);
    const key = await decodeBlock(block, parameters, options.passphrase, openEncrypted);
    return expectKeyAlgorithm(key, options.algorithm);
  } finally {
    for (const { der } of blocks) der.fill(0);
  }
}

/** PKCS#8 DER of `key`, as `openssl genpkey` writes it: 48 bytes for Ed25519, 135 for secp256k1. The caller's to wipe. */
export function encodePkcs8(key: PrivateKey): Uint8Array {
  if (key.algorithm === 'ed25519') {
    return derEncode(TAG.sequence, pkcs8Prefixes.ed25519, key.secretKey);
  }
  const publicPart = secp256k1.getPublicKey(key.secretKey, false);
  return derEncode(TAG.sequence, pkcs8Prefixes.secp256k1, key.secretKey, sec1PublicKeyPrefix, publicPart);
}

/** PKCS#8 PEM of `key`, not encrypted. */
export function encodePrivateKeyPem(key: PrivateKey): string {
  const der = encodePkcs8(key);
  try {
    return encodePem('PRIVATE KEY', der);
  } finally {
    der.fill(0);
  }
}

// Everything between the outer SEQUENCE's header and the secret: version 0, AlgorithmIdentifier, and the headers of the
// OCTET STRINGs (and ECPrivateKey) around the secret. Both have one possible length.
const pkcs8Prefixes: Readonly<Record<SoftwareAlgorithm, Uint8Array>> = {
  ed25519: fromHex('020100300506032b657004220420'),
  secp256k1: fromHex('020100301006072a8648ce3d020106052b8104000a046d306b0201010420'),
};
const sec1PublicKeyPrefix = fromHex('a144034200');

/** The PKCS#8 key in `der`; the result does not share memory with it. A `KeyError` for anything else. */
function decodePkcs8(der: Uint8Array): PrivateKey {
  return strictly('PKCS#8', () => {
    const outer = new DerReader(der);
    const info = outer.enter();
    outer.end();
    const version = info.smallUnsigned();
    const algorithm = expectSoftwareAlgorithm(readKeyAlgorithm(info.enter()));
    const encoded = new DerReader(info.read(TAG.octetString));
    info.optional(TAG.context(0)); // attributes, which say nothing about the key
    const publicKey = readPkcs8PublicKey(info, version);
    info.end();
    if (algorithm === 'secp256k1') return readSec1(encoded, 'secp256k1', publicKey);
    const secretKey = encoded.read(TAG.octetString);
    encoded.end();
    return checkKey('ed25519', secretKey, [publicKey]);
  });
}

/** RFC 5958 §2: version 0 has no public key; version 1 may, as `[1] IMPLICIT BIT STRING`. */
function readPkcs8PublicKey(info: DerReader, version: number): Uint8Array | undefined {
  if (version > 1) throw new DerError('a PKCS#8 version that is neither 0 nor 1');
  if (version === 0) return undefined;
  if (info.nextIs(TAG.contextPrimitive(1))) return info.bitString(TAG.contextPrimitive(1));
  // Early versions of the Rust library ring wrote it EXPLICIT.
  return info.nextIs(TAG.context(1)) ? readExplicitBitString(info, 1) : undefined;
}

function decodeSec1(der: Uint8Array, parameters: Uint8Array | undefined): PrivateKey {
  return strictly('SEC1', () => {
    const curve = parameters && readParameters(parameters);
    return readSec1(new DerReader(der), curve && expectSoftwareCurve(curve));
  });
}

/** RFC 5915 §3. `curve` is what the surroundings say; the key itself may say it again, and must where they do not. */
function readSec1(reader: DerReader, curve?: 'secp256k1', outerPublicKey?: Uint8Array): PrivateKey {
  const key = reader.enter();
  reader.end();
  if (key.smallUnsigned() !== 1) throw new DerError('an ECPrivateKey version other than 1');
  const secretKey = key.read(TAG.octetString);
  const own = key.nextIs(TAG.context(0)) ? readParameters(key.read(TAG.context(0))) : undefined;
  const innerPublicKey = key.nextIs(TAG.context(1)) ? readExplicitBitString(key, 1) : undefined;
  key.end();
  const algorithm = own ? expectSoftwareCurve(own) : curve;
  if (!algorithm) {
    throw new KeyError(
      'invalid-key',
      'This EC PRIVATE KEY names no curve. Put the EC PARAMETERS block that came with it before it.',
    );
  }
  return checkKey(algorithm, secretKey, [outerPublicKey, innerPublicKey]);
}

function readParameters(der: Uint8Array): Algorithm {
  const reader = new DerReader(der);
  const curve = readCurve(reader);
  reader.end();
  return curve;
}

function readExplicitBitString(reader: DerReader, tag: number): Uint8Array {
  const wrapper = reader.enter(TAG.context(tag));
  const contents = wrapper.bitString();
  wrapper.end();
  return contents;
}

/** A copy of `secretKey`, in range, with every public key that came along belonging to it. */
function checkKey(
  algorithm: SoftwareAlgorithm,
  secretKey: Uint8Array,
  publicKeys: readonly (Uint8Array | undefined)[],
): PrivateKey {
  const curve = algorithm === 'ed25519' ? ed25519 : secp256k1;
  if (secretKey.length !== 32 || !curve.utils.isValidSecretKey(secretKey)) {
    throw new KeyError('invalid-key', `The file is damaged: it holds no ${algorithm} secret key in range.`);
  }
  const derived = PublicKey.fromRaw(algorithm, curve.getPublicKey(secretKey));
  for (const raw of publicKeys) {
    if (raw && !isKey(derived, raw)) {
      throw new KeyError(
        'invalid-key',
        'The file is damaged or was put together wrongly: its public key does not belong to its private key. ' +
          'Take the key from a backup.',
      );
    }
  }
  return { algorithm, secretKey: copyBytes(secretKey) };
}

function isKey(key: PublicKey, raw: Uint8Array): boolean {
  try {
    return PublicKey.fromRaw(key.algorithm, raw).equals(key);
  } catch {
    return false;
  }
}

function strictly(format: string, read: () => PrivateKey): PrivateKey {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new KeyError('invalid-key', `The file is damaged: it is not a ${format} private key inside.`, {
      cause,
    });
  }
}

function expectSoftwareAlgorithm(algorithm: Algorithm): SoftwareAlgorithm {
  if (algorithm !== 'p256') return algorithm;
  throw new KeyError(
    'unsupported-algorithm',
    'This is a P-256 key. P-256 keys sign inside an HSM only (signer type pkcs11); ' +
      'in memory use Ed25519 or secp256k1.',
  );
}

function expectSoftwareCurve(algorithm: Algorithm): 'secp256k1' {
  if (expectSoftwareAlgorithm(algorithm) === 'secp256k1') return 'secp256k1';
  throw new DerError('Ed25519 is not a curve of EC keys');
}

function expectKeyAlgorithm(key: PrivateKey, algorithm: Algorithm | undefined): PrivateKey {
  if (algorithm === undefined || algorithm === key.algorithm) return key;
  key.secretKey.fill(0);
  throw new KeyError('key-mismatch', `The key is ${key.algorithm}, but ${algorithm} is configured.`);
}

function checkArguments(pem: string, { passphrase, algorithm }: PrivateKeyOptions): void {
  if (typeof pem !== 'string') throw new TypeError('pem must be a string');
  if (passphrase !== undefined && typeof passphrase !== 'string') {
    throw new TypeError('passphrase must be a string');
  }
  if (algorithm !== undefined && !['ed25519', 'secp256k1', 'p256'].includes(algorithm)) {
    throw new TypeError('algorithm must be ed25519 or secp256k1');
  }
}

/** The one key block, and the EC PARAMETERS block that `openssl ecparam -genkey` writes before it. */
function selectKey(pem: string, blocks: readonly PemBlock[]): { block: PemBlock; parameters?: Uint8Array } {
  const [parameters, ...others] = blocks.filter(({ label }) => label === 'EC PARAMETERS');
  const [block, ...rest] = blocks.filter(({ label }) => label !== 'EC PARAMETERS');
  if (!block) throw noKey(pem, blocks);
  if (rest.length > 0 || others.length > 0) {
    const labels = blocks.map(({ label }) => label).join(', ');
    throw new KeyError(
      'invalid-key',
      `There are several PEM blocks (${labels}). Keep the one private key alone.`,
    );
  }
  return parameters ? { block, parameters: parameters.der } : { block };
}

async function decodeBlock(
  { label, der, hasHeaders }: PemBlock,
  parameters: Uint8Array | undefined,
  passphrase: string | undefined,
  openEncrypted: OpenEncryptedKey,
): Promise<PrivateKey> {
  if (hasHeaders) throw legacyEncryption();
  if (label === 'PRIVATE KEY') return decodePkcs8(der);
  if (label === 'EC PRIVATE KEY') return decodeSec1(der, parameters);
  if (label !== 'ENCRYPTED PRIVATE KEY') throw otherBlock(label);
  const opened = await openEncrypted(der, passphrase);
  try {
    return decodePkcs8(opened);
  } finally {
    opened.fill(0);
  }
}

function noKey(pem: string, blocks: readonly PemBlock[]): KeyError {
  if (blocks.length > 0) {
    return new KeyError(
      'invalid-key',
      'There are EC PARAMETERS but no key. Append the private key that belongs to them.',
    );
  }
  if (pem.trim() === '') {
    return new KeyError('invalid-key', 'The key is empty. Make one with: erst-hsm keygen');
  }
  return new KeyError(
    'invalid-key',
    'This is not PEM: a private key starts with -----BEGIN PRIVATE KEY-----. ' +
      'If it is binary (DER), convert it with: openssl pkey -inform DER -in key.der -out key.pem',
  );
}

function otherBlock(label: string): KeyError {
  const advice: Record<string, [what: string, next: string]> = {
    'RSA PRIVATE KEY': ['an RSA key', 'Use an Ed25519 or secp256k1 key; make one with: erst-hsm keygen'],
    'DSA PRIVATE KEY': ['a DSA key', 'Use an Ed25519 or secp256k1 key; make one with: erst-hsm keygen'],
    'OPENSSH PRIVATE KEY': ['a key in the OpenSSH format', 'Use PKCS#8; make a key with: erst-hsm keygen'],
    'PUBLIC KEY': ['a public key, which cannot sign', 'Give the private key.'],
    'RSA PUBLIC KEY': ['an RSA public key', 'Give an Ed25519 or secp256k1 private key.'],
    CERTIFICATE: ['a certificate, which cannot sign', 'Give the private key.'],
    'CERTIFICATE REQUEST': ['a certificate request, which cannot sign', 'Give the private key.'],
  };
  const [what, next] = advice[label] ?? [`a PEM block ${label}`, 'Give a private key in PKCS#8 or SEC1.'];
  const code = label.startsWith('RSA') || label.startsWith('DSA') ? 'unsupported-algorithm' : 'invalid-key';
  return new KeyError(code, `This is ${what}. ${next}`);
}

function legacyEncryption(): KeyError {
  return new KeyError(
    'invalid-key',
    'This key is encrypted in the old way (Proc-Type: 4,ENCRYPTED), which derives its key by one round of MD5. ' +
      'Convert it with: openssl pkcs8 -topk8 -in key.pem -out new.pem',
  );
}

/** The `OpenEncryptedKey` of runtimes that cannot. */
export const refuseEncryptedKey: OpenEncryptedKey = async () => {
  throw new SignerError(
    'unsupported-runtime',
    'Encrypted private keys are opened in Node only. Use the key there, or behind a bridge, ' +
      'or decrypt it first with: openssl pkey -in key.pem -out plain.pem',
  );
};
