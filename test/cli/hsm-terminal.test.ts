// The PIN prompt of `erst-hsm hsm` at a real terminal: however it ends, the terminal echoes again.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSoftHsmToken, type SoftHsmToken } from '../fixtures/softhsm.js';
import { useCommand } from './command.js';

const command = useCommand();
let token: SoftHsmToken;
beforeAll(async () => {
  token = await createSoftHsmToken({ keys: ['ed25519'] });
});
afterAll(() => token.remove());

const QUESTION = 'PIN of token "test token"';

/** What the screen shows when `args` runs at a terminal, `type` is typed at the first question, and stty(1) runs after it. */
async function screenAfter(args: string, type: string, how = ''): Promise<string> {
  const script = `echo before $(stty -a | grep -o -- '-*echo '); node '${command.script}' ${args} ${how} echo code $?; echo after $(stty -a | grep -o -- '-*echo ')`;
  const terminal = spawn('script', ['-qec', script, '/dev/null'], {
    cwd: command.dir,
    env: {
      PATH: process.env.PATH,
      HOME: command.dir,
      TERM: 'dumb',
      SHELL: '/bin/sh',
      ERST_PKCS11_MODULE: token.modulePath,
      SOFTHSM2_CONF: token.env.SOFTHSM2_CONF,
    },
  });
  let screen = '';
  let isAsked = false;
  terminal.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    if (isAsked || !screen.includes(QUESTION)) return;
    isAsked = true;
    if (type !== '') terminal.stdin.write(type);
  });
  await once(terminal, 'close');
  return screen;
}

describe('a PIN prompt', () => {
  it.each([
    ['Ctrl-C', '12\x03', 130, 'interrupted'],
    ['Ctrl-D', '\x04', 1, 'wants a PIN'],
    ['a wrong PIN', 'wrong-pin\r', 1, 'the PIN is wrong'],
    ['the right PIN', '12345678\r', 0, 'PUBLIC KEY'],
  ])('ended by %s leaves the terminal as it was', async (_, typed, code, said) => {
    const screen = await screenAfter(`hsm keygen --token-label 'test token' --label made`, typed, ';');
    expect(screen).toContain(`code ${code}`);
    expect(screen).toContain(said);
    expect(screen).toMatch(/^before echo\r$/m);
    expect(screen).toMatch(/^after echo\r$/m);
    for (const pin of ['12345678', 'wrong-pin']) expect(screen).not.toContain(pin);
  });

  it('that is ended by SIGTERM leaves the terminal as it was', async () => {
    // The shell waits until the prompt is there, which has the terminal without an echo.
    const wait = 'until stty -a < /dev/tty | grep -q -- "-echo "; do sleep 0.05; done; kill $!; wait $!;';
    const screen = await screenAfter(`hsm keys --token-label 'test token'`, '', `& ${wait}`);
    expect(screen).toContain('code 143');
    expect(screen).toMatch(/^after echo\r$/m);
  });

  it('is not shown where nobody is there: the message says what to set', async () => {
    const env = { ERST_PKCS11_MODULE: token.modulePath, SOFTHSM2_CONF: token.env.SOFTHSM2_CONF! };
    const args = ['hsm', 'keygen', '--token-label', 'test token', '--label', 'made-not'];
    const { code, stderr } = await command.run(args, { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/wants a PIN\. Set ERST_PKCS11_PIN_FILE/);
    expect(stderr).not.toContain(QUESTION);
  });
});

describe('color', () => {
  it('is left out with NO_COLOR, which changes nothing else', async () => {
    const env = { ERST_PKCS11_MODULE: '/nowhere.so', TERM: 'xterm', PATH: process.env.PATH };
    const shown = async (more: NodeJS.ProcessEnv) => {
      const line = `node '${command.script}' doctor`;
      const terminal = spawn('script', ['-qec', line, '/dev/null'], {
        cwd: command.dir,
        env: { ...env, ...more },
      });
      const chunks: Buffer[] = [];
      terminal.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(terminal, 'close');
      return Buffer.concat(chunks).toString();
    };
    const [colored, plain] = [await shown({}), await shown({ NO_COLOR: '1' })];
    expect(colored).toContain('\x1b[31mfailed');
    expect(plain).not.toContain('\x1b');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(colored.replace(/\x1b\[\d+m/g, '')).toBe(plain);
  });
});

it('a reader that leaves early is no failure of the listing', async () => {
  const line = `node '${command.script}' hsm slots | head -0; echo \${PIPESTATUS[0]}`;
  const child = spawn('bash', ['-c', line], {
    env: { ...process.env, ERST_PKCS11_MODULE: token.modulePath, SOFTHSM2_CONF: token.env.SOFTHSM2_CONF! },
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (out += chunk));
  await once(child, 'close');
  expect(out).toBe('0\n');
});
