// pair, connect, clients, and signing as a paired client: each in a process of its own.

import { execFile } from 'node:child_process';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { RemoteSigner } from '../../src/signers/remote/remote.node.js';
import { type Running, useCommand } from './command.js';

const command = useCommand();
const LINK = /^http:\/\/localhost:\d+\/#pair=1\.[\w-]{43}\.[\w-]{22}$/;
const stateDir = () => join(command.dir, 'state', 'erst-hsm');

let bridge: Running;
let link: string;

async function startBridge(): Promise<void> {
  bridge = command.start(['bridge', '--listen', 'localhost:0']);
  link = await bridge.line(LINK);
}

async function stopBridge(): Promise<void> {
  bridge.child.kill('SIGTERM');
  expect(await bridge.ended()).toBe(0);
}

beforeEach(startBridge);

async function connect(name: string, input = link): Promise<void> {
  const { code, stderr } = await command.run(['connect', '--out', `${name}.json`, '--name', name], { input });
  expect(code, stderr).toBe(0);
}

const newLink = async (...args: string[]) => (await command.run(['pair', ...args])).out;
const clients = async () => JSON.parse((await command.run(['clients', 'list', '--json'])).out);
const sign = (name: string, key = 'ed25519') =>
  command.run(['sign'], {
    input: 'hello',
    env: {
      ERST_SIGNER_TYPE: 'remote',
      ERST_REMOTE_IDENTITY_PATH: command.path(`${name}.json`),
      ERST_REMOTE_KEY: key,
    },
  });

describe('connect', () => {
  it('takes the link from standard input, and prints what sign needs', async () => {
    const { code, out, stderr } = await command.run(['connect', '--out', 'laptop.json', '--name', 'laptop'], {
      input: `${link}\n`,
    });
    expect(code, stderr).toBe(0);
    expect(out.split('\n')).toEqual([
      'export ERST_SIGNER_TYPE=remote',
      `export ERST_REMOTE_IDENTITY_PATH=${command.path('laptop.json')}`,
      'export ERST_REMOTE_KEY=ed25519',
    ]);
    expect(stderr).toMatch(/^Paired with ws:\/\/localhost:\d+\/ as laptop\. Keys: ed25519, secp256k1\n/);
    expect((await stat(command.path('laptop.json'))).mode & 0o777).toBe(0o600);

    const exported = out.split('\n').map((line) => line.replace('export ', '').split('='));
    const signed = await command.run(['sign'], { input: 'hello', env: Object.fromEntries(exported) });
    expect(signed.code, signed.stderr).toBe(0);
    const pem = await command.run(['pubkey'], { env: Object.fromEntries(exported) });
    await writeFile(command.path('public.pem'), pem.stdout);
    const verified = await command.run(['verify', '-p', 'public.pem', '-s', signed.out], { input: 'hello' });
    expect(verified.out).toBe('valid');
  });

  it('takes the link as an argument, and tells a script', async () => {
    const { out } = await command.run(['connect', link, '--out', 'ci.json', '--name', 'ci', '--json']);
    const url = `${link.split('#')[0]!.replace('http', 'ws')}`;
    expect(JSON.parse(out)).toEqual({ client: 'ci', url, file: 'ci.json', keys: ['ed25519', 'secp256k1'] });
  });

  it('does not use the link up where the file exists', async () => {
    await writeFile(command.path('kept.json'), 'kept');
    const refused = await command.run(['connect', '--out', 'kept.json'], { input: link });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^erst-hsm: kept\.json exists and is kept/);
    expect(await readFile(command.path('kept.json'), 'utf8')).toBe('kept');
    await connect('laptop');
  });

  it('says that a link is used, leaves no file, and repeats nothing of the link', async () => {
    await connect('first');
    const { code, stderr } = await command.run(['connect', '--out', 'second.json'], { input: link });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^erst-hsm: [^\n]+\n$/);
    expect(stderr).not.toContain(link.split('.')[2]!);
    await expect(stat(command.path('second.json'))).rejects.toMatchObject({ code: 'ENOENT' });
    const asJson = await command.run(['connect', '--out', 'second.json', '--json'], { input: link });
    expect(JSON.parse(asJson.stderr).error.code).toBe('client-not-accepted');
  });

  it.each(['', 'hello', 'http://localhost:1/#pair=1.x.y'])('refuses what is no link: %j', async (input) => {
    const { code, stderr } = await command.run(['connect', '--out', 'out.json'], { input });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^erst-hsm: this is not a complete pairing link/);
  });
});

describe('pair', () => {
  it('prints a new link, bare, with words for people on standard error', async () => {
    const { out, stderr } = await command.run(['pair']);
    expect(out).toMatch(LINK);
    expect(out).not.toBe(link);
    expect(stderr).toMatch(/^Works once, within 10 min/);
    expect(JSON.parse((await command.run(['pair', '--json'])).out)).toEqual({
      link: expect.stringMatching(LINK),
    });
    await connect('laptop', out);
  });

  it('gives the rights that it is told', async () => {
    const rights = [
      ...['--name', 'build', '--keys', 'ed25519', '--ops', 'public-key,sign', '--expires', '2099-01-31'],
      ...['--rate', '10/m', '--max-bytes', '1024', '--algorithms', 'ed25519', '--from', '127.0.0.0/8,::1'],
      ...['--no-prehashed'],
    ];
    await connect('whatever', await newLink(...rights));
    const lines = await readFile(join(stateDir(), 'authorized_clients'), 'utf8');
    expect(lines).toMatch(
      /^keys=ed25519,ops="public-key,sign",algorithms=ed25519,from="127\.0\.0\.0\/8,::1",rate=10\/m,expires=2099-01-31,max-bytes=1024,prehashed=no x25519 [\w-]{43} build$/m,
    );
    expect(await clients()).toMatchObject([
      { name: 'build', keys: ['ed25519'], ops: ['public-key', 'sign'], expires: '2099-01-31T00:00:00.000Z' },
    ]);
    expect((await sign('whatever')).code).toBe(0);
    expect((await sign('whatever', 'secp256k1')).stderr).toMatch(/^erst-hsm: .*secp256k1/);
  });

  it.each([
    [['--ops', 'sign,fly'], /ops= has "fly"/],
    [['--expires', 'tomorrow'], /expires= must be like 2027-01-31/],
    [['--keys', ''], /must not be empty/],
    [['--max-bytes', 'many'], /number of bytes/],
    [['--valid-for', '0'], /number of minutes/],
  ])('refuses rights that no client can have: %j', async (args, message) => {
    const { code, out, stderr } = await command.run(['pair', ...args]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/\nTry: erst-hsm pair --help\n$/);
  });

  it('says that no bridge runs', async () => {
    await stopBridge();
    const { code, stderr } = await command.run(['pair']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^erst-hsm: no bridge runs on .*state\/erst-hsm; start it with "erst-hsm bridge"/);
  });
});

describe('clients', () => {
  it('lists who may do what, as columns with tabs in a pipe', async () => {
    expect(await command.run(['clients'])).toMatchObject({
      code: 0,
      out: '',
      stderr: expect.stringMatching(/^No clients/),
    });
    await connect('laptop');
    await connect('ci', await newLink('--keys', 'secp256k1'));
    const { out } = await command.run(['clients']);
    expect(out.split('\n').map((line) => line.split('\t').slice(0, 5))).toEqual([
      ['laptop', '*', 'info,public-key,sign', '-', '0'],
      ['ci', 'secp256k1', 'info,public-key,sign', '-', '0'],
    ]);
    expect(await clients()).toMatchObject([{ name: 'laptop' }, { name: 'ci', keys: ['secp256k1'] }]);
  });

  it('shows why a line is invalid', async () => {
    await connect('laptop');
    await stopBridge();
    await appendFile(
      join(stateDir(), 'authorized_clients'),
      `keys=*,fly=yes x25519 ${'A'.repeat(43)} pilot\n`,
    );
    const { out } = await command.run(['clients']);
    expect(out).toMatch(/\nnothing|pilot\tnothing: unknown option fly=/);
  });

  it('revokes: the client is cut off at once, and may not come back', async () => {
    await connect('laptop');
    const credentials = JSON.parse(await readFile(command.path('laptop.json'), 'utf8'));
    const signer = await RemoteSigner.connect({ ...credentials, key: 'ed25519' });
    await signer.sign(new Uint8Array(1));
    expect(await clients()).toMatchObject([{ name: 'laptop', connections: 1 }]);

    const revoked = await command.run(['clients', 'revoke', 'laptop']);
    expect(revoked).toMatchObject({ code: 0, out: '', stderr: 'laptop is revoked.\n' });
    await expect(signer.sign(new Uint8Array(1))).rejects.toThrow();
    await signer.close();
    const { code, stderr } = await sign('laptop');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^erst-hsm: [^\n]+\n$/);
    expect(await clients()).toEqual([]);
  });

  it('says that nobody has that name', async () => {
    const { code, stderr } = await command.run(['clients', 'revoke', 'nobody']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'erst-hsm: no client is called nobody. To see their names: erst-hsm clients\n',
    });
  });

  it('works on the file where the bridge does not run', async () => {
    await connect('laptop');
    await connect('ci', await newLink());
    await stopBridge();
    expect(await clients()).toMatchObject([{ name: 'laptop' }, { name: 'ci', connections: 0 }]);
    expect(JSON.parse((await command.run(['clients', 'revoke', 'laptop', '--json'])).out)).toEqual({
      revoked: 'laptop',
    });
    expect(await clients()).toMatchObject([{ name: 'ci' }]);
    expect((await stat(join(stateDir(), 'authorized_clients'))).mode & 0o777).toBe(0o600);
  });

  it('says that there never was a bridge', async () => {
    const { code, stderr } = await command.run(['clients', '--state-dir', command.path('elsewhere')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^erst-hsm: no bridge runs on .*elsewhere/);
    await expect(stat(command.path('elsewhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('the process list', () => {
  it('shows no secret of a bridge', async () => {
    await stopBridge();
    await writeFile(command.path('passphrase'), 'correct horse battery', { mode: 0o600 });
    bridge = command.start(['bridge', '--listen', 'localhost:0', '--softhsm'], {
      env: { ERST_KEYSTORE_PASSPHRASE_FILE: 'passphrase' },
    });
    link = await bridge.line(LINK);
    const pin = await readFile(join(stateDir(), 'softhsm', 'pin'), 'utf8');
    await connect('laptop');
    const { stdout: list } = await promisify(execFile)('ps', ['-eo', 'args']);
    expect(list).toContain('bridge --listen localhost:0 --softhsm');
    for (const secret of ['correct horse', link.split('.')[2]!, pin.trim()])
      expect(list).not.toContain(secret);
  });
});
