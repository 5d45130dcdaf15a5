// One place where the module runs: started when it is first needed, and again when its process has gone, with a growing
// pause while it keeps dying.
// Invariant: `version` changes whenever sessions, logins and handles are lost (a new process, or C_Finalize); whoever
// remembers a version can tell whether what it opened is still there.

import { setTimeout as delay } from 'node:timers/promises';
import { SignerError } from '../../../errors.js';
import type { HostedModule } from './hosted-module.js';
import { settledWithin } from './settled-within.js';

/** What a process adds to the module in it. */
export interface RunningModule extends HostedModule {
  /** Resolves when its process has ended; absent where the module is in this process. */
  readonly ended?: Promise<unknown>;
  /** Ends the process at once. */
  kill?(): Promise<void>;
}

/** How long C_Finalize may take. */
const CLOSE_MS = 2_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** The death of a process that lived this long is counted as a first one: it was not broken from the start. */
const HEALTHY_AFTER_MS = 10_000;

export class SupervisedModule {
  readonly #start: (signal: AbortSignal) => Promise<RunningModule>;
  readonly #closing = new AbortController();
  #running: Promise<RunningModule> | undefined;
  #current: RunningModule | undefined;
  #version = 0;
  #deaths = 0;
  #startedAt = 0;

  /** The signal of `start` is for a module that nobody wants any more. */
  constructor(start: (signal: AbortSignal) => Promise<RunningModule>) {
    this.#start = start;
  }

  get version(): number {
    return this.#version;
  }

  /** The module, started if it is not running. */
  running(): Promise<RunningModule> {
    this.#running ??= this.#launch();
    return this.#running;
  }

  /** C_Finalize and C_Initialize, unless that or more has happened since `version`. */
  async reinitialize(version: number): Promise<void> {
    if (version !== this.#version) return;
    this.#version++;
    await (await this.running()).reinitialize();
  }

  /**
   * Ends the process, so that `running` starts another, unless that has happened since `version`. A module in this process
   * is initialized anew instead.
   */
  async replace(version: number): Promise<void> {
    if (version !== this.#version || this.#running === undefined) return;
    const module = await this.#running;
    if (module.kill === undefined) return this.reinitialize(version);
    this.#forget(module);
    await module.kill();
  }

  /** A signature was made: the next death counts as the first. */
  noteSuccess(): void {
    this.#deaths = 0;
  }

  /** C_Finalize and the end of the process, which is killed where that takes longer than `patienceMs`. */
  async close(patienceMs = CLOSE_MS): Promise<void> {
    this.#closing.abort();
    const running = this.#running;
    this.#running = undefined;
    try {
      const module = await running;
      if (module === undefined || (await settledWithin(module.close(), patienceMs))) return;
      await module.kill?.();
    } catch {
      // It could not be started, or is gone already.
    }
  }

  async #launch(): Promise<RunningModule> {
    try {
      await this.#pause();
      const module = await this.#start(this.#closing.signal);
      if (this.#closing.signal.aborted) await module.close();
      this.#throwIfClosed();
      this.#startedAt = performance.now();
      module.ended?.then(() => this.#forget(module));
      this.#current = module;
      return module;
    } catch (error) {
      this.#running = undefined;
      this.#throwIfClosed();
      throw error;
    }
  }

  #throwIfClosed(): void {
    if (!this.#closing.signal.aborted) return;
    throw new SignerError('signer-closed', 'The signer was closed while its module was started');
  }

  #forget(module: RunningModule): void {
    if (this.#current !== module) return;
    this.#current = undefined;
    this.#running = undefined;
    this.#version++;
    const lived = performance.now() - this.#startedAt;
    this.#deaths = lived > HEALTHY_AFTER_MS ? 1 : this.#deaths + 1;
  }

  /** None before the first start and after the first death: a crash now and then costs a start and no more. */
  async #pause(): Promise<void> {
    const { signal } = this.#closing;
    const pauseMs =
      this.#deaths < 2 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#deaths - 2));
    if (pauseMs > 0) await delay(pauseMs, undefined, { signal });
    signal.throwIfAborted();
  }
}
