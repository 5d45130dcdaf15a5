import { writeFileSync } from 'node:fs';
import { appendFile, chmod, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { fromBase64Url, toBase64Url, utf8 } from '../../src/bytes.js';
import { x25519KeyPair } from '../../src/protocol/dh.js';
import { Handshake } from '../../src/protocol/noise.js';
import { parsePairingLink } from '../../src/protocol/pairing.js';
import { handshakeOf } from '../../src/protocol/subprotocols.js';
import { startBridge, type TestBridge, temporaryDir } from './test-bridge.js';
import { closeCodeOf, RawSocket, TestClient } from './test-client.js';

const lineOf = (keys: { publicKey: Uint8Array }, options: string, name = 'laptop') =>
  `${options} x25519 ${toBase64Url(keys.publicKey)} ${name}\n`;

const reasonFor = async ({ log }: TestBridge): Promise<unknown> =>
  (await log.line(({ message }) => message === 'client not accepted')).fields.cause;

describe('pairing', () => {
  it('gives a link with the key and a secret of 16 bytes, good for one client', async () => {
    const test = await startBridge();
    const link = await test.bridge.pair({ name: 'laptop', keys: ['treasury'] });
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#pair=1\.[\w-]{43}\.[\w-]{22}$/);
    expect(toBase64Url(parsePairingLink(link).bridgeKey)).toBe(test.bridge.publicKey);
    const client = await TestClient.pair(link);
    expect(client.welcome.client).toBe('laptop');
    const again = await TestClient.connect(test.bridge, { keys: client.keys });
    expect(again.welcome).toEqual(client.welcome);
    expect(await closeCodeOf(TestClient.pair(link))).toBe(1008);
  });

  it("writes the client's line before the welcome, and keeps what is in the file", async () => {
    const test = await startBridge();
    await writeFile(test.clientsFile, '# kept\n\n  # and this, without a line break at the end');
    const client = await TestClient.pair(
      await test.bridge.pair({
        name: 'ci',
        keys: ['treasury', 'eth*'],
        ops: ['sign'],
        rate: '10/s',
        expires: '2999-01-01',
      }),
    );
    expect(await readFile(test.clientsFile, 'utf8')).toBe(
      '# kept\n\n  # and this, without a line break at the end\n' +
        `keys="treasury,eth*",ops=sign,rate=10/s,expires=2999-01-01,prehashed=yes x25519 ${toBase64Url(client.keys.publicKey)} ci\n`,
    );
    expect(await test.bridge.clients()).toMatchObject([
      {
        name: 'ci',
        lineNumber: 4,
        keys: ['treasury', 'eth*'],
        ops: ['sign'],
        expires: '2999-01-01T00:00:00.000Z',
        connections: 1,
      },
    ]);
  });

  it('makes proposed names fit and unique', async () => {
    const test = await startBridge();
    const names = [];
    for (const name of ['Chrome on Linux', 'Chrome on Linux', '\n#']) {
      names.push((await TestClient.pair(await test.bridge.pair(), { name })).welcome.client);
    }
    expect(names).toEqual(['Chrome-on-Linux', 'Chrome-on-Linux-2', 'client']);
  });

  it('lets one of two simultaneous handshakes have the link', async () => {
    const test = await startBridge();
    const link = await test.bridge.pair();
    const both = await Promise.allSettled([TestClient.pair(link), TestClient.pair(link)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await test.bridge.clients()).toHaveLength(1);
  });

  it('refuses expired, unknown and altered links alike', async () => {
    const test = await startBridge();
    const expired = await test.bridge.pair({ expiresInMs: 1 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await closeCodeOf(TestClient.pair(expired))).toBe(1008);
    const other = await startBridge();
    const { secret } = parsePairingLink(await other.bridge.pair());
    const link = await test.bridge.pair();
    expect(await closeCodeOf(TestClient.pair(link, { secret }))).toBe(1008);
    const unknown = link.replace(/[^.]+$/, toBase64Url(secret));
    expect(await closeCodeOf(TestClient.pair(unknown))).toBe(1008);
    expect((await TestClient.pair(link)).welcome.type).toBe('welcome');
  });

  it('does not use a link up by a client from a place that it does not cover', async () => {
    const test = await startBridge({ origins: ['https://app.example'] });
    const link = await test.bridge.pair({ origins: ['https://app.example'] });
    expect(await closeCodeOf(TestClient.pair(link))).toBe(1008);
    expect(await reasonFor(test)).toBe('origins= does not cover the origin');
    expect((await TestClient.pair(link, { origin: 'https://app.example' })).welcome.type).toBe('welcome');
  });

  it('refuses a key that has a line already, and keeps the link open', async () => {
    const test = await startBridge();
    const client = await TestClient.pair(await test.bridge.pair());
    const link = await test.bridge.pair();
    expect(await closeCodeOf(TestClient.pair(link, { keys: client.keys }))).toBe(1008);
    expect((await TestClient.pair(link)).welcome.type).toBe('welcome');
  });

  it('does not accept a client whose line cannot be written', async () => {
    const test = await startBridge();
    await chmod(test.clientsFile, 0o666);
    const link = await test.bridge.pair();
    expect(await closeCodeOf(TestClient.pair(link))).toBe(1008);
    await chmod(test.clientsFile, 0o600);
    expect((await TestClient.pair(link)).welcome.type).toBe('welcome');
  });

  it('bounds the open links', async () => {
    const test = await startBridge({ limits: { maxPairingLinks: 2 } });
    const link = await test.bridge.pair();
    await test.bridge.pair();
    await expect(test.bridge.pair()).rejects.toMatchObject({ code: 'bridge-busy' });
    await TestClient.pair(link);
    await expect(test.bridge.pair()).resolves.toContain('#pair=1.');
  });

  it.each([
    [{ keys: [] }, TypeError],
    [{ keys: ['a,b'] }, RangeError],
    [{ keys: ['a b'] }, RangeError],
    [{ ops: ['admin'] }, RangeError],
    [{ presence: true }, TypeError],
    [{ expires: new Date(Number.NaN) }, TypeError],
    [{ expires: 'tomorrow' }, RangeError],
    [{ maxBytes: '5' }, TypeError],
    [{ expiresInMs: 0 }, RangeError],
    [{ expiresInMs: 86_400_001 }, RangeError],
    [{ from: ['here'] }, RangeError],
  ])('refuses to open a link for %j', async (options, error) => {
    const { bridge } = await startBridge();
    await expect(bridge.pair(options as object)).rejects.toThrow(error);
  });
});

describe('authentication', () => {
  it.each([
    ['', 'no valid line has this key'],
    ['keys=*,expires=2001-01-01', 'the line has expired'],
    ['keys=*,from=192.0.2.1', 'from= does not cover the address'],
    ['keys=*,origins=https://app.example', 'origins= does not cover the origin'],
    ['keys=*,presence=yes', 'no valid line has this key'],
    ['keys=*,ops=admin', 'no valid line has this key'],
  ])('refuses a client like any other where its line is "%s", and logs why', async (options, cause) => {
    const keys = x25519KeyPair();
    const stateDir = await temporaryDir();
    const lines = options === '' ? '' : lineOf(keys, options);
    await writeFile(join(stateDir, 'authorized_clients'), lines, { mode: 0o600 });
    const test = await startBridge({ stateDir });
    const client = await TestClient.handshake(test.bridge, { keys });
    expect(await client.closed).toEqual({ code: 1008, reason: '' });
    await expect(client.receive()).rejects.toThrow('closed with 1008');
    expect(await reasonFor(test)).toBe(cause);
  });

  it('refuses a message 3 that does not authenticate, and one with a payload', async () => {
    const test = await startBridge();
    const { keys } = await TestClient.pair(await test.bridge.pair());
    const message3s = [
      () => new Uint8Array(64),
      () => new Uint8Array(0),
      (noise: Handshake) => noise.writeMessage(Uint8Array.of(1)),
    ];
    for (const message3 of message3s) {
      const raw = new RawSocket(test.bridge.url, 'erst-hsm.1');
      const noise = new Handshake({
        ...handshakeOf('erst-hsm.1'),
        role: 'initiator',
        staticKeys: keys,
        remoteStatic: fromBase64Url(test.bridge.publicKey),
      });
      await raw.opened;
      raw.send(await noise.writeMessage());
      await noise.readMessage(await raw.next());
      raw.send(await message3(noise));
      expect(await raw.closed).toEqual({ code: 1008, reason: '' });
    }
  });

  it('closes before message 2 where the client takes it for another bridge', async () => {
    const test = await startBridge();
    const stranger = { url: test.bridge.url, publicKey: toBase64Url(x25519KeyPair().publicKey) };
    expect(await closeCodeOf(TestClient.connect(stranger))).toBe(1002);
    expect(await reasonFor(test)).toBe('message 1 cannot be processed');
  });

  it('lets an accepted client send its first request right after message 3', async () => {
    const test = await startBridge();
    const { keys } = await TestClient.pair(await test.bridge.pair());
    const client = await TestClient.handshake(test.bridge, { keys });
    client.send({ op: 'sign', key: 'treasury', data: utf8('early') });
    expect(await client.receive()).toMatchObject({ type: 'welcome' });
    expect(await client.receive()).toMatchObject({ type: 'result' });
  });

  it('bounds the connections of a client, and not those of others', async () => {
    const test = await startBridge({ limits: { maxConnectionsPerClient: 2 } });
    const { keys } = await TestClient.pair(await test.bridge.pair());
    const second = await TestClient.connect(test.bridge, { keys });
    expect(await closeCodeOf(TestClient.connect(test.bridge, { keys }))).toBe(1008);
    expect((await TestClient.pair(await test.bridge.pair())).welcome.type).toBe('welcome');
    second.close();
    await second.closed;
    await test.log.line(
      ({ message, fields }) => message === 'socket ended' && fields.cause === 'closed by the peer',
    );
    expect((await TestClient.connect(test.bridge, { keys })).welcome.type).toBe('welcome');
  });
});

describe('the authorized-clients file', () => {
  it('takes effect at once when it is edited, replaced or removed', async () => {
    const test = await startBridge();
    const keys = x25519KeyPair();
    await writeFile(test.clientsFile, lineOf(keys, 'keys=*'), { mode: 0o600 });
    const first = await eventually(() => TestClient.connect(test.bridge, { keys }));

    await writeFile(`${test.clientsFile}.new`, `# moved\n${lineOf(keys, 'keys=treasury')}`, { mode: 0o600 });
    await rename(`${test.clientsFile}.new`, test.clientsFile);
    expect(await first.closed).toEqual({ code: 1008, reason: '' });
    const second = await TestClient.connect(test.bridge, { keys });
    expect(second.welcome.keys.map(({ name }) => name)).toEqual(['treasury']);

    await rm(test.clientsFile);
    expect(await second.closed).toEqual({ code: 1008, reason: '' });
    expect(await closeCodeOf(TestClient.connect(test.bridge, { keys }))).toBe(1008);
  });

  it('leaves clients alone whose line says what it said', async () => {
    const test = await startBridge();
    const client = await TestClient.pair(await test.bridge.pair({ name: 'laptop' }));
    const other = await TestClient.pair(await test.bridge.pair({ name: 'other' }));
    const text = await readFile(test.clientsFile, 'utf8');
    await writeFile(
      test.clientsFile,
      `# more comments\n${text.replace(/ x25519 (\S+) other/, ',rate=1/s x25519 $1 other')}`,
    );
    expect(await other.closed).toEqual({ code: 1008, reason: '' });
    expect((await client.ask({ op: 'keys' })).code).toBeUndefined();
  });

  it.each([
    ['empties it first', (file: string) => truncate(file)],
    ['removes it first', (file: string) => rm(file)],
  ])('leaves everybody alone while somebody who %s writes it', async (_, begin) => {
    const test = await startBridge();
    const client = await TestClient.pair(await test.bridge.pair({ name: 'laptop' }));
    const text = await readFile(test.clientsFile, 'utf8');
    const [before] = await test.bridge.clients();
    for (let edits = 1; edits <= 5; edits++) {
      await begin(test.clientsFile);
      await sleep(10);
      writeFileSync(test.clientsFile, `${'# edited\n'.repeat(edits)}${text}`, { mode: 0o600 });
      const lineNumber = before!.lineNumber + edits;
      await vi.waitFor(
        async () => expect(await test.bridge.clients()).toMatchObject([{ lineNumber }]),
        20_000,
      );
      expect((await client.ask({ op: 'keys' })).code).toBeUndefined();
    }
  });

  it('is read in the end when it never rests', async () => {
    const test = await startBridge();
    const client = await TestClient.pair(await test.bridge.pair({ name: 'laptop' }));
    let isOver = false;
    void client.closed.then(() => {
      isOver = true;
    });
    await rm(test.clientsFile);
    while (!isOver) {
      await writeFile(test.clientsFile, `# ${Math.random()}\n`, { mode: 0o600 });
      await sleep(5);
    }
    expect(await client.closed).toEqual({ code: 1008, reason: '' });
  });

  it('ends a client when its line runs out', async () => {
    const test = await startBridge();
    const soon = new Date(Date.now() + 4_000);
    const client = await TestClient.pair(await test.bridge.pair({ expires: soon }));
    expect(await client.closed).toEqual({ code: 1008, reason: '' });
    expect(await closeCodeOf(TestClient.connect(test.bridge, { keys: client.keys }))).toBe(1008);
  });

  it('names invalid lines in the log, with their number and reason', async () => {
    const test = await startBridge();
    await appendFile(test.clientsFile, `keys=*,presence=yes x25519 ${'A'.repeat(43)} phone\n`);
    const { fields } = await test.log.line(({ message }) => message === 'invalid client line');
    expect(fields).toMatchObject({
      line: 3,
      client: 'phone',
      problem: 'option presence= is not enforced in this version',
    });
    expect(await test.bridge.clients()).toMatchObject([
      { name: 'phone', lineNumber: 3, problem: fields.problem },
    ]);
  });

  it('authorizes nobody while other users can write it', async () => {
    const test = await startBridge();
    const client = await TestClient.pair(await test.bridge.pair());
    await chmod(test.clientsFile, 0o620);
    expect(await client.closed).toEqual({ code: 1008, reason: '' });
    expect(test.log.find('no client is authorized')?.fields.problem).toContain('chmod 600');
  });

  it('loses no line when many clients pair at once', async () => {
    const test = await startBridge();
    const links = await Promise.all(Array.from({ length: 20 }, () => test.bridge.pair({ name: 'many' })));
    const clients = await Promise.all(links.map((link) => TestClient.pair(link)));
    expect(new Set(clients.map(({ welcome }) => welcome.client)).size).toBe(20);
    expect((await readFile(test.clientsFile, 'utf8')).match(/ many(-\d+)?$/gm)).toHaveLength(20);
  });
});

describe('revocation', () => {
  it('removes the line, keeps the rest, and cuts the client off with what it waits for', async () => {
    const test = await startBridge();
    const laptop = await TestClient.pair(await test.bridge.pair({ name: 'laptop' }));
    const phone = await TestClient.pair(await test.bridge.pair({ name: 'phone' }));
    let release = () => {};
    test.treasury.before = () => new Promise<void>((resolve) => (release = resolve));
    laptop.send({ op: 'sign', key: 'treasury', data: utf8('late') });
    while (test.treasury.calls === 0) await new Promise(setImmediate);
    const before = await readFile(test.clientsFile, 'utf8');
    expect(await test.bridge.revoke('laptop')).toBe(true);
    expect(await laptop.closed).toEqual({ code: 1008, reason: '' });
    release();
    await expect(laptop.receive()).rejects.toThrow('closed with 1008');
    expect(await readFile(test.clientsFile, 'utf8')).toBe(before.replace(/.* laptop\n/, ''));
    expect((await phone.ask({ op: 'keys' })).code).toBeUndefined();
    expect(await closeCodeOf(TestClient.connect(test.bridge, { keys: laptop.keys }))).toBe(1008);
    expect(await test.bridge.revoke('laptop')).toBe(false);
  });

  it('keeps what waits for a key from reaching it', async () => {
    const test = await startBridge({ limits: { maxRunningPerKey: 1 } });
    const laptop = await TestClient.pair(await test.bridge.pair({ name: 'laptop' }));
    let release = () => {};
    test.treasury.before = () => new Promise<void>((resolve) => (release = resolve));
    laptop.send({ op: 'sign', key: 'treasury', data: utf8('one') });
    laptop.send({ op: 'sign', key: 'treasury', data: utf8('two') });
    while (test.treasury.calls === 0) await new Promise(setImmediate);
    await test.bridge.revoke('laptop');
    await laptop.closed;
    release();
    while ((await test.requests()).length < 2) await new Promise(setImmediate);
    expect(test.treasury.calls).toBe(1);
  });
});

/** What `attempt` gives once it stops failing. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
