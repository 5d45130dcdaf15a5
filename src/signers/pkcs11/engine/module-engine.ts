// Pkcs11Engine: one for a module, its environment and its options in this process, shared by all who open it. It knows
// where the module runs (child processes, or this one) and which tokens are in use; it lives until its last user has gone.
//
// How a signature is made:
//   - One anchor session in each process holds the login; a bounded pool lends sessions, each to one signature at a time
//     (LoadedModule). How many there are depends on the kind of token (lane-plan.ts).
//   - In front of the token is a queue with a bound and a deadline (sign-queue.ts, shared-token.ts).
//   - A module that crashes or hangs takes its process with it and nothing else (supervised-module.ts); what was in flight
//     goes to another process, or to the next one (recovery.ts).

import { createHash } from 'node:crypto';
import { canonicalPath } from '../module/library.js';
import { LoadedModule } from '../module/loaded-module.js';
import { PinGuard } from '../pin/pin-guard.js';
import { ModuleProcess } from '../process/module-process.js';
import type { EngineOptions, PinReader, Pkcs11Engine, TokenConnection } from './engine.js';
import type { HostedModule, ModuleDescription, TokenInitialization, TokenSummary } from './hosted-module.js';
import { nextStep } from './recovery.js';
import { settledWithin } from './settled-within.js';
import { SharedToken } from './shared-token.js';
import type { QueueLimits } from './sign-queue.js';
import { type RunningModule, SupervisedModule } from './supervised-module.js';
import { connectionTo, signerClosed } from './token-connection.js';
import { initializeToken } from './token-initialization.js';
import { TokenLogin } from './token-login.js';

const CALL_TIMEOUT_MS = 20_000;
/** How long a token may take to be closed. */
const CLOSE_MS = 2_000;
const QUEUE: QueueLimits = { maxQueue: 1024, queueTimeoutMs: 30_000 };

const engines = new Map<string, SharedEngine>();
const guard = new PinGuard();

/** The engine for the module at `modulePath`; its holder releases it. Nothing is loaded before it is needed. */
export async function acquireEngine(modulePath: string, options: EngineOptions = {}): Promise<Pkcs11Engine> {
  const path = await canonicalPath(modulePath);
  const name = nameOf(path, options);
  const shared = engines.get(name) ?? new SharedEngine(path, options, () => engines.delete(name));
  engines.set(name, shared);
  return shared.lend();
}

/** A module in this process is one, whatever the options; child processes differ by what they were started with. */
function nameOf(path: string, { inProcess, env = process.env, ...options }: EngineOptions): string {
  if (inProcess) return JSON.stringify(['in process', path]);
  const environment = createHash('sha256')
    .update(JSON.stringify(Object.entries(env).sort()))
    .digest('hex');
  return JSON.stringify([path, environment, Object.entries(options).sort()]);
}

class SharedEngine {
  readonly path: string;
  readonly #options: EngineOptions & QueueLimits;
  readonly #modules: SupervisedModule[];
  readonly #tokens = new Map<string, SharedToken>();
  /** Tokens that are being closed: until then their login is another's. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #forget: () => void;
  #users = 0;

  constructor(path: string, options: EngineOptions, forget: () => void) {
    this.path = path;
    this.#options = { ...QUEUE, ...withoutUndefined(options) };
    this.#forget = forget;
    const count = options.inProcess ? 1 : (options.processes ?? 1);
    this.#modules = Array.from(
      { length: count },
      () => new SupervisedModule((signal) => this.#start(signal)),
    );
  }

  lend(): Pkcs11Engine {
    this.#users++;
    let isHeld = true;
    return {
      modulePath: this.path,
      describe: () => this.#describe(),
      listTokens: () => this.#repeated((module) => module.tokens()),
      restart: () => this.#first.reinitialize(this.#first.version),
      connect: (token, pin) => this.#connect(token, pin),
      initToken: (token, init) => this.#initToken(token, init),
      release: async () => {
        if (!isHeld) return;
        isHeld = false;
        this.#users--;
        if (this.#users === 0) await this.#close();
      },
    };
  }

  get #first(): SupervisedModule {
    return this.#modules[0]!;
  }

  /** Ends the processes: nobody uses them any more, so that one in which something hangs can be killed. */
  async #close(): Promise<void> {
    this.#forget();
    const somethingHangs = this.#leaving.size > 0;
    await Promise.all(this.#modules.map((module) => (somethingHangs ? module.close(0) : module.close())));
  }

  #start(signal: AbortSignal): Promise<RunningModule> {
    const { inProcess, env = process.env, timeoutMs = CALL_TIMEOUT_MS, maxSessions } = this.#options;
    if (inProcess) return LoadedModule.load(this.path);
    return ModuleProcess.start(this.path, {
      env,
      timeoutMs,
      signal,
      ...(maxSessions !== undefined && { maxSessions }),
    });
  }

  #describe(): Promise<ModuleDescription> {
    return this.#repeated((module) => module.describe());
  }

  /** Once more in a new process, where the first one died of it. */
  async #repeated<T>(call: (module: HostedModule) => Promise<T>): Promise<T> {
    const { version } = this.#first;
    try {
      return await call(await this.#first.running());
    } catch (error) {
      if (nextStep(error, new Set()) !== 'process') throw error;
      await this.#first.replace(version);
      return call(await this.#first.running());
    }
  }

  async #connect(token: TokenSummary, pin: PinReader): Promise<TokenConnection> {
    const name = JSON.stringify([
      token.manufacturer,
      token.model,
      token.serial,
      token.label,
      token.slotHandle,
    ]);
    while (this.#leaving.has(name)) await this.#leaving.get(name);
    const shared =
      this.#tokens.get(name) ?? new SharedToken(this.#modules, token, new TokenLogin(guard), this.#options);
    this.#tokens.set(name, shared);
    shared.users++;
    return connectionTo(shared, pin, async () => {
      shared.users--;
      if (shared.users > 0) return;
      this.#tokens.delete(name);
      const left = shared.close(signerClosed()).finally(() => this.#leaving.delete(name));
      this.#leaving.set(name, left);
      await settledWithin(left, CLOSE_MS);
    });
  }

  async #initToken(token: TokenSummary, init: TokenInitialization): Promise<void> {
    await initializeToken(await this.#first.running(), token, init, guard);
  }
}

const withoutUndefined = (options: EngineOptions) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
