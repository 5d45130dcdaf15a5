// A PKCS#11 module in a child process: HostedModule behind a pipe. Whatever the module does there — crash, hang, write over
// its memory — is a rejected call here.
// - A call is made once. One without an answer because the child ended rejects with `module-crashed`; its outcome is unknown.
// - A call that outlives its time ends the child (SIGKILL): it rejects with `timeout`, the others in flight as above.
// - The child ends with this process, however that ends, and keeps it alive only while a call is in flight.

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
import { type Arguments, checkedArguments, type Method, type Result } from './calls.js';
import { encodeCbor } from './cbor.js';
import type { Environment } from './child-environment.js';
import { KIND } from './frames.js';
import { ModuleChild } from './module-child.js';
import { RegisteredKeys } from './registered-keys.js';

export interface ModuleProcessOptions {
  /** The child's environment, less our secrets; by default this process's. */
  env?: Environment | undefined;
  /** How long a call may take, by default 20 s; three times as long where keys are made or a token is initialized. */
  timeoutMs?: number | undefined;
  /** The most sessions that a token will be opened with: so many C_Sign calls run beside each other. */
  maxSessions?: number | undefined;
  /** Takes what the module prints on stderr, line by line; without it, ERST_LOG=debug passes it on. */
  log?: ((line: string) => void) | undefined;
  /** Ends a child that is not ready yet. */
  signal?: AbortSignal | undefined;
}

const DEFAULT_TIMEOUT_MS = 20_000;
const MIN_SIGNING_THREADS = 36;
/** How long C_Finalize may take when nothing else is in flight. */
const CLOSE_MS = 2000;

/** Calls that may take several times as long as others: smart cards make keys slowly. */
const patienceFor: Partial<Record<Method, number>> = { generateKeyPair: 3, importKeyPair: 3, initToken: 3 };

export class ModuleProcess implements HostedModule {
  readonly modulePath: string;
  readonly #child: ModuleChild;
  readonly #keys: RegisteredKeys;
  readonly #timeoutMs: number;

  /**
   * The child with the module loaded and initialized. Rejects as loading it here would, with `module-crashed` where that
   * ends the child and with `timeout` where it takes too long; then no child is left.
   */
  static async start(modulePath: string, options: ModuleProcessOptions = {}): Promise<ModuleProcess> {
    const started = new ModuleProcess(modulePath, options);
    const kill = () => started.#child.end('killed by this process');
    options.signal?.addEventListener('abort', kill);
    try {
      await started.#child.loaded;
      return started;
    } catch (error) {
      await started.kill();
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', kill);
    }
  }

  private constructor(modulePath: string, options: ModuleProcessOptions) {
    const { env = process.env, timeoutMs = DEFAULT_TIMEOUT_MS, maxSessions = 1, log } = options;
    const signingThreads = Math.max(maxSessions, MIN_SIGNING_THREADS);
    this.modulePath = modulePath;
    this.#timeoutMs = timeoutMs;
    this.#child = new ModuleChild(modulePath, timeoutMs, { env, signingThreads, log });
    this.#keys = new RegisteredKeys((number, key) => this.#child.tell(KIND.key, number, encodeCbor(key)));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves once, when the child is gone, for whatever reason. */
  get ended(): Promise<{ reason: string }> {
    return this.#child.ended;
  }

  /** Calls that have no answer yet. */
  get inFlight(): number {
    return this.#child.inFlight;
  }

  describe(): Promise<ModuleDescription> {
    return this.#call('describe');
  }

  tokens(): Promise<TokenSummary[]> {
    return this.#call('tokens');
  }

  reinitialize(): Promise<void> {
    return this.#call('reinitialize');
  }

  openToken(slot: SlotHandle, options: TokenOptions): Promise<void> {
    return this.#call('openToken', slot, options);
  }

  closeToken(slot: SlotHandle): Promise<void> {
    return this.#call('closeToken', slot);
  }

  tokenStatus(slot: SlotHandle): Promise<TokenStatus> {
    return this.#call('tokenStatus', slot);
  }

  login(slot: SlotHandle, pin: string): Promise<void> {
    return this.#call('login', slot, pin);
  }

  logout(slot: SlotHandle): Promise<void> {
    return this.#call('logout', slot);
  }

  keys(slot: SlotHandle, keyClass: 'private' | 'public', filter?: KeyFilter): Promise<KeySummary[]> {
    return this.#call('keys', slot, keyClass, filter);
  }

  publicPoint(slot: SlotHandle, key: KeyIdentity): Promise<Uint8Array | undefined> {
    return this.#call('publicPoint', slot, key);
  }

  certificates(slot: SlotHandle, filter?: KeyFilter): Promise<CertificateSummary[]> {
    return this.#call('certificates', slot, filter);
  }

  sign(slot: SlotHandle, request: SignRequest): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const number = request.contextPin === undefined ? this.#keys.numberOf(slot, request) : undefined;
      if (number === undefined) resolve(this.#call('sign', slot, request));
      else this.#child.ask({ method: 'sign', resolve, reject }, KIND.sign, number, request.input);
    });
  }

  generateKeyPair(slot: SlotHandle, key: KeyIdentity): Promise<void> {
    return this.#call('generateKeyPair', slot, key);
  }

  importKeyPair(slot: SlotHandle, key: ImportedKey): Promise<void> {
    return this.#call('importKeyPair', slot, key);
  }

  deleteKeyPair(slot: SlotHandle, key: KeyIdentity): Promise<number> {
    return this.#call('deleteKeyPair', slot, key);
  }

  initToken(slot: SlotHandle, init: TokenInitialization): Promise<void> {
    return this.#call('initToken', slot, init);
  }

  /** C_Finalize once no call is in flight, then the end of the child. No error where the child is gone before that. */
  async close(): Promise<void> {
    const patience = this.inFlight === 0 ? Math.min(1, CLOSE_MS / this.#timeoutMs) : 1;
    if (!this.#child.isOver) await this.#callFor(patience, 'close', []).catch(() => {});
    // SIGKILL also here: the module's destructors are not to run, some crash.
    this.#child.end('closed');
    await this.ended;
  }

  /** Ends the child at once; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.end('killed by this process');
    await this.ended;
  }

  #call<M extends Method>(method: M, ...given: Arguments<M>): Promise<Result<M>> {
    return this.#callFor(patienceFor[method] ?? 1, method, given);
  }

  #callFor<M extends Method>(patience: number, method: M, given: Arguments<M>): Promise<Result<M>> {
    return new Promise((resolve, reject) => {
      const body = encodeCbor([method, checkedArguments(method, given)]);
      try {
        this.#child.ask({ method, resolve, reject }, KIND.call, 0, body, patience);
      } finally {
        body.fill(0); // it may hold a PIN
      }
    });
  }
}
