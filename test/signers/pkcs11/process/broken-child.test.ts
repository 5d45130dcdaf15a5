// A child that has gone wrong, played by a small program: nothing that it sends or does may reach further than a rejected
// call. And a host that has gone wrong, played by this test, in front of the real child.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Pkcs11Error } from '../../../../src/errors.js';
import { encodeCbor } from '../../../../src/signers/pkcs11/process/cbor.js';
import { childFile } from '../../../../src/signers/pkcs11/process/child-file.js';
import {
  BOOT_ID,
  KIND,
  LOAD_ID,
  PROTOCOL,
  writeHeader,
} from '../../../../src/signers/pkcs11/process/frames.js';
import { ModuleChild } from '../../../../src/signers/pkcs11/process/module-child.js';
import { SOFTHSM_MODULE } from '../../../fixtures/softhsm.js';
import { isAlive, until } from './fixtures.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'erst-broken-child-'));
});

afterAll(() => rm(directory, { recursive: true }));

function frame(kind: number, id: number, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(13 + body.length);
  writeHeader(bytes, 0, kind, id, 0, body.length);
  bytes.set(body, 13);
  return bytes;
}

const BOOTED = frame(KIND.result, BOOT_ID, encodeCbor({ protocol: PROTOCOL }));
const LOADED = Buffer.concat([BOOTED, frame(KIND.result, LOAD_ID, encodeCbor(undefined))]);
const FIRST_ID = LOAD_ID + 1;
const STAY = 'setInterval(() => {}, 1000)';

/** A child that sends `hello`, sends `answer` when something comes in, and then runs `then`. */
async function brokenChild(
  hello: Buffer,
  answer: Buffer = Buffer.alloc(0),
  then = STAY,
): Promise<ModuleChild> {
  const program = join(directory, `${Math.random()}.mjs`);
  const text = `
    import { Socket } from 'node:net';
    const pipe = new Socket({ fd: 3 });
    pipe.write(Buffer.from('${hello.toString('hex')}', 'hex'));
    pipe.on('data', () => pipe.write(Buffer.from('${answer.toString('hex')}', 'hex'), () => { ${then} }));`;
  await writeFile(program, text);
  return new ModuleChild('a module', 30_000, { env: {}, signingThreads: 1, log: undefined, program });
}

const ask = (child: ModuleChild, method: 'tokens' | 'sign' | 'login' = 'tokens') =>
  new Promise((resolve, reject) => {
    child.ask({ method, resolve, reject }, KIND.call, 0, Buffer.alloc(1));
  });

async function expectCrash(call: Promise<unknown>, child: ModuleChild, reason: RegExp): Promise<void> {
  const error = await call.then(
    () => expect.fail('it did not fail'),
    (e) => e,
  );
  expect(error).toBeInstanceOf(Pkcs11Error);
  expect(error.code).toBe('module-crashed');
  expect((await child.ended).reason).toMatch(reason);
  expect(isAlive(child.pid)).toBe(false);
  expect(child.inFlight).toBe(0);
}

const nonsense = Buffer.from('f'.repeat(64), 'hex');

describe('a start is refused where the child', () => {
  test.each<[string, Buffer]>([
    ['sends nonsense', nonsense],
    ['prints on the pipe', Buffer.from('Segmentation fault (core dumped)\n')],
    ['says that the module is loaded before it runs', frame(KIND.result, LOAD_ID, encodeCbor(undefined))],
    ['runs twice', Buffer.concat([BOOTED, BOOTED])],
    ['has loaded something else', Buffer.concat([BOOTED, frame(KIND.result, LOAD_ID, encodeCbor(1))])],
    ['is of another build', frame(KIND.result, 0, encodeCbor({ protocol: PROTOCOL + 1 }))],
    ['announces a frame that is too long', frame(KIND.result, 0, Buffer.alloc(0)).fill(0xff, 0, 4)],
    ['sends a result that is no CBOR', frame(KIND.result, 0, nonsense)],
    ['sends an error that is none', frame(KIND.error, 0, encodeCbor({ code: 5 }))],
    ['answers a call that was not made', frame(KIND.result, 9, encodeCbor([]))],
  ])('%s', async (_name, hello) => {
    const child = await brokenChild(hello);
    await expectCrash(child.loaded, child, /no answer/);
  });

  test('ends without a word', async () => {
    const child = await brokenChild(Buffer.alloc(0), Buffer.alloc(0));
    process.kill(child.pid, 'SIGTERM');
    await expectCrash(child.loaded, child, /SIGTERM/);
  });
});

describe('a call is refused where the child', () => {
  test.each<[string, 'tokens' | 'sign' | 'login', Buffer]>([
    ['sends nonsense', 'tokens', nonsense],
    ['sends a result of another call', 'tokens', frame(KIND.result, FIRST_ID, encodeCbor('text'))],
    ['leaves out fields', 'tokens', frame(KIND.result, FIRST_ID, encodeCbor([{ label: 'x' }]))],
    ['sends a result where there is none', 'login', frame(KIND.result, FIRST_ID, encodeCbor(true))],
    ['sends a short signature', 'sign', frame(KIND.signature, FIRST_ID, Buffer.alloc(63))],
    ['sends a signature for another call', 'tokens', frame(KIND.signature, FIRST_ID, Buffer.alloc(64))],
    ['sends a kind of frame that is none', 'tokens', frame(0x77, FIRST_ID, Buffer.alloc(64))],
    ['sends a call of its own', 'tokens', frame(KIND.call, FIRST_ID, encodeCbor(['tokens', []]))],
    ['answers another call', 'tokens', frame(KIND.result, 77, encodeCbor([]))],
    ['nests deeply', 'tokens', frame(KIND.result, FIRST_ID, Buffer.alloc(1_000_000, 0x81))],
    ['claims a long list', 'tokens', frame(KIND.result, FIRST_ID, Buffer.from('9bffffffffffffffff', 'hex'))],
  ])('%s', async (_name, method, answer) => {
    const child = await brokenChild(LOADED, answer);
    await child.loaded;
    await expectCrash(ask(child, method), child, /no answer/);
  });

  test('closes its pipe and stays', async () => {
    const child = await brokenChild(LOADED, Buffer.alloc(1), `pipe.destroy(); ${STAY}`);
    await child.loaded;
    await expectCrash(ask(child), child, /closed its pipe/);
  });

  test('ends with an exit code', async () => {
    const child = await brokenChild(LOADED, Buffer.alloc(1), 'process.exit(7)');
    await child.loaded;
    await expectCrash(ask(child), child, /exit code 7/);
  });
});

test('what the child answered before it ended counts', async () => {
  const child = await brokenChild(LOADED, frame(KIND.result, FIRST_ID, encodeCbor([])), 'process.exit(7)');
  await child.loaded;
  expect(await ask(child)).toEqual([]);
  expect((await child.ended).reason).toBe('exit code 7');
});

describe('the child ends where its host', () => {
  const error = frame(KIND.error, 1, Buffer.alloc(0)).subarray(4, 9);
  const call = (value: unknown) => frame(KIND.call, 1, encodeCbor(value));
  test.each<[string, Buffer]>([
    ['announces a frame that is too long', frame(KIND.call, 1, Buffer.alloc(0)).fill(0xff, 0, 4)],
    ['sends a frame that is none', frame(0x55, 1, Buffer.alloc(0))],
    ['sends what is no CBOR', frame(KIND.call, 1, nonsense)],
    ['signs with a key that it has not registered', frame(KIND.sign, 1, Buffer.alloc(32))],
    ['registers what is no key', frame(KIND.key, 1, encodeCbor(['00', {}]))],
  ])('%s', async (_name, bytes) => {
    const { pipe, exit } = rawChild();
    pipe.write(bytes);
    expect(await exit).not.toEqual([0, null]);
  });

  test.each<[string, Buffer]>([
    ['calls what is no method', call(['constructor', []])],
    ['calls with arguments of other kinds', call(['login', [{}, 5]])],
    ['calls with too few arguments', call(['openToken', []])],
    ['calls nothing', call({})],
  ])('but not where it %s: that is an error', async (_name, bytes) => {
    const { pipe, exit, answers } = rawChild();
    pipe.write(bytes);
    await until(() => answers().includes(error), 'the error comes');
    expect(answers().toString('latin1')).toMatch(/argument [0-9]|no such call|no call/);
    pipe.destroy();
    expect(await exit).toEqual([null, 'SIGKILL']);
  });

  function rawChild() {
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] as const;
    const child = spawn(process.execPath, [childFile(), SOFTHSM_MODULE], { stdio: [...stdio] });
    const pipe = child.stdio[3] as Socket;
    const chunks: Buffer[] = [];
    pipe.on('error', () => {}).on('data', (chunk: Buffer) => chunks.push(chunk));
    const exit = new Promise((resolve) => child.once('exit', (...how) => resolve(how)));
    return { pipe, exit, answers: () => Buffer.concat(chunks) };
  }
});
