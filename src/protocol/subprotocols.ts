// The two WebSocket subprotocols, and what each fixes of the handshake (docs/PROTOCOL.md §1, §2).

import { utf8 } from '../bytes.js';
import type { NoisePattern } from './noise.js';

/** For clients that the bridge knows. */
export const SUBPROTOCOL = 'erst-hsm.1';
/** For a new client that holds a pairing link. */
export const PAIRING_SUBPROTOCOL = 'erst-hsm.pair.1';

export type Subprotocol = typeof SUBPROTOCOL | typeof PAIRING_SUBPROTOCOL;

/** The only path that the protocol is spoken at. */
export const PROTOCOL_PATH = '/';

/** Pattern and prologue of the subprotocol's handshake. */
export function handshakeOf(subprotocol: Subprotocol): { pattern: NoisePattern; prologue: Uint8Array } {
  return {
    pattern: subprotocol === PAIRING_SUBPROTOCOL ? 'XKpsk3' : 'XK',
    prologue: utf8(subprotocol + PROTOCOL_PATH),
  };
}
