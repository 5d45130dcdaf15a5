// The lines of docs/HSM.md, as a reader would run them: in a shell, in order, with `erst-hsm` on the path.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Command } from '../cli/command.js';

export const guide = await readFile(new URL('../../docs/HSM.md', import.meta.url), 'utf8');

/** The shell blocks that are marked `<!-- run … -->` or `<!-- run on a card … -->`. */
export function blocksOf(mark: 'run' | 'run on a card'): string[] {
  const marked = guide.matchAll(/<!-- (run(?: on a card)?)(?::[^>]*)? -->\n```sh\n(.*?)```/gs);
  return [...marked].filter(([, found]) => found === mark).map(([, , lines]) => lines!);
}

/** The files that the guide has its reader write, by name: marked `<!-- file: name -->`. */
export function filesOf(): Map<string, string> {
  const marked = guide.matchAll(/<!-- file: ([\w.-]+) -->\n```\w+\n(.*?)```/gs);
  return new Map([...marked].map(([, name, text]) => [name!, text!]));
}

/** What `lines` print, all of it, on standard output. Fails with all that was printed where one of them fails. */
export async function runLines(
  lines: readonly string[],
  command: Command,
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  await mkdir(command.path('bin'));
  const program = command.path('bin/erst-hsm');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${command.script}' "$@"\n`);
  await chmod(program, 0o755);
  const shell = spawn('sh', ['-c', ['set -eu', ...lines].join('\n')], {
    cwd: command.dir,
    env: { ...env, HOME: command.dir, PATH: `${command.path('bin')}:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  return outputOf(shell);
}

async function outputOf(shell: ChildProcess): Promise<string> {
  let printed = '';
  let complaints = '';
  shell.stdout!.on('data', (data) => {
    printed += data;
  });
  shell.stderr!.on('data', (data) => {
    complaints += data;
  });
  const closed = once(shell, 'close');
  const [code] = await once(shell, 'exit');
  endGroup(shell.pid!);
  await closed; // all of it is read
  if (code !== 0) throw new Error(`The guide's lines end with ${code}:\n${printed}\n${complaints}`);
  return printed;
}

/** Also what the lines have left in the background. */
function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {} // there is nobody left
}
