// SoftHSM's configuration and token directory. Where it cannot read them it does not say so: C_Initialize gives
// CKR_GENERAL_ERROR, or there is just no token.
// Source: softhsm2.conf(5); SoftHSM looks at SOFTHSM2_CONF, then ~/.config/softhsm2/softhsm2.conf, then /etc/softhsm.

import { access, constants, readFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { shellQuoted } from '../shell-quote.js';
import { check } from './check.js';
import type { Facts } from './facts.js';
import { type Finding, failed, ok, skipped } from './finding.js';
import { isSoftHsm } from './known-modules.js';

const SYSTEM_CONF = '/etc/softhsm/softhsm2.conf';

export const softHsmConfiguration = check(
  'softhsm.configuration',
  { needs: ['modulePath'], gives: ['configured'] },
  async ({ modulePath, env }) => {
    if (!isSoftHsm(modulePath)) return skipped('only for SoftHSM', { configured: true });
    const conf = await configurationFile(env);
    const text = await readFile(conf, 'utf8').catch((error: NodeJS.ErrnoException) => error);
    if (text instanceof Error) return unreadable(conf, text.code ?? 'unreadable', env);
    const directory = /^\s*directories\.tokendir\s*=\s*(\S.*?)\s*$/m.exec(text)?.[1];
    if (directory === undefined) {
      return failed(`${conf} names no directories.tokendir`, appendLine(conf));
    }
    return examineDirectory(conf, directory);
  },
);

async function configurationFile(env: Facts['env']): Promise<string> {
  if (env.SOFTHSM2_CONF !== undefined) return env.SOFTHSM2_CONF;
  const own = join(homedir(), '.config/softhsm2/softhsm2.conf');
  return access(own).then(
    () => own,
    () => SYSTEM_CONF,
  );
}

function unreadable(conf: string, code: string, env: Facts['env']): Finding {
  if (conf === '') return failed('SOFTHSM2_CONF is set to nothing', 'unset SOFTHSM2_CONF');
  const source = env.SOFTHSM2_CONF === undefined ? '' : ' (SOFTHSM2_CONF)';
  if (code !== 'ENOENT') {
    const fix = conf === SYSTEM_CONF ? joinGroup() : `sudo chmod o+r ${shellQuoted(conf)}`;
    return failed(`SoftHSM's configuration ${conf}${source} cannot be read (${code})`, fix);
  }
  return failed(`SoftHSM's configuration ${conf}${source} is not there`, makeLine());
}

async function examineDirectory(conf: string, directory: string): Promise<Finding> {
  try {
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      return failed(
        `The token directory ${directory} of ${conf} is not there`,
        `mkdir -p -m 700 ${shellQuoted(directory)}`,
      );
    }
    const fix = directory.startsWith('/var/lib/softhsm')
      ? joinGroup()
      : `sudo chown -R "$USER" ${shellQuoted(directory)}`;
    return failed(`The token directory ${directory} of ${conf} may not be used by this user (${code})`, fix);
  }
  return ok(`${conf}, tokens in ${directory}`, { configured: true });
}

/** Debian gives SoftHSM's files to a group; a new login makes it count. */
const joinGroup = () => `sudo usermod -aG softhsm ${shellQuoted(userInfo().username)} && exec newgrp softhsm`;

const appendLine = (conf: string) =>
  `mkdir -p -m 700 ~/.softhsm && echo "directories.tokendir = $HOME/.softhsm" >> ${shellQuoted(conf)}`;

const makeLine = () =>
  'mkdir -p -m 700 ~/.softhsm && echo "directories.tokendir = $HOME/.softhsm" > ~/.softhsm.conf && export SOFTHSM2_CONF=~/.softhsm.conf';
