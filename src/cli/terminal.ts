// Questions to the person at the terminal. The terminal itself is opened, since standard input may be data.

import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ReadStream } from 'node:tty';
import { CliError } from './failure.js';

/** Whether somebody is there to answer. */
export const hasTerminal = (): boolean => process.stderr.isTTY === true;

/** What is typed up to Enter, shown nowhere. Only where there is a terminal. */
export async function askHidden(question: string): Promise<string> {
  const terminal = openTerminal();
  terminal.setRawMode(true); // no echo
  try {
    process.stderr.write(question);
    return await readHidden(terminal);
  } finally {
    process.stderr.write('\n');
    terminal.setRawMode(false);
    terminal.destroy();
  }
}

/** What is typed up to Enter, as it is seen; empty for Ctrl-D. Only where there is a terminal. */
export async function askVisible(question: string): Promise<string> {
  const terminal = openTerminal();
  try {
    process.stderr.write(question);
    for await (const line of createInterface({ input: terminal, terminal: false })) return line;
    return '';
  } finally {
    terminal.destroy();
  }
}

function openTerminal(): ReadStream {
  const device = process.platform === 'win32' ? '\\\\.\\CONIN$' : '/dev/tty';
  return new ReadStream(openSync(device, 'r'));
}

const ENTER = /[\r\n]/;
const BACKSPACE = /[\b\x7f]/;
const CTRL_C = '\x03';
const CTRL_D = '\x04';

/** In raw mode the terminal leaves editing and Ctrl-C to us. */
function readHidden(terminal: ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = '';
    const take = (char: string): void => {
      if (ENTER.test(char) || char === CTRL_D) resolve(line);
      else if (char === CTRL_C) reject(new CliError('interrupted', 'interrupted', { exitCode: 130 }));
      else if (BACKSPACE.test(char)) line = [...line].slice(0, -1).join('');
      else line += char;
    };
    terminal.setEncoding('utf8');
    terminal.on('data', (typed: string | Buffer) => {
      for (const char of typed.toString()) take(char);
    });
    terminal.once('error', reject);
    terminal.once('end', () => resolve(line));
  });
}
