import type { WireErrorCode } from '../protocol/messages.js';

/** A request that is answered with an error of docs/PROTOCOL.md §6; the message goes to the client, `cause` to the log. */
export class WireError extends Error {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** For a request whose connection has gone: nobody waits for its answer. */
export const connectionEnded = () =>
  new WireError('bridge-error', 'the connection ended before the request was done');
