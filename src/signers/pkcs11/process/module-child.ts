// The supervision of a module's process: its pipe, the calls that it has yet to answer, and its end, whatever brings it.
// Every call is answered once: by the child, by its deadline, or by the end of the child.

import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import * as v from 'valibot';
import { Pkcs11Error } from '../../../errors.js';
import { RESULTS } from './calls.js';
import { type Call, CallsInFlight } from './calls-in-flight.js';
import { rebuiltError } from './carried-error.js';
import { decodeCbor } from './cbor.js';
import { crashed, exitReason, tooLate } from './child-exit.js';
import { type SpawnOptions, spawnModuleChild } from './child-process.js';
import { FrameWriter } from './frame-writer.js';
import { BOOT_ID, FrameReader, KIND, LOAD_ID, PROTOCOL } from './frames.js';

const LAST_ID = 0xffff_ffff;
/** How long Node.js may take to start there, whatever the module's time-out is: that is this machine's doing. */
const BOOT_MS = 20_000;
/** How long what a dead child has written may still be read, where something else holds the pipe open. */
const LAST_WORDS_MS = 100;
/** How long a child whose pipe has ended may take to end. */
const END_OF_PIPE_MS = 1000;

const BOOTED = v.object({ protocol: v.literal(PROTOCOL) });
const LOADED = v.undefined();
const SIGNATURE_BYTES = 64;

export class ModuleChild {
  readonly pid: number;
  /** Resolves once, when the child is gone. */
  readonly ended: Promise<{ reason: string }>;
  /** Settles when the module is loaded and initialized, or was not. */
  readonly loaded: Promise<void>;
  readonly #modulePath: string;
  readonly #timeoutMs: number;
  readonly #child: ChildProcess;
  readonly #frames: Socket;
  readonly #writer: FrameWriter;
  readonly #calls: CallsInFlight;
  #nextId = LOAD_ID + 1;
  #isClosing = false;
  /** Set as soon as no call can be answered any more. */
  #endReason: string | undefined;
  #resolveEnded!: (end: { reason: string }) => void;

  constructor(modulePath: string, timeoutMs: number, options: SpawnOptions) {
    this.#modulePath = modulePath;
    this.#timeoutMs = timeoutMs;
    const { child, frames } = spawnModuleChild(modulePath, options);
    this.#child = child;
    this.#frames = frames;
    this.pid = child.pid ?? 0;
    this.#writer = new FrameWriter(frames, () => process.nextTick(() => this.#writer.flush()));
    this.#calls = new CallsInFlight(
      timeoutMs,
      (late) => this.#endLate(late),
      (isBusy) => (isBusy ? child.ref() : child.unref()),
    );
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.loaded = new Promise((resolve, reject) => {
      const load = () => this.#calls.add(LOAD_ID, { method: 'load', resolve, reject });
      this.#calls.add(BOOT_ID, { method: 'boot', resolve: load, reject }, Math.ceil(BOOT_MS / timeoutMs));
    });
    this.#listenToPipe();
    this.#listenToProcess();
  }

  get inFlight(): number {
    return this.#calls.size;
  }

  get isOver(): boolean {
    return this.#isClosing || this.#endReason !== undefined;
  }

  /** Sends a frame that wants an answer. `patience`: how many times the time-out it may take. */
  ask(call: Call, kind: number, key: number, body: Uint8Array, patience = 1): void {
    if (this.#isClosing) throw new Pkcs11Error('signer-closed', `${this.#modulePath} has been closed`);
    if (this.#endReason !== undefined) throw crashed(this.#modulePath, this.#endReason);
    const id = this.#nextId;
    this.#writer.write(kind, id, key, body);
    this.#nextId = id === LAST_ID ? LOAD_ID + 1 : id + 1;
    this.#calls.add(id, call, patience);
    if (call.method === 'close') this.#isClosing = true;
  }

  /** Sends a frame that gets no answer. */
  tell(kind: number, key: number, body: Uint8Array): void {
    this.#writer.write(kind, 0, key, body);
  }

  /** Ends the child with SIGKILL; what is in flight rejects at once. */
  end(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#child.kill('SIGKILL');
    this.#frames.destroy();
    this.#rejectAll(reason);
    this.#child.ref(); // after the calls, the last of which takes it back: who waits for the end must live to see it
  }

  #listenToPipe(): void {
    const reader = new FrameReader((kind, id, _key, body) => this.#answer(kind, id, body));
    this.#frames.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch {
        this.end('it sent what is no answer');
      }
    });
    // A child that crashes closes its pipe as well; only `exit` knows why.
    this.#frames.on('close', () => {
      setTimeout(() => this.end('it closed its pipe'), END_OF_PIPE_MS).unref();
    });
  }

  #listenToProcess(): void {
    const child = this.#child;
    child.on('error', (error) => this.#gone(`it could not be started: ${error.message}`));
    child.on('exit', (code, signal) => {
      const reason = exitReason(code, signal);
      const timer = setTimeout(() => this.#gone(reason), LAST_WORDS_MS);
      child.on('close', () => {
        clearTimeout(timer);
        this.#gone(reason);
      });
    });
  }

  #answer(kind: number, id: number, body: Buffer): void {
    const call = this.#calls.take(id);
    if (call === undefined) throw new Error('an answer to no call');
    try {
      if (kind === KIND.error) call.reject(rebuiltError(decodeCbor(body)));
      else call.resolve(resultOf(call, kind, body) as never);
    } catch (error) {
      const reason =
        call.method === 'boot' ? 'it is of another build of erst-hsm' : 'it sent what is no answer';
      call.reject(crashed(this.#modulePath, reason, call.method));
      throw error;
    }
  }

  #endLate(late: readonly Call[]): void {
    for (const call of late) call.reject(tooLate(this.#modulePath, this.#timeoutMs, call.method));
    this.end(`${late[0]!.method} did not return in time`);
  }

  #gone(reason: string): void {
    this.#endReason ??= reason;
    this.#rejectAll(this.#endReason);
    this.#resolveEnded({ reason: this.#endReason });
  }

  #rejectAll(reason: string): void {
    for (const call of this.#calls.takeAll()) call.reject(crashed(this.#modulePath, reason, call.method));
  }
}

/** What an answer that is no error says; throws where it says nothing that the call can end with. */
function resultOf({ method }: Call, kind: number, body: Buffer): unknown {
  if (kind === KIND.signature && method === 'sign' && body.length === SIGNATURE_BYTES)
    return new Uint8Array(body);
  if (kind !== KIND.result) throw new Error(`a frame of kind ${kind} for ${method}`);
  return v.parse(schemaOf(method), decodeCbor(body));
}

function schemaOf(method: Call['method']): v.GenericSchema {
  if (method === 'boot') return BOOTED;
  return method === 'load' ? LOADED : RESULTS[method];
}
