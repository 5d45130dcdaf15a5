// PIV slots and the CKA_ID under which libykcs11 (yubico-piv-tool) shows their keys.
// Sources: SP 800-73-4 part 1 table 4b (slots); ykcs11: 9a 9c 9d 9e are 1 to 4, the retired slots 82–95 are 5 to 24, f9 is 25.

import { bytesToHex } from '../../../bytes.js';
import { ConfigError } from '../../../errors.js';

const slots = new Map<string, number>([
  ['9a', 1],
  ['9c', 2],
  ['9d', 3],
  ['9e', 4],
  ...Array.from({ length: 20 }, (_, i): [string, number] => [(0x82 + i).toString(16), 5 + i]),
  ['f9', 25],
]);

/** CKA_ID in hex of the key in a PIV slot such as `9a`. */
export function pivSlotToIdHex(slot: string): string {
  const id = slots.get(slot.toLowerCase().replace(/^0x/, ''));
  if (id === undefined) {
    throw new ConfigError(
      'ERST_PKCS11_PIV_SLOT',
      `There is no PIV slot ${JSON.stringify(slot)}: use 9a, 9c, 9d, 9e, 82 to 95 or f9. Example: ERST_PKCS11_PIV_SLOT=9c`,
    );
  }
  return bytesToHex(Uint8Array.of(id));
}
