// What the other side did wrong, in one class: whatever a decoder or the channel throws for bytes from the wire is this.

import { RemoteError } from '../errors.js';

/** WebSocket close code for a violation (docs/PROTOCOL.md §7): malformed, over a limit, frame too large. */
export type ViolationCloseCode = 1002 | 1008 | 1009;

/** The peer sent what the protocol does not allow. The connection cannot go on; close it with `closeCode`. */
export class ProtocolError extends RemoteError {
  readonly closeCode: ViolationCloseCode;

  constructor(message: string, options?: ErrorOptions & { closeCode?: ViolationCloseCode }) {
    super('protocol-error', message, options);
    this.closeCode = options?.closeCode ?? 1002;
  }
}
