// What signerInfo() says of a key on a token: where it is, and where it came from.

import type { SignerInfo } from '../../types.js';
import { mechanismOf, type TokenSummary } from '../engine/hosted-module.js';
import type { SelectedKey } from '../selection/select-key.js';

export function describeKey(
  module: string,
  token: TokenSummary,
  key: SelectedKey,
  attestation: string,
): SignerInfo {
  const { manufacturer, model, serial, label: tokenLabel, firmwareVersion: firmware } = token;
  const { algorithm, label: keyLabel, idHex: keyId } = key;
  return {
    signerType: 'pkcs11',
    algorithm,
    metadata: {
      manufacturer,
      model,
      serial,
      firmware,
      tokenLabel,
      keyLabel,
      keyId,
      mechanism: `CKM_${mechanismOf[algorithm]}`,
      /** CKA_LOCAL, CKA_NEVER_EXTRACTABLE, CKA_ALWAYS_SENSITIVE. */
      madeOnToken: said(key.local),
      neverExtractable: said(key.neverExtractable),
      alwaysSensitive: said(key.alwaysSensitive),
      pinForEverySignature: said(key.alwaysAuthenticate),
      attestation,
      module,
    },
  };
}

const said = (flag: boolean | undefined): string => (flag === undefined ? 'unknown' : flag ? 'yes' : 'no');
