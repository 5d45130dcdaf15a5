// The authorized-clients file on disk: read at the start and whenever it changes, written when a client pairs or is
// revoked. Invariant: whoever is not on a valid line of the file as last read gets nothing; a file that cannot be read,
// or that other users can write, gives nobody anything.

import { type FSWatcher, watch } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { toBase64Url } from '../bytes.js';
import { SignerError } from '../errors.js';
import {
  type AuthorizedClient,
  type ClientGrant,
  type ClientLine,
  formatLine,
  newClientName,
  parseClientLines,
  parseLine,
} from '../protocol/authorized-clients.js';
import { writeFileDurably } from './durable-file.js';
import type { BridgeLog } from './log.js';

const HEADER = `# Clients of this bridge, one a line: options x25519 <public key> <name>
# Changes take effect at once. An invalid line gives its client nothing; the bridge's log says why.
`;
const POLL_MS = 1_000;
/** Who writes in place empties the file first, and some editors remove it: it is read when it has been the same so long. */
const SETTLED_MS = 50;
/** A file that never rests is read all the same: it may revoke somebody. */
const UNSETTLED_MS = 1_000;
const WRITABLE_BY_OTHERS = 0o022;

export class ClientStore {
  readonly #path: string;
  readonly #log: BridgeLog;
  readonly #onChange: () => void;
  #text: string | undefined;
  #lines: readonly ClientLine[] = [];
  #byKey = new Map<string, AuthorizedClient>();
  #seen = '';
  #work: Promise<unknown> = Promise.resolve();
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(path: string, log: BridgeLog, onChange: () => void) {
    this.#path = path;
    this.#log = log;
    this.#onChange = onChange;
  }

  /** Reads the file, which is made where it is missing, and watches it; `onChange` follows every change of its content. */
  static async open(path: string, log: BridgeLog, onChange: () => void): Promise<ClientStore> {
    const store = new ClientStore(path, log, onChange);
    if ((await fingerprintOf(path)) === 'ENOENT') await writeFileDurably(path, HEADER);
    await store.reload();
    store.#watch();
    return store;
  }

  /** The client whose line holds this 32-byte key, if that line is valid. Expiry is the caller's to check. */
  find(publicKey: Uint8Array): AuthorizedClient | undefined {
    return this.#byKey.get(toBase64Url(publicKey));
  }

  get lines(): readonly ClientLine[] {
    return this.#lines;
  }

  /** Reads the file again. Never rejects: what cannot be read authorizes nobody. */
  reload(): Promise<void> {
    return this.#inTurn(() => this.#read());
  }

  /**
   * Adds a line for the key, durably, and gives the client that it makes. `SignerError` where the key has a line already
   * or the file is not safe to use; the system's error where it cannot be written.
   */
  add(grant: ClientGrant, publicKey: Uint8Array, proposedName: string): Promise<AuthorizedClient> {
    return this.#inTurn(async () => {
      const text = await this.#readForChange();
      const lines = parseClientLines(text);
      const keyText = toBase64Url(publicKey);
      const known = lines.find((line) => line.keyText === keyText);
      if (known) {
        throw new SignerError(
          'request-denied',
          `this key is already on line ${known.lineNumber}; revoke it first`,
        );
      }
      const taken = new Set(lines.flatMap(({ name }) => (name === undefined ? [] : [name])));
      const line = formatLine(grant, publicKey, newClientName(proposedName, taken));
      await this.#write(`${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`);
      return parseLine(line).client!;
    });
  }

  /** Removes every line with this name, durably, and keeps the rest as it is. `false` where there is none. */
  remove(name: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const text = await this.#readForChange();
      const removed = new Set(
        parseClientLines(text).flatMap((line) => (line.name === name ? [line.lineNumber] : [])),
      );
      if (removed.size === 0) return false;
      const kept = text.split('\n').filter((_, index) => !removed.has(index + 1));
      await this.#write(kept.join('\n'));
      return true;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watcher?.close();
    clearInterval(this.#poll);
    await this.#work;
  }

  // One reader or writer at a time: a reload never sees half of a change, two pairings never take one name.
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#work.then(work);
    this.#work = turn.catch(() => {});
    return turn;
  }

  async #readForChange(): Promise<string> {
    const { text, problem } = await readClientsFile(this.#path);
    if (text !== undefined) return text;
    throw new SignerError('bridge-error', `${this.#path} cannot be changed: ${problem}`);
  }

  async #write(text: string): Promise<void> {
    await writeFileDurably(this.#path, text);
    await this.#read();
  }

  async #read(): Promise<void> {
    this.#seen = await fingerprintOf(this.#path);
    const { text, problem } = await readClientsFile(this.#path);
    if (problem !== undefined) this.#log.error({ file: this.#path, problem }, 'no client is authorized');
    if (text !== undefined && text === this.#text) return;
    this.#text = text;
    this.#lines = parseClientLines(text ?? '');
    this.#byKey = new Map(
      this.#lines.flatMap(({ keyText, client }) => (client ? [[keyText!, client] as const] : [])),
    );
    for (const { lineNumber, name, problem } of this.#lines) {
      if (problem)
        this.#log.error({ file: this.#path, line: lineNumber, client: name, problem }, 'invalid client line');
    }
    this.#onChange();
  }

  #watch(): void {
    const name = basename(this.#path);
    try {
      // The directory, because a file that is replaced by rename is another file.
      this.#watcher = watch(dirname(this.#path), { persistent: false }, (_, changed) => {
        if (changed === null || changed === name) void this.#readIfChanged();
      });
      this.#watcher.on('error', (error) =>
        this.#log.warn({ err: error }, 'watching the clients file failed; polling'),
      );
    } catch (error) {
      this.#log.warn({ err: error }, 'the clients file cannot be watched; polling');
    }
    this.#poll = setInterval(() => void this.#readIfChanged(), POLL_MS).unref();
  }

  #readIfChanged(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#closed || (await fingerprintOf(this.#path)) === this.#seen) return;
      await this.#settled();
      if (!this.#closed) await this.#read();
    });
  }

  async #settled(): Promise<void> {
    let seen = await fingerprintOf(this.#path);
    for (let waitedMs = 0; waitedMs < UNSETTLED_MS && !this.#closed; waitedMs += SETTLED_MS) {
      await sleep(SETTLED_MS);
      const now = await fingerprintOf(this.#path);
      if (now === seen) return;
      seen = now;
    }
  }
}

async function readClientsFile(path: string): Promise<{ text?: string; problem?: string }> {
  try {
    const file = await open(path, 'r');
    try {
      const { mode, uid } = await file.stat();
      if (uid !== process.getuid?.() && uid !== 0) return { problem: 'the file belongs to another user' };
      if ((mode & WRITABLE_BY_OTHERS) !== 0)
        return { problem: 'other users can write to the file; run: chmod 600' };
      return { text: await file.readFile('utf8') };
    } finally {
      await file.close();
    }
  } catch (error) {
    return { problem: `the file cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
}

/** Changes whenever the file does; the error's code where it cannot be looked at. */
async function fingerprintOf(path: string): Promise<string> {
  try {
    const { ino, size, mode, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [ino, size, mode, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error';
  }
}
