// Bytes as people read and copy them: hex in groups of eight digits, which a selection copies without the gaps.

import { element } from './dom.js';

const GROUP = 8;

/** Hex `digits` in groups; those that make no full group come first, as the first byte of a compressed point. */
export function showGrouped(target: HTMLElement, digits: string): void {
  const odd = digits.slice(0, digits.length % GROUP);
  const groups = digits.slice(odd.length).match(new RegExp(`.{${GROUP}}`, 'g')) ?? [];
  const all = odd === '' ? groups : [odd, ...groups];
  target.replaceChildren(...all.map((group) => element('span', 'group', group)));
}

/** The halves of a 64-byte signature on lines of their own, named as their standard names them. */
export function showHalves(target: HTMLElement, hex: string, names: readonly [string, string]): void {
  const half = hex.length / 2;
  target.replaceChildren(
    ...names.map((name, i) => {
      const row = element('div', 'half');
      const digits = element('code', 'bytes');
      showGrouped(digits, hex.slice(i * half, (i + 1) * half));
      const caption = element('span', 'half-name', name);
      caption.setAttribute('aria-hidden', 'true');
      row.append(caption, digits);
      return row;
    }),
  );
}

export function showUnbroken(target: HTMLElement, text: string): void {
  target.replaceChildren(element('code', 'bytes', text));
}
