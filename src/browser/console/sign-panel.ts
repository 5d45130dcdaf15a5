// The form that signs, and what came of it. A signature is shown only after this page has verified it against the
// public key that this browser has pinned.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, toBase64 } from '../../bytes.js';
import type { Signature } from '../../signers/signature.js';
import { isSignerSignature } from '../../signers/verify.js';
import { showGrouped, showHalves, showUnbroken } from './bytes-view.js';
import { onCopy } from './copy.js';
import { byId, element, fill, fillFacts, within } from './dom.js';
import { algorithmName, isUsable } from './key-list.js';
import { type InputKind, labelsFor, type Message, readMessage } from './message.js';
import type { ConsoleKey } from './session.js';

type Sign = (key: ConsoleKey, message: Message) => Promise<Signature>;
type Encoding = 'hex' | 'base64' | 'der';

const TOUCH_HINT_MS = 2500;

export class SignPanel {
  readonly #sign: Sign;
  readonly #form = byId<HTMLFormElement>('sign-form');
  readonly #input = byId<HTMLTextAreaElement>('message');
  readonly #button = byId<HTMLButtonElement>('sign-button');
  #key: ConsoleKey | undefined;
  #signature: Signature | undefined;
  #busy = false;
  #complained = false;

  constructor(sign: Sign) {
    this.#sign = sign;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#form.addEventListener('input', () => this.#showMessage());
    this.#input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.#form.requestSubmit();
    });
    for (const choice of document.querySelectorAll<HTMLInputElement>('input[name="encoding"]')) {
      choice.addEventListener('change', () => this.#showSignature());
    }
    onCopy(byId<HTMLButtonElement>('copy-signature'), () => this.#encoded());
  }

  /** Signs with `key` from now on; `undefined` where there is none. */
  use(key: ConsoleKey | undefined): void {
    this.#key = key;
    byId('sign-section').hidden = key === undefined;
    if (key !== undefined) this.#showMessage();
  }

  get #kind(): InputKind {
    return within<HTMLInputElement>(this.#form, 'input[name="input"]:checked').value as InputKind;
  }

  #read(): Message | string | undefined {
    return this.#key && readMessage(this.#kind, this.#input.value, this.#key.algorithm);
  }

  /** Problems are hints while people type, and errors once they have tried to sign. */
  #showMessage(): void {
    if (this.#key === undefined) return;
    const labels = labelsFor(this.#kind, this.#key.algorithm);
    fill('hex-label', labels.hexChoice);
    fill('message-label', labels.field);
    const message = this.#read();
    const isMessage = typeof message === 'object';
    if (isMessage) this.#complained = false;
    const hint = isMessage ? message.explanation : (message ?? '');
    byId('message-note').textContent = this.#complained ? '' : hint;
    this.#showError(this.#complained ? hint || 'There is nothing to sign yet.' : '');
    this.#showButton();
  }

  #showError(text: string): void {
    const place = byId('message-error');
    place.textContent = text;
    place.hidden = text === '';
    this.#input.setAttribute('aria-invalid', String(text !== ''));
  }

  #showButton(): void {
    const usable = this.#key !== undefined && isUsable(this.#key);
    this.#button.setAttribute('aria-disabled', String(this.#busy || !usable));
    this.#button.textContent = this.#busy ? 'Signing…' : `Sign with ${this.#key?.name ?? ''}`;
  }

  async #submit(): Promise<void> {
    const key = this.#key;
    const message = this.#read();
    if (this.#busy || key === undefined || !isUsable(key)) return;
    if (typeof message !== 'object') return this.#complain();
    this.#begin();
    const hint = setTimeout(() => {
      byId('message-note').textContent = 'Waiting for the key. Some tokens want to be touched.';
    }, TOUCH_HINT_MS);
    try {
      await this.#show(key, message, await this.#sign(key, message));
    } catch (error) {
      this.#fail(error);
    } finally {
      clearTimeout(hint);
      this.#busy = false;
      this.#showMessage();
    }
  }

  #complain(): void {
    this.#complained = true;
    this.#showMessage();
    this.#input.focus();
  }

  #begin(): void {
    this.#busy = true;
    this.#signature = undefined;
    byId('result').hidden = true;
    byId('sign-failure').hidden = true;
    this.#showButton();
  }

  #fail(error: unknown): void {
    const place = byId('sign-failure');
    place.textContent = error instanceof Error ? error.message : String(error);
    place.hidden = false;
  }

  async #show(key: ConsoleKey, message: Message, signature: Signature): Promise<void> {
    const { data, prehashed } = message;
    if (!(await isSignerSignature(key.publicKey!, data, signature, { prehashed }))) {
      throw new Error(
        'The signature that came is not by this key. It is not shown; look into the bridge’s log.',
      );
    }
    this.#signature = signature;
    const ecdsa = signature.algorithm !== 'ed25519';
    within(document, '[data-slot="der-choice"]').hidden = !ecdsa;
    if (!ecdsa && this.#encoding === 'der')
      within<HTMLInputElement>(document, '[value="hex"][name="encoding"]').checked = true;
    this.#showSignature();
    this.#showFacts(key, message, signature);
    byId('result').hidden = false;
    byId('verdict').textContent = 'Verified';
    byId('verdict-note').textContent = `Checked in this page, against the pinned public key of ${key.name}.`;
    byId('verdict').focus({ preventScroll: true });
    byId('result').scrollIntoView({ block: 'nearest' });
  }

  #showFacts(key: ConsoleKey, message: Message, signature: Signature): void {
    const digest = element('code', 'bytes');
    showGrouped(digest, bytesToHex(message.prehashed ? message.data : sha256(message.data)));
    const recovery =
      signature.recovery === undefined ? [] : [['Recovery id', String(signature.recovery)] as const];
    fillFacts(byId('result-facts'), [
      ['Key', `${key.name}, ${algorithmName(key.algorithm)}`],
      ['Signed', message.summary],
      [message.prehashed ? 'Digest' : 'Its SHA-256', digest],
      ...recovery,
    ]);
  }

  get #encoding(): Encoding {
    return within<HTMLInputElement>(document, 'input[name="encoding"]:checked').value as Encoding;
  }

  #encoded(): string {
    const signature = this.#signature!;
    if (this.#encoding === 'base64') return toBase64(signature.bytes);
    return bytesToHex(this.#encoding === 'der' ? signature.toDer() : signature.bytes);
  }

  #showSignature(): void {
    const target = byId('signature');
    const text = this.#encoded();
    if (this.#encoding !== 'hex') showUnbroken(target, text);
    else showHalves(target, text, this.#signature!.algorithm === 'ed25519' ? ['R', 'S'] : ['r', 's']);
  }
}
