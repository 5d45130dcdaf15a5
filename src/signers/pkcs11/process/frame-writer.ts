// Frames into a pipe, many of them in one write: a write costs as much as the rest of a signature's way through the pipe.
// What has been written is wiped (frames hold PINs and data to be signed).

import type { Writable } from 'node:stream';
import { HEADER_BYTES, MAX_BODY_BYTES, writeHeader } from './frames.js';

const BATCH_BYTES = 64 * 1024;
const SPARE_BATCHES = 2;

export class FrameWriter {
  readonly #pipe: Writable;
  /** Called when there is something to flush and no flush is due. */
  readonly #schedule: () => void;
  readonly #spare: Buffer<ArrayBuffer>[] = [];
  #batch: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #used = 0;

  /** `schedule` must see to a later `flush()`. */
  constructor(pipe: Writable, schedule: () => void) {
    this.#pipe = pipe;
    this.#schedule = schedule;
  }

  /** Copies `body` into a frame; a RangeError where it is too long for one. */
  write(kind: number, id: number, key: number, body: Uint8Array): void {
    if (body.length > MAX_BODY_BYTES) {
      throw new RangeError(`${body.length} bytes are too many for a PKCS#11 call: at most ${MAX_BODY_BYTES}`);
    }
    const size = HEADER_BYTES + body.length;
    if (size > BATCH_BYTES - this.#used) this.flush();
    if (size > BATCH_BYTES) {
      this.#send(encodeInto(Buffer.allocUnsafeSlow(size), 0, kind, id, key, body), size);
      return;
    }
    encodeInto(this.#batch, this.#used, kind, id, key, body);
    if (this.#used === 0) this.#schedule();
    this.#used += size;
  }

  flush(): void {
    if (this.#used === 0) return;
    const batch = this.#batch;
    const used = this.#used;
    this.#batch = this.#spare.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES);
    this.#used = 0;
    this.#send(batch, used);
  }

  #send(buffer: Buffer<ArrayBuffer>, bytes: number): void {
    const frames = buffer.subarray(0, bytes);
    this.#pipe.write(frames, () => {
      frames.fill(0);
      if (buffer.length === BATCH_BYTES && this.#spare.length < SPARE_BATCHES) this.#spare.push(buffer);
    });
  }
}

function encodeInto(
  target: Buffer<ArrayBuffer>,
  offset: number,
  kind: number,
  id: number,
  key: number,
  body: Uint8Array,
): Buffer<ArrayBuffer> {
  writeHeader(target, offset, kind, id, key, body.length);
  target.set(body, offset + HEADER_BYTES);
  return target;
}
