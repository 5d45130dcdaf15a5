// What a device vouches for: a certificate for a key that was made on it, issued by a key of the device's own whose
// certificate the vendor issued. Today that is the YubiKey's PIV attestation, as libykcs11 shows it: a certificate with the
// key's CKA_ID and Yubico's extensions, beside the certificate of slot f9.
// Dates are not looked at: the device has no clock, and copies them.
// Source: developers.yubico.com/PIV/Introduction/PIV_attestation.html; RFC 5280 §6 for the path.

import { X509Certificate } from 'node:crypto';
import { KeyError } from '../../../errors.js';
import { encodePem, parsePem } from '../../encoding/pem.js';
import { PublicKey } from '../../public-key.js';
import type { TokenConnection } from '../engine/engine.js';
import type { KeyIdentity } from '../engine/hosted-module.js';
import { pivSlotToIdHex } from '../selection/piv.js';
import { certificateExtensions } from './certificate-extensions.js';

/** A device's statement that a key was made on it, and whether it can be believed. */
export interface Attestation {
  /**
   * `verified`: the chain ends at a root of `attestationRootPem`. `not-checked`: each certificate is signed by the next, but
   * no root was given. `failed`: the chain does not end at such a root, or nothing on the token has signed its first
   * certificate: it is not the vendor's, or was tampered with.
   */
  verdict: 'verified' | 'not-checked' | 'failed';
  /** The verdict in a sentence. */
  reason: string;
  /** At most 8 certificates in PEM, each signed by the next, from the key's own up; to the root where it is `verified`. */
  chain: string[];
  /** What the first certificate says of the device and of the key's policies. */
  device: AttestedDevice;
}

/** As Yubico's extensions have it; to be believed only under the verdict `verified`. What a certificate leaves out is absent. */
export interface AttestedDevice {
  /** Major, minor and patch version, e.g. `5.4.3`. */
  firmware?: string;
  /** The device's serial number, in decimal. */
  serial?: string;
  /** When the key wants the PIN: at no signature, once in a session, at every signature. */
  pinPolicy?: 'never' | 'once' | 'always';
  /** When the key wants a touch: at no signature, at every one, or not again for 15 s after one (`cached`). */
  touchPolicy?: 'never' | 'always' | 'cached';
}

/** 1.3.6.1.4.1.41482.3: extensions of PIV attestation. */
const YUBICO_PIV = '2b0601040182c40a03';
const [FIRMWARE, SERIAL, POLICIES] = [`${YUBICO_PIV}03`, `${YUBICO_PIV}07`, `${YUBICO_PIV}08`] as const;
/** CKA_ID of the attestation key's certificate. */
const ISSUER_ID = pivSlotToIdHex('f9');
const MAX_CHAIN = 8;

/**
 * The device's statement on `key`, checked against the certificates in `rootPem`; `undefined` where it makes none, e.g.
 * for a key that was imported. A `KeyError` where `rootPem` holds no certificate.
 */
export async function attestationOf(
  connection: TokenConnection,
  key: KeyIdentity,
  publicKey: PublicKey,
  rootPem?: string,
): Promise<Attestation | undefined> {
  const roots = rootPem === undefined ? undefined : rootsOf(rootPem);
  const ofKey = await certificatesOn(connection, key.idHex);
  const leaf = ofKey.find((certificate) => isStatement(certificate) && isFor(certificate, publicKey));
  if (leaf === undefined) return undefined;
  const path = await pathOf(connection, leaf, roots);
  return {
    ...verdictOn(path, roots),
    chain: path.map(({ raw }) => encodePem('CERTIFICATE', raw)),
    device: deviceOf(certificateExtensions(leaf.raw)),
  };
}

/** Of the token, with this CKA_ID. For each that a YubiKey is asked for it may have to make a signature. */
async function certificatesOn(connection: TokenConnection, idHex?: string): Promise<X509Certificate[]> {
  const found = await connection.certificates(idHex ? { idHex } : {});
  return found.flatMap((each) => {
    const certificate = idHex === undefined || each.idHex === idHex ? parsed(each.der) : undefined;
    return certificate === undefined ? [] : [certificate];
  });
}

/** The issuer is in slot f9; where that does not lead to the end, any certificate on the token may. */
async function pathOf(
  connection: TokenConnection,
  leaf: X509Certificate,
  roots: readonly X509Certificate[] | undefined,
): Promise<X509Certificate[]> {
  const path = pathFrom(leaf, await certificatesOn(connection, ISSUER_ID), roots ?? []);
  const isWhole = roots === undefined ? path.length > 1 : isAmong(path.at(-1)!, roots);
  return isWhole ? path : pathFrom(leaf, await certificatesOn(connection), roots ?? []);
}

/** Also several roots, and intermediates: whoever gives a certificate here trusts it. */
function rootsOf(pem: string): X509Certificate[] {
  const blocks = parsePem(pem).filter(({ label }) => label === 'CERTIFICATE');
  const roots = blocks.map(({ der }) => parsed(der));
  if (roots.length > 0 && roots.every((root) => root !== undefined)) return roots;
  throw new KeyError(
    'invalid-key',
    'There is no certificate in the attestation root: give the PEM that the vendor publishes, from -----BEGIN CERTIFICATE-----',
  );
}

function parsed(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

/** A user's own certificate has the same CKA_ID, but not the vendor's extensions. */
const isStatement = ({ raw }: X509Certificate): boolean => certificateExtensions(raw).has(FIRMWARE);

function isFor(certificate: X509Certificate, publicKey: PublicKey): boolean {
  try {
    const spki = certificate.publicKey.export({ format: 'der', type: 'spki' });
    return PublicKey.fromSpki(Uint8Array.from(spki)).equals(publicKey);
  } catch {
    return false; // a key of another kind
  }
}

/** From `leaf` up as far as each is signed by the next, and no further than to one of `roots`. */
function pathFrom(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): X509Certificate[] {
  const path = [leaf];
  while (path.length < MAX_CHAIN) {
    const last = path.at(-1)!;
    if (path.length > 1 && isAmong(last, roots)) break;
    const issuer = [...roots, ...others].find((each) => !isAmong(each, path) && hasIssued(each, last));
    if (issuer === undefined) break;
    path.push(issuer);
  }
  return path;
}

/** Only a CA issues (RFC 5280 §4.2.1.9): any other key that a vendor certified must not attest. */
function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

const isAmong = (certificate: X509Certificate, list: readonly X509Certificate[]): boolean =>
  list.some(({ raw }) => raw.equals(certificate.raw));

function verdictOn(
  path: readonly X509Certificate[],
  roots: readonly X509Certificate[] | undefined,
): Pick<Attestation, 'verdict' | 'reason'> {
  const top = path.at(-1)!;
  if (path.length === 1) {
    return { verdict: 'failed', reason: 'no certificate on the token has issued the statement on this key' };
  }
  if (roots === undefined) {
    const issuer = oneLineName(top.issuer);
    return {
      verdict: 'not-checked',
      reason: `the statement ends at "${issuer}"; give the vendor's root certificate to check that it is genuine`,
    };
  }
  if (isAmong(top, roots)) {
    return {
      verdict: 'verified',
      reason: `made on the device, by the word of "${oneLineName(top.subject)}"`,
    };
  }
  return {
    verdict: 'failed',
    reason: 'the statement does not end at the given root: it is not the vendor’s',
  };
}

const oneLineName = (name: string): string => name.replaceAll('\n', ', ');

function deviceOf(extensions: ReadonlyMap<string, Uint8Array>): AttestedDevice {
  const [firmware, serial, policies] = [FIRMWARE, SERIAL, POLICIES].map((oid) => extensions.get(oid));
  const pinPolicy = ([undefined, 'never', 'once', 'always'] as const)[policies?.[0] ?? 0];
  const touchPolicy = ([undefined, 'never', 'always', 'cached'] as const)[policies?.[1] ?? 0];
  return {
    ...(firmware?.length === 3 && { firmware: firmware.join('.') }),
    // A DER INTEGER, header of two bytes.
    ...(serial && { serial: String(BigInt(`0x${Buffer.from(serial.subarray(2)).toString('hex')}`)) }),
    ...(pinPolicy && { pinPolicy }),
    ...(touchPolicy && { touchPolicy }),
  };
}
