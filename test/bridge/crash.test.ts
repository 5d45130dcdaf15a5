import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it, onTestFinished } from 'vitest';
import { controlClient } from '../../src/bridge/control-client.js';
import type { WireSignature } from '../../src/protocol/messages.js';
import { readRequests, temporaryDir } from './test-bridge.js';
import { TestClient } from './test-client.js';

interface RunningProcess {
  child: ChildProcess;
  url: string;
  publicKey: string;
}

async function bundleProcess(): Promise<string> {
  const outfile = join(await temporaryDir(), 'bridge-process.cjs');
  const entryPoint = fileURLToPath(new URL('bridge-process.ts', import.meta.url));
  // import.meta is empty in this format; only the default place of the console needs it, and no console is served.
  const logOverride = { 'empty-import-meta': 'silent' as const };
  await build({
    entryPoints: [entryPoint],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
    logOverride,
  });
  return outfile;
}

async function startProcess(script: string, stateDir: string, secretKey: string): Promise<RunningProcess> {
  const child = spawn(process.execPath, [script, stateDir, secretKey], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await once(createInterface(child.stdout!), 'line');
  return { child, ...JSON.parse(line) };
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

describe('a bridge that is killed', () => {
  it('has logged every signature that it released, and comes back as it was', async () => {
    const script = await bundleProcess();
    const stateDir = await temporaryDir();
    const secretKey = randomBytes(32).toString('hex');
    let bridge = await startProcess(script, stateDir, secretKey);
    const { publicKey } = bridge;
    const { keys } = await TestClient.pair(await controlClient(stateDir).pair({ name: 'laptop' }));

    const released: string[] = [];
    for (let round = 1; round <= 3; round++) {
      const client = await TestClient.connect(bridge, { keys });
      expect(client.welcome.client).toBe('laptop');
      for (let n = 0; n < 200; n++)
        client.send({ op: 'sign', key: 'treasury', data: randomBytes(32) as Uint8Array });
      let killed: Promise<void> | undefined;
      try {
        for (let n = 0; n < 200; n++) {
          const answer = (await client.receive()) as unknown as { type: string; fields: WireSignature };
          expect(answer.type).toBe('result');
          released.push(createHash('sha256').update(answer.fields.signature).digest('hex'));
          if (n === 20 * round) killed = kill(bridge.child);
        }
      } catch (error) {
        expect((error as Error).message).toBe('closed with 1006');
      }
      await killed;
      bridge = await startProcess(script, stateDir, secretKey);
      expect(bridge.publicKey).toBe(publicKey);
    }

    const logged = new Set((await readRequests(stateDir)).map(({ signature }) => signature));
    expect(released.length).toBeGreaterThan(60);
    expect(released.filter((signature) => !logged.has(signature))).toEqual([]);
    expect((await readFile(join(stateDir, 'authorized_clients'), 'utf8')).match(/ laptop$/gm)).toHaveLength(
      1,
    );
    expect((await TestClient.connect(bridge, { keys })).welcome.client).toBe('laptop');
  });

  it('is one of several that start at once, and the only one that gets the directory', async () => {
    const script = await bundleProcess();
    const stateDir = await temporaryDir();
    const secretKey = randomBytes(32).toString('hex');
    const first = await startProcess(script, stateDir, secretKey);
    await kill(first.child);
    const starters = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, [script, stateDir, secretKey], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      return child;
    });
    const outcomes = starters.map(async (child) => {
      const started = once(createInterface(child.stdout!), 'line').then(() => 'runs');
      return Promise.race([started, once(child, 'exit').then(([code]) => `exit ${code}`)]);
    });
    expect((await Promise.all(outcomes)).sort()).toEqual(['exit 1', 'exit 1', 'exit 1', 'runs']);
  });
});
