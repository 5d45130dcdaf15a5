// The certificate and key of a bridge that serves TLS itself.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { ConfigError } from '../errors.js';

/** PEM as bytes or text, or the path of a file that holds it. `cert` may go on with intermediate certificates. */
export interface TlsFiles {
  cert: string | Uint8Array;
  key: string | Uint8Array;
}

export interface TlsCredentials {
  cert: string;
  key: string;
}

/** Reads and checks both. `ConfigError` where one cannot be read, is no PEM of its kind, or they do not belong together. */
export async function loadTls({ cert, key }: TlsFiles): Promise<TlsCredentials> {
  const pem = { cert: await readPem(cert, 'tls.cert'), key: await readPem(key, 'tls.key') };
  const certificate = parseOr('tls.cert', () => new X509Certificate(pem.cert), 'holds no certificate in PEM');
  const privateKey = parseOr(
    'tls.key',
    () => createPrivateKey(pem.key),
    'holds no unencrypted private key in PEM',
  );
  checkPair(certificate, privateKey);
  return pem;
}

async function readPem(source: string | Uint8Array, setting: string): Promise<string> {
  if (typeof source !== 'string') return new TextDecoder().decode(source);
  if (source.includes('-----BEGIN')) return source;
  try {
    return await readFile(source, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError(
      setting,
      `cannot read ${source} for ${setting} (${code}); give the path of a PEM file`,
      { cause },
    );
  }
}

function parseOr<T>(setting: string, parse: () => T, problem: string): T {
  try {
    return parse();
  } catch {
    // The parser's own error could quote a private key.
    throw new ConfigError(setting, `${setting} ${problem}`);
  }
}

function checkPair(certificate: X509Certificate, privateKey: KeyObject): void {
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new ConfigError('tls.key', 'tls.key is not the private key of the first certificate in tls.cert');
  }
  if (Date.parse(certificate.validTo) < Date.now()) {
    throw new ConfigError(
      'tls.cert',
      `the certificate in tls.cert expired on ${certificate.validTo}; renew it`,
    );
  }
}
