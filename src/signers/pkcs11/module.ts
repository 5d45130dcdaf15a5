// A PKCS#11 module in this process: loaded once per path, initialized while somebody uses it, finalized after the last.
// Invariant: every call of the module is made inside `exclusive`, so that no two run at the same time. What the
// specification demands of some pairs of calls (nothing between a context-specific login and its C_Sign, no C_Finalize
// during a call) thereby holds for all, also with modules whose own locking is weak.

import type { Cryptoki } from './cryptoki.js';
import { ExclusiveQueue } from './exclusive.js';
import { canonicalPath, loadLibrary } from './library.js';

const modules = new Map<string, Pkcs11Module>();

export class Pkcs11Module {
  readonly path: string;
  readonly #queue = new ExclusiveQueue();
  #cryptoki: Cryptoki | undefined;
  #initialized = false;
  #finalizable = false;
  #users = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /** The module at `path`, loaded and initialized. Each one acquired is to be released. */
  static async acquire(path: string): Promise<Pkcs11Module> {
    const canonical = await canonicalPath(path);
    let module = modules.get(canonical);
    if (module === undefined) {
      module = new Pkcs11Module(canonical);
      modules.set(canonical, module);
    }
    await module.#use();
    return module;
  }

  /** Runs `work` while no other call of this module is in flight; see ExclusiveQueue.run for `signal`. */
  exclusive<T>(work: (cryptoki: Cryptoki) => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#queue.run(() => work(this.#cryptoki!), signal);
  }

  /** Finalizes and initializes again, inside `exclusive`; `false` where somebody else is using the module. */
  reinitialize(): boolean {
    if (this.#users !== 1 || !this.#finalizable) return false;
    this.#finalize();
    this.#initialize();
    return true;
  }

  async release(): Promise<void> {
    this.#users--;
    await this.#queue.run(() => {
      if (this.#users === 0 && this.#initialized) this.#finalize();
    });
  }

  async #use(): Promise<void> {
    this.#users++;
    try {
      await this.#queue.run(async () => {
        this.#cryptoki ??= await loadLibrary(this.path);
        if (!this.#initialized) this.#initialize();
      });
    } catch (error) {
      this.#users--;
      throw error;
    }
  }

  #initialize(): void {
    this.#finalizable = this.#cryptoki!.initialize();
    this.#initialized = true;
  }

  #finalize(): void {
    this.#initialized = false;
    if (this.#finalizable) this.#cryptoki!.finalize();
  }
}
