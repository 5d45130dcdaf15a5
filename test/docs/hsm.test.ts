// docs/HSM.md does what it says: its SoftHSM part is run as it stands, and its tables name what there is.

import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { settings } from '../../src/signers/config/settings.js';
import { useCommand } from '../cli/command.js';

const guide = await readFile(new URL('../../docs/HSM.md', import.meta.url), 'utf8');
/** What each row of a table is about. */
const firstCells = [...guide.matchAll(/^\| `([\w-]+)` +\|/gm)].map(([, cell]) => cell);
const command = useCommand();

describe('docs/HSM.md', () => {
  it('leads from nothing to signatures that OpenSSL accepts', async () => {
    const blocks = [...guide.matchAll(/<!-- run[^>]*-->\n```sh\n(.*?)```/gs)].map(([, lines]) => lines);
    expect(blocks).toHaveLength(5);
    await mkdir(command.path('bin'));
    await writeFile(
      command.path('bin/erst-hsm'),
      `#!/bin/sh\nexec '${process.execPath}' '${command.script}' "$@"\n`,
    );
    await chmod(command.path('bin/erst-hsm'), 0o755);
    const env = { HOME: command.dir, PATH: `${command.path('bin')}:${process.env.PATH}` };
    const script = ['set -eu', ...blocks].join('\n');
    const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: command.dir, env });
    expect(stdout).toContain('Signature Verified Successfully');
    expect(stdout).toContain('Verified OK');
    expect(stdout).toMatch(/^treasury\t[0-9a-f]{16}\ted25519\tyes\t[0-9a-f]{64}$/m);
    expect(stdout).toContain('-----BEGIN PUBLIC KEY-----');
  });

  it('names every setting', () => {
    const variables = settings
      .filter(({ field }) => field.startsWith('pkcs11.'))
      .map(({ variable }) => variable);
    expect(variables.length).toBeGreaterThan(8);
    for (const variable of variables) expect(firstCells).toContain(variable);
  });

  it('names every error code of PKCS#11', async () => {
    const errors = await readFile(new URL('../../src/errors.ts', import.meta.url), 'utf8');
    const part = /\/\/ PKCS#11\n(.*?)\/\/ a key behind a bridge/s.exec(errors)![1]!;
    const codes = [...part.matchAll(/\| '([\w-]+)'/g)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(8);
    for (const code of codes) expect(firstCells).toContain(code);
  });
});
