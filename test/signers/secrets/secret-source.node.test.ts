import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  readSecret,
  type SecretSource,
  secretVariables,
} from '../../../src/signers/secrets/secret-source.node.js';

const settings = secretVariables('ERST_X');
const read = (source: SecretSource) => readSecret(source, settings);
const SECRET = 'pa\u00dfword with spaces ';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'erst-hsm-secret-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true });
});

async function file(content: string | Uint8Array, mode = 0o600): Promise<string> {
  const path = join(dir, 'secret');
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

describe('readSecret', () => {
  it('gives nothing where nothing is set', async () => {
    expect(await read({})).toBeUndefined();
    expect(await read({ value: undefined, file: undefined, command: undefined })).toBeUndefined();
  });

  it('gives the value as it is', async () => {
    expect(await read({ value: SECRET })).toBe(SECRET);
  });

  it.each(['', '\n', '\r\n'])('takes one line break %j off the end of a file', async (end) => {
    expect(await read({ file: await file(`${SECRET}${end}`) })).toBe(SECRET);
  });

  it('takes only one line break off', async () => {
    expect(await read({ file: await file(`${SECRET}\n\n`) })).toBe(`${SECRET}\n`);
  });

  it('gives what a command prints', async () => {
    const path = await file(`${SECRET}\n`);
    expect(await read({ command: `cat '${path}'` })).toBe(SECRET);
  });

  it.each([
    [{ value: 'a', file: 'b' }, 'ERST_X and ERST_X_FILE are both set'],
    [{ value: 'a', command: 'b' }, 'ERST_X and ERST_X_COMMAND are both set'],
    [{ file: 'a', command: 'b' }, 'ERST_X_FILE and ERST_X_COMMAND are both set'],
    [{ value: 'a', credential: 'b' }, 'ERST_X and ERST_X_CREDENTIAL are both set'],
  ])('refuses two sources: %j', async (source, message) => {
    await expect(read(source)).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining(message),
    });
  });

  it('refuses an empty secret', async () => {
    for (const source of [{ value: '' }, { file: await file('\n') }, { command: 'true' }]) {
      await expect(read(source)).rejects.toMatchObject({
        code: 'invalid-config',
        message: /gives an empty secret/,
      });
    }
  });

  it('names the setting and the reason where a file cannot be read', async () => {
    await expect(read({ file: join(dir, 'missing') })).rejects.toMatchObject({
      setting: 'ERST_X_FILE',
      message: expect.stringMatching(/^ERST_X_FILE: cannot read .*missing \(ENOENT\)\. Give the path/),
    });
  });

  it.each([
    [`echo ${SECRET}; exit 7`, /exit 7/],
    ['kill -9 $$', /exit SIGKILL/],
    ['no-such-command-here 2>/dev/null', /exit 127/],
  ])(
    'names the setting and the exit of a command that fails, and repeats nothing: %s',
    async (command, message) => {
      const error = await read({ command }).catch((thrown) => thrown);
      expect(error).toMatchObject({ code: 'invalid-config', setting: 'ERST_X_COMMAND', message });
      expect(error.message).not.toContain(SECRET.trim());
    },
  );

  it('refuses bytes that are no text, and endless output', async () => {
    const notText = { file: await file(Uint8Array.of(0x70, 0xff, 0xfe)) };
    await expect(read(notText)).rejects.toMatchObject({ message: /^ERST_X_FILE: not UTF-8 text/ });
    await expect(read({ command: 'yes' })).rejects.toMatchObject({ setting: 'ERST_X_COMMAND' });
  });

  it('warns of a file that others can read', async () => {
    const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
    const path = await file(SECRET, 0o640);
    expect(await read({ file: path })).toBe(SECRET);
    expect(await warning).toMatchObject({
      code: 'ERST_HSM_FILE_MODE',
      message: `Others can read the secret of ERST_X_FILE in ${path}. Run: chmod 600 ${path}`,
    });
  });

  it.each([0o622, 0o602, 0o666])('refuses a file that everybody can write: %i', async (mode) => {
    const path = await file(SECRET, mode);
    const error = await read({ file: path }).catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: 'invalid-config',
      setting: 'ERST_X_FILE',
      message: `ERST_X_FILE: everybody can write ${path}, so it is not trusted. Run: chmod 600 ${path}`,
    });
  });

  it('reads a pipe, whose mode says nothing', async () => {
    const pipe = join(dir, 'pipe');
    execFileSync('mkfifo', ['-m', '666', pipe]);
    const written = writeFile(pipe, `${SECRET}\n`);
    expect(await read({ file: pipe })).toBe(SECRET);
    await written;
  });

  it('refuses a file that is too large for a secret', async () => {
    const path = await file('x'.repeat(64 * 1024 + 1));
    await expect(read({ file: path })).rejects.toMatchObject({ message: /at most 65536 bytes/ });
  });
});

describe('a systemd credential', () => {
  it('is a file in the directory that systemd names, whatever its group bits', async () => {
    vi.stubEnv('CREDENTIALS_DIRECTORY', dir);
    const path = await file(`${SECRET}\n`, 0o440); // as systemd shows it where User= is set
    const warned = vi.fn();
    process.on('warning', warned);
    expect(await read({ credential: basename(path) })).toBe(SECRET);
    await new Promise(setImmediate);
    process.off('warning', warned);
    expect(warned).not.toHaveBeenCalled();
  });

  it('is read anew each time', async () => {
    vi.stubEnv('CREDENTIALS_DIRECTORY', dir);
    await file('first');
    expect(await read({ credential: 'secret' })).toBe('first');
    await file('second');
    expect(await read({ credential: 'secret' })).toBe('second');
  });

  it.each<[string, string | undefined, string, RegExp]>([
    ['outside a unit', undefined, 'pin', /CREDENTIALS_DIRECTORY is not set.*LoadCredential=pin:/],
    ['that the unit does not have', '/', 'no-such-credential', /ENOENT.*LoadCredential=no-such-credential:/],
    ['that is a path', '/', 'etc/passwd', /not a path/],
    ['that is a directory', '/', '..', /not a path/],
  ])('says what to do about one %s', async (_, directory, credential, message) => {
    vi.stubEnv('CREDENTIALS_DIRECTORY', directory);
    await expect(read({ credential })).rejects.toMatchObject({ setting: 'ERST_X_CREDENTIAL', message });
  });
});
