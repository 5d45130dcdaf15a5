// The request log: one JSON line a request, append-only. Invariant: `append` resolves only once its line is on disk
// (fdatasync), and what it records leaves the bridge only after that.
//
// Group commit: lines that arrive while a sync runs share the next one. A write that failed (disk full) may be tried
// again by later requests; a sync that failed may not (the kernel forgets which pages were lost), so the log then stays
// failed until the bridge is restarted.

import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';

import { syncDirectory } from './durable-file.js';

/** One request. Digests and signature hashes are hex; `digests` and `signatures` are a batch's, in order. */
export interface RequestLogEntry {
  /** ISO 8601, UTC, milliseconds. */
  time: string;
  /** The request's id, hex; absent where it had none. */
  id?: string;
  client: string;
  /** SHA-256 fingerprint of the client's key. */
  fingerprint: string;
  op?: string;
  key?: string;
  /** SHA-256 of the data, or the digest that the client gave when `prehashed`. */
  digest?: string;
  digests?: string[];
  prehashed?: true;
  /** `ok`, or the code of the error that the client was given. */
  result: string;
  /** SHA-256 of the 64 signature bytes. */
  signature?: string;
  signatures?: string[];
}

interface Pending {
  line: string;
  resolve(): void;
  reject(error: unknown): void;
}

const NEWLINE = 0x0a;

export class RequestLog {
  readonly #file: FileHandle;
  #pending: Pending[] = [];
  #flushing: Promise<void> | undefined;
  #lineIsOpen: boolean;
  #failure: unknown;

  private constructor(file: FileHandle, lineIsOpen: boolean) {
    this.#file = file;
    this.#lineIsOpen = lineIsOpen;
  }

  /** Opens or makes the log. A last line that a crash tore off is kept, and the next entry starts on a line of its own. */
  static async open(path: string): Promise<RequestLog> {
    const file = await open(path, 'a+', 0o600);
    try {
      const { size } = await file.stat();
      await syncDirectory(dirname(path));
      return new RequestLog(file, size > 0 && !(await endsWithNewline(file, size)));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Why the last write or sync failed; `undefined` while entries reach the disk. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Resolves once the entry is on disk; rejects where it may not be. */
  append(entry: RequestLogEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ line: `${JSON.stringify(entry)}\n`, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** Waits for what is being written, then closes the file; later appends reject. */
  async close(): Promise<void> {
    await this.#flushing;
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    // Let requests that finish in this turn of the event loop share the sync.
    await new Promise(setImmediate);
    while (this.#pending.length > 0) {
      const group = this.#pending;
      this.#pending = [];
      try {
        await this.#commit(group.map(({ line }) => line).join(''));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#flushing = undefined;
  }

  async #commit(lines: string): Promise<void> {
    if (this.#failure instanceof LogSyncError) throw this.#failure;
    try {
      await this.#write(Buffer.from(this.#lineIsOpen ? `\n${lines}` : lines));
      await this.#sync();
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, written);
      written += bytesWritten;
      this.#lineIsOpen = bytes[written - 1] !== NEWLINE;
    }
  }

  async #sync(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (cause) {
      throw new LogSyncError('the request log could not be synced to disk; check the disk and restart', {
        cause,
      });
    }
  }
}

class LogSyncError extends Error {}

async function endsWithNewline(file: FileHandle, size: number): Promise<boolean> {
  const last = new Uint8Array(1);
  await file.read(last, 0, 1, size - 1);
  return last[0] === NEWLINE;
}
