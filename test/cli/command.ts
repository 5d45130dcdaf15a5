// Runs the command as a real child process, from a bundle made as scripts/build.mjs makes it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Result {
  code: number | null;
  stdout: Buffer;
  /** Standard output as text, without the last line feed. */
  out: string;
  stderr: string;
}

export interface RunOptions {
  input?: string | Uint8Array;
  env?: Record<string, string>;
}

export interface Command {
  /** A directory of this test's own; `HOME`, the state directory and the working directory are in it. */
  readonly dir: string;
  /** Path of a file in `dir`. */
  path(name: string): string;
  /** Runs `erst-hsm` to its end. */
  run(args: string[], options?: RunOptions): Promise<Result>;
  /** Starts `erst-hsm`; it is ended with the test if it still runs. */
  start(args: string[], options?: RunOptions): Running;
  /** The bundle. */
  readonly script: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** First line of standard output, or of standard error, that matches. Rejects if the process ends without one. */
  line(pattern: RegExp): Promise<string>;
  /** Everything printed so far. */
  output(): string;
  /** Waits for the end. */
  ended(): Promise<number | null>;
}

/** The command for the tests of one file. */
export function useCommand(): Command {
  let bundle = '';
  let dir = '';
  const running = new Set<ChildProcess>();

  beforeAll(async () => {
    bundle = await mkdtemp(join(root, 'build', 'test-cli-'));
    await bundleCommand(bundle);
  });
  afterAll(() => rm(bundle, { recursive: true, force: true }));
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'erst-hsm-cli-'));
  });
  afterEach(async () => {
    await Promise.all([...running].map(end));
    running.clear();
    await rm(dir, { recursive: true, force: true });
  });

  const script = () => join(bundle, 'cli.js');
  const launch = (args: string[], { env = {} }: RunOptions) => {
    const child = spawn(process.execPath, [script(), ...args], { cwd: dir, env: environment(dir, env) });
    running.add(child);
    return child;
  };
  return {
    get dir() {
      return dir;
    },
    get script() {
      return script();
    },
    path: (name) => join(dir, name),
    run: async (args, options = {}) => {
      const child = launch(args, options);
      child.stdin!.on('error', () => {});
      child.stdin!.end(options.input ?? '');
      const [[code], stdout, stderr] = await Promise.all([
        once(child, 'close') as Promise<[number | null]>,
        collect(child.stdout!),
        collect(child.stderr!),
      ]);
      return { code, stdout, out: stdout.toString().replace(/\n$/, ''), stderr: stderr.toString() };
    },
    start: (args, options = {}) => follow(launch(args, options)),
  };
}

async function bundleCommand(outdir: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: { cli: 'src/cli/main.ts' },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'error',
  });
}

/** Nothing of the developer's own ERST_ or XDG_ settings. */
const environment = (home: string, extra: Record<string, string>) => ({
  PATH: process.env.PATH!,
  HOME: home,
  XDG_STATE_HOME: join(home, 'state'),
  TMPDIR: tmpdir(),
  ...extra,
});

async function collect(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function follow(child: ChildProcess): Running {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const closed = once(child, 'close').then(([code]) => code as number | null);
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface(stream).on('line', (line) => {
      lines.push(line);
      for (const check of waiting) check();
    });
  }
  const line = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const check = () => {
        const found = lines.find((candidate) => pattern.test(candidate));
        if (found === undefined) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      void closed.then(() => reject(new Error(`ended without ${pattern}:\n${lines.join('\n')}`)));
      check();
    });
  return { child, line, output: () => lines.join('\n'), ended: () => closed };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}
