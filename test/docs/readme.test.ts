// The README's examples run as they stand, from the built package, as a reader would run them. Only what a reader would
// replace is replaced: where the PIN is, where the bridge keeps its state, and the pairing link.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

const examples = new Map<string, string[]>();
let scripts: string;
let temporary: string;
let token: SoftHsmToken;

beforeAll(async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  for (const section of readme.split(/^(?=##+ )/m)) {
    const heading = /^##+ (.*)$/m.exec(section)?.[1] ?? '';
    const blocks = [...section.matchAll(/^```(js|sh)\n(.*?)^```$/gms)];
    examples.set(
      heading,
      blocks.map(([, language, code]) => `${language}\n${code}`),
    );
  }
  await mkdir(join(root, 'build'), { recursive: true });
  scripts = await mkdtemp(join(root, 'build', 'readme-')); // inside the package, so that `erst-hsm` is itself
  temporary = await mkdtemp(join(tmpdir(), 'erst-readme-'));
  token = await createSoftHsmToken({
    tokenLabel: 'treasury',
    keys: [{ algorithm: 'ed25519', label: 'stellar' }],
  });
  await writeFile(join(temporary, 'pin'), `${token.pin}\n`, { mode: 0o600 });
});

afterAll(async () => {
  await rm(scripts, { recursive: true, force: true });
  await rm(temporary, { recursive: true, force: true });
  await token.remove();
});

/** The code of the `index`-th example of a language under a heading, with the reader's own values. */
function example(heading: string, language: 'js' | 'sh', index = 0): string {
  const found = examples.get(heading)?.filter((code) => code.startsWith(`${language}\n`))[index];
  if (found === undefined)
    throw new Error(`README.md has no ${language} example ${index} under "${heading}"`);
  return found
    .slice(language.length + 1)
    .replaceAll('/run/secrets/hsm-pin', join(temporary, 'pin'))
    .replaceAll('./bridge-state', join(temporary, 'bridge-state'));
}

async function script(name: string, code: string): Promise<string> {
  const path = join(scripts, `${name}.mjs`);
  await writeFile(path, code);
  return path;
}

async function output(name: string, code: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const path = await script(name, code);
  const { stdout } = await run(process.execPath, [path], { env: { ...token.env, ...env } });
  return stdout;
}

describe('README.md', () => {
  it('a key in memory', async () => {
    const printed = await output('memory', example('A key in memory', 'js'));
    expect(printed).toMatch(/^true\n-----BEGIN PUBLIC KEY-----\n/);
  });

  it('a key in an HSM', async () => {
    const printed = await output('hsm', example('A key in an HSM', 'js'));
    expect(printed).toMatch(/^[0-9a-f]{128}\n$/);
  });

  it('from the environment', async () => {
    const lines = example('From the environment', 'sh').matchAll(/^export (\w+)=(.*)$/gm);
    const env = Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
    expect(Object.keys(env)).toContain('ERST_PKCS11_PIN_FILE');
    const printed = await output('environment', example('From the environment', 'js'), env);
    expect(printed).toContain("signerType: 'pkcs11'");
  });

  it('a key behind a bridge', async () => {
    const path = await script('bridge', example('A key behind a bridge', 'js', 0));
    const bridge = spawn(process.execPath, [path], { env: token.env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(bridge, 'close');
    try {
      const [link] = (await once(createInterface(bridge.stdout), 'line')) as [string];
      expect(link).toMatch(/^http:\/\/\S+#pair=1\./);
      const code = example('A key behind a bridge', 'js', 1);
      const client = `const link = process.env.LINK;\n${code}console.log(signature.bytes.length);\n`;
      expect(await output('client', client, { LINK: link })).toBe('64\n');
    } finally {
      bridge.kill('SIGKILL');
      await ended;
    }
  });

  it('on the command line', async () => {
    const cli = join(root, 'build', 'node', 'cli.js');
    const code = example('On the command line', 'sh').replaceAll(
      'erst-hsm ',
      `"${process.execPath}" "${cli}" `,
    );
    const { stdout } = await run('bash', ['-euc', code], { cwd: temporary });
    expect(stdout).toBe('Verified OK\n');
  });

  it('the curves alone', async () => {
    expect(await output('curves', example('The curves alone', 'js'))).toBe('true\n');
  });

  it('a signer of your own', async () => {
    const printed = await output('conformance', example('A signer of your own', 'js'));
    expect(printed.match(/^ok /gm)?.length).toBeGreaterThan(10);
  });

  it('has no example that is not tested here', () => {
    const javascript = [...examples].filter(([, codes]) => codes.some((code) => code.startsWith('js\n')));
    expect(javascript.map(([heading]) => heading)).toEqual([
      'A key in memory',
      'A key in an HSM',
      'From the environment',
      'A key behind a bridge',
      'The curves alone',
      'A signer of your own',
    ]);
  });
});
