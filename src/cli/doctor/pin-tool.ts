// Lines for the vendor's tool of a token, which asks for the PINs at the terminal.

import type { TokenSummary } from '../../signers/pkcs11/engine/hosted-module.js';
import { shellQuoted } from '../shell-quote.js';
import { isYkcs11 } from './known-modules.js';

export class PinTool {
  readonly #isYubiKey: boolean;
  readonly #pkcs11Tool: string;

  constructor(modulePath: string, { label }: TokenSummary) {
    this.#isYubiKey = isYkcs11(modulePath);
    this.#pkcs11Tool = `pkcs11-tool --module ${shellQuoted(modulePath)} --token-label ${shellQuoted(label)} --login`;
  }

  /** Presents the right PIN, which sets the counter back. */
  verifyLine(): string {
    return this.#isYubiKey ? 'yubico-piv-tool -a verify-pin' : `${this.#pkcs11Tool} --list-objects`;
  }

  unblockLine(): string {
    return this.#isYubiKey ? 'yubico-piv-tool -a unblock-pin' : this.setLine();
  }

  changeLine(): string {
    return this.#isYubiKey ? 'yubico-piv-tool -a change-pin' : `${this.#pkcs11Tool} --change-pin`;
  }

  setLine(): string {
    return `${this.#pkcs11Tool} --login-type so --init-pin`;
  }
}
