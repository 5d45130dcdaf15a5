// Finding key objects on a token and reading what they say of themselves.

import { X509Certificate } from 'node:crypto';
import type { Template } from 'pkcs11js';
import { bytesToHex, equalBytes, fromHex } from '../../../bytes.js';
import { Pkcs11Error } from '../../../errors.js';
import { PublicKey } from '../../public-key.js';
import type { Algorithm } from '../../types.js';
import { CKA, CKK, CKO, CKR } from '../constants.js';
import type { CertificateSummary, KeyFilter, KeyIdentity, KeySummary } from '../engine/hosted-module.js';
import { type Handle, ulong } from './ck-types.js';
import type { Cryptoki } from './cryptoki.js';
import { algorithmOfParams, pointOf } from './ec-encoding.js';

/** Some modules give Ed25519 keys the key type of the other curves; EC_PARAMS decide. */
const EC_KEY_TYPES: ReadonlySet<bigint> = new Set([CKK.EC, CKK.EC_EDWARDS].map(BigInt));

type KeyClass = typeof CKO.PRIVATE_KEY | typeof CKO.PUBLIC_KEY;

/** Key objects of one class that match `filter`, with what they say of themselves. */
export function listKeys(
  cryptoki: Cryptoki,
  session: Handle,
  keyClass: KeyClass,
  filter: KeyFilter = {},
): KeySummary[] {
  const found = cryptoki.findObjects(session, template(keyClass, filter));
  return found.map((object) => summarize(cryptoki, session, object, keyClass));
}

/** The objects of one class that have the algorithm, label and id of `key`. */
export function findKeyObjects(
  cryptoki: Cryptoki,
  session: Handle,
  keyClass: KeyClass,
  key: KeyIdentity,
): Handle[] {
  return cryptoki
    .findObjects(session, template(keyClass, filterOf(key)))
    .filter((object) => isKey(cryptoki, session, object, key));
}

/** The private key object that is `key`. */
export function findPrivateKey(cryptoki: Cryptoki, session: Handle, key: KeyIdentity): Handle {
  const found = findKeyObjects(cryptoki, session, CKO.PRIVATE_KEY, key);
  const [handle, second] = found;
  const name = `${key.algorithm} key with label "${key.label}" and id "${key.idHex}"`;
  if (handle === undefined) {
    throw new Pkcs11Error('key-not-found', `The ${name} is no longer on the token: see erst-hsm hsm keys`);
  }
  if (second !== undefined) {
    throw new Pkcs11Error(
      'key-ambiguous',
      `The token has ${found.length} keys that cannot be told apart: ${name}. Give one of them an id of its own`,
    );
  }
  return handle;
}

/** Certificates that match `filter`; those that are kept elsewhere (CKA_URL) have no value, and are left out. */
export function listCertificates(
  cryptoki: Cryptoki,
  session: Handle,
  filter: KeyFilter = {},
): CertificateSummary[] {
  return cryptoki.findObjects(session, template(CKO.CERTIFICATE, filter)).flatMap((object) => {
    const der = cryptoki.attribute(session, object, CKA.VALUE);
    if (der === undefined || der.length === 0) return [];
    return [{ label: cryptoki.label(session, object), idHex: idOf(cryptoki, session, object), der }];
  });
}

/**
 * The public point that belongs to `key`: from the public key object with its CKA_ID, else from the private key object,
 * else from a certificate with its CKA_ID. A key without an id is matched by its label.
 */
export function findPublicPoint(
  cryptoki: Cryptoki,
  session: Handle,
  key: KeyIdentity,
): Uint8Array | undefined {
  const pointsOf = (objectClass: number, read: PointReader) =>
    cryptoki
      .findObjects(session, template(objectClass, filterOf(key)))
      .filter((object) => idOf(cryptoki, session, object) === key.idHex)
      .map((object) => read(cryptoki, session, object, key));
  return (
    onlyPoint(pointsOf(CKO.PUBLIC_KEY, pointOfKey), key) ??
    onlyPoint(pointsOf(CKO.PRIVATE_KEY, pointOfKey), key) ??
    onlyPoint(pointsOf(CKO.CERTIFICATE, pointOfCertificate), key)
  );
}

type PointReader = (
  cryptoki: Cryptoki,
  session: Handle,
  object: Handle,
  key: KeyIdentity,
) => Uint8Array | undefined;

const pointOfKey: PointReader = (cryptoki, session, object, key) => {
  if (algorithmOf(cryptoki, session, object) !== key.algorithm) return undefined;
  const ecPoint = cryptoki.attribute(session, object, CKA.EC_POINT);
  return ecPoint && pointOf(key.algorithm, ecPoint);
};

const pointOfCertificate: PointReader = (cryptoki, session, object, key) => {
  const der = cryptoki.attribute(session, object, CKA.VALUE);
  if (der === undefined) return undefined;
  try {
    const spki = new X509Certificate(der).publicKey.export({ format: 'der', type: 'spki' });
    const publicKey = PublicKey.fromSpki(Uint8Array.from(spki));
    return publicKey.algorithm === key.algorithm ? publicKey.raw : undefined;
  } catch {
    return undefined; // another kind of certificate or key
  }
};

function onlyPoint(candidates: (Uint8Array | undefined)[], key: KeyIdentity): Uint8Array | undefined {
  const points = candidates.filter((point) => point !== undefined);
  const [first] = points;
  if (first !== undefined && points.some((point) => !equalBytes(point, first))) {
    throw new Pkcs11Error(
      'key-ambiguous',
      `The token has several ${key.algorithm} public keys for id "${key.idHex}" (label "${key.label}"). Remove those ` +
        'that do not belong to the private key, or give each pair an id of its own',
    );
  }
  return first;
}

function summarize(cryptoki: Cryptoki, session: Handle, object: Handle, keyClass: KeyClass): KeySummary {
  const isPrivate = keyClass === CKO.PRIVATE_KEY;
  const flag = (type: number) => cryptoki.flag(session, object, type);
  return {
    algorithm: algorithmOf(cryptoki, session, object),
    label: cryptoki.label(session, object),
    idHex: idOf(cryptoki, session, object),
    canSign: isPrivate && (flag(CKA.SIGN) ?? true),
    needsLogin: flag(CKA.PRIVATE) ?? isPrivate,
    alwaysAuthenticate: isPrivate && (flag(CKA.ALWAYS_AUTHENTICATE) ?? false),
    local: flag(CKA.LOCAL),
    alwaysSensitive: isPrivate ? flag(CKA.ALWAYS_SENSITIVE) : undefined,
    neverExtractable: isPrivate ? flag(CKA.NEVER_EXTRACTABLE) : undefined,
    extractable: isPrivate ? flag(CKA.EXTRACTABLE) : undefined,
  };
}

function idOf(cryptoki: Cryptoki, session: Handle, object: Handle): string {
  return bytesToHex(cryptoki.attribute(session, object, CKA.ID) ?? new Uint8Array());
}

function algorithmOf(cryptoki: Cryptoki, session: Handle, object: Handle): Algorithm | undefined {
  const keyType = keyTypeOf(cryptoki, session, object);
  if (keyType === undefined || !EC_KEY_TYPES.has(ulong(keyType))) return undefined;
  const params = cryptoki.attribute(session, object, CKA.EC_PARAMS);
  return params && algorithmOfParams(params);
}

/** libykcs11 2.2 fails over keys that it does not know (Ed25519 on newer cards), and goes on with the others. */
function keyTypeOf(cryptoki: Cryptoki, session: Handle, object: Handle): Uint8Array | undefined {
  try {
    return cryptoki.attribute(session, object, CKA.KEY_TYPE);
  } catch (error) {
    if (!(error instanceof Pkcs11Error && error.ckrCode === CKR.CKR_FUNCTION_FAILED)) throw error;
    cryptoki.attribute(session, object, CKA.CLASS); // fails as well where it is the token that fails
    return undefined;
  }
}

function isKey(cryptoki: Cryptoki, session: Handle, object: Handle, key: KeyIdentity): boolean {
  return (
    algorithmOf(cryptoki, session, object) === key.algorithm &&
    cryptoki.label(session, object) === key.label &&
    idOf(cryptoki, session, object) === key.idHex
  );
}

/** By id where there is one: a label may be absent, or not be text, and then no template finds it. */
function filterOf(key: KeyIdentity): KeyFilter {
  if (key.idHex !== '') return { idHex: key.idHex };
  return key.label === '' ? {} : { label: key.label };
}

function template(objectClass: number, filter: KeyFilter): Template {
  const attributes: Template = [{ type: CKA.CLASS, value: objectClass }];
  if (filter.label !== undefined) attributes.push({ type: CKA.LABEL, value: filter.label });
  if (filter.idHex) attributes.push({ type: CKA.ID, value: Buffer.from(fromHex(filter.idHex)) });
  return attributes;
}
