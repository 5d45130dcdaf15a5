// Starts pin-child.ts as processes of their own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Order } from './pin-child.js';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

export interface PinProcesses {
  directory: string;
  /** Starts a process with an order; `line` is what it says first, `ended` resolves when it is gone. */
  start(
    order: Order,
    maxFiles?: number,
  ): {
    child: ChildProcess;
    line: Promise<Record<string, unknown>>;
    ended: Promise<unknown>;
  };
  remove(): Promise<void>;
}

export async function pinProcesses(): Promise<PinProcesses> {
  const directory = await mkdtemp(join(tmpdir(), 'erst-hsm-pin-'));
  const program = join(directory, 'child.cjs');
  await build({
    entryPoints: [fileURLToPath(new URL('pin-child.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['pkcs11js'],
    logLevel: 'warning',
  });
  const running = new Set<ChildProcess>();
  return {
    directory,
    start(order, maxFiles) {
      const env = { ...process.env, NODE_PATH: join(root, 'node_modules') };
      const limit = maxFiles === undefined ? '' : `ulimit -n ${maxFiles};`;
      const child = spawn('sh', ['-c', `${limit} exec "$0" "$1"`, process.execPath, program], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env,
      });
      running.add(child);
      const ended = once(child, 'close').then(() => running.delete(child));
      const line = firstLine(child.stdout, ended);
      child.stdin.end(`${JSON.stringify(order)}\n`);
      return { child, line, ended };
    },
    async remove() {
      const gone = [...running].map((child) => once(child, 'close'));
      for (const child of running) child.kill('SIGKILL');
      await Promise.all(gone);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function firstLine(output: Readable, ended: Promise<unknown>): Promise<Record<string, unknown>> {
  const line = new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface(output).once('line', (text) => resolve(JSON.parse(text)));
    void ended.then(() => reject(new Error('it ended without a word')));
  });
  line.catch(() => {}); // nobody may wait for it
  return line;
}
