// The key's public half: on the token (a public key object, or a certificate with its CKA_ID), a point on its curve, and the
// one that is expected. Without it no signature can be verified, and so none is released.

import { bytesToHex } from '../../bytes.js';
import { KeyError } from '../../errors.js';
import type { SelectedKey } from '../../signers/pkcs11/selection/select-key.js';
import { PublicKey } from '../../signers/public-key.js';
import { check } from './check.js';
import { type Finding, failed, ok } from './finding.js';
import { exportLine } from './fix.js';

export const publicKey = check(
  'key.public',
  { needs: ['selection', 'connection', 'key'], gives: ['publicKey'] },
  async ({ selection, connection, key }) => {
    const { publicKeyPem } = selection;
    const expected = publicKeyPem === undefined ? undefined : PublicKey.fromPem(publicKeyPem);
    const point = await connection.publicPoint(key);
    if (point === undefined) return expected ? ofPem(expected) : absent(key);
    const own = decoded(key, point);
    if (!(own instanceof PublicKey)) return own;
    if (expected && !(expected.algorithm === key.algorithm && expected.equals(own))) return another(key, own);
    const checked = expected ? ', which is the expected one' : '';
    return ok(`${bytesToHex(own.raw)}${checked}`, { publicKey: own });
  },
);

function decoded({ algorithm, label }: SelectedKey, point: Uint8Array): PublicKey | Finding {
  try {
    return PublicKey.fromRaw(algorithm, point);
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    const finding = `The public key object "${label}" holds no point of ${algorithm} (CKA_EC_POINT, ${point.length} bytes)`;
    return failed(
      finding,
      '# delete that public key object and put the right one, or its certificate, on the token',
    );
  }
}

function ofPem(expected: PublicKey): Finding {
  return ok('not on the token; ERST_PKCS11_PUBLIC_KEY_PEM takes its place', { publicKey: expected });
}

function absent({ label, idHex }: SelectedKey): Finding {
  const finding = `The token holds neither the public key of "${label}" (id ${idHex || 'none'}) nor a certificate with its id`;
  return failed(finding, 'export ERST_PKCS11_PUBLIC_KEY_PEM="$(cat public.pem)"');
}

function another({ label }: SelectedKey, own: PublicKey): Finding {
  return failed(
    `Key "${label}" is not the one in ERST_PKCS11_PUBLIC_KEY_PEM; if nobody changed either, find out who changed the token`,
    exportLine('ERST_PKCS11_PUBLIC_KEY_PEM', own.toPem().trim().replaceAll('\n', '\\n')),
  );
}
