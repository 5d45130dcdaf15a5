// Shows a session's state: one view at a time, the status line, and what is known of this pairing.

import { announce, byId, fill, onAction, within } from './dom.js';
import { showKeys } from './key-list.js';
import type { ConsoleKey, Pairing, SessionState } from './session.js';

type Tone = 'good' | 'wait' | 'bad';

interface ViewActions {
  retry(): void;
  forget(): void;
  choose(key: ConsoleKey | undefined): void;
}

const STATUS: Readonly<Record<SessionState['view'], readonly [Tone, string]>> = {
  connecting: ['wait', 'Connecting'],
  pairing: ['wait', 'Pairing'],
  unpaired: ['wait', 'Not paired'],
  'link-damaged': ['bad', 'Link damaged'],
  'link-refused': ['bad', 'Link not accepted'],
  'link-foreign': ['bad', 'Bridge not recognized'],
  unreachable: ['wait', 'No answer, trying again'],
  revoked: ['bad', 'Not accepted'],
  unrecognized: ['bad', 'Bridge not recognized'],
  'no-storage': ['bad', 'No storage'],
  failed: ['bad', 'Stopped'],
  connected: ['good', 'Connected'],
};

/** Views without words of their own on this pairing. */
const SHOWS_PAIRING: ReadonlySet<SessionState['view']> = new Set(['connected', 'connecting', 'unreachable']);

const IDENTITY = {
  'non-extractable': 'Non-extractable: scripts can use it, none can read it',
  readable: 'Readable by scripts of this page: this browser has no X25519 in WebCrypto that could protect it',
} as const;

export class View {
  readonly #actions: ViewActions;
  readonly #host: string;
  readonly #dialog = byId<HTMLDialogElement>('forget-dialog');

  /** `host` is the bridge's, as people know it: `localhost:27183`. */
  constructor(host: string, actions: ViewActions) {
    this.#host = host;
    this.#actions = actions;
    fill('bridge-host', host);
    onAction('retry', () => actions.retry());
    onAction('reload', () => location.reload());
    onAction('forget', () => this.#dialog.showModal());
    onAction('dismiss-banner', () => this.#showBanner());
    this.#dialog.addEventListener('close', () => {
      if (this.#dialog.returnValue === 'forget') actions.forget();
      this.#dialog.returnValue = '';
    });
  }

  show(state: SessionState, pairing: Pairing | undefined): void {
    this.#showStatus(state.view);
    this.#showSection(state.view === 'connecting' || state.view === 'pairing' ? 'waiting' : state.view);
    this.#showPairing(pairing, state.view);
    this.#showBanner(state.view === 'connected' ? state.notice : undefined);
    switch (state.view) {
      case 'connecting':
      case 'pairing':
        fill('waiting-title', state.view === 'pairing' ? 'Pairing this browser' : 'Connecting');
        fill('waiting-text', `Opening an encrypted channel to the bridge at ${this.#host}.`);
        break;
      case 'no-storage':
        fill('storage-text', state.reason);
        break;
      case 'failed':
        fill('failure-text', state.reason);
        break;
      case 'connected':
        showKeys(state.keys, (key) => this.#actions.choose(key));
        break;
    }
  }

  #showStatus(view: SessionState['view']): void {
    const [tone, text] = STATUS[view];
    const status = byId('status');
    status.dataset.tone = tone;
    const shown = tone === 'good' ? `${text} to ${this.#host}` : text;
    if (status.textContent !== shown) status.textContent = shown;
  }

  #showSection(name: string): void {
    for (const section of document.querySelectorAll<HTMLElement>('[data-view]')) {
      section.hidden = section.dataset.view !== name;
    }
  }

  #showPairing(pairing: Pairing | undefined, view: SessionState['view']): void {
    byId('pairing').hidden = pairing === undefined || !SHOWS_PAIRING.has(view);
    for (const button of document.querySelectorAll<HTMLElement>('[data-action="forget"]')) {
      button.hidden = pairing === undefined;
    }
    if (pairing === undefined) return;
    fill('bridge-key', pairing.bridgeKey);
    fill('bridge-version', pairing.version === undefined ? '' : `erst-hsm ${pairing.version}`);
    fill('client-name', pairing.client ?? 'a name that the bridge will tell');
    fill('identity-kind', IDENTITY[pairing.protection]);
    fill('revoke-command', `erst-hsm clients revoke ${pairing.client ?? '<name>'}`);
  }

  #showBanner(notice?: { tone: 'good' | 'warn'; text: string }): void {
    const banner = byId('banner');
    banner.hidden = notice === undefined;
    banner.dataset.tone = notice?.tone ?? '';
    within(banner, '[data-slot="banner-text"]').textContent = notice?.text ?? '';
    if (notice) announce(notice.text);
  }
}
