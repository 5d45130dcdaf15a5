// What is known of a token's wrong PINs, in a file for each token: the PINs that it has refused, and those that were
// presented and whose answer is not known yet ("pending": the process may be killed between the two).
// Invariant: the file is read and written only under its lock. A file that is damaged is an error, never an empty one.

import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenName } from '../engine/hosted-module.js';
import { makeDirectoryDurably, removeDurably, removeUnfinished, writeDurably } from './durable-file.js';
import { withFileLock } from './file-lock.js';
import { deviceOf, pinHash, sameHash } from './pin-hash.js';

/** CKU_USER or CKU_SO: whose PINs a record remembers. */
export type PinUser = 'user' | 'so';

/** The oldest of more are forgotten. */
const REMEMBERED_AT_MOST = 32;
/** A login takes at most what a call of a module may take; this is longer than that usually is. */
const LOCK_WAIT_MS = 60_000;

/** A PIN without an answer, and how often it was presented. */
interface PendingPin {
  hash: string;
  times: number;
}

interface Content {
  version: 1;
  /** For people who look into the file. */
  serial: string;
  label: string;
  saltHex: string;
  refused: string[];
  pending: PendingPin[];
}

/** The file is there, and is not what this version wrote. */
export class DamagedRecordError extends Error {
  constructor(readonly path: string) {
    super(`${path} is damaged`);
  }
}

/** A salt for each token that has no file, so that its PIN is hashed once in this process. */
const salts = new Map<string, string>();

export class PinRecord {
  readonly path: string;
  readonly #directory: string;
  readonly #token: TokenName;

  /** The SO PIN has a record of its own: the same digits are another PIN there, with tries of their own. */
  constructor(directory: string, token: TokenName, user: PinUser = 'user') {
    const whose = user === 'so' ? [...deviceOf(token), 'SO'] : deviceOf(token);
    const name = createHash('sha256').update(JSON.stringify(whose));
    this.path = join(directory, `${name.digest('hex').slice(0, 32)}.json`);
    this.#directory = directory;
    this.#token = token;
  }

  /** Runs `work` while no other process reads or writes the record. */
  async locked<T>(work: () => Promise<T>): Promise<T> {
    await makeDirectoryDurably(this.#directory);
    return withFileLock(this.path.replace(/json$/, 'lock'), LOCK_WAIT_MS, async () => {
      await removeUnfinished(this.path).catch(() => {});
      return work();
    });
  }

  /** What the record says of `pin`; how often it is pending. */
  async lookUp(pin: string): Promise<{ refused: boolean; pending: number }> {
    const content = await this.#read();
    if (content === undefined) return { refused: false, pending: 0 };
    const hash = await pinHash(this.#token, pin, content.saltHex);
    return {
      refused: content.refused.some((one) => sameHash(one, hash)),
      pending: content.pending.find((one) => sameHash(one.hash, hash))?.times ?? 0,
    };
  }

  /** On disk before `pin` is presented. */
  markPending(pin: string): Promise<void> {
    return this.#change(pin, (content, hash) => {
      const times = 1 + (content.pending.find((one) => one.hash === hash)?.times ?? 0);
      content.pending = [...content.pending.filter((one) => one.hash !== hash), { hash, times }];
    });
  }

  markRefused(pin: string): Promise<void> {
    return this.#change(pin, (content, hash) => {
      content.pending = content.pending.filter((one) => one.hash !== hash);
      content.refused = [...content.refused.filter((one) => one !== hash), hash];
    });
  }

  /** `pin` was not presented after all, or was right. */
  unmark(pin: string): Promise<void> {
    return this.#change(pin, (content, hash) => {
      content.pending = content.pending.filter((one) => one.hash !== hash);
    });
  }

  /** Nothing is known of the token. */
  async clear(): Promise<void> {
    await removeDurably(this.path);
  }

  async #change(pin: string, change: (content: Content, hash: string) => void): Promise<void> {
    const content = (await this.#read()) ?? this.#empty();
    change(content, await pinHash(this.#token, pin, content.saltHex));
    if (content.refused.length + content.pending.length === 0) return this.clear();
    content.refused = content.refused.slice(-REMEMBERED_AT_MOST);
    content.pending = content.pending.slice(-REMEMBERED_AT_MOST);
    await writeDurably(this.path, `${JSON.stringify(content)}\n`);
  }

  #empty(): Content {
    const { serial, label } = this.#token;
    const saltHex = salts.get(this.path) ?? randomBytes(16).toString('hex');
    salts.set(this.path, saltHex);
    return { version: 1, serial, label, saltHex, refused: [], pending: [] };
  }

  async #read(): Promise<Content | undefined> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const content = parse(text);
    if (content === undefined) throw new DamagedRecordError(this.path);
    return content;
  }
}

function parse(text: string): Content | undefined {
  try {
    const content: Content = JSON.parse(text);
    const valid =
      content.version === 1 &&
      /^[0-9a-f]{32}$/.test(content.saltHex) &&
      content.refused.every(isHash) &&
      content.pending.every(({ hash, times }) => isHash(hash) && Number.isSafeInteger(times) && times > 0);
    return valid ? content : undefined;
  } catch {
    return undefined;
  }
}

const isHash = (value: unknown) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
