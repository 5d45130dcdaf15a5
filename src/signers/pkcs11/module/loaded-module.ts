// A PKCS#11 module in this process: validation, sessions, handles and the calls of pkcs11js, and no policy.
// Calls run beside each other; C_Finalize waits until none is in flight, and nothing reaches the module after it, because
// a module that is finalized during a call, or used after it, ends the process.
// Source: OASIS PKCS #11 v3.1 §5.4 (C_Initialize, C_Finalize).

import { CKO, CKR } from '../constants.js';
import type {
  CertificateSummary,
  HostedModule,
  ImportedKey,
  KeyFilter,
  KeyIdentity,
  KeySummary,
  ModuleDescription,
  SignRequest,
  SlotHandle,
  TokenInitialization,
  TokenOptions,
  TokenStatus,
  TokenSummary,
} from '../engine/hosted-module.js';
import { returned } from '../errors.js';
import {
  checkFilter,
  checkIdentity,
  checkImportedKey,
  checkPin,
  checkSignRequest,
  checkTokenInitialization,
  checkTokenOptions,
  slotOf,
} from './arguments.js';
import type { Handle } from './ck-types.js';
import type { Cryptoki } from './cryptoki.js';
import { deleteKeyPair } from './delete-key.js';
import { importKeyPair } from './import-key.js';
import { initToken } from './init-token.js';
import { generateKeyPair } from './keygen.js';
import { canonicalPath, loadLibrary } from './library.js';
import { findPublicPoint, listCertificates, listKeys } from './objects.js';
import { notOpen, OpenToken } from './open-token.js';
import { SharedLock } from './shared-lock.js';
import { summarizeTokens } from './token-summary.js';

/** Modules that are being closed, by their path: the C_Finalize of one would take the sessions of the next. */
const closing = new Map<string, Promise<void>>();

export class LoadedModule implements HostedModule {
  readonly #path: string;
  readonly #cryptoki: Cryptoki;
  readonly #lock = new SharedLock();
  readonly #tokens = new Map<SlotHandle, OpenToken>();
  #finalizable: boolean;
  #closed = false;

  private constructor(path: string, cryptoki: Cryptoki) {
    this.#path = path;
    this.#cryptoki = cryptoki;
    this.#finalizable = cryptoki.initialize();
  }

  /** Loads and initializes the module at `path`. A process holds one at a time: login and C_Finalize are for all of it. */
  static async load(path: string): Promise<LoadedModule> {
    const canonical = await canonicalPath(path);
    const cryptoki = await loadLibrary(canonical);
    while (closing.has(canonical)) await closing.get(canonical);
    return new LoadedModule(canonical, cryptoki);
  }

  describe(): Promise<ModuleDescription> {
    return this.#share(() => ({
      ...this.#cryptoki.libraryInfo(),
      slotCount: this.#cryptoki.allSlots().length,
    }));
  }

  tokens(): Promise<TokenSummary[]> {
    return this.#share(() => this.#besideAllTokens(() => summarizeTokens(this.#cryptoki)));
  }

  reinitialize(): Promise<void> {
    return this.#lock.exclude(async () => {
      if (this.#closed) throw returned('C_Initialize', CKR.CKR_CRYPTOKI_NOT_INITIALIZED);
      await this.#closeTokens();
      if (!this.#finalizable && this.#cryptoki.initialized) return; // other code's, which may have calls in flight
      this.#finalize();
      this.#finalizable = this.#cryptoki.initialize();
    });
  }

  async openToken(slot: SlotHandle, options: TokenOptions): Promise<void> {
    const handle = slotOf(slot);
    checkTokenOptions(options);
    return this.#share(() => {
      const open = this.#tokens.get(slot);
      if (open !== undefined) return open.setOptions(options);
      this.#tokens.set(slot, new OpenToken(this.#cryptoki, handle, options));
    });
  }

  async closeToken(slot: SlotHandle): Promise<void> {
    slotOf(slot);
    return this.#share(async () => {
      const token = this.#tokens.get(slot);
      this.#tokens.delete(slot);
      await token?.close();
    });
  }

  async tokenStatus(slot: SlotHandle): Promise<TokenStatus> {
    return this.#onToken(slot, 'C_GetSessionInfo', (token) => token.status());
  }

  async login(slot: SlotHandle, pin: string): Promise<void> {
    checkPin(pin, 'pin');
    return this.#onToken(slot, 'C_Login', (token) => token.login(pin));
  }

  async logout(slot: SlotHandle): Promise<void> {
    return this.#onToken(slot, 'C_Logout', (token) => token.logout());
  }

  async keys(
    slot: SlotHandle,
    keyClass: 'private' | 'public',
    filter: KeyFilter = {},
  ): Promise<KeySummary[]> {
    const objectClass = { private: CKO.PRIVATE_KEY, public: CKO.PUBLIC_KEY }[keyClass];
    if (objectClass === undefined) throw new TypeError('keyClass must be private or public');
    checkFilter(filter);
    return this.#read(slot, (session) => listKeys(this.#cryptoki, session, objectClass, filter));
  }

  async publicPoint(slot: SlotHandle, key: KeyIdentity): Promise<Uint8Array | undefined> {
    checkIdentity(key);
    return this.#read(slot, (session) => findPublicPoint(this.#cryptoki, session, key));
  }

  async certificates(slot: SlotHandle, filter: KeyFilter = {}): Promise<CertificateSummary[]> {
    checkFilter(filter);
    return this.#read(slot, (session) => listCertificates(this.#cryptoki, session, filter));
  }

  async sign(slot: SlotHandle, request: SignRequest): Promise<Uint8Array> {
    checkSignRequest(request);
    return this.#onToken(slot, 'C_Sign', (token) => token.sign(request));
  }

  async generateKeyPair(slot: SlotHandle, key: KeyIdentity): Promise<void> {
    checkIdentity(key);
    return this.#onToken(slot, 'C_GenerateKeyPair', (token) =>
      token.write((session) => generateKeyPair(this.#cryptoki, session, key)),
    );
  }

  async importKeyPair(slot: SlotHandle, key: ImportedKey): Promise<void> {
    checkImportedKey(key);
    return this.#onToken(slot, 'C_CreateObject', (token) =>
      token.write((session) => importKeyPair(this.#cryptoki, session, key)),
    );
  }

  async deleteKeyPair(slot: SlotHandle, key: KeyIdentity): Promise<number> {
    checkIdentity(key);
    return this.#onToken(slot, 'C_DestroyObject', (token) =>
      token.deleteKeys((session) => deleteKeyPair(this.#cryptoki, session, key)),
    );
  }

  async initToken(slot: SlotHandle, init: TokenInitialization): Promise<void> {
    const handle = slotOf(slot);
    checkTokenInitialization(init);
    return this.#share(() => {
      if (this.#tokens.has(slot)) throw new TypeError('the token is open: close it before it is initialized');
      initToken(this.#cryptoki, handle, init);
    });
  }

  close(): Promise<void> {
    const closed = this.#lock.exclude(async () => {
      if (this.#closed) return;
      this.#closed = true;
      await this.#closeTokens();
      if (this.#finalizable) this.#finalize();
    });
    const before = closing.get(this.#path);
    const all = Promise.allSettled([before, closed]).then(() => {
      if (closing.get(this.#path) === all) closing.delete(this.#path);
    });
    closing.set(this.#path, all);
    return closed;
  }

  #share<T>(work: () => T | Promise<T>): Promise<T> {
    return this.#lock.share(() => {
      if (this.#closed) throw returned('C_Initialize', CKR.CKR_CRYPTOKI_NOT_INITIALIZED);
      return work();
    });
  }

  #onToken<T>(slot: SlotHandle, functionName: string, work: (token: OpenToken) => Promise<T>): Promise<T> {
    return this.#share(() => {
      const token = this.#tokens.get(slot);
      if (token !== undefined) return work(token);
      slotOf(slot);
      throw notOpen(functionName);
    });
  }

  #read<T>(slot: SlotHandle, work: (session: Handle) => T): Promise<T> {
    return this.#onToken(slot, 'C_FindObjects', (token) => token.read(work));
  }

  /** Waits while a signature on any token takes its PIN: C_GetTokenInfo must not come between C_SignInit and C_Sign. */
  #besideAllTokens<T>(work: () => T | Promise<T>): Promise<T> {
    let run = async () => work();
    for (const token of this.#tokens.values()) {
      const inner = run;
      run = () => token.beside(inner);
    }
    return run();
  }

  async #closeTokens(): Promise<void> {
    const open = [...this.#tokens.values()];
    this.#tokens.clear();
    for (const token of open) await token.close();
  }

  /** A module that cannot be finalized because its device is gone has nothing left to finalize. */
  #finalize(): void {
    try {
      this.#cryptoki.finalize();
    } catch {
      // C_Initialize says what is wrong
    }
  }
}
