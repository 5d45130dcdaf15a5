// `erst-hsm bridge` from its start to its end, with clients in other processes and in this one.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { RemoteSigner } from '../../src/signers/remote/remote.node.js';
import { verifySignature } from '../../src/signers/verify.js';
import { type Running, type RunOptions, useCommand } from './command.js';

const command = useCommand();
const LINK = /^http:\/\/localhost:\d+\/#pair=1\.[\w-]{43}\.[\w-]{22}$/;
const data = new TextEncoder().encode('signed behind the bridge');

/** A bridge on a port that the system chooses. */
const start = (args: string[] = [], options: RunOptions = {}): Running =>
  command.start(['bridge', '--listen', 'localhost:0', ...args], options);

async function stop(bridge: Running): Promise<void> {
  bridge.child.kill('SIGTERM');
  expect(await bridge.ended(), bridge.output()).toBe(0);
}

const stateDir = () => join(command.dir, 'state', 'erst-hsm');

describe('bridge without options', () => {
  it('prints a link that a RemoteSigner pairs with, signs, and stops when told to', async () => {
    const bridge = start();
    const link = await bridge.line(LINK);
    const credentials = await RemoteSigner.pair(link, { name: 'test' });
    for (const key of ['ed25519', 'secp256k1'] as const) {
      const signer = await RemoteSigner.connect({ ...credentials, key });
      const publicKey = await signer.publicKey();
      expect(publicKey.algorithm).toBe(key);
      expect(await verifySignature(publicKey, data, await signer.sign(data))).toBe(true);
      await signer.close();
    }
    await stop(bridge);
  });

  it.runIf(process.platform === 'linux')('keeps its memory out of core dumps', async () => {
    const bridge = start();
    await bridge.line(LINK);
    expect(readFileSync(`/proc/${bridge.child.pid}/coredump_filter`, 'utf8').trim()).toBe('00000000');
    await stop(bridge);
  });

  it('says plainly what it is, with the link on standard output alone', async () => {
    const bridge = start();
    const stdout: Buffer[] = [];
    bridge.child.stdout!.on('data', (chunk: Buffer) => stdout.push(chunk));
    await bridge.line(LINK);
    await bridge.line(/Ctrl-C stops the bridge/);
    expect(Buffer.concat(stdout).toString().trimEnd()).toMatch(LINK);
    expect(bridge.output()).toMatch(/bridge at http:\/\/localhost:\d+\//);
    expect(bridge.output()).toMatch(/Keys: ed25519, secp256k1, in files in .*\/state\/erst-hsm\/keys/);
    expect(bridge.output()).toMatch(/For trying out: keys in files/);
    expect(bridge.output()).toMatch(/--softhsm/);
    expect(bridge.output()).toMatch(/--config/);
    await stop(bridge);
  });

  it('names the command that pairs the next client, as it can be typed there', async () => {
    const usual = start();
    await usual.line(/To pair a client: erst-hsm pair$/);
    await stop(usual);
    const elsewhere = start(['--state-dir', 'else where'], { env: { npm_lifecycle_event: 'start' } });
    const line = await elsewhere.line(/To pair a client: npx erst-hsm pair --state-dir '.*'$/);
    expect(line).toContain(`'${command.path('else where')}'`);
    await stop(elsewhere);
  });

  it('keeps its state from others, and its keys for the next start', async () => {
    const first = start(['--json']);
    const { keys, url, ...rest } = JSON.parse(await first.line(/^{"url"/));
    expect(url).toMatch(/^ws:\/\/localhost:\d+\/$/);
    expect(rest).toMatchObject({ stateDir: stateDir(), pairingLink: expect.stringMatching(LINK) });
    expect(keys.map(({ name }: { name: string }) => name)).toEqual(['ed25519', 'secp256k1']);
    const credentials = await RemoteSigner.pair(rest.pairingLink);
    await stop(first);

    const entries = readdirSync(stateDir(), { recursive: true }).map((name) =>
      join(stateDir(), name as string),
    );
    for (const path of [stateDir(), ...entries]) {
      const stats = statSync(path);
      expect((stats.mode & 0o777).toString(8), path).toBe(stats.isDirectory() ? '700' : '600');
    }
    const second = start(['--json']);
    const again = JSON.parse(await second.line(/^{"url"/));
    expect(again.publicKey).toBe(rest.publicKey);
    expect(again).not.toHaveProperty('pairingLink');
    const signer = await RemoteSigner.connect({ ...credentials, url: again.url, key: 'ed25519' });
    expect(await verifySignature(await signer.publicKey(), data, await signer.sign(data))).toBe(true);
    await signer.close();
    await stop(second);
  });

  it('lives on when its readers are gone, even before they read the link', async () => {
    const bridge = start();
    bridge.child.stdout!.destroy();
    await bridge.line(/Ctrl-C stops the bridge/);
    bridge.child.stderr!.destroy();
    const { out: link } = await command.run(['pair']);
    const credentials = await RemoteSigner.pair(link);
    const signer = await RemoteSigner.connect({ ...credentials, key: 'ed25519' });
    await signer.sign(data);
    await signer.close();
    bridge.child.kill('SIGINT');
    expect(await bridge.ended()).toBe(0);
  });

  it('serves no console with --no-console', async () => {
    const bridge = start(['--no-console', '--json']);
    const { origin } = JSON.parse(await bridge.line(/^{"url"/));
    expect((await fetch(origin)).ok).toBe(false);
    await stop(bridge);
  });
});

describe('the key store', () => {
  const passphrase = { ERST_KEYSTORE_PASSPHRASE: 'correct horse battery' };
  const makeStore = async (env: Record<string, string>) => {
    const bridge = start([], { env });
    await bridge.line(LINK);
    await stop(bridge);
  };
  const failure = async (env: Record<string, string>) => {
    const result = await command.run(['bridge', '--listen', 'localhost:0'], { env });
    expect(result.code).toBe(1);
    expect(result.out).toBe('');
    return result.stderr;
  };

  it.each([
    ['a variable', () => passphrase],
    ['a file', () => ({ ERST_KEYSTORE_PASSPHRASE_FILE: command.path('passphrase') })],
    ['a command', () => ({ ERST_KEYSTORE_PASSPHRASE_COMMAND: 'cat passphrase' })],
    ['a systemd credential', () => ({ CREDENTIALS_DIRECTORY: command.path('credentials') })],
  ])('is encrypted under a passphrase from %s', async (_, env) => {
    await writeFile(command.path('passphrase'), 'correct horse battery\n', { mode: 0o600 });
    await mkdir(command.path('credentials'));
    await writeFile(command.path('credentials/erst-hsm.keystore-passphrase'), 'correct horse battery', {
      mode: 0o400,
    });
    await makeStore(env());
    for (const name of ['ed25519', 'secp256k1']) {
      const path = join(stateDir(), 'keys', `${name}.pem`);
      expect(await readFile(path, 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
      await promisify(execFile)('openssl', [
        'pkey',
        '-in',
        path,
        '-passin',
        'pass:correct horse battery',
        '-noout',
      ]);
    }
    await makeStore(passphrase);
  });

  it('says what to do where the passphrase is missing, wrong, or not wanted', async () => {
    await makeStore(passphrase);
    expect(await failure({})).toMatch(
      /^erst-hsm: the key .*ed25519\.pem is encrypted and no passphrase is given\. Set ERST_KEYSTORE_PASSPHRASE_FILE=/,
    );
    const wrong = await failure({ ERST_KEYSTORE_PASSPHRASE: 'incorrect horse' });
    expect(wrong).toMatch(/^erst-hsm: the passphrase given does not open the key .*ed25519\.pem/);
    expect(wrong).not.toContain('incorrect horse');
  });

  it('refuses a passphrase for keys that are not encrypted', async () => {
    await makeStore({});
    expect(await failure(passphrase)).toMatch(
      /^erst-hsm: a passphrase is given but the key .*ed25519\.pem is not encrypted\. Leave .* openssl pkcs8 -topk8/,
    );
  });
});

describe('what keeps a bridge from starting', () => {
  it('a port that another program has', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const { code, stderr, out } = await command.run(['bridge', '--listen', `localhost:${port}`]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(stderr).toMatch(/^erst-hsm: .*is in use/m);
    server.close();
  });

  it('another bridge on its state directory', async () => {
    const first = start();
    await first.line(LINK);
    const { code, stderr } = await command.run(['bridge', '--listen', 'localhost:0']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^erst-hsm: a bridge already runs on .*\(process \d+\); stop it/m);
    await stop(first);
  });

  it('a log level that is none', async () => {
    const { code, stderr } = await command.run(['bridge'], { env: { ERST_LOG: 'loud' } });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'erst-hsm: ERST_LOG must be one of silent, error, warn, info, debug. Example: ERST_LOG=debug\n',
    });
  });

  it('plain ws beyond this machine', async () => {
    const { code, stderr } = await command.run(['bridge', '--listen', '0.0.0.0:0']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/--tls-cert and --tls-key.*--allow-plain-ws/);
  });

  it('half of a certificate', async () => {
    const { code, stderr } = await command.run(['bridge', '--tls-cert', 'cert.pem']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^erst-hsm: --tls-cert and --tls-key go together/);
  });
});

describe('bridge --softhsm', () => {
  it('signs with keys in a SoftHSM token of its own, the same ones at the next start', async () => {
    const first = start(['--softhsm', '--json']);
    const { keys, pairingLink } = JSON.parse(await first.line(/^{"url"/));
    expect(keys.every(({ signerType }: { signerType: string }) => signerType === 'pkcs11')).toBe(true);
    const credentials = await RemoteSigner.pair(pairingLink);
    for (const { name } of keys) {
      const signer = await RemoteSigner.connect({ ...credentials, key: name });
      expect(await verifySignature(await signer.publicKey(), data, await signer.sign(data))).toBe(true);
      await signer.close();
    }
    await stop(first);

    const second = start(['--softhsm', '--json']);
    const { url } = JSON.parse(await second.line(/^{"url"/));
    // The keys are pinned since the pairing: other ones would be refused.
    const signer = await RemoteSigner.connect({ ...credentials, url, key: 'ed25519' });
    await signer.sign(data);
    await signer.close();
    await stop(second);
  });
});

describe('bridge --config', () => {
  const config = (content: unknown) =>
    writeFile(command.path('bridge.json'), typeof content === 'string' ? content : JSON.stringify(content));

  it('serves the keys that it names, with paths from its own directory', async () => {
    await mkdir(command.path('etc'));
    await command.run(['keygen', '--out', 'etc/treasury.pem']);
    const { out: expected } = await command.run(['pubkey', '--key', 'etc/treasury.pem', '--format', 'hex']);
    await writeFile(
      command.path('etc/bridge.json'),
      JSON.stringify({
        listen: 'localhost:0',
        stateDir: 'state',
        keys: { treasury: { software: { privateKeyPath: 'treasury.pem' } } },
      }),
    );
    const bridge = command.start(['bridge', '--config', 'etc/bridge.json']);
    const credentials = await RemoteSigner.pair(await bridge.line(LINK));
    expect(bridge.output()).not.toMatch(/trying out/i);
    const signer = await RemoteSigner.connect({ ...credentials, key: 'treasury' });
    expect(Buffer.from((await signer.publicKey()).raw).toString('hex')).toBe(expected);
    await signer.close();
    await stop(bridge);
    expect(readdirSync(command.path('etc/state'))).toContain('authorized_clients');
  });

  it.each([
    ['{ "keys": {', /^erst-hsm: bridge.json is not JSON.*jq \. bridge\.json/],
    [[], /^erst-hsm: bridge.json: the file is missing or wrong, for example { "keys": /],
    [{ key: {} }, /^erst-hsm: bridge.json: key is unknown here; known are listen, .*keys/],
    [
      { listen: 27183 },
      /^erst-hsm: bridge.json: listen is missing or wrong, for example "listen": "localhost:27183"/,
    ],
    [{ origins: ['https://a.example', 7] }, /^erst-hsm: bridge.json: origins.1 is missing or wrong/],
    [{ tls: { cert: 'cert.pem' } }, /^erst-hsm: bridge.json: tls.key is missing or wrong, for example "/],
    [{ keys: {} }, /^erst-hsm: bridge.json: keys is missing or wrong, for example "keys": {/],
    [{ keys: { 'a b': {} } }, /^erst-hsm: bridge.json: keys.a b is no name for a key/],
    [{ keys: { a: 'x' } }, /^erst-hsm: bridge.json: keys.a is missing or wrong, for example "treasury": {/],
    [
      { keys: { a: { signerType: 'pkcs11', pkcs11: {} } } },
      /^erst-hsm: bridge.json: keys.a: pkcs11.modulePath .*Example: "pkcs11": { "modulePath": "\/usr/,
    ],
    [
      { keys: { a: { software: { file: 'x' } } } },
      /^erst-hsm: bridge.json: keys.a: software.file is not a known field/,
    ],
  ])('says where %j is wrong, and shows a line that would do', async (content, message) => {
    await config(content);
    const { code, out, stderr } = await command.run(['bridge', '--config', 'bridge.json']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(stderr).toMatch(message);
    expect(stderr.split('\n')).toHaveLength(2);
  });

  it('repeats nothing of a file that is not JSON', async () => {
    await config('{ "keys": { "a": { "pkcs11": { "pin": "123456" "keyLabel": "a" } } } }');
    const { stderr } = await command.run(['bridge', '--config', 'bridge.json'], {
      env: { ERST_LOG: 'debug' },
    });
    expect(stderr).toMatch(/is not JSON/);
    expect(stderr).not.toContain('123456');
  });

  it('warns of a file with a secret that others can read', async () => {
    const pkcs11 = { modulePath: '/none.so', keyLabel: 'a', pin: '123456' };
    await config({ keys: { a: { signerType: 'pkcs11', pkcs11 } } });
    const warning =
      /^erst-hsm: warning: Others can read the secrets in bridge\.json\. Run: chmod 600 bridge\.json$/m;
    await chmod(command.path('bridge.json'), 0o644);
    expect((await command.run(['bridge', '--config', 'bridge.json'])).stderr).toMatch(warning);
    await chmod(command.path('bridge.json'), 0o600);
    const { stderr } = await command.run(['bridge', '--config', 'bridge.json']);
    expect(stderr).not.toMatch(warning);
    expect(stderr).not.toContain('123456');
  });

  it('names the key that cannot be opened', async () => {
    await config({ keys: { a: { software: { privateKeyPath: 'missing.pem' } } } });
    const { code, stderr } = await command.run(['bridge', '--config', 'bridge.json']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^erst-hsm: key a: .*missing\.pem/);
  });

  it('has keys, or --softhsm has', async () => {
    await config({ keys: { a: { software: { privateKeyPath: 'a.pem' } } } });
    const { code, stderr } = await command.run(['bridge', '--config', 'bridge.json', '--softhsm']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^erst-hsm: --softhsm and the keys in bridge.json exclude each other/);
  });
});

describe('the log', () => {
  it('is JSON lines where nobody watches, without secrets', async () => {
    const bridge = start([], {
      env: { ERST_LOG: 'debug', ERST_KEYSTORE_PASSPHRASE: 'correct horse battery' },
    });
    const link = await bridge.line(LINK);
    const credentials = await RemoteSigner.pair(link, { name: 'test' });
    const signer = await RemoteSigner.connect({ ...credentials, key: 'ed25519' });
    await signer.sign(data);
    await signer.close();
    await stop(bridge);
    const records = bridge
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    expect(records.length).toBeGreaterThan(0);
    for (const record of records) {
      expect(JSON.parse(record)).toMatchObject({ level: expect.any(String), time: expect.any(String) });
    }
    const logged = records.join('\n');
    const [, , secret] = link.split('.');
    for (const text of [secret!, 'correct horse', credentials.identity as string])
      expect(logged).not.toContain(text);
    expect(logged).toContain('test');
  });

  it('is silent with ERST_LOG=silent', async () => {
    const bridge = start([], { env: { ERST_LOG: 'silent' } });
    await RemoteSigner.pair(await bridge.line(LINK));
    await stop(bridge);
    expect(bridge.output()).not.toMatch(/^{/m);
  });
});

describe('signals', () => {
  it('a second one ends it at once', async () => {
    // A bridge that serves a key behind a bridge that has been stopped waits for it when it closes.
    const inner = start(['--state-dir', command.path('inner')]);
    const out = command.path('credentials.json');
    const paired = await command.run(['connect', '--out', out], { input: await inner.line(LINK) });
    expect(paired.code, paired.stderr).toBe(0);
    await writeFile(
      command.path('outer.json'),
      JSON.stringify({
        listen: 'localhost:0',
        stateDir: 'outer',
        keys: { far: { signerType: 'remote', remote: { identityPath: out, key: 'ed25519' } } },
      }),
    );
    const outer = command.start(['bridge', '--config', 'outer.json']);
    const credentials = await RemoteSigner.pair(await outer.line(LINK));
    const signer = await RemoteSigner.connect({ ...credentials, key: 'far' });
    inner.child.kill('SIGSTOP');
    const signing = signer.sign(data).catch((error) => error);
    await RemoteSigner.listKeys(credentials); // asked after the signature was, so that has arrived as well
    const repeat = setInterval(() => outer.child.kill('SIGTERM'), 100);
    expect(await outer.ended()).toBe(143);
    clearInterval(repeat);
    expect(await signing).toBeInstanceOf(Error);
    await signer.close();
  });
});
