// Frames of the pipe between a host process and the child that holds a PKCS#11 module. Big-endian:
//   u32 length of what follows | u8 kind | u32 id | u32 key | body
// `id` pairs an answer with its call. `key` is the number of a registered key where a kind wants one, else 0.
// Invariant: what a frame was read from is wiped once it has been handled, as it may hold a PIN or data to be signed:
// who wants to keep a body copies it.

/** What a frame is. Below 0x10: host to child. */
export const KIND = {
  /** Body: CBOR `[method, arguments]`. */
  call: 0x01,
  /** Gives the key in the body, CBOR `[slot, KeyIdentity]`, the number `key`. No answer. */
  key: 0x02,
  /** Body: what the registered key is to sign. */
  sign: 0x03,
  /** Body: the result of a call in CBOR. Two come unasked: with BOOT_ID, `{ protocol }`, and with LOAD_ID. */
  result: 0x10,
  /** Body: an error in CBOR (carried-error.ts). With LOAD_ID: the module was not loaded. */
  error: 0x11,
  /** Body: 64 bytes, the answer to `sign`. */
  signature: 0x12,
} as const;

/** Ids of what the child says first: that it runs, and whether the module is loaded. Calls have higher ones. */
export const BOOT_ID = 0;
export const LOAD_ID = 1;

/** Changes with the meaning of frames, so that a host does not talk past a child of another build. */
export const PROTOCOL = 2;

/** Most bytes of one frame's body. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

const LENGTH_BYTES = 4;
const FIELD_BYTES = 9;
/** Bytes of a frame before its body. */
export const HEADER_BYTES = LENGTH_BYTES + FIELD_BYTES;

export type FrameHandler = (kind: number, id: number, key: number, body: Buffer) => void;

/** Writes a frame's header at `offset`. */
export function writeHeader(
  target: Buffer,
  offset: number,
  kind: number,
  id: number,
  key: number,
  bodyBytes: number,
): void {
  target.writeUInt32BE(FIELD_BYTES + bodyBytes, offset);
  target[offset + LENGTH_BYTES] = kind;
  target.writeUInt32BE(id, offset + LENGTH_BYTES + 1);
  target.writeUInt32BE(key, offset + LENGTH_BYTES + 5);
}

/** Cuts a stream of bytes into frames. Throws, and must not be used again, where a frame has an impossible length. */
export class FrameReader {
  readonly #handle: FrameHandler;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthRead = 0;
  /** The frame that has begun in an earlier chunk. */
  #frame: Buffer | undefined;
  #frameRead = 0;

  constructor(handle: FrameHandler) {
    this.#handle = handle;
  }

  /** Handles the frames that end in `chunk`, and wipes it. */
  push(chunk: Buffer): void {
    try {
      let offset = 0;
      while (offset < chunk.length)
        offset = this.#frame ? this.#fill(chunk, offset) : this.#begin(chunk, offset);
    } finally {
      chunk.fill(0);
    }
  }

  #begin(chunk: Buffer, offset: number): number {
    const start = this.#readLength(chunk, offset);
    if (this.#lengthRead < LENGTH_BYTES) return start;
    this.#lengthRead = 0;
    const length = this.#length.readUInt32BE(0);
    if (length < FIELD_BYTES || length > FIELD_BYTES + MAX_BODY_BYTES)
      throw new Error(`a frame of ${length} bytes`);
    const end = start + length;
    if (end <= chunk.length) {
      this.#deliver(chunk, start, end);
      return end;
    }
    this.#frame = Buffer.allocUnsafeSlow(length);
    this.#frameRead = 0;
    return start;
  }

  #readLength(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + LENGTH_BYTES - this.#lengthRead);
    for (let i = offset; i < end; i++) this.#length[this.#lengthRead++] = chunk[i]!;
    return end;
  }

  #fill(chunk: Buffer, offset: number): number {
    const frame = this.#frame!;
    const taken = chunk.copy(frame, this.#frameRead, offset);
    this.#frameRead += taken;
    if (this.#frameRead === frame.length) {
      this.#frame = undefined;
      try {
        this.#deliver(frame, 0, frame.length);
      } finally {
        frame.fill(0);
      }
    }
    return offset + taken;
  }

  #deliver(buffer: Buffer, start: number, end: number): void {
    const id = buffer.readUInt32BE(start + 1);
    const key = buffer.readUInt32BE(start + 5);
    this.#handle(buffer[start]!, id, key, buffer.subarray(start + FIELD_BYTES, end));
  }
}
