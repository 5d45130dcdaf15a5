// Where the bridge keeps its identity, clients, records and key store (XDG Base Directory specification).

import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** `chosen`, or `$XDG_STATE_HOME/erst-hsm`, or `~/.local/state/erst-hsm`. A relative `$XDG_STATE_HOME` is ignored, as XDG says. */
export function stateDirectory(chosen?: string): string {
  if (chosen !== undefined) return resolve(chosen);
  const xdg = process.env.XDG_STATE_HOME;
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'state'), 'erst-hsm');
}
