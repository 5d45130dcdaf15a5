import { execFileSync } from 'node:child_process';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RequestLog } from '../../src/bridge/request-log.js';
import { utf8 } from '../../src/bytes.js';
import { startBridge, temporaryDir } from './test-bridge.js';
import { TestClient } from './test-client.js';

const entry = (client: string) => ({
  time: '2026-01-01T00:00:00.000Z',
  client,
  fingerprint: 'SHA256:x',
  result: 'ok',
});

describe('the request log', () => {
  it('appends lines in order, also across openings, in a file that only its owner can read', async () => {
    const path = join(await temporaryDir(), 'requests.jsonl');
    for (const names of [['a', 'b'], ['c']]) {
      const log = await RequestLog.open(path);
      await Promise.all(names.map((name) => log.append(entry(name))));
      await log.close();
    }
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).client)).toEqual(['a', 'b', 'c']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('writes entries that wait together in one go, and resolves each after it', async () => {
    const path = join(await temporaryDir(), 'requests.jsonl');
    const log = await RequestLog.open(path);
    const first = log.append(entry('first'));
    const rest = Array.from({ length: 500 }, (_, n) => log.append(entry(`n${n}`)));
    await first;
    await Promise.all(rest);
    expect((await readFile(path, 'utf8')).match(/\n/g)).toHaveLength(501);
    await log.close();
  });

  it('keeps a line that a crash tore off, and starts on a line of its own', async () => {
    const path = join(await temporaryDir(), 'requests.jsonl');
    await writeFile(path, '{"client":"whole"}\n{"client":"to');
    const log = await RequestLog.open(path);
    await log.append(entry('next'));
    await log.append(entry('last'));
    await log.close();
    const lines = (await readFile(path, 'utf8')).split('\n');
    expect(lines.slice(0, 2)).toEqual(['{"client":"whole"}', '{"client":"to']);
    expect(lines.slice(2, 4).map((line) => JSON.parse(line).client)).toEqual(['next', 'last']);
  });

  it('never breaks a line, whatever a field holds', async () => {
    const path = join(await temporaryDir(), 'requests.jsonl');
    const log = await RequestLog.open(path);
    await log.append(entry('a\nb\u2028c"d'));
    await log.close();
    expect(JSON.parse(await readFile(path, 'utf8')).client).toBe('a\nb\u2028c"d');
  });

  it('rejects what it cannot write, and works again when it can', async () => {
    const path = '/dev/full';
    const log = await RequestLog.open(path);
    await expect(log.append(entry('lost'))).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(log.failure).toMatchObject({ code: 'ENOSPC' });
    await log.close();
    await expect(log.append(entry('late'))).rejects.toThrow();
  });

  it('stays failed once a sync has failed: what the kernel dropped cannot be known', async () => {
    // A pipe takes writes and cannot be synced.
    const path = join(await temporaryDir(), 'fifo');
    execFileSync('mkfifo', [path]);
    const log = await RequestLog.open(path);
    await expect(log.append(entry('one'))).rejects.toThrow('could not be synced');
    await expect(log.append(entry('two'))).rejects.toThrow('could not be synced');
    await log.close();
  });
});

describe('a bridge whose disk is full', () => {
  it('releases no signature, says so, and is not ready', async () => {
    const stateDir = join(await temporaryDir(), 'state');
    await mkdir(stateDir, { mode: 0o700 });
    await symlink('/dev/full', join(stateDir, 'requests.jsonl'));
    const { bridge, log, treasury } = await startBridge({ stateDir });
    const client = await TestClient.pair(await bridge.pair());
    const answer = await client.ask({ op: 'sign', key: 'treasury', data: utf8('pay') });
    expect(answer.code).toBe('bridge-error');
    expect(answer.message).toContain('request log');
    expect(answer.fields).toEqual({});
    expect(treasury.calls).toBe(1);
    expect(log.find('the request log cannot be written; nothing is released')?.level).toBe('error');
    expect(bridge.status().problem).toBe('the request log cannot be written');
    const ready = await fetch(`${bridge.origin}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, 'the request log cannot be written\n']);
    expect((await fetch(`${bridge.origin}/healthz`)).status).toBe(200);
  });

  it('releases nothing when the file grows to its limit in the middle of a line, and goes on when there is room', async () => {
    const stateDir = join(await temporaryDir(), 'state');
    const { bridge } = await startBridge({ stateDir });
    const client = await TestClient.pair(await bridge.pair());
    const sign = () => client.ask({ op: 'sign', key: 'treasury', data: utf8('pay') });
    expect((await sign()).code).toBeUndefined();
    const path = join(stateDir, 'requests.jsonl');
    const { size } = await stat(path);
    const setLimit = (bytes: number | 'unlimited') =>
      execFileSync('prlimit', [`--fsize=${bytes}:unlimited`, `--pid=${process.pid}`]);
    // The kernel sends SIGXFSZ as well, which would end the process.
    const ignore = () => {};
    process.on('SIGXFSZ', ignore);
    setLimit(size + 40);
    try {
      expect((await sign()).code).toBe('bridge-error');
      expect((await readFile(path)).length).toBe(size + 40);
    } finally {
      setLimit('unlimited');
    }
    expect((await sign()).code).toBeUndefined();
    process.off('SIGXFSZ', ignore);
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[2]!)).toMatchObject({ op: 'sign', result: 'ok' });
    expect(bridge.status().problem).toBeUndefined();
  });
});
