// A session in the hands of one caller at a time, with the buffers of its signatures: the binding keeps neither input nor
// output alive during C_Sign, so they live as long as the session.

import { Pkcs11Error } from '../../../errors.js';
import type { Handle } from './ck-types.js';
import type { Cryptoki } from './cryptoki.js';

const SIGNATURE_BYTES = 64;
/** Room for what a token might give in place of 64 bytes, so that it is seen for what it is. */
const MAX_SIGNATURE_BYTES = 256;
const USUAL_INPUT_BYTES = 1024;

export class LentSession {
  readonly handle: Handle;
  readonly #output = Buffer.alloc(MAX_SIGNATURE_BYTES);
  readonly #input = Buffer.alloc(USUAL_INPUT_BYTES);

  constructor(handle: Handle) {
    this.handle = handle;
  }

  /** C_Sign of the operation that C_SignInit has begun, on this thread. */
  signBlocking(cryptoki: Cryptoki, data: Uint8Array): Uint8Array {
    const input = this.#hold(data);
    try {
      return signatureIn(cryptoki.signBlocking(this.handle, input, this.#output));
    } finally {
      input.fill(0);
    }
  }

  /** The same on a thread of libuv's pool. */
  async signAsync(cryptoki: Cryptoki, data: Uint8Array): Promise<Uint8Array> {
    const input = this.#hold(data);
    try {
      return signatureIn(await cryptoki.signAsync(this.handle, input, this.#output));
    } finally {
      input.fill(0);
    }
  }

  /** Never a zero-length Buffer of its own: its null pointer is refused by modules (CKR_ARGUMENTS_BAD). */
  #hold(data: Uint8Array): Buffer {
    const input =
      data.length > USUAL_INPUT_BYTES ? Buffer.alloc(data.length) : this.#input.subarray(0, data.length);
    input.set(data);
    return input;
  }
}

function signatureIn(made: Buffer): Uint8Array {
  if (made.length === SIGNATURE_BYTES) return new Uint8Array(made);
  throw new Pkcs11Error(
    'signature-invalid',
    `The token made a signature of ${made.length} bytes, not ${SIGNATURE_BYTES}: the key is of another curve than its ` +
      'EC_PARAMS say, or the token is faulty',
    { functionName: 'C_Sign' },
  );
}
