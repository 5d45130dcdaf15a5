// The keys that the bridge shares with this browser, as a group of radio buttons; the chosen one is the one that signs.

import { bytesToHex } from '../../bytes.js';
import type { Algorithm } from '../../signers/types.js';
import { showGrouped } from './bytes-view.js';
import { onCopy } from './copy.js';
import { byId, within } from './dom.js';
import type { ConsoleKey } from './session.js';

const ALGORITHM_NAMES: Readonly<Record<Algorithm, string>> = {
  ed25519: 'Ed25519',
  secp256k1: 'ECDSA secp256k1',
  p256: 'ECDSA P-256',
};

export const algorithmName = (algorithm: Algorithm): string => ALGORITHM_NAMES[algorithm];

/** Shows `keys` and keeps the choice where that key is still there. `onChoose` hears the choice, now and later. */
export function showKeys(keys: readonly ConsoleKey[], onChoose: (key: ConsoleKey | undefined) => void): void {
  const list = byId('keys');
  const before = list.querySelector<HTMLInputElement>('input:checked')?.value;
  const chosen = keys.find((key) => key.name === before) ?? keys.find(isUsable) ?? keys[0];
  list.replaceChildren(
    ...keys.map((key, index) => {
      const card = keyCard(key, `key-${index}`);
      const radio = within<HTMLInputElement>(card, 'input');
      radio.checked = key === chosen;
      radio.addEventListener('change', () => onChoose(key));
      return card;
    }),
  );
  byId('no-keys').hidden = keys.length > 0;
  onChoose(chosen);
}

/** A key whose signatures this page can check. */
export const isUsable = (key: ConsoleKey): boolean => key.publicKey !== undefined && !key.changed;

function keyCard(key: ConsoleKey, id: string): HTMLElement {
  const template = byId<HTMLTemplateElement>('key-template').content.cloneNode(true) as DocumentFragment;
  const card = within(template, '.key');
  const radio = within<HTMLInputElement>(card, 'input');
  radio.id = id;
  radio.value = key.name;
  within<HTMLLabelElement>(card, 'label').htmlFor = id;
  within(card, '.key-name').textContent = key.name;
  within(card, '.key-algorithm').textContent = algorithmName(key.algorithm);
  showPlace(within(card, '.key-place'), key);
  showPublicKey(card, key);
  return card;
}

function showPlace(target: HTMLElement, key: ConsoleKey): void {
  const place = describePlace(key.info);
  target.hidden = place === '';
  target.textContent = place;
}

function showPublicKey(card: HTMLElement, { publicKey, changed }: ConsoleKey): void {
  const warning = within(card, '.key-warning');
  if (changed) {
    warning.textContent =
      'Its public key is not the one that this browser pinned when it paired. Signing with it is off. If the key was replaced on purpose, pair again.';
  } else if (publicKey === undefined) {
    warning.textContent =
      'The bridge does not tell this browser its public key, so no signature could be checked.';
  }
  warning.hidden = warning.textContent === '';
  within(card, '.key-public').hidden = publicKey === undefined;
  if (publicKey === undefined) return;
  showGrouped(within(card, '.key-public .bytes'), bytesToHex(publicKey.raw));
  onCopy(within(card, '[data-format="hex"]'), () => bytesToHex(publicKey.raw));
  onCopy(within(card, '[data-format="pem"]'), () => publicKey.toPem());
}

/** Where a key lives, from what the bridge says of it: the names that signers here use, and nothing that is not there. */
export function describePlace(info: Readonly<Record<string, string>>): string {
  switch (info.signerType) {
    case 'pkcs11': {
      const { tokenLabel, model, serial } = info;
      return joined([`In the token ${tokenLabel ?? ''}`.trim(), model, serial && `serial ${serial}`]);
    }
    case 'software':
      return info.source === 'file' ? 'In a file on the bridge’s machine' : 'In the bridge’s memory';
    case 'remote':
      return joined(['Behind another bridge', info.url]);
    default:
      return info.signerType ?? '';
  }
}

const joined = (parts: readonly (string | undefined)[]): string => parts.filter((part) => part).join(' · ');
