// Messages in and out of Noise plaintexts (docs/PROTOCOL.md §3): flag ‖ chunk, where every chunk but the last is full.
// That makes the cut unique, and a peer cannot make us hold more pieces than its bytes justify.

import { concatBytes, expectBytes } from '../bytes.js';
import { MAX_PLAINTEXT_BYTES } from './noise.js';
import { ProtocolError } from './protocol-error.js';

/** Longest chunk: what a Noise plaintext holds besides the flag. */
export const MAX_CHUNK_BYTES = MAX_PLAINTEXT_BYTES - 1;
/** Longest message where the welcome does not say otherwise, and always from bridge to client: 1 MiB. */
export const DEFAULT_MAX_MESSAGE_BYTES = 1_048_576;

const MORE = 0x00;
const LAST = 0x01;

/** The plaintexts that carry `message`, which must not be empty, in order. */
export function* framesOf(message: Uint8Array): Generator<Uint8Array, void, undefined> {
  if (expectBytes(message, 'message').length === 0) throw new RangeError('a message cannot be empty');
  for (let start = 0; start < message.length; start += MAX_CHUNK_BYTES) {
    const chunk = message.subarray(start, start + MAX_CHUNK_BYTES);
    const plaintext = new Uint8Array(1 + chunk.length);
    plaintext[0] = start + chunk.length < message.length ? MORE : LAST;
    plaintext.set(chunk, 1);
    yield plaintext;
  }
}

/** Puts one direction's messages together again. `ProtocolError` for what is not a frame, or passes `maxMessageBytes`. */
export class MessageAssembler {
  readonly #maxMessageBytes: number;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxMessageBytes: number = DEFAULT_MAX_MESSAGE_BYTES) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Takes one plaintext, whose memory it keeps; gives the message that this one completes, if it does. */
  push(plaintext: Uint8Array): Uint8Array | undefined {
    const flag = plaintext[0];
    const chunk = plaintext.subarray(1);
    if (flag !== MORE && flag !== LAST) throw new ProtocolError('a frame has no valid flag');
    if (chunk.length === 0) throw new ProtocolError('a frame is empty');
    if (flag === MORE && chunk.length !== MAX_CHUNK_BYTES) {
      throw new ProtocolError('a frame that is not the last is not full');
    }
    if (this.#bytes + chunk.length > this.#maxMessageBytes) {
      throw new ProtocolError(`a message is longer than ${this.#maxMessageBytes} bytes`, { closeCode: 1008 });
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return flag === LAST ? this.#take() : undefined;
  }

  #take(): Uint8Array {
    const message = concatBytes(...this.#chunks);
    this.#chunks = [];
    this.#bytes = 0;
    return message;
  }
}
