// The debug build of the curves, which exports inner operations, with places for operands in its message buffer.

import base64 from '../../build/wasm/curves.debug.js';

type Exports = Record<string, unknown> & { memory: WebAssembly.Memory };

export function debugCurves() {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(base64, 'base64')));
  const debug = exports as Exports;
  const address = (name: string): number => (debug[name] as WebAssembly.Global<'i32'>).value;
  return {
    /** The value of an exported address. */
    address,
    call: (name: string, ...args: (number | bigint)[]): unknown =>
      (debug[name] as (...args: (number | bigint)[]) => unknown)(...args),
    /** The address of the place with this index; places are 64 bytes apart. */
    place: (index: number): number => address('MESSAGE') + 64 * index,
    bytesAt: (at: number, length: number): Uint8Array => new Uint8Array(debug.memory.buffer, at, length),
    limbsAt: (at: number): Uint32Array => new Uint32Array(debug.memory.buffer, at, 9),
  };
}
