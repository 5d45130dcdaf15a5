// The child's side of the pipe: makes the calls that come in on the module in this process and sends what comes of them.
// Every argument is checked before it goes any further. What is no call ends this process: its host has lost its way.

import { Socket } from 'node:net';
import * as v from 'valibot';
import type { HostedModule } from '../engine/hosted-module.js';
import { LoadedModule } from '../module/loaded-module.js';
import { ARGUMENTS, checkedArguments, type Method, REGISTERED_KEY, type RegisteredKey } from './calls.js';
import { carriedError } from './carried-error.js';
import { decodeCbor, encodeCbor } from './cbor.js';
import { FRAMES_FD } from './descriptors.js';
import { FrameWriter } from './frame-writer.js';
import { BOOT_ID, FrameReader, KIND, LOAD_ID, PROTOCOL } from './frames.js';
import { endNow } from './host-watch.js';
import { Turns } from './turns.js';

/** Loads the module, tells the host how that went, and serves until the host ends this process. */
export async function serveModule(modulePath: string): Promise<void> {
  const pipe = new Socket({ fd: FRAMES_FD, readable: true, writable: true });
  pipe.on('error', () => {}).on('close', endNow);
  const turns = new Turns(() => writer.flush());
  const writer = new FrameWriter(pipe, () => turns.flushSoon());
  writer.write(KIND.result, BOOT_ID, 0, encodeCbor({ protocol: PROTOCOL }));
  writer.flush();
  try {
    const server = new ModuleServer(await LoadedModule.load(modulePath), writer, turns);
    writer.write(KIND.result, LOAD_ID, 0, encodeCbor(undefined));
    pipe.on('data', (chunk: Buffer) => server.push(chunk));
  } catch (error) {
    writer.write(KIND.error, LOAD_ID, 0, encodeCbor(carriedError(error)));
    pipe.resume();
  }
}

class ModuleServer {
  readonly #module: HostedModule;
  readonly #writer: FrameWriter;
  readonly #turns: Turns;
  readonly #reader = new FrameReader((kind, id, key, body) => this.#handle(kind, id, key, body));
  readonly #keys: RegisteredKey[] = [];

  constructor(module: HostedModule, writer: FrameWriter, turns: Turns) {
    this.#module = module;
    this.#writer = writer;
    this.#turns = turns;
  }

  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  #handle(kind: number, id: number, key: number, body: Buffer): void {
    if (kind === KIND.sign) this.#sign(id, key, new Uint8Array(body));
    else if (kind === KIND.call) void this.#call(id, decodeCbor(body));
    else if (kind === KIND.key && key === this.#keys.length) this.#register(decodeCbor(body));
    else throw new Error(`a frame of kind ${kind}`);
  }

  #register(key: unknown): void {
    this.#keys.push(v.parse(REGISTERED_KEY, key));
  }

  #sign(id: number, number: number, input: Uint8Array): void {
    const registered = this.#keys[number];
    if (registered === undefined) throw new Error(`no key ${number}`);
    const [slot, key] = registered;
    this.#turns.take(() => {
      this.#module.sign(slot, { key, input }).then(
        (signature) => this.#signed(id, signature),
        (error) => this.#failed(id, error),
      );
    });
  }

  #signed(id: number, signature: Uint8Array): void {
    this.#writer.write(KIND.signature, id, 0, signature);
  }

  #failed(id: number, error: unknown): void {
    this.#writer.write(KIND.error, id, 0, encodeCbor(carriedError(error)));
  }

  async #call(id: number, call: unknown): Promise<void> {
    try {
      const result = await this.#made(call);
      this.#writer.write(KIND.result, id, 0, encodeCbor(result));
    } catch (error) {
      this.#failed(id, error);
    }
  }

  async #made(call: unknown): Promise<unknown> {
    const [method, given] = v.parse(CALL, call);
    const args = checkedArguments(method, given);
    return await (this.#module[method] as (...args: unknown[]) => Promise<unknown>)(...args);
  }
}

const METHODS = Object.keys(ARGUMENTS) as Method[];
const CALL = v.tuple([v.picklist(METHODS, 'no such call'), v.array(v.unknown(), 'no arguments')], 'no call');
