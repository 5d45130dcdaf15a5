// Bridges with everything they need, for tests: a fresh state directory, a log that remembers, keys that tests control.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { BridgeOptions } from '../../src/bridge/bridge-types.js';
import { type Bridge, createBridge } from '../../src/bridge/index.js';
import type { BridgeLog } from '../../src/bridge/log.js';
import type { RequestLogEntry } from '../../src/bridge/request-log.js';
import { TestSigner } from './test-signer.js';

export { TestSigner };

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error';
  fields: Record<string, unknown>;
  message: string;
}

/** A log whose lines can be awaited. */
export class MemoryLog implements BridgeLog {
  readonly lines: LogLine[] = [];
  #watchers = new Set<() => void>();

  debug = (fields: object, message: string) => this.#add('debug', fields, message);
  info = (fields: object, message: string) => this.#add('info', fields, message);
  warn = (fields: object, message: string) => this.#add('warn', fields, message);
  error = (fields: object, message: string) => this.#add('error', fields, message);

  find(message: string): LogLine | undefined {
    return this.lines.find((line) => line.message === message);
  }

  /** The first line, now or later, that the test is true of. */
  async line(test: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find(test);
      if (found) return found;
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  #add(level: LogLine['level'], fields: object, message: string): void {
    this.lines.push({ level, fields: fields as Record<string, unknown>, message });
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const watcher of watchers) watcher();
  }
}

export interface TestBridge {
  bridge: Bridge;
  log: MemoryLog;
  stateDir: string;
  treasury: TestSigner;
  ethereum: TestSigner;
  clientsFile: string;
  requests(): Promise<RequestLogEntry[]>;
}

/** A directory that is gone when the test is over. */
export async function temporaryDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'erst-bridge-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A bridge on a free port, with an Ed25519 key `treasury` and a secp256k1 key `ethereum`; closed when the test is over. */
export async function startBridge(options: Partial<BridgeOptions> = {}): Promise<TestBridge> {
  const log = new MemoryLog();
  const stateDir = options.stateDir ?? join(await temporaryDir(), 'state');
  const treasury = new TestSigner('ed25519');
  const ethereum = new TestSigner('secp256k1');
  const bridge = await createBridge({
    listen: '127.0.0.1:0',
    keys: { treasury, ethereum },
    log,
    ...options,
    stateDir,
  });
  onTestFinished(() => bridge.close());
  return {
    bridge,
    log,
    stateDir,
    treasury,
    ethereum,
    clientsFile: join(stateDir, 'authorized_clients'),
    requests: () => readRequests(stateDir),
  };
}

export async function readRequests(stateDir: string): Promise<RequestLogEntry[]> {
  const text = await readFile(join(stateDir, 'requests.jsonl'), 'utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}
