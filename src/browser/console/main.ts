// The console page. First of all, the pairing link's fragment leaves the address bar and this entry of the history;
// its secret is afterwards in the session only.

import { clientName } from './client-name.js';
import { onCopy } from './copy.js';
import { Session } from './session.js';
import { SignPanel } from './sign-panel.js';
import { View } from './view.js';

/** The pairing link that this page was opened with; it can be had once. */
function takeLink(): string | undefined {
  const { href, hash, pathname } = location;
  if (hash === '') return undefined;
  history.replaceState(null, '', pathname);
  return hash.startsWith('#pair=') ? href : undefined;
}

const link = takeLink();

const panel = new SignPanel((key, message) => session.sign(key, message));
const view = new View(location.host, {
  retry: () => void session.retry(),
  forget: () => void session.forget(),
  choose: (key) => panel.use(key),
});
const session = new Session(location.origin, clientName(navigator), (state, pairing) =>
  view.show(state, pairing),
);

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-copy]')) {
  onCopy(button, () => button.dataset.copy!);
}

// A link that is pasted into the address bar of this page changes the fragment only.
addEventListener('hashchange', () => {
  const pasted = takeLink();
  if (pasted !== undefined) void session.start(pasted);
});

const retryIfWaiting = () => {
  if (document.visibilityState === 'visible' && session.isWaiting) void session.retry();
};
addEventListener('online', retryIfWaiting);
document.addEventListener('visibilitychange', retryIfWaiting);

void session.start(link);
