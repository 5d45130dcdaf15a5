// What every command has in common: help, errors, exit codes, secrets, pipes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { useCommand } from './command.js';

const command = useCommand();
const COMMANDS = [
  'keygen',
  'pubkey',
  'sign',
  'verify',
  'bridge',
  'pair',
  'connect',
  'clients',
  'hsm',
  'doctor',
  'conformance',
];

describe('help', () => {
  it('lists the commands, with examples and exit codes', async () => {
    const { code, out, stderr } = await command.run(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    expect(out).toMatch(/Examples:\n/);
    expect(out).toMatch(/Exit codes: 0 done, 1 failed/);
  });

  it.each(COMMANDS)('shows examples: %s', async (name) => {
    const { code, out, stderr } = await command.run([name, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(out).toMatch(/Examples:\n {2}# /);
    expect(out.match(/^ {2}(.*)erst-hsm /gm)?.length).toBeGreaterThanOrEqual(2);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  it('goes to standard error, with exit code 2, where no command is named', async () => {
    expect(await command.run([])).toMatchObject({
      code: 2,
      out: '',
      stderr: expect.stringMatching(/^Usage: /),
    });
  });

  it('prints the version of package.json', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await command.run(['--version'])).toMatchObject({ code: 0, out: version, stderr: '' });
  });
});

describe('a command line that is not understood', () => {
  it.each([
    [['keygne'], "unknown command 'keygne' (Did you mean keygen?)", 'erst-hsm'],
    [['sign', '--fromat', 'raw'], "unknown option '--fromat' (Did you mean --format?)", 'erst-hsm sign'],
    [
      ['sign', '--format', 'xml'],
      "option '-f, --format <format>' argument 'xml' is invalid.",
      'erst-hsm sign',
    ],
    [['verify'], "required option '-p, --public-key <file>' not specified", 'erst-hsm verify'],
    [['clients', 'revoke'], "missing required argument 'name'", 'erst-hsm clients revoke'],
    [['keygen', '--force'], '--force needs --out file.pem', 'erst-hsm keygen'],
  ])('%j', async (args, message, hint) => {
    const { code, out, stderr } = await command.run(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    const [first, second, ...rest] = stderr.split('\n');
    expect(first).toContain(`erst-hsm: ${message}`);
    expect(second).toBe(`Try: ${hint} --help`);
    expect(rest).toEqual(['']);
  });

  it('is told as JSON where JSON was asked for', async () => {
    const { code, out, stderr } = await command.run(['keygen', '--json']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(JSON.parse(stderr)).toEqual({ error: { code: 'usage', message: '--json needs --out file.pem' } });
  });
});

describe('secrets', () => {
  it.each([
    [['sign', '--pin', '123456'], 'ERST_PKCS11_PIN_FILE=/path/to/pin'],
    [['sign', '--pin=123456'], 'ERST_PKCS11_PIN_FILE=/path/to/pin'],
    [['hsm', 'keys', '--so-pin=123456'], 'ERST_PKCS11_SO_PIN_FILE=/path/to/so-pin'],
    [['keygen', '--encrypt', '--passphrase', '123456'], 'ERST_SOFTWARE_PASSPHRASE_FILE=/path/to/passphrase'],
    [['bridge', '--password=123456'], 'ERST_KEYSTORE_'],
    [['sign', '--private-key', '123456'], '--key file.pem'],
  ])('are no options: %j', async (args, instead) => {
    const { code, stderr } = await command.run(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^erst-hsm: there is no option --[a-z-]+: a command line can be read by every user/,
    );
    expect(stderr).toContain(instead);
    expect(stderr).not.toContain('123456');
  });

  it('are not repeated from an option that does not exist', async () => {
    const { code, stderr } = await command.run(['sign', '--pins=123456']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^erst-hsm: unknown option '--pins'/);
    expect(stderr).not.toContain('123456');
  });
});

describe('a wrong setting', () => {
  it.each([
    [{ ERST_SIGNER_TYPE: 'softwar' }, 'ERST_SIGNER_TYPE', /software/],
    [{ ERST_SIGNER_TYPE: 'pkcs11' }, 'ERST_PKCS11_MODULE', /ERST_PKCS11_MODULE=\//],
    [{ ERST_SIGNER_TYPE: 'remote' }, 'ERST_REMOTE_', /ERST_REMOTE_[A-Z_]+=/],
    [{}, 'ERST_SOFTWARE_PRIVATE_KEY_PATH', /ERST_SOFTWARE_PRIVATE_KEY_PATH=/],
    [{ ERST_SIGNER_ALGORITHM: 'rsa' }, 'ERST_SIGNER_ALGORITHM', /ed25519/],
    [{ ERST_SOFTWARE_PRIVATE_KEY_PATHS: 'x' }, 'ERST_SOFTWARE_PRIVATE_KEY_PATH', /PATH/],
    [
      { ERST_SOFTWARE_PASSPHRASE: 'a', ERST_SOFTWARE_PASSPHRASE_FILE: 'b' },
      'ERST_SOFTWARE_PASSPHRASE',
      /both set/,
    ],
    [
      { ERST_SOFTWARE_PRIVATE_KEY_PATH: 'key.pem', ERST_SOFTWARE_PASSPHRASE_COMMAND: 'exit 3' },
      'ERST_SOFTWARE_PASSPHRASE_COMMAND',
      /exit 3/,
    ],
  ])('names the variable and shows what to write: %j', async (env, variable, example) => {
    const { code, out, stderr } = await command.run(['sign'], { env: env as Record<string, string> });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(stderr).toMatch(/^erst-hsm: [^\n]+\n$/);
    expect(stderr).toContain(variable);
    expect(stderr).toMatch(example);
  });

  it('has a code for scripts', async () => {
    const { stderr } = await command.run(['sign', '--json'], { env: { ERST_SIGNER_TYPE: 'softwar' } });
    expect(JSON.parse(stderr).error.code).toBe('invalid-config');
  });

  it('shows a stack only with ERST_LOG=debug', async () => {
    const env = { ERST_SIGNER_TYPE: 'softwar' };
    expect((await command.run(['sign'], { env })).stderr).not.toMatch(/^ {4}at /m);
    const { stderr } = await command.run(['sign'], { env: { ...env, ERST_LOG: 'debug' } });
    expect(stderr).toMatch(/^ {4}at /m);
  });
});

describe('pipes', () => {
  it('get no decoration, even where color is forced on', async () => {
    const { stdout } = await command.run(['--help'], { env: { FORCE_COLOR: '1' } });
    expect(stdout.includes(0x1b)).toBe(false);
    const { stderr } = await command.run(['keygne'], { env: { FORCE_COLOR: '1' } });
    expect(stderr).not.toContain('\u001b');
  });

  it('may be left early by their reader', async () => {
    await writeFile(command.path('key.pem'), (await command.run(['keygen'])).stdout);
    const child = spawn(process.execPath, [command.script, 'sign', '--key', 'key.pem', '-'], {
      cwd: command.dir,
    });
    child.stdout.destroy();
    child.stdin.end('data');
    const stderr: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    const [code, signal] = await once(child, 'close');
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(Buffer.concat(stderr).toString()).not.toMatch(/EPIPE|at /);
  });
});
