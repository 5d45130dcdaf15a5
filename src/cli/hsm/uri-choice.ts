// What options of the command line choose, said inside ERST_PKCS11_URI (RFC 7512): a URI and the variables for the same
// thing exclude each other, and an option takes the variable's place.

import { pivSlotToIdHex } from '../../signers/pkcs11/selection/piv.js';

export interface UriChoice {
  tokenLabel?: string | undefined;
  label?: string | undefined;
  id?: string | undefined;
  pivSlot?: string | undefined;
}

const TOKEN = /^(?:token|manufacturer|serial|model|slot-|library-)/;
const KEY = /^(?:object|id|type)=/;

/** `uri` with what `choice` has in place of all that it says of the token, or of the key. */
export function uriWith(uri: string, { tokenLabel, label, id, pivSlot }: UriChoice): string {
  const byId = id ?? (pivSlot === undefined ? undefined : pivSlotToIdHex(pivSlot));
  const token = tokenLabel === undefined ? [] : [`token=${encoded(tokenLabel)}`];
  const key = [
    ...(label === undefined ? [] : [`object=${encoded(label)}`]),
    ...(byId === undefined ? [] : [`id=${byId.replace(/../g, '%$&')}`]),
  ];
  const [path = '', ...query] = uri.replace(/^pkcs11:/i, '').split('?');
  const kept = path.split(';').filter((attribute) => {
    const isReplaced = (token.length > 0 && TOKEN.test(attribute)) || (key.length > 0 && KEY.test(attribute));
    return attribute !== '' && !isReplaced;
  });
  return ['pkcs11:', [...kept, ...token, ...key].join(';'), ...query.map((text) => `?${text}`)].join('');
}

const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
