// A shell command that prints a secret: bounded in time and size; its standard error stays visible.

import { spawn } from 'node:child_process';
import { concatBytes } from '../../bytes.js';

const COMMAND_TIMEOUT_MS = 60_000;

/** The command's output, of at most `maxBytes`, and why it is none where it failed. */
export async function runCommand(
  command: string,
  maxBytes: number,
): Promise<{ output: Uint8Array; failure: string | undefined }> {
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'inherit'], windowsHide: true });
  const chunks: Uint8Array[] = [];
  let failure: string | undefined;
  // Closing the pipe as well, because what the shell started may outlive the shell.
  const stop = (reason: string) => {
    failure ??= reason;
    child.stdout.destroy();
    child.kill();
  };
  const timer = setTimeout(stop, COMMAND_TIMEOUT_MS, `no end after ${COMMAND_TIMEOUT_MS / 1000} s`);
  let size = 0;
  child.stdout.on('data', (chunk: Uint8Array) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) stop(`more than ${maxBytes} bytes`);
  });
  await new Promise<void>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      failure ??= error.code ?? 'cannot start';
      resolve();
    });
    child.once('close', (code, signal) => {
      if (code !== 0) failure ??= `exit ${code ?? signal}`;
      resolve();
    });
  });
  clearTimeout(timer);
  const output = concatBytes(...chunks);
  for (const chunk of chunks) chunk.fill(0);
  return { output, failure };
}
