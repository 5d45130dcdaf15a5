// keygen, pubkey, sign and verify, against each other and against openssl.

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { useCommand } from './command.js';

const command = useCommand();
const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: command.dir });
const write = (name: string, content: string | Uint8Array) => writeFile(command.path(name), content);
const mode = async (name: string) => (await stat(command.path(name))).mode & 0o777;
const ALGORITHMS = ['ed25519', 'secp256k1'] as const;

async function keygen(name: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await command.run(['keygen', '--out', name, ...args]);
  expect(stderr).toMatch(/^(ed25519|secp256k1) key written to/);
  expect(code).toBe(0);
}

describe('keygen', () => {
  it.each(ALGORITHMS)('prints a PEM that openssl reads: %s', async (algorithm) => {
    const { code, stdout, stderr } = await command.run(['keygen', '--algorithm', algorithm]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await write('key.pem', stdout);
    const { stdout: text } = await openssl('pkey', '-in', 'key.pem', '-noout', '-text');
    expect(text).toMatch(algorithm === 'ed25519' ? /ED25519 Private-Key/ : /ASN1 OID: secp256k1/);
  });

  it('writes a file that only its owner can read, and keeps one that exists', async () => {
    await keygen('key.pem');
    expect(await mode('key.pem')).toBe(0o600);
    const before = await readFile(command.path('key.pem'), 'utf8');

    const refused = await command.run(['keygen', '--out', 'key.pem']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toBe(
      'erst-hsm: key.pem exists and is kept. Choose another file, or --force to overwrite it\n',
    );
    expect(await readFile(command.path('key.pem'), 'utf8')).toBe(before);

    await keygen('key.pem', '--force');
    expect(await readFile(command.path('key.pem'), 'utf8')).not.toBe(before);
    expect(await mode('key.pem')).toBe(0o600);
    expect(await readdir(command.dir)).toEqual(['key.pem']);
  });

  it('tells a script what it made', async () => {
    const { out } = await command.run(['keygen', '--out', 'key.pem', '--json', '--algorithm', 'secp256k1']);
    expect(JSON.parse(out)).toEqual({
      algorithm: 'secp256k1',
      publicKey: expect.stringMatching(/^0[23][0-9a-f]{64}$/),
      file: 'key.pem',
    });
  });

  it.each([
    ['variable', { ERST_SOFTWARE_PASSPHRASE: 'correct horse' }],
    ['file', { ERST_SOFTWARE_PASSPHRASE_FILE: 'passphrase' }],
    ['command', { ERST_SOFTWARE_PASSPHRASE_COMMAND: 'cat passphrase' }],
  ])('encrypts under a passphrase from a %s', async (_, env) => {
    await write('passphrase', 'correct horse\n');
    await chmod(command.path('passphrase'), 0o600);
    const made = await command.run(['keygen', '--encrypt', '--out', 'key.pem'], { env });
    expect(made.stderr).toMatch(/^ed25519 key written to key.pem, encrypted\n/);
    expect(await readFile(command.path('key.pem'), 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);

    const { stdout } = await openssl('pkey', '-in', 'key.pem', '-passin', 'pass:correct horse', '-pubout');
    const pubkey = await command.run(['pubkey', '--key', 'key.pem'], { env });
    expect(pubkey.stdout.toString()).toBe(stdout);
  });

  it('refuses to encrypt without a passphrase, and leaves no file behind', async () => {
    const { code, stderr } = await command.run(['keygen', '--encrypt', '--out', 'key.pem']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^erst-hsm: a passphrase is needed. Set ERST_SOFTWARE_PASSPHRASE_FILE=\/path\/to\/file/,
    );
    expect(await readdir(command.dir)).toEqual([]);
  });

  it('says why a file cannot be written', async () => {
    const { code, stderr } = await command.run(['keygen', '--out', 'missing/key.pem']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'erst-hsm: cannot write missing/key.pem: no such file or directory\n',
    });
  });
});

describe('pubkey', () => {
  it.each(ALGORITHMS)('prints what openssl prints: %s', async (algorithm) => {
    await keygen('key.pem', '--algorithm', algorithm);
    const { stdout: pem } = await openssl('pkey', '-in', 'key.pem', '-pubout');
    expect((await command.run(['pubkey', '--key', 'key.pem'])).stdout.toString()).toBe(pem);

    await openssl('pkey', '-in', 'key.pem', '-pubout', '-outform', 'DER', '-out', 'public.der');
    const der = await readFile(command.path('public.der'));
    expect((await command.run(['pubkey', '-k', 'key.pem', '-f', 'der'])).stdout).toEqual(der);
  });

  it.each(ALGORITHMS)('gives one key in every format: %s', async (algorithm) => {
    await keygen('key.pem', '--algorithm', algorithm);
    const pubkey = (format: string) => command.run(['pubkey', '--key', 'key.pem', '--format', format]);
    const raw = (await pubkey('raw')).stdout;
    const json = JSON.parse((await pubkey('json')).out);
    expect(raw).toHaveLength(algorithm === 'ed25519' ? 32 : 33);
    expect((await pubkey('hex')).out).toBe(raw.toString('hex'));
    expect(json).toEqual({
      algorithm,
      raw: raw.toString('hex'),
      spki: (await pubkey('der')).stdout.toString('base64'),
    });
    expect(JSON.parse((await pubkey('jwk')).out)).toMatchObject(
      algorithm === 'ed25519'
        ? { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }
        : { kty: 'EC', crv: 'secp256k1', x: raw.subarray(1).toString('base64url') },
    );
    expect((await command.run(['pubkey', '--key', 'key.pem', '--json'])).out).toBe(JSON.stringify(json));
  });

  it('reads a public key too', async () => {
    await keygen('key.pem');
    const pem = await command.run(['pubkey', '--key', 'key.pem']);
    await write('public.pem', pem.stdout);
    expect((await command.run(['pubkey', '--key', 'public.pem'])).stdout).toEqual(pem.stdout);
  });

  it('takes the key that the ERST_ variables name', async () => {
    await keygen('key.pem');
    const expected = await command.run(['pubkey', '--key', 'key.pem']);
    const env = { ERST_SOFTWARE_PRIVATE_KEY_PATH: command.path('key.pem') };
    expect((await command.run(['pubkey'], { env })).stdout).toEqual(expected.stdout);
  });
});

describe('sign', () => {
  const data = Buffer.from('to be signed \u{1f511}\n\0\xff', 'latin1');

  it('makes Ed25519 signatures that openssl verifies', async () => {
    await keygen('key.pem');
    await write('data', data);
    await write('signature', (await command.run(['sign', '--key', 'key.pem', '-f', 'raw', 'data'])).stdout);
    const { stdout } = await openssl(
      ...['pkeyutl', '-verify', '-rawin', '-inkey', 'key.pem', '-in', 'data', '-sigfile', 'signature'],
    );
    expect(stdout).toMatch(/Verified Successfully/);
  });

  it('makes secp256k1 signatures that openssl verifies', async () => {
    await keygen('key.pem', '--algorithm', 'secp256k1');
    await write('data', data);
    await write('signature', (await command.run(['sign', '--key', 'key.pem', '-f', 'der', 'data'])).stdout);
    await openssl('pkey', '-in', 'key.pem', '-pubout', '-out', 'public.pem');
    const { stdout } = await openssl(
      'dgst',
      '-sha256',
      '-verify',
      'public.pem',
      '-signature',
      'signature',
      'data',
    );
    expect(stdout).toBe('Verified OK\n');
  });

  it.each(ALGORITHMS)(
    'gives one signature in every format, from a file and from a pipe: %s',
    async (algorithm) => {
      await keygen('key.pem', '--algorithm', algorithm);
      await write('data', data);
      const sign = (...args: string[]) => command.run(['sign', '--key', 'key.pem', ...args], { input: data });
      const raw = (await sign('--format', 'raw')).stdout;
      expect(raw).toHaveLength(64);
      expect((await sign()).out).toBe(raw.toString('hex'));
      expect((await sign('-')).out).toBe(raw.toString('hex'));
      expect((await sign('data')).out).toBe(raw.toString('hex'));
      expect((await sign('--format', 'base64')).out).toBe(raw.toString('base64'));
      expect((await sign('--format', 'json')).out).toBe((await sign('--json')).out);
      expect(JSON.parse((await sign('--json')).out)).toEqual({
        algorithm,
        signature: raw.toString('hex'),
        ...(algorithm === 'secp256k1' ? { recovery: expect.toSatisfy((id) => id === 0 || id === 1) } : {}),
        publicKey: (await command.run(['pubkey', '-k', 'key.pem', '-f', 'hex'])).out,
      });
    },
  );

  it('signs a digest as the bytes or as their hex', async () => {
    await keygen('key.pem', '--algorithm', 'secp256k1');
    const digest = createHash('sha256').update(data).digest();
    const whole = await command.run(['sign', '--key', 'key.pem'], { input: data });
    for (const input of [digest, digest.toString('hex'), `${digest.toString('hex').toUpperCase()}\n`]) {
      const { out } = await command.run(['sign', '--key', 'key.pem', '--prehashed'], { input });
      expect(out).toBe(whole.out);
    }
    for (const input of ['', 'ab', digest.subarray(1), `${digest.toString('hex')}00`]) {
      const { code, stderr } = await command.run(['sign', '--key', 'key.pem', '--prehashed'], { input });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^erst-hsm: with --prehashed the input must be 32 bytes or 64 hex digits/);
    }
  });

  it('refuses what Ed25519 does not have, before it reads anything', async () => {
    await keygen('key.pem');
    const der = await command.run(['sign', '--key', 'key.pem', '--format', 'der', 'missing']);
    expect(der.code).toBe(2);
    expect(der.stderr).toMatch(/^erst-hsm: Ed25519 signatures have no DER form; use --format raw/);
    const prehashed = await command.run(['sign', '--key', 'key.pem', '--prehashed', 'missing']);
    expect(prehashed.code).toBe(2);
    expect(prehashed.stderr).toMatch(/^erst-hsm: --prehashed is for ECDSA/);
  });

  it('signs megabytes from a pipe', async () => {
    await keygen('key.pem');
    const input = Buffer.alloc(5_000_000, 'x');
    const { out } = await command.run(['sign', '--key', 'key.pem'], { input });
    const verified = await command.run(['verify', '-p', 'key.pem', '-s', out], { input });
    expect(verified.out).toBe('valid');
  });

  it('names the file that it cannot read', async () => {
    await keygen('key.pem');
    const { code, stderr } = await command.run(['sign', '--key', 'key.pem', 'missing']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'erst-hsm: cannot read the data missing: no such file or directory\n',
    });
  });

  it('opens an encrypted key, and says so where the passphrase is missing or wrong', async () => {
    const env = { ERST_SOFTWARE_PASSPHRASE: 'correct horse' };
    await command.run(['keygen', '--encrypt', '--out', 'key.pem'], { env });
    expect((await command.run(['sign', '--key', 'key.pem'], { env, input: data })).out).toMatch(
      /^[0-9a-f]{128}$/,
    );

    const missing = await command.run(['sign', '--key', 'key.pem'], { input: data });
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/^erst-hsm: a passphrase is needed. Set ERST_SOFTWARE_PASSPHRASE_FILE=/);

    const wrong = await command.run(['sign', '--key', 'key.pem', '--json'], {
      env: { ERST_SOFTWARE_PASSPHRASE: 'battery staple' },
      input: data,
    });
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stderr).error.code).toBe('wrong-passphrase');
    expect(wrong.stderr).not.toContain('battery staple');
  });

  it('opens an encrypted key of the ERST_ variables with a passphrase from a file', async () => {
    await write('passphrase', 'correct horse');
    await chmod(command.path('passphrase'), 0o600);
    const env = {
      ERST_SOFTWARE_PRIVATE_KEY_PATH: command.path('key.pem'),
      ERST_SOFTWARE_PASSPHRASE_FILE: command.path('passphrase'),
    };
    await command.run(['keygen', '--encrypt', '--out', 'key.pem'], { env });
    expect((await command.run(['sign'], { env, input: data })).out).toMatch(/^[0-9a-f]{128}$/);
  });

  it('warns on one line of a key that others can read', async () => {
    await keygen('key.pem');
    await chmod(command.path('key.pem'), 0o644);
    const { code, stderr } = await command.run(['sign', '--key', 'key.pem'], { input: data });
    expect(code).toBe(0);
    expect(stderr).toBe(
      'erst-hsm: warning: Others can read the private key in key.pem. Run: chmod 600 key.pem\n',
    );
  });
});

describe('at a terminal', () => {
  // script(1) gives the command a terminal of its own.
  async function typing(commandLine: string, answers: string[]): Promise<string> {
    const terminal = spawn('script', ['-qec', commandLine, '/dev/null'], {
      cwd: command.dir,
      env: { PATH: process.env.PATH, HOME: command.dir, TERM: 'xterm' },
    });
    let screen = '';
    let typed = 0;
    terminal.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString();
      const prompts = screen.match(/(?:passphrase|Again|Passphrase of [^:]*): /g)?.length ?? 0;
      while (typed < Math.min(prompts, answers.length)) terminal.stdin.write(`${answers[typed++]}\r`);
    });
    await once(terminal, 'close');
    return screen;
  }
  const line = (args: string) => `'${process.execPath}' '${command.script}' ${args}`;

  it('asks for a passphrase, twice for a new key, and does not show it', async () => {
    const made = await typing(line('keygen --encrypt --out key.pem'), ['correct horse', 'correct horse']);
    expect(made).toMatch(/New passphrase: \r\nAgain: \r\n/);
    expect(made).toContain('key written to key.pem, encrypted');
    await write('data', 'hello');
    const signed = await typing(line('sign --key key.pem data'), ['correct horsf\x7fe']);
    expect(signed).toMatch(/^Passphrase of key\.pem: \r\n[0-9a-f]{128}\r\n$/);
    for (const screen of [made, signed]) expect(screen).not.toContain('correct');
  });

  it('makes nothing where the two differ', async () => {
    const screen = await typing(line('keygen --encrypt --out key.pem'), ['correct horse', 'correct hose']);
    expect(screen).toMatch(/erst-hsm:.* the two passphrases differ; nothing was written/);
    expect(await readdir(command.dir)).toEqual([]);
  });

  it('leaves by Ctrl-C', async () => {
    const screen = await typing(line('keygen --encrypt --out key.pem'), ['half\x03']);
    expect(screen).toMatch(/erst-hsm:.* interrupted/);
    expect(await readdir(command.dir)).toEqual([]);
  });
});

describe('verify', () => {
  it('verifies what openssl signed, Ed25519', async () => {
    await openssl('genpkey', '-algorithm', 'ed25519', '-out', 'key.pem');
    await openssl('pkey', '-in', 'key.pem', '-pubout', '-out', 'public.pem');
    await write('data', 'hello');
    await openssl('pkeyutl', '-sign', '-rawin', '-inkey', 'key.pem', '-in', 'data', '-out', 'signature');
    const { code, out } = await command.run(['verify', '-p', 'public.pem', '-s', 'signature', 'data']);
    expect({ code, out }).toEqual({ code: 0, out: 'valid' });
  });

  it.each(['secp256k1', 'prime256v1'])('verifies what openssl signed, %s', async (curve) => {
    await openssl('ecparam', '-name', curve, '-genkey', '-noout', '-out', 'key.pem');
    await openssl('ec', '-in', 'key.pem', '-pubout', '-out', 'public.pem');
    await write('data', 'hello');
    await openssl('dgst', '-sha256', '-sign', 'key.pem', '-out', 'signature', 'data');
    const { code, out } = await command.run(['verify', '-p', 'public.pem', '-s', 'signature', 'data']);
    expect({ code, out }).toEqual({ code: 0, out: 'valid' });
  });

  it.each(ALGORITHMS)(
    'reads each format that sign writes, and exits with 1 where the data differ: %s',
    async (algorithm) => {
      await keygen('key.pem', '--algorithm', algorithm);
      for (const format of ['raw', 'hex', 'base64', 'json', ...(algorithm === 'secp256k1' ? ['der'] : [])]) {
        const { stdout } = await command.run(['sign', '-k', 'key.pem', '-f', format], { input: 'hello' });
        await write('signature', stdout);
        const verify = (input: string) =>
          command.run(['verify', '-p', 'key.pem', '-s', 'signature'], { input });
        expect(await verify('hello')).toMatchObject({ code: 0, out: 'valid', stderr: '' });
        expect(await verify('hullo')).toMatchObject({ code: 1, out: 'invalid', stderr: '' });
      }
    },
  );

  it('takes the signature as hex, or from standard input', async () => {
    await keygen('key.pem');
    await write('data', 'hello');
    const { out: signature } = await command.run(['sign', '-k', 'key.pem', 'data']);
    expect((await command.run(['verify', '-p', 'key.pem', '-s', signature, 'data'])).out).toBe('valid');
    const piped = await command.run(['verify', '-p', 'key.pem', '-s', '-', 'data'], { input: signature });
    expect(piped.out).toBe('valid');
    const both = await command.run(['verify', '-p', 'key.pem', '-s', '-'], { input: signature });
    expect(both.code).toBe(2);
    expect(both.stderr).toMatch(/^erst-hsm: only one input can be -/);
  });

  it('verifies a signature of a digest', async () => {
    await keygen('key.pem', '--algorithm', 'secp256k1');
    const { out: signature } = await command.run(['sign', '-k', 'key.pem'], { input: 'hello' });
    const input = createHash('sha256').update('hello').digest();
    const { out } = await command.run(['verify', '-p', 'key.pem', '-s', signature, '--prehashed'], { input });
    expect(out).toBe('valid');
  });

  it('tells a script', async () => {
    await keygen('key.pem');
    const { out: signature } = await command.run(['sign', '-k', 'key.pem'], { input: 'hello' });
    const verify = (input: string) =>
      command.run(['verify', '-p', 'key.pem', '-s', signature, '--json'], { input });
    expect(await verify('hello')).toMatchObject({ code: 0, out: '{"valid":true,"algorithm":"ed25519"}' });
    expect(await verify('hullo')).toMatchObject({ code: 1, out: '{"valid":false,"algorithm":"ed25519"}' });
  });

  it('says what a signature is where it gets something else', async () => {
    await keygen('key.pem');
    await write('signature', 'not a signature');
    const { code, out, stderr } = await command.run(['verify', '-p', 'key.pem', '-s', 'signature'], {
      input: 'x',
    });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(stderr).toMatch(/^erst-hsm: signature is no signature: it is 64 bytes/);
  });
});
