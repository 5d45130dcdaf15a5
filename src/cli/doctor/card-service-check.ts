// PC/SC: the daemon through which the modules of smart cards and YubiKeys reach them. Without it they load and show no slot.
// Source: pcscd(8); the daemon's socket is PCSCLITE_CSOCK_NAME or /run/pcscd/pcscd.comm, which systemd holds open for it.

import { createConnection } from 'node:net';
import { check } from './check.js';
import { failed, ok, skipped } from './finding.js';
import { knownModule } from './known-modules.js';

const SOCKET = '/run/pcscd/pcscd.comm';
const ANSWER_TIMEOUT_MS = 2_000;

export const cardService = check(
  'card.service',
  { needs: ['modulePath', 'engine'], gives: ['serviceAnswers'] },
  async (facts) => {
    const { modulePath, env, engine } = facts;
    if (!knownModule(modulePath)?.usesPcsc)
      return skipped('only for modules of smart cards', { serviceAnswers: true });
    if (process.platform !== 'linux')
      return skipped('the system has a card service of its own', { serviceAnswers: true });
    const socket = env.PCSCLITE_CSOCK_NAME ?? SOCKET;
    const problem = await problemOf(socket);
    if (problem === undefined) return ok(`pcscd answers at ${socket}`, { serviceAnswers: true });
    const tokens = await engine.listTokens().catch(() => []);
    if (tokens.length > 0)
      return ok(`no pcscd at ${socket}, but the module sees a card without it`, { serviceAnswers: true });
    if (problem === 'EACCES' || problem === 'EPERM') {
      return failed(
        `pcscd runs, but this user may not use it (${socket}: ${problem})`,
        'sudo usermod -aG pcscd "$USER" && newgrp pcscd',
      );
    }
    const finding = `pcscd does not run (${socket}: ${problem}): no card can be seen`;
    return failed(finding, 'sudo apt install pcscd && sudo systemctl enable --now pcscd.socket');
  },
);

/** Why nothing answers at `socket`. */
function problemOf(socket: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const connection = createConnection(socket);
    const end = (problem: string | undefined) => {
      connection.destroy();
      resolve(problem);
    };
    connection.setTimeout(ANSWER_TIMEOUT_MS, () => end('no answer'));
    connection.once('connect', () => end(undefined));
    connection.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}
