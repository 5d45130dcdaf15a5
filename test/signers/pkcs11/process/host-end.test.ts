// What becomes of the child when its host ends: by kill -9 in the middle of a call, or because it has nothing left to do.
// The hosts are processes of their own, running this package as it is built.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import * as esbuild from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { childFile } from '../../../../src/signers/pkcs11/process/child-file.js';
import { createFaultModule, type FaultModule } from '../../../fixtures/fault-module/fault-module.js';
import { createSoftHsmToken, type SoftHsmToken } from '../../../fixtures/softhsm.js';
import { isAlive, until } from './fixtures.js';

let hsm: SoftHsmToken;
let faults: FaultModule;
let directory: string;

const opening = (sessions: number, blocking: boolean) => `
  import { ModuleProcess } from './module-process.js';
  const [path, pin] = JSON.parse(process.env.TEST_HOST);
  const child = await ModuleProcess.start(path);
  console.log(child.pid);
  const slot = (await child.tokens())[0].slotHandle;
  await child.openToken(slot, { sessions: ${sessions}, blocking: ${blocking} });
  await child.login(slot, pin);
  const key = { algorithm: 'ed25519', label: 'ed25519', idHex: '01' };
  const signature = await child.sign(slot, { key, input: new Uint8Array(32) });
`;

beforeAll(async () => {
  hsm = await createSoftHsmToken({ keys: ['ed25519'] });
  faults = await createFaultModule();
  // Below build/, as the child's program is looked for from there.
  const build = dirname(dirname(childFile()));
  await mkdir(build, { recursive: true });
  directory = await mkdtemp(join(build, 'test-host-'));
  await esbuild.build({
    entryPoints: ['src/signers/pkcs11/process/module-process.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
    outfile: join(directory, 'module-process.js'),
  });
});

afterEach(() => faults.clear());

afterAll(async () => {
  if (directory !== undefined) await rm(directory, { recursive: true });
  await faults?.close();
  await hsm?.remove();
});

interface Host {
  process: ChildProcess;
  childPid: number;
  lines: string[];
  /** With its exit code and the signal that ended it. */
  ended: Promise<unknown[]>;
}

/** A host that runs `script`, and the pid of its child. */
async function startHost(script: string): Promise<Host> {
  const env = { ...process.env, TEST_HOST: JSON.stringify([faults.modulePath, hsm.pin]) };
  const host = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(host, 'close');
  const lines: string[] = [];
  createInterface(host.stdout!).on('line', (line) => lines.push(line));
  await until(() => lines.length > 0, 'the host starts its child');
  return { process: host, childPid: Number(lines[0]), lines, ended };
}

describe('a host that is killed', () => {
  test.each<[string, `C_${string}`, number, boolean]>([
    ['a signature that blocks the child', 'C_Sign', 1, true],
    ['signatures on its threads', 'C_Sign', 4, false],
    ['a login', 'C_Login', 1, true],
  ])('takes its child along, which hangs in %s', async (_name, fn, sessions, blocking) => {
    faults.forget();
    faults.inject({ fn, action: 'hang' });
    const host = await startHost(opening(sessions, blocking));
    await until(() => faults.calls(fn) > 0, `${fn} is called`);
    expect(isAlive(host.childPid)).toBe(true);
    host.process.kill('SIGKILL');
    await host.ended;
    await until(() => !isAlive(host.childPid), 'the child is gone');
  });

  test('takes its child along, which has nothing to do', async () => {
    const {
      process: host,
      childPid,
      lines,
    } = await startHost(`${opening(1, true)} console.log('ready'); setInterval(() => {}, 1000);`);
    await until(() => lines.includes('ready'), 'the host signs');
    host.kill('SIGKILL');
    await until(() => !isAlive(childPid), 'the child is gone');
  });
});

describe('a host that has nothing left to do', () => {
  test('ends, though it never closed its child', async () => {
    const { ended, childPid, lines } = await startHost(`${opening(1, true)} console.log(signature.length);`);
    expect(await ended).toEqual([0, null]);
    await until(() => lines.includes('64'), 'the signature');
    await until(() => !isAlive(childPid), 'the child is gone');
  });

  test('does not end before an answer that it waits for', async () => {
    faults.inject({ fn: 'C_Sign', action: 'delay', ms: 500 });
    const { ended, lines } = await startHost(`${opening(1, true)} console.log(signature.length);`);
    expect(await ended).toEqual([0, null]);
    await until(() => lines.includes('64'), 'the signature');
  });

  test('does not end before it has heard that its child crashed', async () => {
    faults.inject({ fn: 'C_Sign', action: 'crash' });
    const script = opening(1, true).replace('const signature = await', 'const failure = await');
    const { ended, lines } = await startHost(
      `${script.replace('new Uint8Array(32) });', 'new Uint8Array(32) }).catch((e) => e); console.log(failure.code);')}`,
    );
    expect(await ended).toEqual([0, null]);
    await until(() => lines.includes('module-crashed'), 'the failure');
  });
});
