// What `erst-hsm bridge` says when it is ready. The pairing link is its result and goes to standard output; the words
// around it are for people.

import type { Bridge } from '../bridge/index.js';
import type { Signer } from '../signers/types.js';
import { version } from '../version.js';
import { note, printJson, printLine, styled } from './output.js';
import { LINK_MINUTES } from './pair.js';
import { shellQuoted } from './shell-quote.js';
import { stateDirectory } from './state-dir.js';

export interface Announcement {
  keys: Record<string, Signer>;
  origin: string;
  caution?: string;
  stateDir: string;
  json: boolean;
}

/** Says where the bridge is, what it serves, and, while no client is authorized, how the first one gets in. */
export async function announce(bridge: Bridge, announcement: Announcement): Promise<void> {
  const { authorizedClients, console: consoleUrl } = bridge.status();
  const pairingLink = authorizedClients === 0 ? await firstLink(bridge) : undefined;
  if (announcement.json) {
    printAsJson(bridge, announcement, pairingLink);
    return;
  }
  describe(bridge, announcement);
  if (pairingLink !== undefined) printLink(pairingLink, consoleUrl !== undefined);
  const which = pairingLink === undefined ? 'another' : 'a';
  note(`\nCtrl-C stops the bridge. To pair ${which} client: ${pairCommandLine(announcement.stateDir)}\n`);
}

/** As it can be typed where the bridge was started, which may be a clone's `npm start`. */
function pairCommandLine(stateDir: string): string {
  const command = process.env.npm_lifecycle_event === undefined ? 'erst-hsm' : 'npx erst-hsm';
  const where = stateDir === stateDirectory() ? '' : ` --state-dir ${shellQuoted(stateDir)}`;
  return `${command} pair${where}`;
}

const firstLink = (bridge: Bridge) => bridge.pair({ expiresInMs: LINK_MINUTES * 60_000 });

function printAsJson(
  bridge: Bridge,
  { keys, stateDir }: Announcement,
  pairingLink: string | undefined,
): void {
  const { url, origin, publicKey } = bridge;
  printJson({
    url,
    origin,
    publicKey,
    stateDir,
    keys: Object.entries(keys).map(([name, signer]) => ({ name, ...signer.signerInfo() })),
    ...(pairingLink === undefined ? {} : { pairingLink }),
  });
}

function describe(bridge: Bridge, { keys, origin, caution }: Announcement): void {
  const names = Object.entries(keys).map(([name, signer]) => nameOf(name, signer));
  note(styled(process.stderr, 'bold', `\nerst-hsm ${version}, bridge at ${bridge.origin}/`));
  note(`  Keys: ${names.join(', ')}, ${origin}.`);
  if (caution !== undefined) note(`  ${caution}`);
}

const nameOf = (name: string, signer: Signer) => {
  const { algorithm } = signer.signerInfo();
  return name === algorithm ? name : `${name} (${algorithm})`;
};

function printLink(link: string, forBrowsers: boolean): void {
  const use = forBrowsers
    ? 'Open this link in a browser to pair it.'
    : 'Give this link to `erst-hsm connect`.';
  note(`\n${use} It works once, within ${LINK_MINUTES} minutes:\n`);
  printLine(process.stdout.isTTY ? `    ${styled(process.stdout, ['bold', 'cyan'], link)}` : link);
}
