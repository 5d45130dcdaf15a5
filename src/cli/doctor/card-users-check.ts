// Other programs that take a smart card for themselves: GnuPG's scdaemon opens it exclusively, and others select an applet
// of their own, which ends a login.

import { readdir, readFile } from 'node:fs/promises';
import { check } from './check.js';
import { ok, skipped, warning } from './finding.js';
import { knownModule } from './known-modules.js';

/** Programs by their name in the process list (15 characters at most), and what ends them. */
const holders = new Map<string, string>([
  ['scdaemon', 'gpgconf --kill scdaemon'],
  ['yubikey-agent', 'systemctl --user stop yubikey-agent'],
  ['yubico-piv-tool', 'pkill -x yubico-piv-tool'],
  ['ykman', 'pkill -x ykman'],
  ['authenticator', 'pkill -x authenticator'],
  ['pcsc_scan', 'pkill -x pcsc_scan'],
]);

export const cardUsers = check('card.users', { needs: ['modulePath'] }, async ({ modulePath }) => {
  if (!knownModule(modulePath)?.usesPcsc) return skipped('only for modules of smart cards');
  if (process.platform !== 'linux') return skipped('the list of processes is only read on Linux');
  const running = [...new Set(await processNames())].filter((name) => holders.has(name));
  const [first] = running;
  if (first === undefined) return ok('no program that is known to hold cards runs');
  const finding = `${running.join(', ')} runs and may hold the card, or reset it in the middle of a signature`;
  return warning(finding, running.map((name) => holders.get(name)).join('; '));
});

async function processNames(): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const names = await Promise.all(ids.map((id) => readFile(`/proc/${id}/comm`, 'utf8').catch(() => '')));
  return names.map((name) => name.trim());
}
