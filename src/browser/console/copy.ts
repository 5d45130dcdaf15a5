// Copy buttons: one text to the clipboard, and a word on whether it got there.

import { announce } from './dom.js';

const SHOWN_MS = 1600;
const resetTimers = new WeakMap<HTMLButtonElement, ReturnType<typeof setTimeout>>();

/** Copies what `text` gives at the click; the button says so for a moment. */
export function onCopy(button: HTMLButtonElement, text: () => string): void {
  const label = button.textContent ?? '';
  button.addEventListener('click', async () => {
    const outcome = (await writeClipboard(text())) ? 'Copied' : 'Not allowed';
    clearTimeout(resetTimers.get(button));
    button.textContent = outcome;
    announce(outcome === 'Copied' ? 'Copied to the clipboard.' : 'This browser does not allow copying here.');
    resetTimers.set(
      button,
      setTimeout(() => {
        button.textContent = label;
      }, SHOWN_MS),
    );
  });
}

async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
