import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { controlClient } from '../../src/bridge/control-client.js';
import { createBridge } from '../../src/bridge/index.js';
import { toBase64Url, utf8 } from '../../src/bytes.js';
import { SignerError } from '../../src/errors.js';
import { MemoryLog, startBridge, TestSigner, temporaryDir } from './test-bridge.js';
import { TestClient } from './test-client.js';

const keys = () => ({ treasury: new TestSigner('ed25519') });
const invalid = (message: string | RegExp) =>
  expect.objectContaining({ code: 'invalid-config', message: expect.stringMatching(message) });

describe('starting', () => {
  it('listens on both loopback families by default, and is known as localhost', async () => {
    const { bridge } = await startBridge({ listen: 'localhost:0' });
    const { port } = new URL(bridge.url);
    expect(bridge.url).toBe(`ws://localhost:${port}/`);
    expect(bridge.origin).toBe(`http://localhost:${port}`);
    expect(bridge.status().listening[0]).toBe(`127.0.0.1:${port}`);
    for (const address of bridge.status().listening) {
      expect((await fetch(`http://${address}/healthz`)).status).toBe(200);
    }
    expect((await TestClient.pair(await bridge.pair())).welcome.type).toBe('welcome');
  });

  it('listens on several addresses', async () => {
    const { bridge } = await startBridge({ listen: ['127.0.0.1:0', '127.0.0.2:0'] });
    const [, second] = bridge.status().listening;
    const client = await TestClient.pair(await bridge.pair());
    const elsewhere = { url: `ws://${second}/`, publicKey: bridge.publicKey };
    expect((await TestClient.connect(elsewhere, { keys: client.keys })).welcome.type).toBe('welcome');
  });

  it('takes no other port than the one it is told', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    const stateDir = await temporaryDir();
    for (const listen of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      await expect(createBridge({ listen, stateDir, keys: keys() })).rejects.toEqual(
        invalid(`127.0.0.1:${port} is in use; see who has it with "ss -ltnp sport = :${port}"`),
      );
    }
    blocker.close();
    // What the failed starts had opened is closed: the state directory can be used.
    await startBridge({ stateDir });
  });

  it.each([
    ['localhost', /write host:port, e\.g\. localhost:27183/],
    ['localhost:99999', /write host:port/],
    ['::1:0', /write host:port/],
    ['203.0.113.1:0', /--tls-cert and --tls-key.*--allow-plain-ws/],
    ['0.0.0.0:0', /--tls-cert and --tls-key.*--allow-plain-ws/],
  ])('refuses to listen on %s', async (listen, message) => {
    const attempt = createBridge({ listen, stateDir: await temporaryDir(), keys: keys() });
    await expect(attempt).rejects.toEqual(invalid(message));
  });

  it('refuses addresses that are not this machine’s', async () => {
    const attempt = createBridge({
      listen: '203.0.113.1:0',
      allowPlainWs: true,
      stateDir: await temporaryDir(),
      keys: keys(),
    });
    await expect(attempt).rejects.toEqual(invalid('is no address of this machine'));
  });

  it('wants a name where it listens on every address', async () => {
    const options = { listen: '0.0.0.0:0', allowPlainWs: true, keys: keys() };
    await expect(createBridge({ ...options, stateDir: await temporaryDir() })).rejects.toEqual(
      invalid(/--public-origin https/),
    );
    const { bridge } = await startBridge({ ...options, publicOrigin: 'http://bridge.lan:27183' });
    expect(bridge.url).toBe('ws://bridge.lan:27183/');
  });

  it.each([
    [{ origins: ['https://app.example/'] }, invalid('"https://app.example/" is no origin')],
    [{ origins: ['*'] }, invalid('is no origin')],
    [{ publicOrigin: 'bridge.example' }, invalid('is no origin')],
    [{ limits: { maxConnections: 0 } }, expect.any(RangeError)],
    [{ limits: { maxConections: 5 } as object }, expect.any(RangeError)],
    [{ keys: { 'a b': new TestSigner('ed25519') } }, expect.any(RangeError)],
    [{ stateDir: '' }, expect.any(TypeError)],
  ])('refuses %j', async (options, error) => {
    const stateDir = await temporaryDir();
    await expect(createBridge({ listen: '127.0.0.1:0', keys: keys(), stateDir, ...options })).rejects.toEqual(
      error,
    );
  });

  it('fails with the error of a signer that cannot tell its public key', async () => {
    const treasury = new TestSigner('ed25519');
    treasury.publicKey = async () => {
      throw new SignerError('token-not-found', 'plug the token in');
    };
    const attempt = createBridge({
      listen: '127.0.0.1:0',
      keys: { treasury },
      stateDir: await temporaryDir(),
    });
    await expect(attempt).rejects.toMatchObject({ code: 'token-not-found' });
  });
});

describe('the state directory', () => {
  it('is made, private, with private files', async () => {
    const { stateDir } = await startBridge();
    expect((await stat(stateDir)).mode & 0o777).toBe(0o700);
    for (const file of [
      'bridge-identity',
      'authorized_clients',
      'requests.jsonl',
      'control.sock',
      'bridge.lock',
    ]) {
      expect((await stat(join(stateDir, file))).mode & 0o777).toBe(0o600);
    }
    expect(await readFile(join(stateDir, 'bridge-identity'), 'utf8')).toMatch(/^[\w-]{43}\n$/);
  });

  it('keeps the identity and the clients', async () => {
    const first = await startBridge();
    const client = await TestClient.pair(await first.bridge.pair());
    await first.bridge.close();
    const second = await startBridge({ stateDir: first.stateDir });
    expect(second.bridge.publicKey).toBe(first.bridge.publicKey);
    expect((await TestClient.connect(second.bridge, { keys: client.keys })).welcome.client).toBe(
      client.welcome.client,
    );
  });

  it('is refused where others can enter it', async () => {
    const stateDir = join(await temporaryDir(), 'state');
    await mkdir(stateDir);
    await chmod(stateDir, 0o755);
    await expect(startBridge({ stateDir })).rejects.toEqual(invalid(`chmod 700 ${stateDir}`));
  });

  it('is refused where it is no directory', async () => {
    const stateDir = join(await temporaryDir(), 'file');
    await writeFile(stateDir, '');
    await expect(startBridge({ stateDir })).rejects.toEqual(invalid('cannot use the state directory'));
  });

  it('is refused with a damaged identity, which no message repeats', async () => {
    const stateDir = await temporaryDir();
    const damaged = toBase64Url(new Uint8Array(31).fill(7));
    await writeFile(join(stateDir, 'bridge-identity'), damaged);
    const error = await startBridge({ stateDir }).catch((error) => error);
    expect(error).toEqual(invalid('does not hold a bridge key'));
    expect(`${error.stack}`).not.toContain(damaged);
  });

  it('is refused where its path has no room for a socket', async () => {
    const stateDir = join(await temporaryDir(), 'd'.repeat(100));
    await expect(startBridge({ stateDir })).rejects.toEqual(
      invalid(/choose a state directory with a shorter path/),
    );
    expect(() => controlClient(stateDir)).toThrow('shorter path');
  });

  it('is refused where a file of it cannot be used, and can be used once that is repaired', async () => {
    const stateDir = await temporaryDir();
    const path = join(stateDir, 'requests.jsonl');
    await mkdir(path);
    await expect(startBridge({ stateDir })).rejects.toEqual(invalid(`cannot use ${path} \\(EISDIR\\)`));
    await rmdir(path);
    await startBridge({ stateDir });
  });

  it('serves one bridge at a time', async () => {
    const { stateDir, bridge } = await startBridge();
    await expect(startBridge({ stateDir })).rejects.toEqual(
      invalid(`already runs on ${stateDir} \\(process ${process.pid}\\)`),
    );
    expect((await fetch(`${bridge.origin}/healthz`)).status).toBe(200);
    await bridge.close();
    await startBridge({ stateDir });
  });

  it.each([
    [
      'of a process that is gone',
      () => ({ pid: Number(execFileSync('sh', ['-c', 'echo $$'])), started: '' }),
    ],
    ['of a pid that another process has now', () => ({ pid: process.pid, started: 'before this process' })],
    ['that was torn', () => undefined],
  ])('is taken over from a lock %s', async (_, owner) => {
    const stateDir = await temporaryDir();
    await writeFile(join(stateDir, 'bridge.lock'), JSON.stringify(owner()) ?? '{"pid":');
    await startBridge({ stateDir });
  });

  it('is taken over from a bridge that was killed and whose parent never waits for it', async () => {
    const stateDir = await temporaryDir();
    // The shell becomes another program, which knows nothing of the child.
    const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const pid = Number(String((await once(parent.stdout, 'data'))[0]));
      const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ');
      await writeFile(
        join(stateDir, 'bridge.lock'),
        JSON.stringify({ pid, started: `${boot} ${fields[21]}` }),
      );
      await vi.waitFor(
        async () => expect(await readFile(`/proc/${pid}/stat`, 'utf8')).toMatch(/\) Z /),
        20_000,
      );
      await startBridge({ stateDir });
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('says what to remove where a takeover was interrupted', async () => {
    const stateDir = await temporaryDir();
    await writeFile(join(stateDir, 'bridge.lock'), '{}');
    await writeFile(join(stateDir, 'bridge.lock.takeover'), '');
    await expect(startBridge({ stateDir })).rejects.toEqual(invalid('remove .*bridge.lock.takeover'));
  });
});

describe('closing', () => {
  it('lets running requests finish, then closes with 1001', async () => {
    const { bridge, treasury, requests } = await startBridge();
    const client = await TestClient.pair(await bridge.pair());
    let release = () => {};
    treasury.before = () => new Promise<void>((resolve) => (release = resolve));
    const id = client.send({ op: 'sign', key: 'treasury', data: utf8('last') });
    while (treasury.calls === 0) await new Promise(setImmediate);
    const closing = bridge.close();
    client.send({ op: 'keys' });
    expect(await client.receive()).toMatchObject({ type: 'error', code: 'bridge-busy' });
    release();
    expect(await client.receive()).toMatchObject({ type: 'result', id });
    expect(await client.closed).toEqual({ code: 1001, reason: '' });
    await closing;
    expect((await requests()).map(({ result }) => result)).toEqual(['bridge-busy', 'ok']);
    await expect(fetch(`${bridge.origin}/healthz`)).rejects.toThrow();
    await expect(bridge.pair()).rejects.toMatchObject({ code: 'bridge-unreachable' });
  });

  it('gives up requests that take too long, and silent peers', async () => {
    const { bridge, treasury } = await startBridge({ limits: { closeTimeoutMs: 1_500 } });
    const client = await TestClient.pair(await bridge.pair());
    treasury.before = () => new Promise(() => {});
    client.send({ op: 'sign', key: 'treasury', data: utf8('stuck') });
    while (treasury.calls === 0) await new Promise(setImmediate);
    await bridge.close();
    expect(await client.receive()).toMatchObject({ type: 'error', code: 'timeout' });
    expect(await client.closed).toEqual({ code: 1001, reason: '' });
  });

  it('is idempotent, leaves no socket behind, and leaves the signers open', async () => {
    const { bridge, stateDir, treasury } = await startBridge();
    await Promise.all([bridge.close(), bridge.close(), bridge[Symbol.asyncDispose]()]);
    await expect(stat(join(stateDir, 'control.sock'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(stat(join(stateDir, 'bridge.lock'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await treasury.sign(utf8('still'))).bytes).toHaveLength(64);
  });
});

describe('the control socket', () => {
  it('pairs, lists, revokes and tells the status', async () => {
    const { bridge, stateDir } = await startBridge();
    const control = controlClient(stateDir);
    const client = await TestClient.pair(await control.pair({ name: 'laptop', keys: ['treasury'] }));
    expect(client.welcome).toMatchObject({ client: 'laptop', keys: [{ name: 'treasury' }] });
    expect(await control.clients()).toEqual(await bridge.clients());
    expect(await control.status()).toMatchObject({
      url: bridge.url,
      publicKey: bridge.publicKey,
      pid: process.pid,
      keys: [
        { name: 'ethereum', algorithm: 'secp256k1', signerType: 'software' },
        { name: 'treasury', algorithm: 'ed25519', signerType: 'software' },
      ],
      authorizedClients: 1,
      connections: 1,
      openLinks: 0,
    });
    expect(await control.revoke('no such/client?')).toBe(false);
    expect(await control.revoke('laptop')).toBe(true);
    expect(await client.closed).toEqual({ code: 1008, reason: '' });
    expect(await control.clients()).toEqual([]);
  });

  it('says what is wrong with options', async () => {
    const { stateDir } = await startBridge({ limits: { maxPairingLinks: 1 } });
    const control = controlClient(stateDir);
    await expect(control.pair({ ops: ['admin'] })).rejects.toThrow(
      /ops=admin is not enforced in this version/,
    );
    await expect(control.pair({ color: 'red' } as object)).rejects.toThrow('unknown option of pair(): color');
    await control.pair();
    await expect(control.pair()).rejects.toMatchObject({ code: 'bridge-busy' });
  });

  it('says where no bridge runs, also where a killed one left its socket', async () => {
    const stateDir = await temporaryDir();
    const unreachable = {
      code: 'bridge-unreachable',
      message: expect.stringContaining(`no bridge runs on ${stateDir}`),
    };
    await expect(controlClient(stateDir).status()).rejects.toMatchObject(unreachable);
    const script = `require('net').createServer().listen(${JSON.stringify(join(stateDir, 'control.sock'))}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(() => execFileSync(process.execPath, ['-e', script])).toThrow();
    await expect(controlClient(stateDir).status()).rejects.toMatchObject(unreachable);
    await startBridge({ stateDir });
    expect((await controlClient(stateDir).status()).pid).toBe(process.pid);
  });
});

describe('the log', () => {
  it('never holds a secret', async () => {
    const log = new MemoryLog();
    const test = await startBridge({ log });
    const link = await test.bridge.pair();
    const client = await TestClient.pair(link);
    await client.ask({ op: 'sign', key: 'treasury', data: utf8('very private data') });
    await test.bridge.close();
    const text = JSON.stringify(log.lines);
    const identity = (await readFile(join(test.stateDir, 'bridge-identity'), 'utf8')).trim();
    for (const secret of [identity, link.split('.').at(-1)!, 'very private data'])
      expect(text).not.toContain(secret);
  });
});
