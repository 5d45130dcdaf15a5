// The extensions of an X.509 certificate, which node:crypto does not give.
// Source: RFC 5280 §4.1 (TBSCertificate), §4.1.2.9 (Extension).

import { bytesToHex } from '../../../bytes.js';
import { DerError, DerReader, TAG } from '../../encoding/der.js';

const BOOLEAN = 0x01;

/** Contents of the extensions by the DER contents of their OID in hex; empty for what is no strict DER. */
export function certificateExtensions(der: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  try {
    const list = extensionsOf(new DerReader(der).enter().enter());
    while (list?.nextIs(TAG.sequence)) {
      const extension = list.enter();
      const oid = bytesToHex(extension.read(TAG.oid));
      extension.optional(BOOLEAN); // critical
      found.set(oid, extension.read(TAG.octetString));
    }
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return new Map();
  }
  return found;
}

function extensionsOf(certificate: DerReader): DerReader | undefined {
  certificate.optional(TAG.context(0)); // version
  certificate.read(TAG.integer); // serialNumber
  for (const _ of ['signature', 'issuer', 'validity', 'subject', 'subjectPublicKeyInfo']) {
    certificate.read(TAG.sequence);
  }
  certificate.optional(TAG.contextPrimitive(1)); // issuerUniqueID
  certificate.optional(TAG.contextPrimitive(2)); // subjectUniqueID
  return certificate.nextIs(TAG.context(3)) ? certificate.enter(TAG.context(3)).enter() : undefined;
}
